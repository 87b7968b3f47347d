//! Geodesics and parallel transport: what an integration of them is asked and what it returns.
//!
//! In parameters `w'' = -J^+ D2f[w',w']` and, for a transported vector `alpha J b`, `b' = -J^+ D2f[w',b]`.

use gaussflow_integrators::Statistics;

use crate::error::GeometryError;

/// Sets how accurately geodesics are followed, where they must stay, and what they may cost.
#[derive(Clone, Debug, PartialEq)]
pub struct GeodesicSettings {
    /// The largest accepted relative change of the speed `norm(alpha J w')`, which a geodesic conserves; default 1e-10. The
    /// tolerance of the integrator is tightened until this holds.
    pub tolerance: f64,
    /// The number of equal parts of the curve whose ends are recorded; default 16.
    pub samples: usize,
    /// The ball in parameter space that the curve must not leave; default none.
    pub ball: Option<Ball>,
    /// The most evaluations of the geodesic equation in one call, over all attempts at a curve and all curves of a logarithm;
    /// each is a linearization with second derivatives. At least 1, default 300,000. Near a singularity any number could be
    /// spent.
    pub evaluations: usize,
}

impl Default for GeodesicSettings {
    fn default() -> Self {
        Self { tolerance: 1e-10, samples: 16, ball: None, evaluations: 300_000 }
    }
}

impl GeodesicSettings {
    /// Refuses settings out of range.
    pub(crate) fn check(&self, parameters: usize) -> Result<(), GeometryError> {
        let refuse =
            |name, value, accepted| GeometryError::InvalidSetting { name, value, accepted };
        if !(self.tolerance >= 1e-13 && self.tolerance <= 0.1) {
            return Err(refuse("the geodesic tolerance", self.tolerance, "1e-13 to 0.1"));
        }
        if self.samples == 0 {
            return Err(refuse("the number of samples", 0.0, "1 or more"));
        }
        if self.evaluations == 0 {
            return Err(refuse("the number of evaluations", 0.0, "1 or more"));
        }
        let Some(ball) = &self.ball else { return Ok(()) };
        let what = "the center of the ball";
        gaussflow_objective::require_length(what, &ball.center, parameters)?;
        gaussflow_objective::require_finite(what, &ball.center)?;
        if !(ball.radius.is_finite() && ball.radius > 0.0) {
            return Err(refuse("the radius of the ball", ball.radius, "a finite number above 0"));
        }
        Ok(())
    }
}

/// Describes a ball in parameter space, such as the paper's B.
#[derive(Clone, Debug, PartialEq)]
pub struct Ball {
    /// The center (length p).
    pub center: Vec<f64>,
    /// The radius, in the unit of the parameters.
    pub radius: f64,
}

/// Says why a geodesic ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum GeodesicEnd {
    /// It reached its length.
    Complete,
    /// It left the ball.
    LeftBall {
        /// The ball's radius.
        radius: f64,
    },
    /// The Jacobian lost rank: M, or its parametrization by w, ends here.
    RankLost {
        /// Smallest singular value of J where it was seen.
        smallest: f64,
        /// Largest singular value there.
        largest: f64,
    },
    /// The tolerance asked for steps below the spacing of floating-point times, or for more evaluations than any smooth
    /// stretch takes, so that a singularity is near.
    Stalled,
    /// The map has no finite value ahead.
    Undefined {
        /// The reason.
        reason: String,
    },
}

impl std::fmt::Display for GeodesicEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Complete => write!(f, "it reached its length"),
            Self::LeftBall { radius } => write!(f, "it left the ball of radius {radius}"),
            Self::RankLost { smallest, largest } => write!(
                f,
                "the Jacobian lost rank (smallest singular value {smallest:e} of largest {largest:e})"
            ),
            Self::Stalled => write!(f, "the step size fell to nothing, a singularity is near"),
            Self::Undefined { reason } => write!(f, "the map is undefined ahead: {reason}"),
        }
    }
}

/// Holds one recorded place on a geodesic.
#[derive(Clone, Debug, PartialEq)]
pub struct GeodesicSample {
    /// The time there, as a fraction of the length asked for.
    pub fraction: f64,
    /// The parameters w there (length p).
    pub point: Vec<f64>,
    /// The velocity w' there, per unit of `fraction` (length p).
    pub velocity: Vec<f64>,
    /// The parameters of the transported vectors there (length p each).
    pub transported: Vec<Vec<f64>>,
}

/// Holds a geodesic, with what was transported along it.
#[derive(Clone, Debug, PartialEq)]
pub struct Geodesic {
    /// The start, the ends of equal parts, and the place where the curve ended.
    pub samples: Vec<GeodesicSample>,
    /// Why it ended.
    pub end: GeodesicEnd,
    /// The length in output space that was asked for, `norm(alpha J v)`.
    pub length: f64,
    /// The largest relative change of the speed over the samples, which measures the error.
    pub speed_drift: f64,
    /// The work of the integrator over all attempts.
    pub statistics: Statistics,
}

impl Geodesic {
    /// Returns the last sample, which is the end where the curve is complete.
    pub fn last(&self) -> &GeodesicSample {
        // The start is always recorded.
        &self.samples[self.samples.len() - 1]
    }

    /// Returns the fraction of the length that was covered.
    pub fn fraction(&self) -> f64 {
        self.last().fraction
    }

    /// Returns the end of a complete curve.
    ///
    /// # Errors
    /// [`GeometryError::Incomplete`] for a curve that ended before its length.
    pub fn complete(&self) -> Result<&GeodesicSample, GeometryError> {
        if self.end == GeodesicEnd::Complete {
            return Ok(self.last());
        }
        Err(GeometryError::Incomplete { fraction: self.fraction(), end: self.end.clone() })
    }
}
