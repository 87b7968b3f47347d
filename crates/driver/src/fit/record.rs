//! fit.json: everything about a fit that a program may want, schema 1.

use gaussflow::dynamics::{BoundSide, Fit};
use gaussflow_records::{SCHEMA, number};
use serde::{Deserialize, Serialize};

/// fit.json.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitRecord {
    /// The schema, 1.
    pub schema: u32,
    /// The model as an expression, or the network's description.
    pub model: String,
    /// The problem's file, seen from the folder of this one; empty where it has no name.
    #[serde(default)]
    pub problem: String,
    /// Why the fit ended, and whether that is convergence.
    pub stop_reason: String,
    /// Whether the end is a minimum as far as the tests can tell.
    pub converged: bool,
    /// `sum_j C^2 rho(omega_j r_j^2 / C^2)`.
    #[serde(with = "number::scalar")]
    pub loss: f64,
    /// `sqrt(loss / (n - rank))`.
    #[serde(with = "number::scalar")]
    pub residual_deviation: f64,
    /// `norm(P r) / norm(r)` at the end.
    #[serde(with = "number::scalar")]
    pub cosine: f64,
    /// Rank of the Jacobian over parameters that no bound holds.
    pub rank: usize,
    /// Names of the parameters `[p]`.
    pub names: Vec<String>,
    /// Their values `[p]`.
    #[serde(with = "number::list")]
    pub parameters: Vec<f64>,
    /// Their standard deviations `[p]`; null where not determined or missing.
    #[serde(with = "number::list")]
    pub standard_deviations: Vec<f64>,
    /// Which estimate the deviations are: "least-squares" or "sandwich" (robust losses).
    #[serde(default)]
    pub covariance_estimate: String,
    /// Why deviations are missing, in a sentence; null where they are there.
    #[serde(default)]
    pub missing_deviations: Option<String>,
    /// What was lost and what to do about it, in a sentence; null at full rank.
    #[serde(default)]
    pub rank_loss: Option<String>,
    /// Covariance `[p][p]`; empty beyond 200 parameters.
    #[serde(with = "number::matrix")]
    pub covariance: Vec<Vec<f64>>,
    /// "lower", "upper", "fixed" or null for each parameter `[p]`.
    pub at_bound: Vec<Option<String>>,
    /// Directions that the data do not determine `[..][p]`.
    #[serde(with = "number::matrix")]
    pub null_directions: Vec<Vec<f64>>,
    /// Residuals in the rows' order `[n]`.
    #[serde(with = "number::list")]
    pub residuals: Vec<f64>,
    /// Root-mean-square error in the response's unit on rows fitted, and on rows held out (null without).
    #[serde(with = "number::scalar")]
    pub fitted_error: f64,
    /// See `fitted_error`.
    #[serde(with = "number::scalar")]
    pub held_out_error: f64,
    /// Evaluations of the residuals.
    pub evaluations: usize,
    /// Jacobians.
    pub jacobians: usize,
    /// Second directional derivatives of the model, where `[fit] acceleration` is "exact".
    #[serde(default)]
    pub second_derivatives: usize,
    /// Rejected trial points.
    pub rejected: usize,
    /// One record a trial point.
    pub history: Vec<HistoryRecord>,
}

/// One trial point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryRecord {
    /// Accepted steps before it.
    pub iteration: usize,
    /// Which step.
    pub kind: String,
    /// What came of it.
    pub verdict: String,
    /// The loss there; null where undefined.
    #[serde(with = "number::scalar")]
    pub loss: f64,
    /// Measured over predicted decrease.
    #[serde(with = "number::scalar")]
    pub gain_ratio: f64,
    /// lambda.
    #[serde(with = "number::scalar")]
    pub damping: f64,
    /// Radius of the trust region.
    #[serde(with = "number::scalar")]
    pub radius: f64,
}

/// Parameters up to which the covariance is written out.
const COVARIANCE_LIMIT: usize = 200;

impl FitRecord {
    /// The record of `fit`.
    pub fn new(fit: &Fit, model: String, errors: [f64; 2]) -> Self {
        let p = fit.parameters.len();
        let order = if p <= COVARIANCE_LIMIT { p } else { 0 };
        let covariance = (0..order)
            .map(|i| (0..p).map(|k| fit.covariance(i, k).unwrap_or(f64::NAN)).collect())
            .collect();
        let history = fit.history.iter().map(|step| HistoryRecord {
            iteration: step.iteration,
            kind: step.kind.name().to_owned(),
            verdict: step.verdict.name().to_owned(),
            loss: step.loss,
            gain_ratio: step.gain_ratio,
            damping: step.damping,
            radius: step.radius,
        });
        let side = |bound: &Option<BoundSide>| {
            bound.map(|side| match side {
                BoundSide::Lower => "lower".to_owned(),
                BoundSide::Upper => "upper".to_owned(),
                BoundSide::Fixed => "fixed".to_owned(),
            })
        };
        Self {
            schema: SCHEMA,
            model,
            problem: String::new(),
            stop_reason: fit.stop.name().to_owned(),
            converged: fit.stop.converged(),
            loss: fit.loss,
            residual_deviation: fit.residual_deviation,
            cosine: fit.cosine,
            rank: fit.rank,
            names: fit.names.clone(),
            parameters: fit.parameters.clone(),
            standard_deviations: fit.standard_deviations.clone(),
            covariance_estimate: fit.covariance_estimate().to_owned(),
            missing_deviations: fit.missing_deviations(),
            rank_loss: fit.rank_loss(),
            covariance,
            at_bound: fit.at_bound.iter().map(side).collect(),
            null_directions: fit.null_directions.iter().map(|d| d.direction.clone()).collect(),
            residuals: fit.residuals.clone(),
            fitted_error: errors[0],
            held_out_error: errors[1],
            evaluations: fit.counts.residuals,
            jacobians: fit.counts.jacobians,
            second_derivatives: fit.counts.second_derivatives,
            rejected: fit.counts.rejected,
            history: history.collect(),
        }
    }
}
