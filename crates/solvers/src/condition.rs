//! Condition estimates from a factor at hand: a few power iterations on the inverse.

use crate::householder_qr::HouseholderQr;
use crate::vector::norm;

/// An estimate of the smallest singular value of R, never below it, by inverse iteration.
pub(crate) fn estimate_smallest(qr: &HouseholderQr, x: &mut [f64]) -> f64 {
    start(x);
    let mut inverse = 0.0;
    for _ in 0..3 {
        // Each half of `(R^T R)^-1` is normed by itself: nothing is squared, nothing overflows.
        for half in [HouseholderQr::solve_upper_transposed, HouseholderQr::solve_upper] {
            let length = norm(x);
            for x in x.iter_mut() {
                *x /= length;
            }
            half(qr, x);
            inverse = norm(x);
            if !inverse.is_finite() || inverse == 0.0 {
                return 0.0;
            }
        }
    }
    inverse.recip()
}

/// A lower estimate of the norm of a symmetric inverse: three power iterations on it from a fixed
/// start, or one from `x` where it is not zero; `x` is left as where the inverse was largest.
pub(crate) fn inverse_norm(x: &mut [f64], mut apply: impl FnMut(&mut [f64])) -> f64 {
    let cold = x.iter().all(|&x| x == 0.0);
    if cold {
        start(x);
    }
    let mut growth = 0.0;
    for _ in 0..if cold { 3 } else { 1 } {
        let length = norm(x);
        x.iter_mut().for_each(|x| *x /= length);
        apply(x);
        growth = norm(x);
        if !growth.is_finite() || growth == 0.0 {
            return f64::INFINITY;
        }
    }
    growth
}

/// A fixed start with no pattern that a structured matrix would share: alternating, growing.
fn start(x: &mut [f64]) {
    let mut sign = 1.0;
    let count = x.len() as f64;
    for (k, x) in x.iter_mut().enumerate() {
        *x = sign * (1.0 + k as f64 / count);
        sign = -sign;
    }
}
