//! The arctangent and its derivatives.
//!
//! `arctan' = 1 / (1 + z^2)`, `arctan'' = -2 z / (1 + z^2)^2`.
//!
//! With `a = |z|`, `arctan a = offset + arctan x`, `|x| <= tan(pi/8)`, from
//! `arctan a - arctan b = arctan((a - b) / (1 + a b))` with b = 0, 1 and infinity:
//!
//! | a                          | x                   | offset |
//! |----------------------------|---------------------|--------|
//! | below `tan(pi/8)`          | `a`                 | 0      |
//! | up to `1 / tan(pi/8)`      | `(a - 1) / (a + 1)` | pi/4   |
//! | above                      | `-1 / a`            | pi/2   |
//!
//! Numerator and denominator are selected before the one division, and `arctan x = x + x^3 S(x^2)`.
//! The offsets carry a second double. The derivatives take `1 + z^2` as a sum of two doubles and
//! correct the reciprocal to first order, because arctan'' would square the reciprocal's error;
//! for `a >= 2^60` the reciprocal is `x^2`, which does not overflow where `1 + z^2` would.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

use super::arithmetic::{Arithmetic, Jet, Kernel, against_sign, polynomial, with_sign};

/// `tan(pi/8) = sqrt(2) - 1`.
const LOWER_BREAK: f64 = 0.414_213_562_373_095_03;
/// `1 / tan(pi/8) = sqrt(2) + 1`.
const UPPER_BREAK: f64 = 2.414_213_562_373_095;
/// `2^60`: from here on `1 + z^2` rounds to `z^2`.
const FAR: f64 = 1_152_921_504_606_846_976.0;

// Pi over 2 and over 4, less their nearest doubles.
const FRAC_PI_2_REST: f64 = 6.123_233_995_736_766e-17;
const FRAC_PI_4_REST: f64 = 3.061_616_997_868_383e-17;

/// Minimax `(arctan(x) - x) / x^3` in `x^2`, `0 <= x <= tan(pi/8)`, error 1.4e-18: see
/// `tests/golden/generate_activation_polynomials.py`.
const SERIES: [f64; 11] = [
    -3.333_333_333_333_323e-1,
    1.999_999_999_996_152_6e-1,
    -1.428_571_428_086_514e-1,
    1.111_111_081_248_964_5e-1,
    -9.090_898_500_623_427e-2,
    7.692_072_177_374_297e-2,
    -6.663_228_693_891_224e-2,
    5.848_728_665_550_22e-2,
    -5.042_831_588_113_917e-2,
    3.814_864_240_656_766e-2,
    -1.799_405_565_252_381e-2,
];

/// The arctangent.
pub(super) struct Arctan;

impl Kernel for Arctan {
    #[inline(always)]
    fn prepare<A: Arithmetic>(z: f64) -> [f64; 4] {
        let a = z.abs();
        let (low, high) = (a < LOWER_BREAK, a > UPPER_BREAK);
        // A z that is not a number takes the middle column, which hands it on.
        let numerator = if low { a } else { a - 1.0 };
        let numerator = if high { -1.0 } else { numerator };
        let denominator = if low { 1.0 } else { a + 1.0 };
        let denominator = if high { a } else { denominator };
        let x = numerator / denominator;
        let square = x * x;
        let (near_first, near_second) = near_derivatives::<A>(if a > FAR { 1.0 } else { a });
        let first = if a > FAR { square } else { near_first };
        let second = if a > FAR { -2.0 * x * square } else { near_second };
        [x, first, second, 0.0]
    }

    #[inline(always)]
    fn finish<A: Arithmetic>(z: f64, [x, first, second, _]: [f64; 4]) -> Jet {
        let a = z.abs();
        let (low, high) = (a < LOWER_BREAK, a > UPPER_BREAK);
        let offset = if low { 0.0 } else { FRAC_PI_4 };
        let offset = if high { FRAC_PI_2 } else { offset };
        let offset_rest = if low { 0.0 } else { FRAC_PI_4_REST };
        let offset_rest = if high { FRAC_PI_2_REST } else { offset_rest };
        let square = x * x;
        let tail = A::multiply_add(square * x, polynomial::<A, _>(square, &SERIES), offset_rest);
        // Fast two-sum of offset and x: the offset is 0 or the larger.
        let sum = offset + x;
        let value = sum + (((offset - sum) + x) + tail);
        Jet { value: with_sign(value, z), first, second: against_sign(second, z) }
    }
}

/// `1 / (1 + a^2)` and `2 a / (1 + a^2)^2` for `0 <= a <= 2^60`.
#[inline(always)]
fn near_derivatives<A: Arithmetic>(a: f64) -> (f64, f64) {
    let square = a * a;
    let denominator = 1.0 + square;
    // Two-sum: either term may be the larger.
    let square_part = denominator - 1.0;
    let rounding = (1.0 - (denominator - square_part)) + (square - square_part);
    let denominator_rest = rounding + A::square_rest(a, square);
    let q = 1.0 / denominator;
    let defect = A::product_defect(1.0, denominator, q);
    let q_rest = q * A::multiply_add(-denominator_rest, q, defect);
    let q_square = A::round_once(q, q, 2.0 * q * q_rest);
    (q + q_rest, 2.0 * a * q_square)
}
