//! Solves of `((1-rho) J^T J + rho I) v = J^T b` that see J only through products with vectors.
//!
//! Conjugate gradients run on the p x p system where p <= n or rho = 0, and on the dual
//! `((1-rho) K + rho I) z = b, v = J^T z` otherwise, or where a preconditioner of K is at hand.
//! Each pass ends by the residual of its recursion; then `J^T b - (1-rho) J^T J v - rho v` is
//! computed with the v that is returned, and the next pass starts from it. In the dual, v is
//! added up beside z: the parts of z outside the range of J, of size `norm(b) / rho`, then cost
//! digits of a correction only, never of v.

use crate::damped::DampedSolver;
use crate::error::require_solution;
use crate::error::{
    SolveError, require_damping, require_entries, require_length, require_tolerance,
};
use crate::jacobian::norm::{norm_by_columns, size_of_square};
use crate::jacobian::operator::require_shape;
use crate::jacobian::operator::{JacobianOperator, require_finite_output};
use crate::jacobian::scaling::{Frame, Scaled};
use crate::matrix_free::block_jacobi::BlockJacobi;
use crate::matrix_free::conjugate_gradients::ConjugateGradients;
use crate::matrix_free::iterative::{Attained, IterativeReport, IterativeSettings};
use crate::matrix_free::lanczos::{Lanczos, SpectrumBounds};
use crate::matrix_free::lsmr::Lsmr;
use crate::matrix_free::pivoted_cholesky::{PivotedCholesky, RankLimits};
use crate::powers::{exponent, is_ordinary, times_power};
use crate::vector::{add_scaled, norm};

/// The factor grows until the trace of `K - F F^T` is at most this times `rho0 n`.
const TRACE_MULTIPLE: f64 = 4.0;

/// What runs on which system.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
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

/// Solves `((1-rho) J^T J + rho I) v = J^T b` with the products `J v` and `J^T u` only, by conjugate gradients or LSMR.
///
/// J is never formed. Buffers are allocated at first use and kept for further solves with n x p Jacobians.
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
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) gradients: ConjugateGradients,
    pub(crate) lsmr: Lsmr,
    lanczos: Lanczos,
    pub(crate) preconditioner: PivotedCholesky,
    factor: FactorState,
    pub(crate) blocks: BlockJacobi,
    /// What J is multiplied by, as a power of two: 0 unless its norm is near an end of the range of numbers.
    exponent: i32,
    /// The norm of that multiple.
    pub(crate) jacobian_norm: Option<f64>,
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
    /// Creates a solver for `rows` x `columns` Jacobians.
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

    /// Forgets the preconditioner and the norm; call it when the Jacobian has changed.
    ///
    /// [`Self::keep_preconditioner`] keeps the preconditioner instead, at the price of more iterations.
    pub fn invalidate(&mut self) {
        self.jacobian_norm = None;
        self.blocks.invalidate();
        self.factor = FactorState::Stale;
    }

    /// Forgets the norm but keeps the preconditioner, for a Jacobian that has changed little. For an unrelated Jacobian the
    /// preconditioner would make the condition worse.
    pub fn keep_preconditioner(&mut self) {
        self.jacobian_norm = None;
        self.blocks.invalidate();
        if self.factor == FactorState::Current {
            self.factor = FactorState::Kept;
        }
    }

    /// Solves by preconditioned conjugate gradients for v (length p), with rho in [0, 1] and b of length n.
    ///
    /// The iteration starts at v = 0; at rho = 0 it approaches the least-norm solution.
    ///
    /// # Cost
    /// Two products per iteration, with J or its transpose.
    ///
    /// # Errors
    /// [`SolveError::NotConverged`] at the iteration limit, with the last iterate in v; [`SolveError::Overflow`] where v is
    /// outside the range of numbers; other variants for wrong shapes, input that is not finite, a damping outside [0, 1], or
    /// a negative tolerance.
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
            && (self.exponent == 0 || jacobian.total_rows() <= settings.max_iterations);
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
        } else if damping > 0.0 && self.columns > total_rows && !split {
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

    /// Solves by LSMR, without a preconditioner, for the same arguments as [`Self::solve_cg`].
    ///
    /// The residual falls monotonically and the condition of J is not squared, so that LSMR is the choice at rho = 0.
    ///
    /// # Cost
    /// Two products per iteration, with J or its transpose.
    ///
    /// # Errors
    /// As [`Self::solve_cg`].
    ///
    /// # Source
    /// D. C.-L. Fong and M. Saunders, "LSMR: An iterative algorithm for sparse least-squares problems", 2011.
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
        let b_norm = require_finite_output("the right-hand side b", b, jacobian)?;
        let scaled = self.scaled(jacobian)?;
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

    /// Bounds the largest and the smallest of the min(n, p) singular values of J by `steps` Lanczos steps; they are exact to
    /// rounding once `steps` reaches min(n, p).
    ///
    /// # Cost
    /// Two products per step.
    ///
    /// # Errors
    /// [`SolveError`] for another shape of the operator, or products that are not finite.
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
}
