//! Why a geometric quantity is not defined, or could not be found; every variant carries its numbers.

use gaussflow_integrators::IntegrationError;
use gaussflow_objective::{MapError, PointError};
use gaussflow_solvers::SolveError;

use crate::geodesic::GeodesicEnd;

/// Says why a geometric quantity is undefined, or could not be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// The map or the linear algebra failed.
    #[error(transparent)]
    Point(#[from] PointError),
    /// The Jacobian is not injective: M is not an immersed manifold there.
    #[error(
        "the Jacobian is not injective: {parameters} parameters, smallest singular value \
         {smallest:e} of largest {largest:e} (cutoff {cutoff:e} on the ratio): no tangent space of full dimension"
    )]
    NotImmersed {
        /// Number of parameters p.
        parameters: usize,
        /// Smallest singular value of J; 0 where p > n.
        smallest: f64,
        /// Largest singular value of J.
        largest: f64,
        /// The cutoff on their ratio.
        cutoff: f64,
    },
    /// The image `J v` of the direction is zero, so that a quotient over its squared norm has no value.
    #[error("{what} is zero (or its image under J underflows); give it length about 1")]
    ZeroDirection {
        /// Which vector.
        what: &'static str,
    },
    /// Two directions span no plane.
    #[error("the two directions span no plane: the sine of their angle is {sine:e}")]
    ParallelDirections {
        /// Sine of the angle between them.
        sine: f64,
    },
    /// An output vector is not tangent to M.
    #[error(
        "the vector is not tangent: its normal part has length {defect:e} of {length:e} \
         (accepted: {tolerance:e} of the length); project it with tangent_part"
    )]
    NotTangent {
        /// The length of its normal part.
        defect: f64,
        /// Its length.
        length: f64,
        /// The accepted ratio.
        tolerance: f64,
    },
    /// An output vector is not normal to M.
    #[error(
        "the vector is not normal: its tangent part has length {defect:e} of {length:e} \
         (accepted: {tolerance:e} of the length); project it with normal_part"
    )]
    NotNormal {
        /// The length of its tangent part.
        defect: f64,
        /// Its length.
        length: f64,
        /// The accepted ratio.
        tolerance: f64,
    },
    /// A setting is out of its range.
    #[error("{name} is {value}; accepted: {accepted}")]
    InvalidSetting {
        /// Which setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is accepted.
        accepted: &'static str,
    },
    /// The integrator refused to start.
    #[error(transparent)]
    Integration(#[from] IntegrationError),
    /// A geodesic that was to be followed to its end stopped before.
    #[error("the geodesic ended at {fraction:.6} of its length: {end}")]
    Incomplete {
        /// Where, as a fraction of the length asked for.
        fraction: f64,
        /// Why.
        end: GeodesicEnd,
    },
    /// The speed along a geodesic was not conserved, however small the tolerance.
    #[error(
        "the speed along the geodesic drifts by {drift:e} (accepted {tolerance:e}) at the tightest \
         tolerance of the integrator; shorten the geodesic or accept more"
    )]
    SpeedDrift {
        /// Largest relative change of the speed.
        drift: f64,
        /// The accepted change.
        tolerance: f64,
    },
    /// The evaluations of the geodesic equation that the settings allow were spent before the end.
    #[error(
        "following geodesics took the {limit} evaluations of the geodesic equation that are allowed, {reached:.3} \
         of the way: most likely the chart is singular near it; take a nearer target or other parameters, or allow \
         more of them"
    )]
    EvaluationsSpent {
        /// How many were allowed.
        limit: usize,
        /// The fraction of the curve that the last attempt covered; for a logarithm, the fraction of the straight line to the
        /// target in parameter space.
        reached: f64,
    },
    /// No geodesic to the target was found.
    #[error(
        "no geodesic to the target was found: after {shots} shots a miss of {miss:e} is left \
         at {reached:.3} of the way (asked for {tolerance:e})"
    )]
    LogNotConverged {
        /// Geodesics shot.
        shots: usize,
        /// Output distance between the last shot's end and its target, to first order.
        miss: f64,
        /// The fraction of the straight line to the target, in parameter space, that was reached.
        reached: f64,
        /// The accepted miss.
        tolerance: f64,
    },
    /// Shots at the target leave the chart, or the ball that they were to stay in.
    #[error(
        "shots at the target leave the chart: {reached:.3} of the way was reached, then: {end}"
    )]
    LeftChart {
        /// The fraction of the straight line to the target, in parameter space, that was reached.
        reached: f64,
        /// How the last shot that did not arrive ended.
        end: GeodesicEnd,
    },
    /// A geodesic was found, but it is longer than curvature lets a shortest one surely be.
    #[error(
        "a geodesic of length {length} was found, beyond the estimate {estimate} = pi / (largest \
         normal curvature found on it): it may not be the shortest; the error holds its initial velocity"
    )]
    BeyondInjectivity {
        /// Its length.
        length: f64,
        /// The estimate of the injectivity radius.
        estimate: f64,
        /// Its initial velocity over unit time, in parameters (length p).
        velocity: Vec<f64>,
    },
}

impl From<MapError> for GeometryError {
    fn from(error: MapError) -> Self {
        Self::Point(error.into())
    }
}

impl From<SolveError> for GeometryError {
    fn from(error: SolveError) -> Self {
        Self::Point(error.into())
    }
}
