//! The hyperbolic tangent and its derivatives.
//!
//! `tanh' = sech^2`, `tanh'' = -2 tanh sech^2`. With `e = e^(-2|z|)` and `q = 1 / (1 + e)`:
//!
//! - `tanh |z| = (1 - e) q`, where `1 - e` is formed without cancellation;
//! - `sech^2 = 4 e q^2`, which keeps every digit in the tail, unlike `1 - tanh^2`;
//! - `tanh'' = -2 sign(z) tanh |z| sech^2`, a product, so accurate near its zero and in the tail.
//!
//! These are the logistic function's parts at `2|z|`: `tanh(z) = 2 logistic(2 z) - 1`.

use super::arithmetic::{Arithmetic, Jet, Kernel, against_sign, with_sign};
use super::sigmoid::Logistic;

/// The hyperbolic tangent.
pub(super) struct Tanh;

impl Kernel for Tanh {
    #[inline(always)]
    fn prepare<A: Arithmetic>(z: f64) -> [f64; 4] {
        Logistic::prepare::<A>(2.0 * z.abs())
    }

    #[inline(always)]
    fn finish<A: Arithmetic>(z: f64, prepared: [f64; 4]) -> Jet {
        let parts = Logistic::finish::<A>(prepared);
        let value = parts.tanh_half;
        let first = 4.0 * parts.slope;
        let second = 2.0 * value * first;
        Jet { value: with_sign(value, z), first, second: against_sign(second, z) }
    }
}
