//! What J is too large for: the memory limit, and what products with J alone give beyond it.

use crate::damped::{DampedSolver, direct_memory};
use crate::error::SolveError;
use crate::jacobian::operator::JacobianOperator;
use crate::matrix_free::solve::MatrixFree;
use crate::point::factors::Factors;
use crate::powers::times_power;

/// Lanczos steps for the largest singular value.
const LANCZOS_STEPS: usize = 60;

impl Factors {
    /// Sets the bytes that the matrices of a solve may take; default 4 GiB.
    ///
    /// Beyond them `Auto` iterates with products, a preconditioner stays within them, and the smallest singular value and
    /// projections return [`SolveError::MemoryLimit`].
    pub fn set_memory_limit(&mut self, bytes: usize) {
        self.memory_limit = bytes;
    }

    /// Whether the matrices that `solver` keeps, and `more` of its largest, are within the limit; never for
    /// one that needs rows which lie on other machines.
    pub(crate) fn has_memory(&self, solver: DampedSolver, more: usize) -> bool {
        if self.require_held(solver).is_err() {
            return false;
        }
        let order = self.total_rows.min(self.columns);
        let extra =
            more.saturating_mul(order).saturating_mul(order).saturating_mul(size_of::<f64>());
        direct_memory(solver, self.rows, self.columns).saturating_add(extra) <= self.memory_limit
    }

    /// Returns whether J and its factors fit into the memory limit, as the whole spectrum and projections need.
    pub fn has_memory_for_dense(&self) -> bool {
        self.require_memory().is_ok()
    }

    /// Refuses a kernel that needs rows which lie on other machines.
    pub(crate) fn require_held(&self, solver: DampedSolver) -> Result<(), SolveError> {
        let needs_all = matches!(
            solver,
            DampedSolver::DualCholesky | DampedSolver::HouseholderQr | DampedSolver::ThinSvd
        );
        if self.is_split() && (needs_all || self.is_wide()) {
            let (held, total) = (self.rows, self.total_rows);
            return Err(SolveError::SplitRows { solver, held, total, columns: self.columns });
        }
        Ok(())
    }

    /// Refuses what would take a dense J and its factors beyond the memory limit, or rows from elsewhere.
    pub(crate) fn require_memory(&self) -> Result<(), SolveError> {
        self.require_held(DampedSolver::HouseholderQr)?;
        let bytes = direct_memory(DampedSolver::HouseholderQr, self.rows, self.columns);
        let limit = self.memory_limit;
        if bytes > limit { Err(SolveError::MemoryLimit { bytes, limit }) } else { Ok(()) }
    }

    /// Computes the largest singular value with products only, by a Lanczos process of 60 steps.
    ///
    /// The value is a lower bound, with a relative error near `(residual / value)^2` of that process.
    ///
    /// # Errors
    /// [`SolveError`] for a wrong shape, or entries that are not finite.
    pub fn largest_singular_value(
        &mut self,
        jacobian: &dyn JacobianOperator,
    ) -> Result<f64, SolveError> {
        if let Some(known) = self.extremes {
            return Ok(times_power(known.largest, -self.exponent));
        }
        if let Some(known) = self.largest_by_products {
            return Ok(known);
        }
        self.size(jacobian)?;
        let found = self.matrix_free()?.extremes(jacobian, LANCZOS_STEPS)?.largest;
        self.largest_by_products = Some(found);
        Ok(found)
    }

    /// The workspace of kernels that see J through products alone.
    pub(crate) fn matrix_free(&mut self) -> Result<&mut MatrixFree, SolveError> {
        let found = match self.matrix_free.take() {
            Some(known) => known,
            None => MatrixFree::new(self.rows, self.columns)?,
        };
        Ok(self.matrix_free.insert(found))
    }
}
