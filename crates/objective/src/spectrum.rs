//! The spectrum of `Df(w)`: extreme singular values, followed along the path of a [`Linearization`], or all of them.

use gaussflow_solvers::{
    DampedSolver, ExtremeSingularValues, JacobianOperator, SolveError, SolveRequest, TrackerCounts,
};

use crate::linearization::Linearization;

/// Factor by which one warm power iteration may miss the norm of an inverse.
const SLACK: f64 = 10.0;

impl<J: JacobianOperator> Linearization<J> {
    /// Returns how often extreme singular values were found by a certified iteration, and how often densely.
    pub fn tracker_counts(&self) -> TrackerCounts {
        self.tracker.counts()
    }

    /// Computes the largest and the smallest singular value of the [`Self::operator`] (`Df(w)` in the Euclidean metric), the
    /// smallest one among min(n, p).
    ///
    /// # Cost
    /// A few certified iterations that start from the singular vectors at earlier parameters
    /// ([`gaussflow_solvers::SpectrumTracker`]), or else a dense computation.
    ///
    /// # Errors
    /// [`SolveError`] on a Jacobian that is not finite, or one too large for the dense computation.
    pub fn extreme_singular_values(&mut self) -> Result<ExtremeSingularValues, SolveError> {
        if let Some(known) = self.extremes {
            return Ok(known);
        }
        let found = self.tracker.extremes(&mut self.factors, self.system.operator())?;
        (self.extremes, self.smallest) = (Some(found), Some(found.smallest));
        Ok(found)
    }

    /// Computes the smallest of the min(n, p) singular values of the [`Self::operator`], at less cost than both extremes.
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

    /// Computes the largest singular value of the [`Self::operator`]; where it is too large to be formed, by products alone.
    ///
    /// # Errors
    /// As [`Self::extreme_singular_values`].
    pub fn largest_singular_value(&mut self) -> Result<f64, SolveError> {
        match self.extreme_singular_values() {
            Err(SolveError::MemoryLimit { .. }) => {
                self.factors.largest_singular_value(self.system.operator())
            }
            found => found.map(|extremes| extremes.largest),
        }
    }

    /// Computes the n eigenvalues of the kernel `K = A A^T`, smallest first, with A the [`Self::operator`] (`K = J J^T` in
    /// the Euclidean metric).
    ///
    /// They are the squares of the singular values, after n - p zeros where n > p. A singular value has an error of at most a
    /// small multiple of `eps sigma_max`, eps = 2.2e-16.
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

    /// Computes the p eigenvalues of the Gram matrix `A^T A` (`J^T J` in the Euclidean metric), smallest first, after p - n
    /// zeros where p > n.
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

    /// Returns whether the Jacobian and its factors fit into the memory limit, so that the whole spectrum can be computed.
    pub fn has_whole_spectrum(&self) -> bool {
        self.factors.has_memory_for_dense()
    }

    /// Computes `sigma_min / sigma_max` of the [`Self::operator`], or a lower estimate of it that is above `clear`.
    ///
    /// The estimate comes from the factor of the undamped direction where that shows that A is far from losing rank; the
    /// spectrum is then not computed.
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
