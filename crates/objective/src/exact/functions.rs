//! Functions of a scalar that num-dual computes slowly, or where it overflows, or not at all.

use std::f64::consts::FRAC_2_SQRT_PI;

use super::Scalar;

/// Magnitude below which tanh takes `exp(x) - 1` from a function of its own, which keeps the digits.
const SMALL: f64 = 0.25;

/// Computes tanh with one exponential, accurate to a few units in the last place, with derivatives.
///
/// Over dual numbers `x.tanh()` is sinh over cosh, which takes three times as long and gives NaN where these overflow.
///
/// # Examples
/// ```
/// use gaussflow_objective::tanh;
/// assert_eq!((tanh(0.0), tanh(-800.0)), (0.0, -1.0));
/// assert!((tanh(1e-9) / 1e-9 - 1.0_f64).abs() < 1e-15);
/// ```
pub fn tanh<D: Scalar>(x: D) -> D {
    // -u / (u + 2) with u = exp(-2 abs(x)) - 1.
    let sign = x.re().signum();
    let doubled = x * (-2.0 * sign);
    let u = if x.re().abs() < SMALL { doubled.exp_m1() } else { doubled.exp() - 1.0 };
    u * -sign / (u + 2.0)
}

/// Computes the logistic function `1 / (1 + exp(-x))` with derivatives; it never overflows.
///
/// # Examples
/// ```
/// use gaussflow_objective::sigmoid;
/// assert_eq!((sigmoid(0.0), sigmoid(800.0), sigmoid(-800.0)), (0.5, 1.0, 0.0));
/// ```
pub fn sigmoid<D: Scalar>(x: D) -> D {
    if x.re() < 0.0 {
        let e = x.exp();
        e / (e + 1.0)
    } else {
        ((-x).exp() + 1.0).recip()
    }
}

/// Computes the error function, with derivatives up to the second.
///
/// # Examples
/// ```
/// use gaussflow_objective::erf;
/// assert!((erf(0.5) - 0.520_499_877_813_046_5_f64).abs() < 1e-15);
/// ```
pub fn erf<D: Scalar>(x: D) -> D {
    expand(x, libm::erf(x.re()), gauss(x.re()))
}

/// Computes the complementary error function `1 - erf(x)`, with derivatives up to the second.
pub fn erfc<D: Scalar>(x: D) -> D {
    expand(x, libm::erfc(x.re()), -gauss(x.re()))
}

/// `erf'(x)`.
fn gauss(x: f64) -> f64 {
    FRAC_2_SQRT_PI * (-x * x).exp()
}

/// erf or erfc over dual numbers up to second order: `f + f' d - x f' d^2` with the nilpotent part d of x, since
/// `f'' = -2 x f'`.
fn expand<D: Scalar>(x: D, value: f64, slope: f64) -> D {
    if D::NDERIV == 0 {
        return D::from(value);
    }
    let part = x - x.re();
    part * part * (-x.re() * slope) + part * slope + value
}
