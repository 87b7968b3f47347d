//! Solves along a path that share one Cholesky factor: it preconditions conjugate gradients.
//!
//! From point to point `H_rho` moves little, so that `(L L^T)^-1 H_rho` stays near the identity and a few
//! iterations, each two products with J, replace a Gram matrix and its factorization. The factor is
//! renewed once an average step would be cheaper for it. What is cheaper is a count of operations, never a
//! measured time: the same run takes the same decisions everywhere.

use crate::cholesky::Cholesky;
use crate::conjugate_gradients::{ConjugateGradients, RunLimits};
use crate::damped::{Choice, DampedSolver, SolveReport, SolveRequest, UNDAMPED_CONDITION};
use crate::error::SolveError;
use crate::factors::Factors;
use crate::operator::JacobianOperator;
use crate::solve::ROUNDING;
use crate::vector::norm;

/// An operation of a product with J, which waits for memory, counts as so many of a Gram matrix.
const PRODUCT_WEIGHT: f64 = 2.0;

/// An operation of a triangular solve, which waits for the entry before, counts as so many.
const TRIANGULAR_WEIGHT: f64 = 6.0;

/// Iterations that a direct solve must be worth before sharing factors is tried.
const WORTHWHILE: f64 = 6.0;

/// Direct solves between a failed try and the next; doubled by each failure in a row.
const PAUSE: u64 = 4;

/// Times that conjugate gradients start anew from the true residual.
const RESTARTS: usize = 3;

/// How the solves along a path were done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AmortizedCounts {
    /// Solves for which a factor was made.
    pub direct: u64,
    /// Solves with an earlier point's factor.
    pub amortized: u64,
    /// Iterations of conjugate gradients, of all of them.
    pub iterations: u64,
    /// Tries that were given up for a new factor.
    pub given_up: u64,
}

/// A factor of `H_rho` from an earlier point of a path, and the last solutions.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{AmortizedFactor, Factors, RowKronecker, SolveRequest};
///
/// let inputs: Vec<f64> = (0..4000).map(|e| f64::from(e * e % 23) - 11.0).collect();
/// let mut jacobian = RowKronecker::new(&inputs, 4, 24); // 1000 x 96
/// let (mut factors, mut path) = (Factors::new(1000, 96)?, AmortizedFactor::new());
/// let (b, mut v) = ([1.0; 1000], [0.0; 96]);
/// for step in 0..4 {
///     for j in 0..1000 {
///         for i in 0..24 {
///             jacobian.left_mut()[(j, i)] = ((j * i) as f64 + 0.001 * step as f64).cos();
///         }
///     }
///     factors.invalidate();
///     let report = path.solve(&mut factors, &jacobian, SolveRequest::default(), &b, &mut v)?;
///     assert!(report.relative_residual < 1e-12);
/// }
/// assert_eq!((path.counts().direct, path.counts().amortized), (1, 3));
/// # Ok::<(), gaussflow_solvers::SolveError>(())
/// ```
#[derive(Default)]
pub struct AmortizedFactor {
    anchor: Option<Cholesky>,
    /// The damping of the anchor, `None` when there is none.
    damping: Option<f64>,
    gradients: ConjugateGradients,
    /// The last solutions, newest first.
    history: [Vec<f64>; 3],
    /// How many of them are solutions along this path.
    known: usize,
    image: Vec<f64>,
    /// Operations since the anchor was made, its own included.
    spent: f64,
    /// Solves since then.
    solves: u64,
    /// Whether the next solve shall make a new anchor.
    stale: bool,
    /// Direct solves to go before the next try.
    pause: u64,
    /// Failures in a row.
    failures: u32,
    counts: AmortizedCounts,
}

impl AmortizedFactor {
    /// Nothing known yet; buffers are made at the first point.
    pub fn new() -> Self {
        Self::default()
    }

    /// How the solves were done.
    pub fn counts(&self) -> AmortizedCounts {
        self.counts
    }

    /// Whether a direct solve costs so much more than an iteration that sharing can pay.
    pub fn is_worthwhile(jacobian: &dyn JacobianOperator) -> bool {
        jacobian.rows() >= jacobian.columns()
            && direct_operations(jacobian) >= WORTHWHILE * iteration_operations(jacobian)
    }

    /// Solves `((1 - rho) J^T J + rho I) v = J^T b` (n >= p) to the request's tolerance.
    ///
    /// Where no factor can be trusted (rank, condition), [`Factors::solve`] decides as without a path.
    ///
    /// # Errors
    /// As [`Factors::solve`].
    pub fn solve(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        b: &[f64],
        v: &mut [f64],
    ) -> Result<SolveReport, SolveError> {
        let rho = request.damping;
        factors.require_proper(request, b, v)?;
        if rho >= 1.0 || factors.rows < factors.columns || factors.has_primal(rho) {
            return factors.solve(jacobian, request, b, v);
        }
        self.image.resize(factors.rows, 0.0);
        let mut report = SolveReport::unmeasured(
            DampedSolver::AmortizedCholesky,
            Choice::Amortized,
            factors.columns,
        );
        if self.damping == Some(rho) && !self.stale && self.pause == 0 {
            self.extrapolate(v);
            let most = direct_operations(jacobian) / iteration_operations(jacobian);
            if self.iterate(factors, jacobian, request, (b, v), (&mut report, most))? {
                self.counts.amortized += 1;
                self.failures = 0;
                let work = report.iterations as f64 * iteration_operations(jacobian);
                self.spent += work;
                self.solves += 1;
                // A step that costs more than the average so far only raises it: renew the factor.
                self.stale = work * self.solves as f64 > self.spent;
                self.remember(v);
                return Ok(report);
            }
            self.counts.given_up += 1;
            self.failures = (self.failures + 1).min(8);
            self.pause = PAUSE << self.failures;
        }
        self.pause = self.pause.saturating_sub(1);
        if !self.renew(factors, jacobian, rho)? {
            self.known = 0;
            let solver = match request.solver {
                DampedSolver::AmortizedCholesky => DampedSolver::Auto,
                named => named,
            };
            return factors.solve(jacobian, SolveRequest { solver, ..request }, b, v);
        }
        self.counts.direct += 1;
        (self.spent, self.solves) = (direct_operations(jacobian), 1);
        jacobian.apply_transposed(b, v);
        if let Some(anchor) = &self.anchor {
            anchor.solve(v);
        }
        report.choice = if rho == 0.0 { Choice::UndampedTall } else { Choice::DampedTall };
        self.iterate(factors, jacobian, request, (b, v), (&mut report, f64::INFINITY))?;
        self.remember(v);
        Ok(report)
    }

    /// Makes the factor of the present point the anchor; `false` where it cannot be trusted.
    fn renew(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
        rho: f64,
    ) -> Result<bool, SolveError> {
        self.damping = None;
        let order = factors.columns;
        let gram = factors.gram(jacobian)?;
        let anchor = self.anchor.get_or_insert_with(|| Cholesky::new(order));
        if anchor.factor_damped(gram, rho).is_err() {
            return Ok(false);
        }
        factors.counts.cholesky += 1;
        if rho == 0.0 && anchor.condition() > UNDAMPED_CONDITION {
            return Ok(false);
        }
        (self.damping, self.stale) = (Some(rho), false);
        Ok(true)
    }

    /// Improves `v` by conjugate gradients until its true residual meets the request or rounding; `false`
    /// after `most` iterations without that.
    fn iterate(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        (b, v): (&[f64], &mut [f64]),
        (report, most): (&mut SolveReport, f64),
    ) -> Result<bool, SolveError> {
        let Self { anchor: Some(anchor), gradients, image, counts, .. } = self else {
            return Ok(false);
        };
        let rho = request.damping;
        (report.smallest_pivot, report.largest_pivot) = anchor.pivots();
        report.condition_estimate = anchor.condition();
        gradients.reserve(v.len());
        factors.measure_residual(jacobian, rho, b, v, report);
        // `norm(J^T b)`; where it is tiny beside the residual any bound will do.
        let target = request.tolerance * factors.gradient_norm(jacobian, b);
        for _ in 0..RESTARTS {
            if report.residual <= target || report.relative_residual <= ROUNDING {
                return Ok(true);
            }
            gradients.start(&factors.parameter[..v.len()]);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates, and is not negative"
            )]
            let left = (most as usize).saturating_sub(report.iterations).min(10 * v.len() + 10);
            let limits = RunLimits { target: 0.5 * target, iterations: left };
            let outcome = gradients.run(
                |x, out| {
                    jacobian.normal_apply(x, image, out);
                    for (out, x) in out.iter_mut().zip(x) {
                        *out = (1.0 - rho) * *out + rho * x;
                    }
                },
                |r, out| {
                    out.copy_from_slice(r);
                    anchor.solve(out);
                },
                v,
                limits,
            );
            report.iterations += outcome.iterations;
            counts.iterations += outcome.iterations as u64;
            let before = report.residual;
            factors.measure_residual(jacobian, rho, b, v, report);
            if report.residual > 0.5 * before || outcome.iterations == 0 {
                break;
            }
        }
        Ok(report.residual <= target || report.relative_residual <= ROUNDING)
    }

    /// The start of the next solve: the last solutions, carried on by a polynomial.
    fn extrapolate(&self, v: &mut [f64]) {
        let [first, second, third] = &self.history;
        match self.known {
            0 => v.fill(0.0),
            1 => v.copy_from_slice(first),
            2 => {
                for ((v, a), b) in v.iter_mut().zip(first).zip(second) {
                    *v = 2.0 * a - b;
                }
            }
            _ => {
                for (((v, a), b), c) in v.iter_mut().zip(first).zip(second).zip(third) {
                    *v = 3.0 * (a - b) + c;
                }
            }
        }
    }

    /// Notes a solution.
    fn remember(&mut self, v: &[f64]) {
        self.history.rotate_right(1);
        self.history[0].clear();
        self.history[0].extend_from_slice(v);
        self.known = (self.known + 1).min(self.history.len());
    }
}

/// Operations of a Gram matrix and its Cholesky factor.
fn direct_operations(jacobian: &dyn JacobianOperator) -> f64 {
    let order = jacobian.columns() as f64;
    jacobian.gram_operations() + order * order * order / 3.0
}

/// Operations of an iteration, in those of a direct solve.
fn iteration_operations(jacobian: &dyn JacobianOperator) -> f64 {
    let (rows, order) = (jacobian.rows() as f64, jacobian.columns() as f64);
    PRODUCT_WEIGHT * 4.0 * rows * order + TRIANGULAR_WEIGHT * 2.0 * order * order
}

impl Factors {
    /// `norm(J^T b)`.
    fn gradient_norm(&mut self, jacobian: &dyn JacobianOperator, b: &[f64]) -> f64 {
        // The residual's defect must stay: conjugate gradients start from it.
        let mut gradient = std::mem::take(&mut self.inverse_work);
        gradient.resize(self.rows + self.columns, 0.0);
        let found = &mut gradient[..self.columns];
        jacobian.apply_transposed(b, found);
        let length = norm(found);
        self.inverse_work = gradient;
        length
    }
}
