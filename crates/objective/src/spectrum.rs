//! The spectrum of `Df(w)`: extreme singular values, followed along the path of a [`Linearization`], or all of them.

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
        let found = self.tracker.extremes(&mut self.factors, self.system.operator())?;
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
        let found = self.tracker.smallest(&mut self.factors, self.system.operator())?;
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
                self.factors.largest_singular_value(self.system.operator())
            }
            found => found.map(|extremes| extremes.largest),
        }
    }

    /// The n eigenvalues of the kernel `K = J J^T`, smallest first: squares of the singular values of `J = Df(w)`, and
    /// n - p zeros where n > p. Each is as accurate as singular values within c `eps sigma_max` make it.
    ///
    /// # Errors
    /// [`SolveError`] on a Jacobian that is not finite, beyond the memory limit, or with rows on other machines.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_objective::{FiniteDifferences, Linearization, Objective, ResidualFn, Squared};
    /// let line = FiniteDifferences::new(ResidualFn::new(2, 1, |w, out| out.fill(w[0])));
    /// let objective = Objective::new(line, Squared::new(vec![1.0, 3.0])?, 1.0)?;
    /// let mut here = Linearization::new(objective.map())?;
    /// here.move_to(&objective, &[0.0])?;
    /// let (kernel, gram) = (here.kernel_spectrum()?, here.gram_spectrum()?); // of [1 1; 1 1] and [2]
    /// assert!(kernel[0] == 0.0 && (kernel[1] - 2.0).abs() < 1e-9 && gram == kernel[1..]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kernel_spectrum(&mut self) -> Result<Vec<f64>, SolveError> {
        self.squares(self.output.len())
    }

    /// The p eigenvalues of the Gram matrix `J^T J`, smallest first, with p - n zeros where p > n.
    ///
    /// # Errors
    /// As [`Self::kernel_spectrum`].
    pub fn gram_spectrum(&mut self) -> Result<Vec<f64>, SolveError> {
        self.squares(self.point.len())
    }

    /// The squares of the singular values, smallest first, after zeros that make them `count` numbers.
    fn squares(&mut self, count: usize) -> Result<Vec<f64>, SolveError> {
        let mut found = self.factors.singular_values(self.system.operator())?;
        found.iter_mut().for_each(|value| *value *= *value);
        found.resize(count, 0.0);
        found.reverse();
        Ok(found)
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
            && self.operator().total_rows() >= columns
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
