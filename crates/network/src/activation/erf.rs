//! The error function and its derivatives.
//!
//! `erf(z) = (2 / sqrt(pi)) int_0^z e^(-t^2) dt`, `erf' = (2 / sqrt(pi)) e^(-z^2)`,
//! `erf'' = -2 z erf'`.
//!
//! With `a = |z|`:
//!
//! - `e^(-a^2)` takes `a^2` as an exact sum of two doubles: an error of half a unit in the last
//!   place of `a^2 = 700` alone would be 500 units in the last place of the exponential;
//! - for `a < 0.8`, `erf(a) = a + a P(a^2)`;
//! - for `a >= 0.8`, `erf(a) = 1 - e^(-a^2) G((a - 3) / (a + 3))`, where G fits `e^(a^2) erfc(a)`
//!   (the form of W. J. Cody, "Rational Chebyshev approximations for the error function", Math.
//!   Comp. 23, 1969). The exponential is there already for the derivative, and only the absolute
//!   error of the second term matters, so that one polynomial of degree 11 reaches to `a = 6`,
//!   beyond which erf rounds to 1.
//!
//! Both forms are computed and one is selected, as a branch would end the vector code.

use std::f64::consts::FRAC_2_SQRT_PI;

use super::arithmetic::{Arithmetic, Jet, Kernel, against_sign, polynomial, with_sign};
use super::exp::Decay;

/// Beyond this `e^(-a^2)` is below half of the least subnormal; also keeps infinities out.
const LARGEST_ARGUMENT: f64 = 27.5;
/// Where the two forms of the value meet.
const CROSSOVER: f64 = 0.8;
/// End of the fit of G; `erfc(6) = 2.2e-17` no longer changes the rounded value.
const OUTER_END: f64 = 6.0;

/// `2 / sqrt(pi)` less its nearest double.
const TWO_OVER_SQRT_PI_REST: f64 = 1.533_545_961_316_588e-17;

/// Minimax `erf(x) / x - 1` in `x^2`, `0 <= x <= 0.8`, relative error 3.3e-18: see
/// `tests/golden/generate_activation_polynomials.py`, as for [`OUTER`].
const INNER: [f64; 11] = [
    1.283_791_670_955_125_6e-1,
    -3.761_263_890_318_362e-1,
    1.128_379_167_094_689e-1,
    -2.686_617_064_313_824e-2,
    5.223_977_600_650_363e-3,
    -8.548_325_220_011_948e-4,
    1.205_525_096_643_225_3e-4,
    -1.492_324_595_978_998_5e-5,
    1.641_656_463_520_565e-6,
    -1.582_405_433_401_173_5e-7,
    1.106_773_644_317_262_5e-8,
];

/// Minimax `e^(x^2) erfc(x)` in `(x - 3) / (x + 3)`, `0.8 <= x <= 6`; error in erfc 3.2e-17.
const OUTER: [f64; 12] = [
    1.790_011_511_811_400_4e-1,
    -3.262_335_600_513_407e-1,
    2.456_038_017_428_914_3e-1,
    -1.501_159_324_500_403_5e-1,
    7.166_590_506_897_993e-2,
    -2.439_191_038_489_24e-2,
    4.272_313_610_428_726e-3,
    7.191_343_773_983_293e-4,
    -5.692_965_981_356_328e-4,
    9.109_626_204_979_27e-5,
    1.134_463_731_891_164_2e-4,
    1.847_789_673_855_000_3e-5,
];

/// The error function.
pub(super) struct Erf;

impl Kernel for Erf {
    #[inline(always)]
    fn prepare<A: Arithmetic>(z: f64) -> [f64; 4] {
        let a = bounded_magnitude(z);
        let square = a * a;
        let decay = Decay::with_rest::<A>(square, A::square_rest(a, square));
        let inner = A::multiply_add(a, polynomial::<A, _>(square, &INNER), a);
        let bounded = if a > OUTER_END { OUTER_END } else { a };
        let outer = polynomial::<A, _>((bounded - 3.0) / (bounded + 3.0), &OUTER);
        decay.into_parts(if a < CROSSOVER { inner } else { outer })
    }

    #[inline(always)]
    fn finish<A: Arithmetic>(z: f64, prepared: [f64; 4]) -> Jet {
        let (decay, selected) = (Decay::from_parts(prepared), prepared[3]);
        let (mantissa, mantissa_rest) = decay.mantissa();
        let a = bounded_magnitude(z);
        let outer = 1.0 - mantissa * decay.power * selected;
        let value = if a < CROSSOVER { selected } else { outer };

        let slope_rest =
            A::multiply_add(mantissa, TWO_OVER_SQRT_PI_REST, mantissa_rest * FRAC_2_SQRT_PI);
        let slope = A::round_once(mantissa, FRAC_2_SQRT_PI, slope_rest);
        Jet {
            value: with_sign(value, z),
            first: slope * decay.power,
            // The power of two last: a subnormal slope times z would carry its rounding along.
            second: against_sign(2.0 * a * slope * decay.power, z),
        }
    }
}

/// `|z|`, at most [`LARGEST_ARGUMENT`].
#[inline(always)]
fn bounded_magnitude(z: f64) -> f64 {
    let a = z.abs();
    // A comparison, not `min`: it must hand on a number that is not one.
    if a > LARGEST_ARGUMENT { LARGEST_ARGUMENT } else { a }
}
