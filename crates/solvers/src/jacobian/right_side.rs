//! The right-hand side b of `((1 - rho) J^T J + rho I) v = J^T b`, with what is known of it.

use crate::jacobian::operator::JacobianOperator;

/// Holds the right-hand side b of a system, with what the caller knows of it.
///
/// Every method that takes one also takes a slice of its entries.
#[derive(Clone, Copy, Debug)]
pub struct RightSide<'b> {
    /// b (length n).
    pub entries: &'b [f64],
    /// What was computed of b before; a solve computes it otherwise.
    pub known: Option<Known<'b>>,
}

/// Holds what is known of a right-hand side b.
#[derive(Clone, Copy, Debug)]
pub struct Known<'b> {
    /// The 2-norm of b.
    pub norm: f64,
    /// `J^T b` (length p).
    pub gradient: &'b [f64],
}

impl<'b> From<&'b [f64]> for RightSide<'b> {
    fn from(entries: &'b [f64]) -> Self {
        Self { entries, known: None }
    }
}

impl<'b> From<&'b Vec<f64>> for RightSide<'b> {
    fn from(entries: &'b Vec<f64>) -> Self {
        Self::from(&entries[..])
    }
}

impl<'b, const N: usize> From<&'b [f64; N]> for RightSide<'b> {
    fn from(entries: &'b [f64; N]) -> Self {
        Self::from(&entries[..])
    }
}

impl RightSide<'_> {
    /// Writes `J^T b` (length p).
    pub(crate) fn pull_back(&self, jacobian: &dyn JacobianOperator, out: &mut [f64]) {
        match self.known {
            Some(known) => out.copy_from_slice(known.gradient),
            None => jacobian.apply_transposed(self.entries, out),
        }
    }
}
