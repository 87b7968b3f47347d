//! Steps along a direction for second derivatives by differences, which grow until the values show them.
//!
//! A parameter near 0 says nothing about the change over which the derivative changes: `h = relative |w_k| / |v_k|` may then be so
//! short that rounding is all that there is of `J(w + h v) - J(w - h v)`.

use crate::difference_quotient::Scales;

/// Factor by which a step grows.
const GROWTH: f64 = 8.0;

/// A step h along v, from relative to the parameters' magnitudes up to relative to `max(abs(w_k), 1)`.
pub(crate) struct Steps<'a> {
    direction: &'a [f64],
    step: f64,
    longest: f64,
}

impl<'a> Steps<'a> {
    /// Begins where h is `relative` of the magnitude of the parameter that v moves most.
    pub(crate) fn along(direction: &'a [f64], w: &[f64], scales: &Scales, relative: f64) -> Self {
        let over = |magnitude: &dyn Fn(usize) -> f64| {
            let ratios = direction.iter().enumerate().map(|(k, v)| v.abs() / magnitude(k));
            let largest = ratios.fold(0.0, f64::max);
            if largest > 0.0 { relative / largest } else { relative }
        };
        let step = over(&|k| scales.magnitude(w, k));
        let longest = over(&|k| scales.magnitude(w, k).max(w[k].abs().max(1.0)));
        Self { direction, step, longest }
    }

    /// h.
    pub(crate) fn step(&self) -> f64 {
        self.step
    }

    /// `w + sign h v`.
    pub(crate) fn place(&self, w: &[f64], sign: f64) -> Vec<f64> {
        w.iter().zip(self.direction).map(|(w, v)| w + sign * self.step * v).collect()
    }

    /// Makes h longer; false where it is as long as it may be.
    pub(crate) fn grow(&mut self) -> bool {
        let grows = self.step < self.longest;
        self.step = (GROWTH * self.step).min(self.longest);
        grows
    }
}

/// The size of two vectors, and of their difference: largest entries.
pub(crate) fn compared(a: &[f64], b: &[f64]) -> (f64, f64) {
    a.iter().zip(b).fold((0.0, 0.0), |(size, change), (a, b)| {
        (size.max(a.abs()).max(b.abs()), change.max((a - b).abs()))
    })
}
