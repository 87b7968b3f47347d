//! The hyperbolic tangent and its derivatives, `tanh' = sech^2` and `tanh'' = -2 tanh sech^2`.
//!
//! With `a = |z|`, `k = round(2 a / ln 2)`, `p = 2^-k` and `x = a - k ln(2) / 2`, the addition
//! formula `tanh(x + b) = (t + tanh b) / (1 + t tanh b)`, `t = tanh x`, gives what is missing to 1,
//!
//! ```text
//! y = 1 - tanh a = 2 p u / D,    u = 1 - t,    D = (1 + p) + t (1 - p),
//! ```
//!
//! since `tanh(k ln(2) / 2) = (1 - p) / (1 + p)`. From y, held in two doubles, follow
//!
//! - `tanh a = 1 - y`: next to 0, where p = 1 and D = 2, the subtraction returns t to its last place;
//! - `sech^2 a = y (2 - y)`, which keeps every digit in the tail, unlike `1 - tanh^2`;
//! - `tanh'' = -2 tanh sech^2`, a product, so accurate near its zero and in the tail.
//!
//! As `|x| <= ln(2) / 4`, six coefficients give `t = x + x^3 T(x^2)`. One division serves all.
//! [`Shortfall`] serves the logistic function as well: `1 / (1 + e^-z) = 1 - y / 2` at `a = z / 2`.

use super::arithmetic::{Arithmetic, Jet, Kernel, against_sign, polynomial, with_sign};
use super::exp::power_of_two;

/// Beyond this `e^-2a` is below half of the least subnormal; also keeps infinities out.
const LARGEST_ARGUMENT: f64 = 375.0;

/// `2 / ln 2`.
const TWO_OVER_LN_2: f64 = 2.0 * std::f64::consts::LOG2_E;

// `ln(2) / 2` cut to 42 bits, so that its product with k below 2^11 is exact, and the rest.
const HALF_LN_2_HIGH: f64 = 3.465_735_902_798_315e-1;
const HALF_LN_2_LOW: f64 = 1.411_764_528_151_578_9e-13;

/// Minimax `(tanh(x) - x) / x^3` in `x^2`, `|x| <= ln(2) / 4`, error of tanh 4.3e-18 of x: see
/// `tests/golden/generate_activation_polynomials.py`.
const TAIL: [f64; 6] = [
    -3.333_333_333_333_251_5e-1,
    1.333_333_333_279_504_7e-1,
    -5.396_825_279_556_114_6e-2,
    2.186_937_143_639_614_3e-2,
    -8.857_326_187_488_782e-3,
    3.444_991_277_913_730_3e-3,
];

/// The hyperbolic tangent.
pub(super) struct Tanh;

impl Kernel for Tanh {
    const STAGES: usize = 4;

    #[inline(always)]
    fn prepare<A: Arithmetic>(z: f64) -> [f64; 4] {
        Shortfall::prepare::<A>(z.abs())
    }

    #[inline(always)]
    fn expand<A: Arithmetic>(prepared: [f64; 4]) -> [f64; 4] {
        Shortfall::expand::<A>(prepared)
    }

    #[inline(always)]
    fn divide<A: Arithmetic>(expanded: [f64; 4]) -> [f64; 4] {
        Shortfall::divide::<A>(expanded)
    }

    #[inline(always)]
    fn finish<A: Arithmetic>(z: f64, [power, high, low, _]: [f64; 4]) -> Jet {
        let shortfall = Shortfall { power, high, low };
        let tanh = shortfall.tanh::<A>();
        let first = shortfall.slope::<A>(tanh);
        // The sum is a product with 2 that does not compete for the multipliers.
        let second = against_sign(tanh * (first + first), z);
        Jet { value: with_sign(tanh, z), first, second }
    }
}

/// `y = 1 - tanh a = power (high + low)` for some `a >= 0`.
pub(super) struct Shortfall {
    /// `p = 2^-k`; exact where it is subnormal as well, so a product with it rounds once.
    pub(super) power: f64,
    /// `2 u / D`, to one or two units in the last place.
    pub(super) high: f64,
    /// What `high` leaves out.
    pub(super) low: f64,
}

impl Shortfall {
    /// `p` and `x`.
    #[inline(always)]
    pub(super) fn prepare<A: Arithmetic>(a: f64) -> [f64; 4] {
        // A comparison, not `min`: it must hand on a number that is not one.
        let a = if a > LARGEST_ARGUMENT { LARGEST_ARGUMENT } else { a };
        let (minus_k, power) = power_of_two::<A>(a, -TWO_OVER_LN_2);
        let x = A::multiply_add(minus_k, HALF_LN_2_HIGH, a);
        [power, A::multiply_add(minus_k, HALF_LN_2_LOW, x), 0.0, 0.0]
    }

    /// `p`, `x` and `tanh x - x`.
    #[inline(always)]
    pub(super) fn expand<A: Arithmetic>([power, x, ..]: [f64; 4]) -> [f64; 4] {
        let square = x * x;
        [power, x, square * x * polynomial::<A, _>(square, &TAIL), 0.0]
    }

    /// The fields of [`Shortfall`], in order.
    #[inline(always)]
    pub(super) fn divide<A: Arithmetic>([power, x, tail, _]: [f64; 4]) -> [f64; 4] {
        let t = x + tail;
        let u = 1.0 - t;
        let u_rest = ((1.0 - u) - x) - tail;
        let (sum, difference) = (1.0 + power, 1.0 - power);
        let sum_rest = (1.0 - sum) + power;
        let d = A::multiply_add(t, difference, sum);
        let d_rest = A::multiply_add(x, difference, (sum - d) + sum_rest);
        let d_rest = A::multiply_add(tail, difference, d_rest);
        // The quotient in two parts, the second from what the first leaves of the numerator.
        let (numerator, numerator_rest) = (u + u, u_rest + u_rest);
        let q = 1.0 / d;
        let high = numerator * q;
        let defect =
            A::product_defect(numerator, d, high) + A::multiply_add(-d_rest, high, numerator_rest);
        [power, high, defect * q, 0.0]
    }

    /// `tanh a = 1 - y`.
    #[inline(always)]
    pub(super) fn tanh<A: Arithmetic>(&self) -> f64 {
        A::multiply_add(-self.power, self.low, A::multiply_add(-self.power, self.high, 1.0))
    }

    /// `sech^2 a = y (2 - y)`, which changes with y by `2 - 2 y = 2 tanh a`.
    #[inline(always)]
    pub(super) fn slope<A: Arithmetic>(&self, tanh: f64) -> f64 {
        let two_minus = A::multiply_add(-self.power, self.high, 2.0);
        A::round_once(self.high, two_minus, (self.low + self.low) * tanh) * self.power
    }
}
