//! Steps along a direction for second derivatives by differences, which grow until the values show them.
//!
//! A parameter near 0 says nothing about the change over which the derivative changes: `h = relative |w_k| / |v_k|` may then be so
//! short that rounding is all that there is of `J(w + h v) - J(w - h v)`.

use crate::difference_quotient::Scales;
use crate::map::{MapError, require_finite};

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
        let longest = over(&|k| scales.longest(w, k));
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

    /// The numerator of a difference (length `n`), by a step that grows until it is more than `share` of the values that it
    /// is a difference of, or until there are no values so far out. `measure` writes the numerator, and gives the size of
    /// these values and its own: largest entries.
    ///
    /// # Errors
    /// Those of `measure` at the first step, and a numerator that is not finite there.
    pub(crate) fn difference(
        &mut self,
        n: usize,
        share: f64,
        mut measure: impl FnMut(&Self, &mut [f64]) -> Result<(f64, f64), MapError>,
    ) -> Result<Vec<f64>, MapError> {
        let (mut kept, mut next) = (vec![0.0; n], vec![0.0; n]);
        let (mut size, mut change) = measure(self, &mut kept)?;
        require_finite("the difference for a second derivative", &kept)?;
        while change <= share * size && self.step < self.longest {
            let before = self.step;
            self.step = (GROWTH * self.step).min(self.longest);
            match measure(self, &mut next) {
                Ok(found) if next.iter().all(|x| x.is_finite()) => {
                    (size, change) = found;
                    std::mem::swap(&mut kept, &mut next);
                }
                _ => {
                    self.step = before;
                    break;
                }
            }
        }
        Ok(kept)
    }
}

/// Writes `a <- a - b`; gives the size of both, and of their difference: largest entries.
pub(crate) fn subtract(a: &mut [f64], b: &[f64]) -> (f64, f64) {
    a.iter_mut().zip(b).fold((0.0, 0.0), |(size, change), (a, b)| {
        let here = a.abs().max(b.abs());
        *a -= b;
        (f64::max(size, here), f64::max(change, a.abs()))
    })
}
