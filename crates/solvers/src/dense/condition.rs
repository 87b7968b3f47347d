//! Condition estimates from a factor at hand: a few power iterations on the inverse.

use crate::dense::householder_qr::HouseholderQr;
use crate::vector::norm;

/// An estimate of the smallest singular value of R, never below it, by inverse iteration.
pub(crate) fn estimate_smallest(qr: &HouseholderQr, x: &mut [f64]) -> f64 {
    start(x);
    let mut inverse = 0.0;
    for _ in 0..3 {
        // Each half of `(R^T R)^-1` is normed by itself: nothing is squared, nothing overflows.
        for half in [HouseholderQr::solve_upper_transposed, HouseholderQr::solve_upper] {
            half(qr, x);
            inverse = renew(x);
            if !inverse.is_finite() {
                return 0.0;
            }
        }
    }
    inverse.recip()
}

/// Whether no direction is known: x is zero.
pub(crate) fn is_cold(x: &[f64]) -> bool {
    x.iter().all(|&x| x == 0.0)
}

/// Norms x and returns the length that it had; where that is no use for a next iteration, infinity, and x is zero.
pub(crate) fn renew(x: &mut [f64]) -> f64 {
    let length = norm(x);
    if !length.is_finite() || length == 0.0 {
        x.fill(0.0);
        return f64::INFINITY;
    }
    x.iter_mut().for_each(|x| *x /= length);
    length
}

/// A fixed unit vector with no pattern that a structured matrix would share: alternating, growing.
pub(crate) fn start(x: &mut [f64]) {
    let mut sign = 1.0;
    let count = x.len() as f64;
    for (k, x) in x.iter_mut().enumerate() {
        *x = sign * (1.0 + k as f64 / count);
        sign = -sign;
    }
    renew(x);
}
