//! The result of a fit.

use gaussflow_solvers::{JacobianOperator, SecularFactor, SecularMethod};

use super::covariance::{Covariance, NullDirection, Scaled, Uncertainty};
use super::history::StepRecord;
use super::iterate::Iteration;
use super::robust::RobustLoss;
use super::sandwich;
use super::stop::{FitCounts, FitStop};

/// Says which bound holds a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoundSide {
    /// Its lower bound.
    Lower,
    /// Its upper bound.
    Upper,
    /// Both, because they are equal.
    Fixed,
}

/// Holds the result of a fit. [`std::fmt::Display`] writes a summary of at most one screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The parameters (length p).
    pub parameters: Vec<f64>,
    /// Their names.
    pub names: Vec<String>,
    /// The loss `sum_j C^2 rho(omega_j r_j^2 / C^2)` there; for plain squares the residual sum of squares.
    pub loss: f64,
    /// The residuals r there (length n), without weights.
    pub residuals: Vec<f64>,
    /// Why the iteration ended.
    pub stop: FitStop,
    /// The loss by which residuals were measured.
    pub measure: RobustLoss,
    /// How often residuals, Jacobians and second derivatives were computed.
    pub counts: FitCounts,
    /// One record per trial step; the first one is the start.
    pub history: Vec<StepRecord>,
    /// `norm(P r) / norm(r)` at the end, with P the projection on the range of J: the cosine of the angle between the
    /// residuals and the range of J, which is 0 at a stationary point.
    pub cosine: f64,
    /// The largest cosine between the residuals and one column of J, over the parameters that no bound holds.
    pub column_cosine: f64,
    /// For each parameter the bound that holds it, if any (length p). The covariance treats such parameters as known.
    pub at_bound: Vec<Option<BoundSide>>,
    /// The numerical rank of the Jacobian with the columns of the parameters that no bound holds.
    pub rank: usize,
    /// Directions that the data do not determine, at most 32 of them; empty at full rank.
    pub null_directions: Vec<NullDirection>,
    /// The residual standard deviation `sqrt(loss / (n - rank))`; NaN when n <= rank.
    pub residual_deviation: f64,
    /// Standard deviations of the parameters (length p): infinite where the data do not determine the parameter (see
    /// [`NullDirection`]), 0 where a bound holds it, and NaN for the reason that [`Self::missing_deviations`] gives.
    pub standard_deviations: Vec<f64>,
    covariance: Covariance,
    /// Which test for the gradient ended the fit.
    pub(crate) stationary: Stationary,
}

/// What was small where a fit ended by its gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stationary {
    /// The residuals' part in the tangent space.
    Image,
    /// The cosine of each column: the tangent space has directions that J hardly knows.
    Columns,
}

impl Fit {
    /// Returns the covariance of parameters `i` and `k` (counted from 0), in the product of their units.
    ///
    /// For squares it is the entry of `loss / (n - rank) (J^T J)^-1`. For a robust loss it is that of the sandwich `n / (n -
    /// rank) H^-1 (J^T diag(psi^2) J) H^-1` with `H = J^T diag(psi') J`, where psi is half the derivative of the loss with
    /// respect to a residual, and psi' its mean derivative over the bandwidth of a density estimate. In both, the rows of J
    /// carry the square roots of the weights, and directions that the data do not determine are left out.
    ///
    /// It is `None` where there is no such parameter, where p times rank exceeds 2^24 numbers, and where J is sparse with
    /// more than 64 columns; only the standard deviations are computed then.
    ///
    /// # Cost
    /// rank multiply-adds; a [`Fit`] keeps p times rank numbers for it.
    ///
    /// # Source
    /// P. J. Huber and E. M. Ronchetti, "Robust Statistics", 2009, sections 7.6 and 7.7.
    pub fn covariance(&self, i: usize, k: usize) -> Option<f64> {
        self.covariance.entry(i, k)
    }

    /// Returns all of [`Self::covariance`] (p x p, row-major), 0 for parameters that a bound holds; `None` under the same
    /// conditions.
    ///
    /// # Cost
    /// `p^2 rank` multiply-adds, and p^2 numbers.
    pub fn covariance_matrix(&self) -> Option<Vec<f64>> {
        self.covariance.matrix()
    }

    /// Returns which estimate the standard deviations are: `least-squares` or, for a robust loss, `sandwich`.
    pub fn covariance_estimate(&self) -> &'static str {
        if self.measure == RobustLoss::Squares { "least-squares" } else { "sandwich" }
    }

    /// Returns the value of the parameter called `name`; `None` where there is none.
    pub fn parameter(&self, name: &str) -> Option<f64> {
        self.names.iter().position(|known| known == name).map(|k| self.parameters[k])
    }

    /// Collects the result where the iteration stands, and the Jacobian there.
    pub(crate) fn conclude<J: JacobianOperator>(
        mut iteration: Iteration<'_, J>,
        stop: FitStop,
    ) -> (Self, J) {
        let history = std::mem::take(&mut iteration.history);
        let uncertainty = uncertainty(&mut iteration);
        let problem = iteration.problem;
        let measures = iteration.measures;
        let tolerance = iteration.settings.gradient_tolerance;
        let small = measures.image <= (tolerance * measures.residual).max(3.0 * measures.noise);
        let freedom = iteration.here.f.len() as f64 - uncertainty.rank as f64;
        let variance = if freedom > 0.0 { iteration.here.loss / freedom } else { f64::NAN };
        let here = iteration.here;
        let at_bound = (0..here.w.len())
            .map(|k| {
                let bounds = problem
                    .bounds
                    .as_ref()
                    .filter(|_| iteration.free.binary_search(&k).is_err())?;
                Some(match (bounds.fixes(k), here.w[k] <= bounds.lower[k]) {
                    (true, _) => BoundSide::Fixed,
                    (false, true) => BoundSide::Lower,
                    (false, false) => BoundSide::Upper,
                })
            })
            .collect();
        let fit = Self {
            at_bound,
            names: problem.names.clone(),
            measure: problem.rows.loss,
            stationary: if small { Stationary::Image } else { Stationary::Columns },
            column_cosine: measures.column_cosine,
            loss: here.loss,
            residuals: here.f,
            parameters: here.w,
            stop,
            counts: iteration.counts,
            history,
            cosine: if measures.residual > 0.0 { measures.image / measures.residual } else { 0.0 },
            rank: uncertainty.rank,
            null_directions: uncertainty.null_directions,
            residual_deviation: variance.sqrt(),
            standard_deviations: uncertainty.standard_deviations,
            covariance: uncertainty.covariance,
        };
        (fit, here.jacobian)
    }
}

/// Covariance and rank at the present point, from columns of norm 1 there: the running maxima D may lie far
/// above, and would make well-determined parameters look lost.
fn uncertainty<J: JacobianOperator>(iteration: &mut Iteration<'_, J>) -> Uncertainty {
    let (n, p) = (iteration.here.f.len(), iteration.scales.len());
    let rows = &iteration.problem.rows;
    let factor: &mut SecularFactor = &mut iteration.factor;
    // A Gram matrix squares the condition; for the result J itself is factored where that is affordable. Steps see the
    // curvature of a robust loss in the rows, which the sandwich has apart.
    let affordable = n.saturating_mul(p) <= AFFORDABLE;
    let robust = rows.loss != RobustLoss::Squares;
    let roots = rows.roots();
    let jacobian = &iteration.here.jacobian;
    if robust || (affordable && factor.takes_gradient()) {
        // A Jacobian that was loaded before loads again.
        let method =
            if factor.is_sparse() { SecularMethod::Auto } else { SecularMethod::SingularValues };
        let _ = factor.load(jacobian, roots.as_deref(), method);
    }
    let scales: Vec<f64> =
        factor.column_norms().iter().map(|&s| if s > 0.0 { s } else { 1.0 }).collect();
    let free = &iteration.free;
    if !free.is_empty() && factor.factor(&scales, free).is_err() {
        return Uncertainty::unknown(p);
    }
    // Eigenvalues of a Gram matrix know singular values to the root of eps only.
    let error = factor.resolution().max(4.0 * iteration.here.jacobian_error);
    let cutoff = iteration.settings.rank_cutoff.max(error);
    let mut scaled = Scaled { factor, free, scales: &scales, error, cutoff };
    let f = &iteration.here.f;
    let loss = iteration.here.loss;
    let per_freedom = |sum: f64, rank: usize| {
        let freedom = n as f64 - rank as f64;
        if freedom > 0.0 { sum / freedom } else { f64::NAN }
    };
    let (psi, curvature) = rows.influence(f);
    if scaled.factor.is_sparse() {
        // The sandwich of errors that are alike in all rows.
        let slope = curvature.iter().sum::<f64>() / n as f64;
        let squares = psi.iter().map(|psi| psi * psi).sum::<f64>();
        return Uncertainty::of_sparse(&mut scaled, |rank| {
            if robust {
                per_freedom(squares / (slope * slope), rank)
            } else {
                per_freedom(loss, rank)
            }
        });
    }
    if !robust {
        return Uncertainty::of(&mut scaled, |root, rank| {
            let deviation = per_freedom(loss, rank).sqrt();
            root.iter_mut().for_each(|x| *x *= deviation);
        });
    }
    let image = |d: &[f64]| {
        let (mut all, mut out) = (vec![0.0; p], vec![0.0; n]);
        free.iter().zip(d).for_each(|(&k, d)| all[k] = *d);
        jacobian.apply(&all, &mut out);
        if let Some(roots) = &roots {
            out.iter_mut().zip(roots).for_each(|(x, root)| *x *= root);
        }
        out
    };
    Uncertainty::of(&mut scaled, |root, rank| sandwich::spread(root, rank, &psi, &curvature, image))
}

/// Entries of a Jacobian up to which the result factors it directly.
const AFFORDABLE: usize = 1 << 24;
