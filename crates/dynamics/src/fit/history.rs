//! One record a trial point: what was tried, how the model predicted it, what came of it.

/// Which model a trial step minimizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// The initial point.
    Start,
    /// Gauss-Newton, undamped.
    GaussNewton,
    /// Damped: Levenberg-Marquardt.
    LevenbergMarquardt,
    /// A damped step with geodesic acceleration added.
    Accelerated,
    /// The Gauss-Newton model with secant curvature of the residuals (Dennis, Gay and Welsch 1981).
    Secant,
    /// A step of a schedule.
    Scheduled,
    /// A move along parameters that a bound has robbed of their effect, to where the bound no longer holds.
    Release,
}

impl StepKind {
    /// The name in files.
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

/// What became of a trial point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is the next point.
    Accepted,
    /// The loss did not fall as predicted.
    Rejected,
    /// Residuals or Jacobian are undefined or not finite there.
    Undefined,
}

impl Verdict {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Undefined => "undefined",
        }
    }
}

/// One trial point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRecord {
    /// Accepted steps before this trial.
    pub iteration: usize,
    /// What was tried.
    pub kind: StepKind,
    /// What came of it.
    pub verdict: Verdict,
    /// The loss at the trial point; NaN where it is undefined.
    pub loss: f64,
    /// Measured decrease over predicted decrease; negative infinity where undefined.
    pub gain_ratio: f64,
    /// lambda relative to D^2 (rho for schedules).
    pub damping: f64,
    /// Radius of the trust region in the scaled variables D w; NaN for schedules.
    pub radius: f64,
    /// `norm(D d)` of the step d (`norm(d)` for schedules).
    pub step_norm: f64,
    /// `norm(P r) / norm(r)` at the point that the step leaves.
    pub cosine: f64,
}
