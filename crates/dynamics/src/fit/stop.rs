//! Why a fit ended, and the tests for convergence at a point. A rejected step is never one of them.

use super::error::FitError;
use gaussflow_objective::MapError;

/// Says why a fit ended. It is a result, never an error; [`Self::converged`] separates minima from other ends.
///
/// In the variants, r are the residuals, J their Jacobian, P the projection on the range of J, and eps = 2.2e-16.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FitStop {
    /// The residuals are orthogonal to the range of J: `norm(P r) <= tolerance norm(r)`. Or the cosine of each column with r
    /// is at most `tolerance^1.5`, which also holds at a minimum where J loses rank (or at most the tolerance, where no step
    /// lowers the loss any more). Or `norm(P r)` is no larger than what rounding of the parameters alone adds to r.
    Gradient,
    /// An accepted, undamped step was shorter than the step tolerance relative to each parameter.
    Step,
    /// An accepted, undamped step lowered the loss, as predicted, by a negligible fraction. Or it predicted less than the
    /// rounding of the loss, and the gradient no longer falls. Or no step lowers the loss, and either the loss has a minimum
    /// along the last step or a whole step promises less than its rounding.
    Decrease,
    /// The fit is exact up to rounding: r is no larger than what rounding of the parameters alone makes of it, or the loss is
    /// 0, or the residuals fell below eps and below `eps^2` of their initial norm.
    Rounding,
    /// Not converged: the residuals are too noisy to go on, near a minimum. All steps were rejected; changes of the loss no
    /// longer shrink with the step, and exceed the decrease that a whole step promises.
    Noise,
    /// Not converged: every step was rejected, down to the spacing of numbers or to where the residuals no longer change. The
    /// Jacobian may be wrong (see [`check_jacobian`](gaussflow_objective::check_jacobian)). Or a step of a schedule no longer
    /// changes the parameters.
    NoProgress,
    /// The limit on evaluations was reached.
    EvaluationLimit,
    /// The limit on iterations was reached.
    IterationLimit,
    /// A schedule accepted a step to where residuals or Jacobian are undefined; the parameters before that step are returned.
    NonFinite,
    /// The observer asked to stop.
    Interrupted,
    /// No free parameter is left: each is held by a bound that the steepest descent points out of.
    AtBounds,
    /// Not converged: at a bound other parameters have lost their effect, and none was found nearby from which the loss
    /// falls. It may be a minimum, but the residuals cannot tell. Start elsewhere, move the bound or leave out the term.
    RankLostAtBound,
    /// The map failed for a reason other than undefined or non-finite values.
    Failed(MapError),
}

impl FitStop {
    /// Returns whether the end is a minimum as far as the tests can tell; rejected steps alone never prove one.
    pub fn converged(&self) -> bool {
        matches!(
            self,
            Self::Gradient | Self::Step | Self::Decrease | Self::Rounding | Self::AtBounds
        )
    }

    /// Returns the name that record files use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::Step => "step",
            Self::Decrease => "decrease",
            Self::Rounding => "rounding",
            Self::Noise => "noise",
            Self::NoProgress => "no-progress",
            Self::EvaluationLimit => "evaluation-limit",
            Self::IterationLimit => "iteration-limit",
            Self::NonFinite => "non-finite",
            Self::Interrupted => "interrupted",
            Self::AtBounds => "at-bounds",
            Self::RankLostAtBound => "rank-lost-at-bound",
            Self::Failed(_) => "failed",
        }
    }

    /// Returns one sentence that says the same to people.
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::Gradient => {
                "converged: the residuals are orthogonal to every direction of change"
            }
            Self::Step => "converged: the last undamped step was negligible",
            Self::Decrease => "converged: the loss no longer falls",
            Self::Rounding => "converged: the residuals are at rounding",
            Self::Noise => {
                "NOT converged: what is left to gain is below the noise of the residuals"
            }
            Self::AtBounds => "converged: every parameter is held by a bound",
            Self::NoProgress => {
                "NOT converged: no step lowers the loss; check the Jacobian or the noise"
            }
            Self::RankLostAtBound => {
                "NOT converged: at a bound other parameters have no effect; start elsewhere or move the bound"
            }
            Self::EvaluationLimit => "NOT converged: limit on evaluations",
            Self::IterationLimit => "NOT converged: limit on iterations",
            Self::NonFinite => "NOT converged: a step led to undefined residuals",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "NOT converged: the model failed",
        }
    }
}

/// Counts the evaluations and the trial steps of a fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FitCounts {
    /// Evaluations of the residuals, the first one included.
    pub residuals: usize,
    /// Jacobians (each with the residuals at its point, in one pass of the map).
    pub jacobians: usize,
    /// Second directional derivatives asked of the map ([`Acceleration::Exact`](crate::Acceleration::Exact)); estimates from
    /// trial steps take none.
    pub second_derivatives: usize,
    /// Accepted steps.
    pub accepted: usize,
    /// Rejected trial steps, non-finite ones included.
    pub rejected: usize,
    /// Trial steps after which residuals or Jacobian were undefined or not finite.
    pub undefined: usize,
}

/// What the tests for convergence compare, at one point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measures {
    /// The root of the loss.
    pub(crate) residual: f64,
    /// The root of the loss at the start.
    pub(crate) initial_residual: f64,
    /// `norm(P b)`.
    pub(crate) image: f64,
    /// Largest `abs(J_k^T b) / (norm(J_k) norm(b))` over free columns.
    pub(crate) column_cosine: f64,
    /// What rounding of each parameter makes of b: `eps sum_k norm(J_k) abs(w_k)`.
    pub(crate) noise: f64,
    /// `sqrt(p / n)`, at most 1: the cosine of random residuals with the tangent space.
    pub(crate) random: f64,
}

/// Largest cosine at which an end may be put down to noise.
const NEAR: f64 = 1e-4;
/// Promised decrease of the loss, relative to it, that its rounding may hide.
const STILL: f64 = 512.0 * f64::EPSILON;
/// How far the noise may exceed the one change of the loss that shows it.
const DRAWS: f64 = 10.0;
/// Share of the cosine of random residuals above which residuals at rounding count as random.
const SHARE: f64 = 0.1;

impl Measures {
    /// The reason to stop at this point, if there is one.
    pub(crate) fn verdict(&self, gradient_tolerance: f64) -> Option<FitStop> {
        // Both: from a start that all but overflows, residuals may fall far and still be large.
        let vanished = self.residual <= f64::EPSILON * f64::EPSILON * self.initial_residual
            && self.residual <= f64::EPSILON;
        if self.residual == 0.0 || vanished {
            return Some(FitStop::Rounding);
        }
        if self.is_at_rounding() {
            return Some(if self.is_exact() { FitStop::Rounding } else { FitStop::Gradient });
        }
        let small = self.image <= gradient_tolerance * self.residual
            || self.column_cosine <= gradient_tolerance.powf(1.5);
        small.then_some(FitStop::Gradient)
    }

    /// Whether a whole step is no more than rounding of the parameters.
    pub(crate) fn is_at_rounding(&self) -> bool {
        self.image <= 3.0 * self.noise
    }

    /// Whether residuals whose image is at rounding are rounding themselves: they then lie in no particular direction.
    fn is_exact(&self) -> bool {
        self.image > SHARE * self.random * self.residual
    }

    /// Whether what a whole step promises is at the rounding of the loss, even where the curvature that `J^T J` leaves out
    /// makes it promise a few hundred times too little for the steps that would hold.
    pub(crate) fn is_still(&self) -> bool {
        self.image * self.image <= STILL * self.residual * self.residual
    }

    /// Whether what a whole step promises cannot be told from noise that changed the loss by `change`, near a minimum.
    pub(crate) fn is_below(&self, change: f64) -> bool {
        self.image <= NEAR * self.residual && self.image * self.image <= DRAWS * change
    }
}

/// Refuses settings outside their ranges.
pub(crate) fn require_positive(name: &'static str, value: f64) -> Result<(), FitError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(FitError::InvalidSetting { name, value, accepted: "a finite number above 0" })
    }
}
