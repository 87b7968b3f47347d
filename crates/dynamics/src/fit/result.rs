//! The result of a fit.

use gaussflow_objective::SmoothMap;
use gaussflow_solvers::{SecularFactor, SecularMethod};

use super::covariance::{NullDirection, Uncertainty};
use super::history::StepRecord;
use super::iterate::Iteration;
use super::stop::{FitCounts, FitStop};

/// Which bound holds a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoundSide {
    /// Its lower bound.
    Lower,
    /// Its upper bound.
    Upper,
}

/// What a fit came to. [`std::fmt::Display`] writes a summary of at most one screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The parameters (length p).
    pub parameters: Vec<f64>,
    /// Their names.
    pub names: Vec<String>,
    /// `sum_j C^2 rho(omega_j f_j^2 / C^2)` there: for plain squares the residual sum of squares.
    pub loss: f64,
    /// The residuals f there (length n), without weights.
    pub residuals: Vec<f64>,
    /// Why the iteration ended.
    pub stop: FitStop,
    /// What it cost.
    pub counts: FitCounts,
    /// One record a trial point, the start first.
    pub history: Vec<StepRecord>,
    /// `norm(P r) / norm(r)` at the end: the cosine between residuals and tangent space.
    pub cosine: f64,
    /// Parameters that their bound holds (length p); they count as known in the covariance.
    pub at_bound: Vec<Option<BoundSide>>,
    /// Numerical rank of the Jacobian of the parameters that no bound holds.
    pub rank: usize,
    /// Directions that the data do not determine, at most 32 of them; empty at full rank.
    pub null_directions: Vec<NullDirection>,
    /// The residual standard deviation `sqrt(loss / (n - rank))`; NaN when n <= rank.
    pub residual_deviation: f64,
    /// Standard deviations of the parameters (length p): infinite where a null direction moves the parameter, 0
    /// where a bound holds it, NaN when n <= rank.
    pub standard_deviations: Vec<f64>,
    covariance: Vec<f64>,
}

impl Fit {
    /// The covariance of parameters `i` and `k`, `loss / (n - rank) (J^T J)^-1` (pseudo-inverse where
    /// rank is lost); `None` where there is no such parameter, and for a sparse Jacobian of more than 64 columns,
    /// of which the standard deviations alone are computed.
    pub fn covariance(&self, i: usize, k: usize) -> Option<f64> {
        let p = self.parameters.len();
        if i < p && k < p { self.covariance.get(i * p + k).copied() } else { None }
    }

    /// The parameter called `name`.
    pub fn parameter(&self, name: &str) -> Option<f64> {
        self.names.iter().position(|known| known == name).map(|k| self.parameters[k])
    }

    /// Collects the result where the iteration stands.
    pub(crate) fn conclude<M: SmoothMap>(mut iteration: Iteration<'_, M>, stop: FitStop) -> Self {
        let history = iteration.take_history();
        let uncertainty = uncertainty(&mut iteration);
        let problem = iteration.problem;
        let here = iteration.here;
        let at_bound = (0..here.w.len())
            .map(|k| {
                let bounds = problem
                    .bounds
                    .as_ref()
                    .filter(|_| iteration.free.binary_search(&k).is_err())?;
                let lower = here.w[k] <= bounds.lower[k];
                Some(if lower { BoundSide::Lower } else { BoundSide::Upper })
            })
            .collect();
        Self {
            at_bound,
            names: problem.names.clone(),
            loss: here.loss,
            residuals: here.f,
            parameters: here.w,
            stop,
            counts: iteration.counts,
            history,
            cosine: if iteration.measures.residual > 0.0 {
                iteration.measures.image / iteration.measures.residual
            } else {
                0.0
            },
            rank: uncertainty.rank,
            null_directions: uncertainty.null_directions,
            residual_deviation: uncertainty.residual_deviation,
            standard_deviations: uncertainty.standard_deviations,
            covariance: uncertainty.covariance,
        }
    }
}

/// Covariance and rank at the present point, from columns of norm 1 there: the running maxima D may lie far
/// above, and would make well-determined parameters look lost.
fn uncertainty<M: SmoothMap>(iteration: &mut Iteration<'_, M>) -> Uncertainty {
    let n = iteration.here.f.len();
    let loss = iteration.here.loss;
    let error = iteration.problem.map.jacobian_error();
    let cutoff = iteration.settings.rank_cutoff.max(4.0 * error);
    let factor: &mut SecularFactor = &mut iteration.factor;
    // A Gram matrix squares the condition; for the result J itself is factored where that is affordable.
    let affordable = n.saturating_mul(iteration.scales.len()) <= AFFORDABLE;
    iteration.here.sharpen_factors(&iteration.problem.rows);
    let (jacobian, factors) = (&iteration.here.jacobian, iteration.here.factors());
    if affordable && (factor.takes_gradient() || factors.is_some()) {
        // A Jacobian that was loaded before loads again.
        let sparse = factor.is_sparse();
        let method = if sparse { SecularMethod::Auto } else { SecularMethod::SingularValues };
        let _ = factor.load(jacobian, factors, method);
    }
    let scales: Vec<f64> =
        factor.column_norms().iter().map(|&s| if s > 0.0 { s } else { 1.0 }).collect();
    let free = &iteration.free;
    if !free.is_empty() && factor.factor(&scales, free).is_err() {
        let p = scales.len();
        return Uncertainty {
            covariance: vec![f64::NAN; p * p],
            standard_deviations: vec![f64::NAN; p],
            rank: 0,
            null_directions: Vec::new(),
            residual_deviation: f64::NAN,
        };
    }
    // Eigenvalues of a Gram matrix know singular values to the root of eps only.
    let cutoff = cutoff.max(factor.resolution());
    if let Some(found) = super::large::uncertainty(factor, free, &scales, loss, n, (error, cutoff))
    {
        return found;
    }
    Uncertainty::of(factor, free, &scales, loss, n, cutoff)
}

/// Entries of a Jacobian up to which the result factors it directly.
const AFFORDABLE: usize = 1 << 24;
