//! Inputs from which no integration can start; everything later is data in the outcome.

/// Says why the input was refused; the field was not evaluated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IntegrationError {
    /// A length of the time axis was not positive and finite.
    #[error("{quantity} is {value}; accepted: any finite number above 0")]
    NotPositive {
        /// The name of the quantity: "step", "grid step" or "horizon".
        quantity: &'static str,
        /// What was given.
        value: f64,
    },
    /// A tolerance of an error-controlled method was out of range.
    #[error("{quantity} is {value:e}; accepted: from {least:e} to {most:e}")]
    ToleranceOutOfRange {
        /// "relative tolerance" or "absolute tolerance".
        quantity: &'static str,
        /// What was given.
        value: f64,
        /// The least accepted value.
        least: f64,
        /// The greatest accepted value.
        most: f64,
    },
    /// The recording interval was zero.
    #[error("every is 0; accepted: 1 (each grid point) or more")]
    ZeroInterval,
    /// The horizon holds more steps than can be counted.
    #[error("horizon {horizon} holds {steps:e} steps of {step}; accepted: at most {most:e} steps")]
    TooManySteps {
        /// The end of the integration.
        horizon: f64,
        /// The step.
        step: f64,
        /// Their quotient.
        steps: f64,
        /// The greatest accepted quotient.
        most: f64,
    },
    /// The state has another length than the dimension of the field.
    #[error("the initial state has {found} components, the field {expected}; they must agree")]
    DimensionMismatch {
        /// The field's dimension.
        expected: usize,
        /// The state's length.
        found: usize,
    },
    /// The field has no components.
    #[error("the field has dimension 0; accepted: 1 or more")]
    EmptyState,
    /// The initial state holds an infinity or a NaN.
    #[error("component {index} of the initial state is {value}; accepted: finite numbers")]
    NonFiniteInitialState {
        /// The first offending component.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The solver library refused the problem before the first step.
    #[error("the solver library could not be set up: {message}")]
    Library {
        /// Its message.
        message: String,
    },
}
