//! Solves of `((1-rho) J^T J + rho I) v = J^T b` that see J only through products with vectors.
//!
//! Conjugate gradients run on the p x p system where p <= n or rho = 0, and on the dual
//! `((1-rho) K + rho I) z = b, v = J^T z` otherwise, or where a preconditioner of K is at hand.
//! Each pass ends by the residual of its recursion; then `J^T b - (1-rho) J^T J v - rho v` is
//! computed with the v that is returned, and the next pass starts from it. In the dual, v is
//! added up beside z: the parts of z outside the range of J, of size `norm(b) / rho`, then cost
//! digits of a correction only, never of v.

use crate::block_jacobi::BlockJacobi;
use crate::conjugate_gradients::{ConjugateGradients, RunLimits};
use crate::damped::DampedSolver;
use crate::dense_form::{norm_by_columns, size_of_square};
use crate::error::{
    SolveError, require_damping, require_entries, require_finite, require_length, require_shape,
    require_tolerance,
};
use crate::iterative::{Attained, IterativeReport, IterativeSettings};
use crate::lanczos::{Lanczos, SpectrumBounds};
use crate::lsmr::Lsmr;
use crate::matrix_free_passes::Problem;
use crate::operator::JacobianOperator;
use crate::pivoted_cholesky::{PivotedCholesky, RankLimits};
use crate::scaling::{Frame, Scaled, exponent, is_ordinary, times_power};
use crate::solve::require_solution;
use crate::vector::{add_scaled, binary_scale, norm};

/// A pass aims at this part of what is asked: the true residual is a little above the recursion's.
const MARGIN: f64 = 0.5;

/// A pass reduces its residual by no more than this: beyond, the recursion tells nothing.
pub(crate) const REDUCTION: f64 = 1e-12;

/// The factor grows until the trace of `K - F F^T` is at most this times `rho0 n`.
const TRACE_MULTIPLE: f64 = 4.0;

/// Iterations of a pass in the smaller dimension of J, and one: in exact arithmetic one each is enough, and a pass
/// that halves nothing within a hundred is the last.
const PASS_ITERATIONS: usize = 100;

/// A residual that no longer falls counts as rounding up to this multiple of the rounding level.
const ROUNDING_SLACK: f64 = 1e3;

/// What runs on which system.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    /// Conjugate gradients in parameter space.
    Primal,
    /// The same with the diagonal blocks as the preconditioner.
    PreconditionedPrimal,
    /// Conjugate gradients in output space.
    Dual,
    /// The same with the preconditioner.
    PreconditionedDual,
    /// LSMR.
    Lsmr,
}

/// Which Jacobian the preconditioner's factor belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FactorState {
    /// None that is of use.
    Stale,
    /// The present one: it may grow.
    Current,
    /// An earlier one: columns of another K must not be mixed in.
    Kept,
}

/// The buffers of matrix-free solves with one n x p Jacobian, allocated at first use and kept.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{DenseJacobian, IterativeSettings, MatrixFree};
///
/// let mut jacobian = DenseJacobian::zeros(3, 1);
/// jacobian.matrix_mut().col_mut(0).fill(2.0);
/// let mut solver = MatrixFree::new(3, 1)?;
/// let mut v = [0.0];
/// let settings = IterativeSettings::default();
/// let report = solver.solve_cg(&jacobian, 0.0, settings, &[1.0, 2.0, 3.0], &mut v)?;
/// assert!((v[0] - 1.0).abs() < 1e-14 && report.iterations == 1); // the mean, over 2
/// # Ok::<(), gaussflow_solvers::SolveError>(())
/// ```
pub struct MatrixFree {
    rows: usize,
    columns: usize,
    pub(crate) gradients: ConjugateGradients,
    lsmr: Lsmr,
    lanczos: Lanczos,
    preconditioner: PivotedCholesky,
    factor: FactorState,
    blocks: BlockJacobi,
    /// What J is multiplied by, as a power of two: 0 unless its norm is near an end of the range of numbers.
    exponent: i32,
    /// The norm of that multiple.
    jacobian_norm: Option<f64>,
    /// b over a power of two (n).
    pub(crate) target: Vec<f64>,
    /// `b - (1-rho) J v` (n).
    pub(crate) misfit: Vec<f64>,
    /// `J^T misfit - rho v` (p).
    pub(crate) defect: Vec<f64>,
    /// The dual solution and the dual residual (n).
    pub(crate) dual: Vec<f64>,
    pub(crate) dual_residual: Vec<f64>,
    /// The correction of a pass: n or p long.
    pub(crate) correction: Vec<f64>,
    /// A product of the operator on the way (n) and (p).
    pub(crate) image: Vec<f64>,
    pub(crate) pullback: Vec<f64>,
}

impl MatrixFree {
    /// For `rows` x `columns` Jacobians.
    ///
    /// # Errors
    /// [`SolveError::EmptySystem`] when either is 0.
    pub fn new(rows: usize, columns: usize) -> Result<Self, SolveError> {
        require_entries(rows, columns)?;
        Ok(Self {
            rows,
            columns,
            gradients: ConjugateGradients::default(),
            lsmr: Lsmr::default(),
            lanczos: Lanczos::default(),
            preconditioner: PivotedCholesky::default(),
            factor: FactorState::Stale,
            blocks: BlockJacobi::default(),
            exponent: 0,
            jacobian_norm: None,
            target: vec![0.0; rows],
            misfit: vec![0.0; rows],
            defect: vec![0.0; columns],
            dual: Vec::new(),
            dual_residual: Vec::new(),
            correction: Vec::new(),
            image: vec![0.0; rows],
            pullback: vec![0.0; columns],
        })
    }

    /// Forgets the preconditioner and the norm: the Jacobian has changed.
    ///
    /// The factor of a Jacobian nearby stays a valid preconditioner, at the price of more
    /// iterations: see [`Self::keep_preconditioner`].
    pub fn invalidate(&mut self) {
        self.jacobian_norm = None;
        self.blocks.invalidate();
        self.factor = FactorState::Stale;
    }

    /// As [`Self::invalidate`], but the preconditioner of the last Jacobian stays in use: worth it
    /// only where J moved little, for the condition of unrelated kernels multiplies.
    pub fn keep_preconditioner(&mut self) {
        self.jacobian_norm = None;
        self.blocks.invalidate();
        if self.factor == FactorState::Current {
            self.factor = FactorState::Kept;
        }
    }

    /// Solves by preconditioned conjugate gradients; rho in [0, 1], b of length n, v of length p.
    ///
    /// v starts at 0. At rho = 0 it approaches the solution of least norm.
    ///
    /// # Errors
    /// [`SolveError::NotConverged`] at the iteration limit, with the last iterate in v;
    /// [`SolveError::Overflow`] where v is outside the range of numbers; shapes, non-finite input, damping
    /// outside [0, 1], a tolerance below 0.
    pub fn solve_cg(
        &mut self,
        jacobian: &dyn JacobianOperator,
        damping: f64,
        settings: IterativeSettings,
        b: &[f64],
        v: &mut [f64],
    ) -> Result<IterativeReport, SolveError> {
        let solver = DampedSolver::ConjugateGradients;
        self.within_range(jacobian, (solver, damping, settings), (b, v), Self::gradients)
    }

    /// Conjugate gradients on a system of ordinary sizes.
    fn gradients(
        &mut self,
        jacobian: &dyn JacobianOperator,
        damping: f64,
        settings: IterativeSettings,
        b: &[f64],
        v: &mut [f64],
    ) -> Result<IterativeReport, SolveError> {
        // At rho = 0 a preconditioner would lead away from the solution of least norm. Of a multiple of J its
        // diagonal takes a product a row.
        let preconditioned = damping > 0.0
            && damping < 1.0
            && settings.preconditioner_memory > 0
            && (self.exponent == 0 || self.rows <= settings.max_iterations);
        let total_rows = jacobian.total_rows();
        // The factor of K has a row for each row of J: they must be here.
        let split = self.rows != total_rows;
        let by_blocks = preconditioned && split && self.blocks.prepare(jacobian, damping);
        let preconditioned = preconditioned && !split;
        if preconditioned {
            self.prepare(jacobian, damping, settings.preconditioner_memory);
        }
        let useful = preconditioned && self.preconditioner.rank() > 0;
        let method = if useful {
            Method::PreconditionedDual
        } else if by_blocks {
            Method::PreconditionedPrimal
        } else if damping > 0.0 && self.columns > total_rows {
            Method::Dual
        } else {
            Method::Primal
        };
        let mut report = self.solve(jacobian, damping, settings, (b, v), method)?;
        if useful {
            report.preconditioner_rank = self.preconditioner.rank();
            report.preconditioner_trace = self.preconditioner.relative_trace();
        }
        Ok(report)
    }

    /// Solves by LSMR, as [`Self::solve_cg`]: without a preconditioner, at any rho in [0, 1].
    ///
    /// The residual falls monotonically, and no matrix is squared: the choice at rho = 0.
    ///
    /// # Errors
    /// As [`Self::solve_cg`].
    pub fn solve_lsmr(
        &mut self,
        jacobian: &dyn JacobianOperator,
        damping: f64,
        settings: IterativeSettings,
        b: &[f64],
        v: &mut [f64],
    ) -> Result<IterativeReport, SolveError> {
        let solver = DampedSolver::Lsmr;
        self.within_range(
            jacobian,
            (solver, damping, settings),
            (b, v),
            |here, j, damping, s, b, v| here.solve(j, damping, s, (b, v), Method::Lsmr),
        )
    }

    /// Checks what was given and solves by `solve`: multiples of J and b, where one of them is near an end of the
    /// range of numbers. The residual is then measured again with the v returned, in multiples as well.
    fn within_range(
        &mut self,
        jacobian: &dyn JacobianOperator,
        (solver, damping, settings): (DampedSolver, f64, IterativeSettings),
        (b, v): (&[f64], &mut [f64]),
        solve: impl FnOnce(
            &mut Self,
            &dyn JacobianOperator,
            f64,
            IterativeSettings,
            &[f64],
            &mut [f64],
        ) -> Result<IterativeReport, SolveError>,
    ) -> Result<IterativeReport, SolveError> {
        require_damping(damping)?;
        require_tolerance(settings.tolerance)?;
        require_length("the right-hand side b", b, self.rows)?;
        require_length("the solution v", v, self.columns)?;
        require_finite("the right-hand side b", b)?;
        let scaled = self.scaled(jacobian)?;
        let b_norm = jacobian.output_norm(b);
        if self.exponent == 0 && is_ordinary(b_norm) {
            let report = solve(self, jacobian, damping, settings, b, v)?;
            require_solution(solver, v)?;
            return Ok(report);
        }
        let frame = Frame::new(self.exponent, b_norm, damping);
        let (jacobian, mut target) = (scaled.operator(), b.to_vec());
        frame.take_in(&mut target);
        let found = solve(self, jacobian, frame.damping, settings, &target, v);
        frame.restore(v);
        let mut report = found?;
        require_solution(solver, v)?;
        let rounded = frame.unrounded(v);
        let Self { misfit, defect, .. } = self;
        jacobian.apply_transposed(&target, defect);
        let gradient = norm(defect);
        jacobian.normal_residual((&target, frame.kept), &rounded, misfit, defect);
        add_scaled(defect, -frame.shift, &rounded);
        let residual = norm(defect);
        let residual = if residual.is_nan() { f64::INFINITY } else { residual };
        if residual > settings.tolerance * gradient {
            // What the range of numbers leaves of v.
            report.attained = Attained::Rounding;
        }
        report.relative_residual = if residual == 0.0 { 0.0 } else { residual / gradient };
        report.residual = frame.residual(residual);
        if report.preconditioner_rank == 0 {
            let (smallest, largest) = report.ritz_values;
            report.ritz_values = (frame.eigenvalue(smallest), frame.eigenvalue(largest));
        }
        Ok(report)
    }

    /// J, or the multiple of it that everything kept here belongs to.
    fn scaled<'a>(&mut self, jacobian: &'a dyn JacobianOperator) -> Result<Scaled<'a>, SolveError> {
        require_shape(jacobian, self.rows, self.columns)?;
        let size = if let Some(known) = self.jacobian_norm {
            known
        } else {
            let squared = size_of_square(jacobian.squared_norm());
            let found = squared.map_or_else(|| norm_by_columns(jacobian), Ok)?;
            let exponent = if is_ordinary(found) { 0 } else { -exponent(found) };
            if exponent != self.exponent {
                // A factor of another multiple of J is no preconditioner of this one.
                self.factor = FactorState::Stale;
            }
            self.exponent = exponent;
            *self.jacobian_norm.insert(times_power(found, exponent))
        };
        Ok(Scaled::new(jacobian, self.exponent, size))
    }

    /// The largest and smallest of the min(n, p) singular values of J as far as `steps` Lanczos
    /// steps see them, with bounds; exact to rounding once `steps` reaches min(n, p).
    ///
    /// # Errors
    /// Another shape of the operator; products that are not finite.
    pub fn extremes(
        &mut self,
        jacobian: &dyn JacobianOperator,
        steps: usize,
    ) -> Result<SpectrumBounds, SolveError> {
        let scaled = self.scaled(jacobian)?;
        let found = self.lanczos.extremes(scaled.operator(), steps)?;
        let restore = |value| times_power(value, -self.exponent);
        Ok(SpectrumBounds {
            largest: restore(found.largest),
            largest_residual: restore(found.largest_residual),
            smallest: restore(found.smallest),
            smallest_residual: restore(found.smallest_residual),
            ..found
        })
    }

    /// Builds the preconditioner for this damping, or lets it grow; solves call it themselves.
    fn prepare(&mut self, jacobian: &dyn JacobianOperator, damping: f64, bytes: usize) {
        if self.factor == FactorState::Stale {
            self.preconditioner.begin(jacobian);
            self.factor = FactorState::Current;
        }
        if self.factor == FactorState::Current {
            let rho0 = damping / (1.0 - damping);
            let trace = TRACE_MULTIPLE * rho0 * self.rows as f64;
            self.preconditioner.grow(jacobian, RankLimits { trace, bytes });
        }
        self.preconditioner.factor(damping);
    }

    /// Passes of one method until the true residual is small enough.
    fn solve(
        &mut self,
        jacobian: &dyn JacobianOperator,
        damping: f64,
        settings: IterativeSettings,
        (b, v): (&[f64], &mut [f64]),
        method: Method,
    ) -> Result<IterativeReport, SolveError> {
        // Exact, and squares of entries of b neither overflow nor vanish.
        let scale = binary_scale(jacobian.output_norm(b).min(f64::MAX));
        self.target.iter_mut().zip(b).for_each(|(t, b)| *t = b / scale);
        v.fill(0.0);
        self.misfit.copy_from_slice(&self.target);
        jacobian.apply_transposed(&self.misfit, &mut self.defect);
        let gradient = norm(&self.defect);
        let size = self.jacobian_norm.unwrap_or(f64::NAN);
        if !gradient.is_finite() {
            let what = "the gradient J^T b";
            return Err(SolveError::NonFinite { what, index: 0, value: gradient });
        }
        let problem = Problem {
            jacobian,
            damping,
            size,
            b: jacobian.output_norm(&self.target),
            goal: settings.tolerance * gradient,
        };
        let mut report = IterativeReport {
            attained: Attained::Tolerance,
            iterations: 0,
            passes: 0,
            residual: gradient,
            relative_residual: 0.0,
            preconditioner_rank: 0,
            preconditioner_trace: 1.0,
            ritz_values: (f64::INFINITY, 0.0),
        };
        if damping >= 1.0 {
            v.copy_from_slice(&self.defect);
            report.residual = 0.0;
        } else if gradient > 0.0 {
            let solved = self.iterate(&problem, settings.max_iterations, v, method, &mut report);
            report.relative_residual = report.residual / gradient;
            if !solved {
                v.iter_mut().for_each(|v| *v *= scale);
                return Err(SolveError::NotConverged {
                    solver: if method == Method::Lsmr { "LSMR" } else { "conjugate gradients" },
                    iterations: report.iterations,
                    relative_residual: report.relative_residual,
                    tolerance: settings.tolerance,
                });
            }
        }
        v.iter_mut().for_each(|v| *v *= scale);
        report.residual *= scale;
        Ok(report)
    }

    /// Alternates passes and true residuals; whether an answer was reached.
    fn iterate(
        &mut self,
        problem: &Problem<'_>,
        max_iterations: usize,
        v: &mut [f64],
        method: Method,
        report: &mut IterativeReport,
    ) -> bool {
        if matches!(method, Method::Dual | Method::PreconditionedDual) {
            self.dual.clear();
            self.dual.resize(self.rows, 0.0);
            self.dual_residual.resize(self.rows, 0.0);
        }
        let order = problem.jacobian.total_rows().min(self.columns);
        let longest = PASS_ITERATIONS.saturating_mul(order).saturating_add(PASS_ITERATIONS);
        let mut previous = f64::INFINITY;
        loop {
            let rounding = problem.rounding_level(norm(v));
            if report.residual <= problem.goal {
                report.attained = Attained::Tolerance;
                return true;
            }
            if report.residual <= rounding {
                report.attained = Attained::Rounding;
                return true;
            }
            // Infinity falls no further, and is none of the cases above.
            if report.residual > 0.5 * previous || report.residual.is_infinite() {
                report.attained = Attained::Rounding;
                return report.residual <= ROUNDING_SLACK * rounding;
            }
            if report.iterations >= max_iterations {
                return false;
            }
            previous = report.residual;
            let goal = MARGIN * problem.goal.max(rounding).max(REDUCTION * report.residual);
            let left = max_iterations - report.iterations;
            let limits = RunLimits { target: goal, iterations: left.min(longest) };
            let outcome = match method {
                Method::Primal => {
                    let copy = |r: &[f64], out: &mut [f64]| out.copy_from_slice(r);
                    self.primal_pass(problem, v, limits, copy)
                }
                Method::PreconditionedPrimal => {
                    let blocks = std::mem::take(&mut self.blocks);
                    let precondition = |r: &[f64], out: &mut [f64]| blocks.apply(r, out);
                    let outcome = self.primal_pass(problem, v, limits, precondition);
                    self.blocks = blocks;
                    outcome
                }
                Method::Dual => {
                    let copy = |r: &[f64], out: &mut [f64]| out.copy_from_slice(r);
                    self.dual_pass(problem, v, limits, report.residual, copy)
                }
                Method::PreconditionedDual => {
                    let mut factor = std::mem::take(&mut self.preconditioner);
                    let precondition = |r: &[f64], out: &mut [f64]| factor.apply(r, out);
                    let outcome = self.dual_pass(problem, v, limits, report.residual, precondition);
                    self.preconditioner = factor;
                    outcome
                }
                Method::Lsmr => {
                    let (jacobian, damping) = (problem.jacobian, problem.damping);
                    self.lsmr.run(jacobian, damping, &self.misfit, v, limits)
                }
            };
            if method != Method::Lsmr && outcome.iterations > 0 {
                let (smallest, largest) = self.gradients.ritz_values();
                let known = report.ritz_values;
                // The preconditioner is applied without its factor 1 / rho.
                let unit = match method {
                    Method::PreconditionedDual => 1.0 / problem.damping,
                    _ => 1.0,
                };
                report.ritz_values = (known.0.min(smallest * unit), known.1.max(largest * unit));
            }
            report.iterations += outcome.iterations;
            report.passes += 1;
            self.measure(problem, v);
            report.residual = norm(&self.defect);
            if report.residual.is_nan() {
                report.residual = f64::INFINITY;
            }
        }
    }
}
