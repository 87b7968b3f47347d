//! The exponential of a number that is not positive, kept in parts.
//!
//! `e^-a = 2^k e^-r` with `k = -round(a / ln 2)` and `r = a + k ln 2`, `|r| <= ln(2) / 2`, so that
//! a short polynomial gives `1 - e^-r = r + r^2 T(r)` (W. J. Cody and W. Waite, "Software Manual
//! for the Elementary Functions", 1980, chapter 6: `ln 2` in two parts makes the sum exact).
//!
//! The sum `1 - e^-r` stays unevaluated in two doubles: a product with another constant would round
//! once more. `2^k` comes from writing the exponent field, not from a library call.

use std::f64::consts::LOG2_E;

use super::arithmetic::{Arithmetic, polynomial};

/// `e^-a = (1 - drop - drop_rest) power`.
#[derive(Clone, Copy)]
pub(super) struct Decay {
    /// `1 - e^-r`, nearest double.
    drop: f64,
    /// What `drop` leaves out of `1 - e^-r`.
    drop_rest: f64,
    /// `2^k`; exact where it is subnormal as well, so a product with it rounds once.
    pub(super) power: f64,
}

/// `2^-128`: the exponent field is written for `2^(k + 128)`, as `2^k` may have none.
const DOWNSCALE: f64 = f64::from_bits((1023 - 128) << 52);

/// Adding `1.5 * 2^52` leaves the nearest integer in the low bits of the sum.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

// `ln 2` cut to 42 bits, so that its product with k below 2^11 is exact, and the rest.
const LN_2_HIGH: f64 = 6.931_471_805_598_903e-1;
const LN_2_LOW: f64 = 5.497_923_018_708_371e-14;

/// Minimax `(1 - e^-r - r) / r^2` on `|r| <= ln(2) / 2`, error 1.1e-16: see
/// `tests/golden/generate_activation_polynomials.py`.
const TAIL: [f64; 10] = [
    -5.000_000_000_000_001e-1,
    1.666_666_666_666_667_4e-1,
    -4.166_666_666_662_381e-2,
    8.333_333_333_322_127e-3,
    -1.388_888_891_737_084_8e-3,
    1.984_126_988_683_639_2e-4,
    -2.480_152_105_286_020_6e-5,
    2.755_724_205_934_042_5e-6,
    -2.762_020_367_160_025e-7,
    2.511_015_434_046_204_8e-8,
];

impl Decay {
    /// `e^-(a + rest)` for `a` in `[0, 760]` and `|rest|` at most an ulp of `a`.
    #[inline(always)]
    pub(super) fn with_rest<A: Arithmetic>(a: f64, rest: f64) -> Self {
        let (k, power) = power_of_two::<A>(a, -LOG2_E);
        let reduced = A::multiply_add(k, LN_2_HIGH, a);
        Self::reduced::<A>(reduced + A::multiply_add(k, LN_2_LOW, rest), power)
    }

    #[inline(always)]
    fn reduced<A: Arithmetic>(r: f64, power: f64) -> Self {
        let tail = r * r * polynomial::<A, _>(r, &TAIL);
        let drop = r + tail;
        Self { drop, drop_rest: (r - drop) + tail, power }
    }

    /// The parts, to be kept between the stages of a kernel, and one number of the caller's.
    #[inline(always)]
    pub(super) fn into_parts(self, fourth: f64) -> [f64; 4] {
        [self.drop, self.drop_rest, self.power, fourth]
    }

    /// The inverse of [`Self::into_parts`].
    #[inline(always)]
    pub(super) fn from_parts([drop, drop_rest, power, _]: [f64; 4]) -> Self {
        Self { drop, drop_rest, power }
    }

    /// `e^-a / power` in `[0.7, 1.42]`, as a double and what it leaves out.
    #[inline(always)]
    pub(super) fn mantissa(self) -> (f64, f64) {
        let mantissa = 1.0 - self.drop;
        (mantissa, ((1.0 - mantissa) - self.drop) - self.drop_rest)
    }
}

/// `k = round(a factor)` and `2^k`, for k in `[-1100, 0]`.
#[inline(always)]
pub(super) fn power_of_two<A: Arithmetic>(a: f64, factor: f64) -> (f64, f64) {
    let shifted = A::multiply_add(a, factor, ROUNDER);
    // Two's complement k sits in the low bits; the shift drops what ROUNDER put above them.
    let exponent_field = (shifted.to_bits() << 52).wrapping_add((1023 + 128) << 52);
    (shifted - ROUNDER, f64::from_bits(exponent_field) * DOWNSCALE)
}
