//! The logistic function and its derivatives.
//!
//! `sigma(z) = 1 / (1 + e^-z)`, `sigma' = sigma (1 - sigma)`, `sigma'' = sigma' (1 - 2 sigma)`.
//!
//! With `y = 1 - tanh(|z| / 2)` from the file on tanh, all are free of cancellation:
//!
//! - `sigma(|z|) = 1 - y / 2`, `sigma(-|z|) = y / 2`;
//! - `sigma' = y (2 - y) / 4`, accurate in the tail where `1 - sigma` would have no digit left;
//! - `sigma'' = -sigma' tanh(z / 2)`, accurate at 0, where `1 - 2 sigma` would have none.

use super::arithmetic::{Arithmetic, Jet, Kernel, against_sign};
use super::tanh::Shortfall;

/// The logistic function.
pub(super) struct Sigmoid;

impl Kernel for Sigmoid {
    const STAGES: usize = 4;

    #[inline(always)]
    fn prepare<A: Arithmetic>(z: f64) -> [f64; 4] {
        Shortfall::prepare::<A>(0.5 * z.abs())
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
        // The power of two last: half of it may be below the least subnormal.
        let complement = 0.5 * (high + low) * power;
        // `z < 0` is false for a z that is not a number, and the complement is then not one either.
        let value = if z < 0.0 { complement } else { 1.0 - complement };
        let first = 0.25 * shortfall.slope::<A>(tanh);
        Jet { value, first, second: against_sign(tanh * first, z) }
    }
}
