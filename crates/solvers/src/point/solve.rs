//! A solve of `((1 - rho) J^T J + rho I) v = J^T b`: checks, choice of kernel, true residual.

use crate::damped::{Choice, DampedSolver, SolveReport, SolveRequest, UNDAMPED_CONDITION, choose};
use crate::dense::cholesky::Cholesky;
use crate::error::{
    SolveError, require_cutoff, require_damping, require_length, require_solution,
    require_tolerance,
};
use crate::jacobian::operator::{JacobianOperator, require_finite_output};
use crate::jacobian::right_side::RightSide;
use crate::jacobian::scaling::Frame;
use crate::point::factors::Factors;
use crate::powers::is_ordinary;
use crate::vector::{add_scaled, norm};

/// Most refinements of a solution; each takes as many digits as the factor has, so two are plenty.
const REFINEMENTS: usize = 2;

/// Backward error below which a residual is rounding: a few sums of n and p terms.
pub(crate) const ROUNDING: f64 = 8.0 * f64::EPSILON;

impl Factors {
    /// Solves `((1 - rho) J^T J + rho I) v = J^T b` for v (length p), with b of length n, and reports how good the solution
    /// is.
    ///
    /// # Cost
    /// The first call factors J: `n p min(n, p)` multiply-adds to leading order, fewer for structured Jacobians. Further
    /// calls with the same damping take products and triangular solves. The residual costs one product with J and one with
    /// its transpose.
    ///
    /// # Errors
    /// [`SolveError`] for wrong shapes, input that is not finite, a damping outside [0, 1], and loss of rank or of positive
    /// definiteness; v is then unspecified.
    ///
    /// # Source
    /// Equation (1) of the paper.
    pub fn solve<'b>(
        &mut self,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        b: impl Into<RightSide<'b>>,
        v: &mut [f64],
    ) -> Result<SolveReport, SolveError> {
        self.solve_for(jacobian, request, b.into(), v)
    }

    fn solve_for(
        &mut self,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        b: RightSide<'_>,
        v: &mut [f64],
    ) -> Result<SolveReport, SolveError> {
        let b_norm = self.require_proper(jacobian, request, b, v)?;
        self.measure_size(jacobian, request)?;
        if self.exponent == 0 && is_ordinary(b_norm) {
            return self.solve_ordinary(jacobian, request, (b, b_norm), v);
        }
        // J or b is near an end of the range of numbers: multiples of them are not.
        let frame = Frame::new(self.exponent, b_norm, request.damping);
        let (scaled, mut target) = (self.scaled(jacobian)?, b.entries.to_vec());
        frame.take_in(&mut target);
        let jacobian = scaled.operator();
        let b = (&target[..], jacobian.output_norm(&target));
        let within = SolveRequest { damping: frame.damping, ..request };
        let right = (RightSide::from(b.0), b.1);
        let mut report = self
            .solve_ordinary(jacobian, within, right, v)
            .map_err(|error| frame.restate(error))?;
        frame.restore(v);
        frame.restore_pivots(&mut report);
        require_solution(report.solver, v)?;
        let rounded = frame.unrounded(v);
        self.measure_weighted(jacobian, (frame.kept, frame.shift), b, &rounded, &mut report);
        report.residual = frame.residual(report.residual);
        frame.restore_misfit(&mut self.output[..self.rows]);
        Ok(report)
    }

    /// Makes the norm of J known, by the matrix that the solve will most likely need where that has its trace.
    pub(crate) fn measure_size(
        &mut self,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
    ) -> Result<f64, SolveError> {
        let rho = request.damping;
        if request.solver == DampedSolver::PrimalCholesky && rho < 1.0 && !self.is_wide() {
            self.gram_and_size(jacobian)?;
        }
        if rho > 0.0 && rho < 1.0 && self.is_wide() && self.takes_kernel(request.solver) {
            self.kernel_and_size(jacobian)?;
        }
        self.size(jacobian)
    }

    /// Solves with the J whose factors are kept here and a b, with its norm, that are of ordinary sizes.
    pub(crate) fn solve_ordinary(
        &mut self,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        (right, b_norm): (RightSide<'_>, f64),
        v: &mut [f64],
    ) -> Result<SolveReport, SolveError> {
        let b = right.entries;
        // Choose the kernel, by shape, damping, memory and condition.
        let rho = request.damping;
        let jacobian_norm = self.size(jacobian)?;
        let (solver, choice) = match request.solver {
            DampedSolver::Auto | DampedSolver::AmortizedCholesky => {
                self.choose(jacobian, rho, jacobian_norm)?
            }
            named if rho >= 1.0 => (named, Choice::Identity),
            named => (named, Choice::Requested),
        };
        let rank = self.total_rows.min(self.columns);
        let mut report = SolveReport::unmeasured(solver, choice, rank);

        // Solve by it. The gradient is `norm(J^T b)`, where the kernel has it.
        let mut gradient = f64::NAN;
        if choice == Choice::Identity {
            right.pull_back(jacobian, v);
        } else {
            match solver {
                DampedSolver::PrimalCholesky => {
                    gradient = self.solve_primal(jacobian, rho, right, v, &mut report)?;
                }
                DampedSolver::DualCholesky => self.solve_dual(jacobian, rho, b, v, &mut report)?,
                DampedSolver::HouseholderQr if rho == 0.0 => {
                    self.solve_qr(jacobian, request.rank_cutoff, b, v, &mut report)?;
                }
                DampedSolver::HouseholderQr => {
                    self.solve_stacked(jacobian, rho, b, v, &mut report)?;
                }
                DampedSolver::ConjugateGradients | DampedSolver::Lsmr => {
                    self.solve_matrix_free(jacobian, request, b, v, &mut report)?;
                }
                // The others were resolved above.
                DampedSolver::ThinSvd | DampedSolver::Auto | DampedSolver::AmortizedCholesky => {
                    self.solve_svd(jacobian, rho, request.rank_cutoff, b, v, &mut report)?;
                }
            }
        }

        // Measure the true residual, and refine what the squared system lost.
        require_solution(solver, v)?;
        self.measure_residual(jacobian, rho, (b, b_norm), v, &mut report);
        while report.solver == DampedSolver::PrimalCholesky
            && report.iterations < REFINEMENTS
            && report.residual > request.tolerance * gradient
            && report.relative_residual > ROUNDING
        {
            let before = report.residual;
            self.refine(rho, v);
            report.iterations += 1;
            require_solution(solver, v)?;
            self.measure_residual(jacobian, rho, (b, b_norm), v, &mut report);
            if report.residual > 0.5 * before {
                break;
            }
        }
        Ok(report)
    }

    /// Whether a damped solve with p > n by this solver forms K, unless its condition speaks against it.
    fn takes_kernel(&self, solver: DampedSolver) -> bool {
        match solver {
            DampedSolver::DualCholesky => true,
            DampedSolver::Auto | DampedSolver::AmortizedCholesky => {
                self.has_memory(DampedSolver::DualCholesky, 0)
            }
            _ => false,
        }
    }

    /// Refuses requests and vectors that are not acceptable; returns `norm(b)` over all machines.
    pub(crate) fn require_proper(
        &self,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        b: RightSide<'_>,
        v: &[f64],
    ) -> Result<f64, SolveError> {
        require_request(request)?;
        require_length("the right-hand side b", b.entries, self.rows)?;
        require_length("the solution v", v, self.columns)?;
        match b.known {
            Some(known) => Ok(known.norm),
            None => require_finite_output("the right-hand side b", b.entries, jacobian),
        }
    }

    /// What `Auto` takes: by shape, damping and norm, within the memory limit, and at rho = 0, or a rho far below the norm's
    /// square, by the condition of the factor.
    fn choose(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rho: f64,
        norm: f64,
    ) -> Result<(DampedSolver, Choice), SolveError> {
        let (solver, choice) = choose(self.total_rows, self.columns, rho, norm);
        if choice == Choice::Identity {
            return Ok((solver, choice));
        }
        if choice == Choice::DampedIllConditioned
            && let Some(found) = self.choose_damped(jacobian, rho)?
        {
            return Ok(found);
        }
        if !self.has_memory(solver, 0) {
            let solver =
                if rho == 0.0 { DampedSolver::Lsmr } else { DampedSolver::ConjugateGradients };
            return Ok((solver, Choice::MemoryLimit));
        }
        if choice == Choice::UndampedTall {
            return self.choose_undamped(jacobian);
        }
        Ok((solver, choice))
    }

    /// At a rho so small that the norm of J allows a bad condition: Cholesky where its factor shows a good one, which costs
    /// little beside the orthogonal kernel.
    fn choose_damped(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rho: f64,
    ) -> Result<Option<(DampedSolver, Choice)>, SolveError> {
        let (solver, choice) = if self.is_wide() {
            (DampedSolver::DualCholesky, Choice::DampedWide)
        } else {
            (DampedSolver::PrimalCholesky, Choice::DampedTall)
        };
        if !self.has_memory(solver, 0) {
            return Ok(None);
        }
        let factor =
            if self.is_wide() { self.dual(jacobian, rho) } else { self.primal(jacobian, rho) };
        match factor.map(Cholesky::condition) {
            Ok(condition) if condition <= UNDAMPED_CONDITION => Ok(Some((solver, choice))),
            Ok(_) | Err(SolveError::NotPositiveDefinite { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// At rho = 0, n >= p: Cholesky where its factor is well conditioned, else QR.
    fn choose_undamped(
        &mut self,
        jacobian: &dyn JacobianOperator,
    ) -> Result<(DampedSolver, Choice), SolveError> {
        match self.primal(jacobian, 0.0).map(Cholesky::condition) {
            Ok(condition) if condition <= UNDAMPED_CONDITION => {
                Ok((DampedSolver::PrimalCholesky, Choice::UndampedTall))
            }
            Ok(_) | Err(SolveError::NotPositiveDefinite { .. }) => {
                Ok(if self.has_memory(DampedSolver::HouseholderQr, 0) {
                    (DampedSolver::HouseholderQr, Choice::UndampedIllConditioned)
                } else {
                    (DampedSolver::Lsmr, Choice::MemoryLimit)
                })
            }
            Err(other) => Err(other),
        }
    }

    /// `v += H_rho^-1 (J^T b - H_rho v)` with the defect that the last measurement left.
    fn refine(&mut self, rho: f64, v: &mut [f64]) {
        let mut correction = std::mem::take(&mut self.parameter);
        if let Some(cholesky) = self.held_primal(rho) {
            cholesky.solve(&mut correction[..v.len()]);
            add_scaled(v, 1.0, &correction);
        }
        self.parameter = correction;
    }

    /// The true residual of the defining equation, through the operator; `b` with its norm.
    pub(crate) fn measure_residual(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rho: f64,
        (b, b_norm): (&[f64], f64),
        v: &[f64],
        report: &mut SolveReport,
    ) {
        self.measure_weighted(jacobian, (1.0 - rho, rho), (b, b_norm), v, report);
    }

    /// The same of `(kept J^T J + shift I) v = J^T b`.
    fn measure_weighted(
        &mut self,
        jacobian: &dyn JacobianOperator,
        (kept, shift): (f64, f64),
        (b, b_norm): (&[f64], f64),
        v: &[f64],
        report: &mut SolveReport,
    ) {
        let image = &mut self.output[..self.rows];
        let defect = &mut self.parameter[..self.columns];
        if kept > 0.0 {
            jacobian.normal_residual((b, kept), v, image, defect);
        } else {
            // J v is not part of the equation, and may lie outside the range of numbers.
            jacobian.apply_transposed(b, defect);
        }
        for (d, v) in defect.iter_mut().zip(v) {
            *d -= shift * v;
        }
        let residual = norm(defect);
        // Products that left the range of numbers prove nothing: the worst is reported.
        report.residual = if residual.is_nan() { f64::INFINITY } else { residual };
        let size = self.size.or_else(|| self.size(jacobian).ok()).unwrap_or(f64::NAN);
        report.relative_residual = relative(report.residual, size, (kept, shift), b_norm, norm(v));
    }
}

/// `residual / (size (b + kept size v) + shift v)`, divided by `size` first.
fn relative(residual: f64, size: f64, (kept, shift): (f64, f64), b: f64, v: f64) -> f64 {
    if residual == 0.0 {
        return 0.0;
    }
    if !residual.is_finite() {
        return f64::INFINITY;
    }
    if size == 0.0 {
        return residual / (shift * v);
    }
    let damped = if shift == 0.0 { 0.0 } else { shift * v / size };
    let all = b + kept * size * v + damped;
    if all.is_finite() {
        residual / size / all
    } else {
        // A v so long that its image overflows, by which numerator and denominator are then divided.
        residual / v / size / (b / v + kept * size + shift / size)
    }
}

/// Refuses a request out of range.
pub(crate) fn require_request(request: SolveRequest) -> Result<(), SolveError> {
    require_damping(request.damping)?;
    require_cutoff(request.rank_cutoff)?;
    require_tolerance(request.tolerance)
}
