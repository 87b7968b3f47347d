//! Why a fit could not start; everything that happens later is a [`super::FitStop`].

use gaussflow_objective::MapError;
use gaussflow_solvers::SolveError;

/// Says why a fit could not start.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// A list has another length than the model asks for.
    #[error("{found} {what} given; the model asks for {expected}")]
    Count {
        /// What the list holds.
        what: &'static str,
        /// The model's number.
        expected: usize,
        /// The number given.
        found: usize,
    },
    /// A weight is not positive and finite.
    #[error("weight {index} is {value}; accepted: finite numbers above 0")]
    Weight {
        /// Position of the observation.
        index: usize,
        /// The value that was given.
        value: f64,
    },
    /// An observation is not finite.
    #[error("observation {index} is {value}; accepted: finite numbers")]
    Observation {
        /// Its position.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The bounds of a parameter leave it no finite value, or one is NaN.
    #[error(
        "the bounds of {name} are {lower} and {upper}; accepted: lower <= upper, infinities allowed"
    )]
    Bounds {
        /// The parameter.
        name: String,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// The start lies outside the bounds.
    #[error("{name} starts at {value}, outside its bounds [{lower}, {upper}]")]
    StartOutside {
        /// The parameter.
        name: String,
        /// Its start.
        value: f64,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// A setting is outside its range.
    #[error("{name} is {value}; accepted: {accepted}")]
    InvalidSetting {
        /// Which one.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is accepted.
        accepted: &'static str,
    },
    /// [`Acceleration::Exact`](crate::Acceleration::Exact) is asked for, but the map has no second derivatives.
    #[error("exact acceleration: {0}")]
    Acceleration(MapError),
    /// The residuals or their derivatives are undefined at the start.
    #[error("at the start: {0}; begin where the model is defined")]
    Start(MapError),
    /// The sum of squares overflows at the start, although each residual is finite.
    #[error("at the start the loss is {loss}: the squares of the residuals overflow; rescale them")]
    StartOverflow {
        /// The loss.
        loss: f64,
    },
    /// The Jacobian at the start cannot be factored.
    #[error("at the start: {0}; check the Jacobian there")]
    StartJacobian(#[from] SolveError),
    /// The model has no observations or no parameters.
    #[error(
        "the model has {outputs} residuals and {parameters} parameters; accepted: at least one each"
    )]
    Empty {
        /// Number of residuals n.
        outputs: usize,
        /// Number of parameters p.
        parameters: usize,
    },
}
