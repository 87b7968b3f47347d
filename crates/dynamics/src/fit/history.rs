//! One record a trial point: what was tried, how the model predicted it, what came of it.

/// Names the model whose minimizer a trial step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// The initial point.
    Start,
    /// The undamped Gauss-Newton step.
    GaussNewton,
    /// The damped (Levenberg-Marquardt) step.
    LevenbergMarquardt,
    /// A damped step with geodesic acceleration added.
    Accelerated,
    /// The Gauss-Newton model with secant curvature of the residuals (Dennis, Gay and Welsch 1981).
    Secant,
    /// A step with the damping of a [`DampingSchedule`](crate::DampingSchedule).
    Scheduled,
    /// A move along parameters that have no effect while another one is at its bound (as a phase at amplitude 0), to where
    /// that bound no longer holds the other parameter.
    Release,
}

impl StepKind {
    /// Returns the name that record files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::GaussNewton => "gauss-newton",
            Self::LevenbergMarquardt => "levenberg-marquardt",
            Self::Accelerated => "accelerated",
            Self::Secant => "secant",
            Self::Scheduled => "scheduled",
            Self::Release => "release",
        }
    }
}

/// Says what became of a trial step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The fit continues from there.
    Accepted,
    /// The loss did not fall as predicted.
    Rejected,
    /// Residuals or Jacobian are undefined or not finite there.
    Undefined,
}

impl Verdict {
    /// Returns the name that record files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Undefined => "undefined",
        }
    }
}

/// Records one trial step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRecord {
    /// The number of steps accepted before this trial.
    pub iteration: usize,
    /// What was tried.
    pub kind: StepKind,
    /// What came of it.
    pub verdict: Verdict,
    /// The loss after the step; NaN where it is undefined.
    pub loss: f64,
    /// The measured decrease over the predicted decrease; negative infinity where the loss is undefined.
    pub gain_ratio: f64,
    /// lambda of `(J^T J + lambda D^2) d = -J^T b`; for schedules rho.
    pub damping: f64,
    /// Radius of the trust region in the scaled variables D w; NaN for schedules.
    pub radius: f64,
    /// `norm(D d)` of the step d (`norm(d)` for schedules).
    pub step_norm: f64,
    /// `norm(P r) / norm(r)` before the step, with P the projection on the range of J.
    pub cosine: f64,
}
