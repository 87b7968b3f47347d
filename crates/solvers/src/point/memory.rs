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

    /// Whether the matrices that `solver` keeps, and `more` of its largest, are within the limit.
    pub(crate) fn has_memory(&self, solver: DampedSolver, more: usize) -> bool {
        let order = self.order();
        let extra =
            more.saturating_mul(order).saturating_mul(order).saturating_mul(size_of::<f64>());
        let needed = direct_memory(solver, self.rows_of(solver), self.columns);
        needed.saturating_add(extra) <= self.memory_limit
    }

    /// Returns whether J and its factors fit into the memory limit, as the whole spectrum and projections need.
    pub fn has_memory_for_dense(&self) -> bool {
        self.require_memory().is_ok()
    }

    /// The rows that the matrices of `solver` have on a machine: all of K, and of J what it is reduced to.
    fn rows_of(&self, solver: DampedSolver) -> usize {
        if solver == DampedSolver::DualCholesky { self.total_rows } else { self.factored_rows }
    }

    /// Refuses what would take a dense J and its factors beyond the memory limit.
    pub(crate) fn require_memory(&self) -> Result<(), SolveError> {
        let bytes = direct_memory(DampedSolver::HouseholderQr, self.factored_rows, self.columns);
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
