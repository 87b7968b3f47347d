//! The four ways to integrate a field, and the ranges of their settings.

use crate::error::IntegrationError;

/// Below this a relative tolerance asks for less error than the arithmetic itself makes.
const LEAST_RELATIVE: f64 = 4.0 * f64::EPSILON;
/// The error is divided by the absolute tolerance and squared; this keeps it in range.
const LEAST_ABSOLUTE: f64 = 1e-100;

/// Chooses an integration method, with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Explicit Euler, `x_{k+1} = x_k + step v(t_k, x_k)`: order 1, one evaluation per step. Between steps the solution is
    /// linear.
    Euler {
        /// The length of a step, above 0.
        step: f64,
    },
    /// The classical Runge-Kutta method: order 4, four evaluations per step. Between steps the solution is the cubic Hermite
    /// polynomial.
    RungeKutta4 {
        /// The length of a step, above 0.
        step: f64,
    },
    /// The explicit method of Tsitouras of order 5(4), with error control and an interpolant of order 4 between steps.
    ///
    /// A step is accepted when the root mean square of `error_i / (absolute_tolerance + relative_tolerance abs(x_i))` is
    /// below 1.
    Adaptive {
        /// The accepted error of a step relative to each component, from `8.9e-16` to 1.
        relative_tolerance: f64,
        /// The accepted error of a step in the unit of the state, from `1e-100` to `1e100`.
        absolute_tolerance: f64,
    },
    /// Implicit differentiation formulas of variable order (BDF, order 1 to 5), with the error control of
    /// [`Method::Adaptive`], for fields whose rates differ by orders of magnitude. Each Jacobian takes n calls of
    /// [`VectorField::jacobian_apply`](crate::VectorField::jacobian_apply), and each new step size a factorization of an n x
    /// n matrix.
    Stiff {
        /// As for [`Method::Adaptive`].
        relative_tolerance: f64,
        /// As for [`Method::Adaptive`].
        absolute_tolerance: f64,
    },
}

/// Checked tolerances of an error-controlled method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerances {
    pub(crate) relative: f64,
    pub(crate) absolute: f64,
}

impl Tolerances {
    pub(crate) fn new(relative: f64, absolute: f64) -> Result<Self, IntegrationError> {
        in_range("relative tolerance", relative, LEAST_RELATIVE, 1.0)?;
        in_range("absolute tolerance", absolute, LEAST_ABSOLUTE, 1.0 / LEAST_ABSOLUTE)?;
        Ok(Self { relative, absolute })
    }
}

fn in_range(
    quantity: &'static str,
    value: f64,
    least: f64,
    most: f64,
) -> Result<(), IntegrationError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(IntegrationError::ToleranceOutOfRange { quantity, value, least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_outside_their_range_are_refused() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-16, 2.0] {
            assert!(matches!(
                Tolerances::new(bad, 1.0),
                Err(IntegrationError::ToleranceOutOfRange { quantity: "relative tolerance", .. })
            ));
        }
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(
                Tolerances::new(1e-8, bad),
                Err(IntegrationError::ToleranceOutOfRange { quantity: "absolute tolerance", .. })
            ));
        }
        assert!(Tolerances::new(4.0 * f64::EPSILON, 1e-100).is_ok());
    }
}
