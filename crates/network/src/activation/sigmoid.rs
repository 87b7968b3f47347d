//! The logistic function and its derivatives.
//!
//! `sigma(z) = 1 / (1 + e^-z)`, `sigma' = sigma (1 - sigma)`, `sigma'' = sigma' (1 - 2 sigma)`.
//!
//! With `a = |z|`, `e = e^-a` and `q = 1 / (1 + e)` all three are products without cancellation:
//!
//! - `sigma(a) = q`, `sigma(-a) = e q`;
//! - `sigma' = e q^2`, accurate in the tail where `1 - sigma` would have no digit left;
//! - `sigma'' = -sign(z) (1 - e) q e q^2`, accurate at 0, where `1 - 2 sigma` would have none.
//!
//! One exponential and one division. [`Logistic`] serves tanh as well: `tanh(z) = (1 - e) q` and
//! `tanh' = 4 e q^2` with `a = 2 |z|`.

use super::arithmetic::{Arithmetic, Jet, Kernel, against_sign};
use super::exp::Decay;

/// Beyond this `e^-a` is below half of the least subnormal; also keeps infinities out.
const LARGEST_ARGUMENT: f64 = 750.0;

/// The logistic function.
pub(super) struct Sigmoid;

impl Kernel for Sigmoid {
    #[inline(always)]
    fn prepare<A: Arithmetic>(z: f64) -> [f64; 4] {
        Logistic::prepare::<A>(z.abs())
    }

    #[inline(always)]
    fn finish<A: Arithmetic>(z: f64, prepared: [f64; 4]) -> Jet {
        let parts = Logistic::finish::<A>(prepared);
        let second = parts.tanh_half * parts.slope;
        // `z < 0` is false for a z that is not a number, and `reciprocal` is then not one either.
        let value = if z < 0.0 { parts.complement } else { parts.reciprocal };
        Jet { value, first: parts.slope, second: against_sign(second, z) }
    }
}

/// The pieces of the logistic function at `a >= 0`, each to about its last place.
pub(super) struct Logistic {
    /// `1 / (1 + e^-a)`.
    reciprocal: f64,
    /// `e^-a / (1 + e^-a)`.
    complement: f64,
    /// `e^-a / (1 + e^-a)^2`.
    pub(super) slope: f64,
    /// `(1 - e^-a) / (1 + e^-a) = tanh(a / 2)`.
    pub(super) tanh_half: f64,
}

impl Logistic {
    #[inline(always)]
    pub(super) fn prepare<A: Arithmetic>(a: f64) -> [f64; 4] {
        // A comparison, not `min`: it must hand on a number that is not one.
        let a = if a > LARGEST_ARGUMENT { LARGEST_ARGUMENT } else { a };
        Decay::new::<A>(a).into_parts(0.0)
    }

    #[inline(always)]
    pub(super) fn finish<A: Arithmetic>(prepared: [f64; 4]) -> Self {
        let decay = Decay::from_parts(prepared);
        let (one_minus, one_minus_rest) = decay.one_minus::<A>();
        let (mantissa, mantissa_rest) = decay.mantissa();

        // 1 + e^-a = 2 - (1 - e^-a) in two parts, and its reciprocal in two parts.
        let denominator = 2.0 - one_minus;
        let denominator_rest = ((2.0 - denominator) - one_minus) - one_minus_rest;
        let q = 1.0 / denominator;
        let defect = A::reciprocal_defect(denominator, q);
        let q_rest = q * A::multiply_add(-denominator_rest, q, defect);

        let mantissa_over = A::multiply_add(mantissa, q_rest, mantissa_rest * q);
        let mantissa_over = A::round_once(mantissa, q, mantissa_over);
        let slope = A::round_once(mantissa_over, q, mantissa_over * q_rest);
        let tanh_half = A::multiply_add(one_minus, q_rest, one_minus_rest * q);
        Self {
            reciprocal: q + q_rest,
            complement: mantissa_over * decay.power,
            slope: slope * decay.power,
            tanh_half: A::round_once(one_minus, q, tanh_half),
        }
    }
}
