//! The extreme singular values of `Df(w)`, followed along the path of a [`Linearization`].

use gaussflow_solvers::{
    DampedSolver, ExtremeSingularValues, JacobianOperator, SolveError, SolveRequest, TrackerCounts,
};

use crate::linearization::Linearization;

/// Factor by which one warm power iteration may miss the norm of an inverse.
const SLACK: f64 = 10.0;

impl<J: JacobianOperator> Linearization<J> {
    /// How often extreme singular values were certified along the path, and computed densely.
    pub fn tracker_counts(&self) -> TrackerCounts {
        self.tracker.counts()
    }

    /// Extreme singular values of `Df(w)`, followed along the path ([`gaussflow_solvers::SpectrumTracker`]).
    ///
    /// # Errors
    /// [`SolveError`] on a Jacobian that is not finite, or too large for the dense computation.
    pub fn extreme_singular_values(&mut self) -> Result<ExtremeSingularValues, SolveError> {
        if let Some(known) = self.extremes {
            return Ok(known);
        }
        let found = self.tracker.extremes(&mut self.factors, &self.jacobian)?;
        (self.extremes, self.smallest) = (Some(found), Some(found.smallest));
        Ok(found)
    }

    /// The smallest of the min(n, p) singular values of `Df(w)`: cheaper than both extremes.
    ///
    /// # Errors
    /// As [`Self::extreme_singular_values`].
    pub fn smallest_singular_value(&mut self) -> Result<f64, SolveError> {
        if let Some(known) = self.smallest {
            return Ok(known);
        }
        let found = self.tracker.smallest(&mut self.factors, &self.jacobian)?;
        self.smallest = Some(found);
        Ok(found)
    }

    /// The largest singular value of `Df(w)`, by products alone where J is too large to be formed.
    ///
    /// # Errors
    /// As [`Self::extreme_singular_values`].
    pub fn largest_singular_value(&mut self) -> Result<f64, SolveError> {
        match self.extreme_singular_values() {
            Err(SolveError::MemoryLimit { .. } | SolveError::SplitRows { .. }) => {
                self.factors.largest_singular_value(&self.jacobian)
            }
            found => found.map(|extremes| extremes.largest),
        }
    }

    /// Whether `Df(w)` and its factors are within the memory limit, so that all of its spectrum can be had.
    pub fn has_whole_spectrum(&self) -> bool {
        self.factors.has_memory_for_dense()
    }

    /// `sigma_min / sigma_max` of `Df(w)`, or a lower estimate of it that is above `clear`.
    ///
    /// Where the factor of the undamped direction shows that J is far from losing rank, its spectrum need
    /// not be known: the condition estimate is below the truth by no more than p times the slack of a
    /// power iteration.
    ///
    /// # Errors
    /// As [`Self::extreme_singular_values`].
    pub fn rank_ratio(&mut self, request: SolveRequest, clear: f64) -> Result<f64, SolveError> {
        let columns = self.point.len();
        if self.extremes.is_none()
            && self.jacobian.total_rows() >= columns
            && let Ok(report) = self.solve_undamped(SolveRequest { damping: 0.0, ..request })
            && matches!(
                report.solver,
                DampedSolver::PrimalCholesky | DampedSolver::AmortizedCholesky
            )
        {
            let estimate = (SLACK * columns as f64 * report.condition_estimate).sqrt().recip();
            if estimate > clear {
                return Ok(estimate);
            }
        }
        Ok(self.extreme_singular_values()?.ratio())
    }
}
