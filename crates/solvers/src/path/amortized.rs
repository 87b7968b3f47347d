//! Solves along a path that share one Cholesky factor: it preconditions conjugate gradients.
//!
//! From point to point `H_rho` moves little, so that `(L L^T)^-1 H_rho` stays near the identity and a few
//! iterations, each two products with J, replace a Gram matrix and its factorization. For p > n the same
//! holds of the dual system, `((1-rho) J J^T + rho I) z = b` and `v = J^T z`. The factor is
//! renewed once an average step would be cheaper for it. What is cheaper is a count of operations, never a
//! measured time: the same run takes the same decisions everywhere.

use std::cell::RefCell;

use crate::damped::{Choice, DampedSolver, SolveReport, SolveRequest, UNDAMPED_CONDITION, choose};
use crate::dense::cholesky::Cholesky;
use crate::error::SolveError;
use crate::error::require_solution;
use crate::jacobian::operator::JacobianOperator;
use crate::jacobian::right_side::RightSide;
use crate::matrix_free::conjugate_gradients::{ConjugateGradients, RunLimits};
use crate::path::path_history::PathHistory;
use crate::point::factors::Factors;
use crate::point::solve::ROUNDING;
use crate::powers::is_ordinary;
use crate::vector::{add_scaled, norm, subtract_scaled};

/// An operation of a product with J, which waits for memory, counts as so many of a Gram matrix.
const PRODUCT_WEIGHT: f64 = 1.3;

/// An operation of a triangular solve, which waits for the entry before, counts as so many.
const TRIANGULAR_WEIGHT: f64 = 4.0;

/// Iterations that a direct solve must be worth before sharing factors is tried.
const WORTHWHILE: f64 = 5.0;

/// Direct solves between a failed try and the next; doubled by each failure in a row.
const PAUSE: u64 = 4;

/// Solves with one factor at most: what the right-hand side never touches, such as a direction that has
/// just lost rank, only a new factor shows.
const LONGEST: u64 = 64;

/// Times that conjugate gradients start anew from the true residual.
const RESTARTS: usize = 3;

/// Counts how the solves along a trajectory were done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AmortizedCounts {
    /// Solves for which a factor was made.
    pub direct: u64,
    /// Solves with the factor of earlier parameters.
    pub amortized: u64,
    /// Iterations of conjugate gradients in all of these solves.
    pub iterations: u64,
    /// Attempts that were given up for a new factor.
    pub given_up: u64,
}

/// Solves systems whose Jacobian changes little from one to the next: the factor of an earlier one preconditions conjugate
/// gradients, and the last solutions give the start.
///
/// A new factor is made where iterations would cost more.
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
///             jacobian.pieces_mut()[0].left_mut()[(j, i)] = ((j * i) as f64 + 0.001 * step as f64).cos();
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
    /// v for n >= p, z for p > n.
    unknown: Vec<f64>,
    /// The last unknowns along this path.
    history: PathHistory,
    /// For p > n, `norm(J^T r)` in norms of the dual residual r where the last solve ended.
    stretch: Option<f64>,
    /// A product of the iteration in the other space than the unknown's.
    between: Vec<f64>,
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
    /// Creates a solver without a factor; buffers are allocated at the first solve.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns how the solves were done.
    pub fn counts(&self) -> AmortizedCounts {
        self.counts
    }

    /// Returns whether a direct solve with this Jacobian costs so much more than an iteration that sharing factors can pay.
    pub fn is_worthwhile(jacobian: &dyn JacobianOperator) -> bool {
        direct_operations(jacobian) >= WORTHWHILE * iteration_operations(jacobian)
    }

    /// Solves `((1 - rho) J^T J + rho I) v = J^T b` to the tolerance of the request (b of length n, v of length p).
    ///
    /// It calls [`Factors::solve`] instead where a factor is unreliable (rank, condition) or does not fit into memory, at rho
    /// = 0 with p > n, with p > n rows on several machines, where J or b is near an end of the range of numbers, and where `factors` already holds the factor of
    /// this Jacobian.
    ///
    /// # Errors
    /// As [`Factors::solve`].
    pub fn solve<'b>(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        b: impl Into<RightSide<'b>>,
        v: &mut [f64],
    ) -> Result<SolveReport, SolveError> {
        self.solve_for(factors, jacobian, request, b.into(), v)
    }

    fn solve_for(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        b: RightSide<'_>,
        v: &mut [f64],
    ) -> Result<SolveReport, SolveError> {
        let rho = request.damping;
        let b_norm = factors.require_proper(jacobian, request, b, v)?;
        let wide = factors.is_wide();
        let own = if wide { rho == 0.0 || factors.has_dual(rho) } else { factors.has_primal(rho) };
        let kernel = if wide { DampedSolver::DualCholesky } else { DampedSolver::PrimalCholesky };
        let size = factors.size(jacobian)?;
        let (_, choice) = choose(factors.total_rows, factors.columns, rho, size);
        let ill = choice == Choice::DampedIllConditioned;
        let extreme = factors.exponent != 0 || !is_ordinary(b_norm);
        // Where K's rows lie on several machines, its factor is made anew at each point.
        let spread = wide && factors.is_split();
        if rho >= 1.0 || own || ill || extreme || spread || !factors.has_memory(kernel, 0) {
            return factors.solve(jacobian, request, b, v);
        }
        let (order, other) =
            if wide { (factors.rows, factors.columns) } else { (factors.columns, factors.rows) };
        if self.unknown.len() != order || self.between.len() != other {
            // Another shape: nothing of the path so far is of use.
            (self.anchor, self.damping) = (None, None);
            self.history.clear();
            self.stretch = None;
            self.unknown.resize(order, 0.0);
            self.between.resize(other, 0.0);
            self.history.reserve(order);
        }
        let kind = DampedSolver::AmortizedCholesky;
        let mut report = SolveReport::unmeasured(kind, Choice::Amortized, order);
        if self.damping == Some(rho) && !self.stale && self.pause == 0 {
            self.history.extrapolate(&mut self.unknown);
            let most = direct_operations(jacobian) / iteration_operations(jacobian);
            let met = self.iterate(factors, jacobian, request, (b, b_norm, v), (&mut report, most));
            // At rho = 0 rank may be lost on the way; the Ritz values of the preconditioned matrix tell
            // where the condition has gone from that of the anchor.
            let least = report.condition_estimate / UNDAMPED_CONDITION;
            let collapsed = rho == 0.0 && self.gradients.ritz_values_below(least) > 0;
            if met && !collapsed {
                require_solution(DampedSolver::AmortizedCholesky, v)?;
                self.counts.amortized += 1;
                self.failures = 0;
                let work = report.iterations as f64 * iteration_operations(jacobian);
                self.spent += work;
                self.solves += 1;
                // A step that costs more than the average so far only raises it: renew the factor.
                self.stale = work * self.solves as f64 > self.spent || self.solves >= LONGEST;
                self.history.note(self.unknown.iter().copied());
                return Ok(report);
            }
            self.counts.given_up += 1;
            self.pause = PAUSE << self.failures;
            self.failures = (self.failures + 1).min(8);
        }
        self.pause = self.pause.saturating_sub(1);
        if !self.renew(factors, jacobian, rho)? {
            self.history.clear();
            let solver = match request.solver {
                DampedSolver::AmortizedCholesky => DampedSolver::Auto,
                named => named,
            };
            return factors.solve(jacobian, SolveRequest { solver, ..request }, b, v);
        }
        self.counts.direct += 1;
        (self.spent, self.solves) = (direct_operations(jacobian), 1);
        if wide {
            self.unknown.copy_from_slice(b.entries);
        } else {
            b.pull_back(jacobian, &mut self.unknown);
        }
        if let Some(anchor) = &self.anchor {
            anchor.solve(&mut self.unknown);
        }
        report.choice = match (wide, rho == 0.0) {
            (true, _) => Choice::DampedWide,
            (false, true) => Choice::UndampedTall,
            (false, false) => Choice::DampedTall,
        };
        self.iterate(factors, jacobian, request, (b, b_norm, v), (&mut report, f64::INFINITY));
        require_solution(DampedSolver::AmortizedCholesky, v)?;
        self.history.note(self.unknown.iter().copied());
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
        let order = self.unknown.len();
        let anchor = self.anchor.get_or_insert_with(|| Cholesky::new(order));
        let factored = if factors.is_wide() {
            factors.size(jacobian)?;
            jacobian.kernel(anchor.matrix_mut(), &mut factors.structure_work);
            anchor.damp_and_factor(rho)
        } else {
            anchor.factor_shifted(factors.gram(jacobian)?, 1.0 - rho, rho)
        };
        if factored.is_err() {
            return Ok(false);
        }
        factors.counts.cholesky += 1;
        if rho == 0.0 && anchor.condition() > UNDAMPED_CONDITION {
            return Ok(false);
        }
        (self.damping, self.stale) = (Some(rho), false);
        Ok(true)
    }

    /// Improves the unknown by conjugate gradients until the true residual of v meets the request or
    /// rounding; `false` after `most` iterations without that.
    fn iterate(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        (right, b_norm, v): (RightSide<'_>, f64, &mut [f64]),
        (report, most): (&mut SolveReport, f64),
    ) -> bool {
        let Self { anchor: Some(anchor), gradients, unknown, between, counts, stretch, .. } = self
        else {
            return false;
        };
        let (rho, wide, b) = (request.damping, factors.is_wide(), right.entries);
        (report.smallest_pivot, report.largest_pivot) = anchor.pivots();
        report.condition_estimate = anchor.condition();
        let target = request.tolerance * factors.gradient_norm(jacobian, right);
        let mut before = f64::INFINITY;
        if wide {
            jacobian.apply_transposed(unknown, v);
        }
        for pass in 0..=RESTARTS {
            if !wide {
                v.copy_from_slice(unknown);
            }
            // For p > n the last solve tells how far to go, without the products of a measurement; what a new factor
            // gave (no limit of iterations) is most often good already.
            let told = stretch.filter(|_| wide && pass == 0 && most.is_finite());
            if told.is_some() {
                let image = &mut factors.output[..unknown.len()];
                jacobian.apply(v, image);
                subtract_scaled(b, 1.0 - rho, image);
            } else {
                factors.measure_residual(jacobian, rho, (b, b_norm), v, report);
                if wide && pass > 0 {
                    let found = report.residual / norm(gradients.residual());
                    *stretch = (found > 0.0 && found.is_finite()).then_some(found);
                }
                if report.residual <= target || report.relative_residual <= ROUNDING {
                    return true;
                }
                if pass == RESTARTS || report.residual > 0.5 * before {
                    break;
                }
                before = report.residual;
            }
            let mut goal = 0.5 * target;
            if wide {
                // Of b - (1-rho) J v the dual residual is left, whose product with J^T is the residual of v.
                let residual = &mut factors.output[..unknown.len()];
                add_scaled(residual, -rho, unknown);
                goal /= told.unwrap_or_else(|| 2.0 * report.residual / norm(residual));
                gradients.start(residual);
            } else {
                gradients.start(&factors.parameter[..unknown.len()]);
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates, and is not negative"
            )]
            let left = (most as usize).saturating_sub(report.iterations);
            let iterations = left.min(10 * unknown.len() + 10);
            // For p > n it holds `J^T x` of the last direction x: v is added up beside z, with the same steps.
            let image = RefCell::new(&mut between[..]);
            let outcome = gradients.run(
                |x, out| {
                    let mut image = image.borrow_mut();
                    if wide {
                        jacobian.apply_transposed(x, &mut image);
                        jacobian.apply(&image, out);
                    } else {
                        jacobian.normal_apply(x, &mut image, out);
                    }
                    for (out, x) in out.iter_mut().zip(x) {
                        *out = (1.0 - rho) * *out + rho * x;
                    }
                },
                |r, out| {
                    out.copy_from_slice(r);
                    anchor.solve(out);
                },
                |alpha, x| {
                    add_scaled(unknown, alpha, x);
                    if wide {
                        add_scaled(v, alpha, &image.borrow());
                    }
                },
                RunLimits { target: goal, iterations },
            );
            report.iterations += outcome.iterations;
            counts.iterations += outcome.iterations as u64;
            if outcome.iterations == 0 && told.is_none() {
                break;
            }
        }
        false
    }
}

/// Operations of the smaller of the Gram matrix and the tangent kernel, and of its Cholesky factor.
fn direct_operations(jacobian: &dyn JacobianOperator) -> f64 {
    let (rows, columns) = (jacobian.total_rows() as f64, jacobian.columns() as f64);
    let order = rows.min(columns);
    let matrix =
        if rows < columns { jacobian.kernel_operations() } else { jacobian.gram_operations() };
    matrix + order * order * order / 3.0
}

/// Operations of an iteration, in those of a direct solve.
fn iteration_operations(jacobian: &dyn JacobianOperator) -> f64 {
    let (rows, columns) = (jacobian.total_rows() as f64, jacobian.columns() as f64);
    let order = rows.min(columns);
    PRODUCT_WEIGHT * jacobian.normal_operations() + TRIANGULAR_WEIGHT * 2.0 * order * order
}

impl Factors {
    /// `norm(J^T b)`.
    fn gradient_norm(&mut self, jacobian: &dyn JacobianOperator, b: RightSide<'_>) -> f64 {
        if let Some(known) = b.known {
            return norm(known.gradient);
        }
        // The residual's defect must stay: conjugate gradients start from it.
        let mut gradient = std::mem::take(&mut self.inverse_work);
        gradient.resize(self.rows + self.columns, 0.0);
        let found = &mut gradient[..self.columns];
        jacobian.apply_transposed(b.entries, found);
        let length = norm(found);
        self.inverse_work = gradient;
        length
    }
}
