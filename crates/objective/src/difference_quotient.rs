//! One column of a Jacobian by differences: `f' = (f(w + h) - f(w - h)) / 2h`, its step and sides chosen by the values.
//!
//! Where one side lies outside of the box or has no value, the other side alone gives, from a = h and b = 2h,
//! `f' = ((f(w + a) - f(w)) b/a - (f(w + b) - f(w)) a/b) / (b - a)`, which is the formula above at b = -h. The error
//! is `a b f''' / 6`. The three values show its size: where f' changes over a length `L = norm(f') / norm(f'')`,
//! `f''' / f'` is of the size of `1 / L^2`.

use gaussflow_solvers::norm;

use crate::map::{MapError, Residuals, require_finite};

/// Truncation and rounding, eps^(2/3), with a decade for values that carry more than their own rounding.
pub(crate) fn promised_error() -> f64 {
    10.0 * f64::EPSILON.powf(2.0 / 3.0)
}

/// The same of a difference to one side: `sqrt(eps)`, with a decade.
pub(crate) fn rough_error() -> f64 {
    10.0 * f64::EPSILON.sqrt()
}

/// What the steps of differences are relative to: the parameters' scales where they are given, else their size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scales(Option<Vec<f64>>);

impl Scales {
    /// A magnitude for each of `parameters` parameters.
    ///
    /// # Errors
    /// [`MapError`] on a wrong length or an entry that is not positive and finite.
    pub(crate) fn given(scales: Vec<f64>, parameters: usize) -> Result<Self, MapError> {
        crate::map::require_length("the scales", &scales, parameters)?;
        let improper = scales.iter().enumerate().find(|(_, x)| !(x.is_finite() && **x > 0.0));
        match improper {
            Some((index, &value)) => Err(MapError::InvalidScale { index, value }),
            None => Ok(Self(Some(scales))),
        }
    }

    /// The magnitude up to which steps of parameter `k` may grow.
    pub(crate) fn longest(&self, w: &[f64], k: usize) -> f64 {
        match &self.0 {
            Some(scales) => scales[k],
            None => w[k].abs().max(1.0),
        }
    }

    /// The magnitude that the step of parameter `k` is relative to.
    pub(crate) fn magnitude(&self, w: &[f64], k: usize) -> f64 {
        match &self.0 {
            Some(scales) => scales[k],
            None if w[k] == 0.0 => 1.0,
            None => w[k].abs(),
        }
    }
}

/// Change of the values, relative to them, from which their difference has six digits.
pub(crate) const VISIBLE: f64 = 1e-10;
/// Factor by which steps grow that the values do not show.
pub(crate) const GROWTH: f64 = 1e2;
/// Least room on both sides, in steps, for values on both. Rounding then grows by 4, as in the one-sided formula.
const ENOUGH: f64 = 0.25;
/// Factor by which a step shrinks that no side has values for, and how often it does.
const RETREAT: f64 = 1.0 / 64.0;
const RETREATS: usize = 4;
/// Factor from which a shorter step is worth its two values, and how often it is tried.
const WORTHWHILE: f64 = 0.25;
const SHORTENINGS: usize = 5;
/// Multiple of the estimated truncation, and of the estimated rounding, that two quotients may differ by.
const TRUNCATIONS: f64 = 10.0;
const ROUNDINGS: f64 = 4.0;

/// A difference quotient, and what its values show of its error.
#[derive(Clone, Default)]
struct Quotient {
    step: f64,
    /// The derivative (n).
    slope: Vec<f64>,
    /// The error that its step makes, relative to its norm, at most 1.
    truncation: f64,
    /// The error that rounding of values and parameter makes, relative to its norm.
    rounding: f64,
    /// Whether the change of the values stands out of their rounding.
    visible: bool,
}

/// Difference quotients at one point of a box, with the buffers that they need.
pub(crate) struct Quotients<'a> {
    map: &'a dyn Residuals,
    /// w, with one entry moved during an evaluation (p).
    w: Vec<f64>,
    /// f(w) (n).
    value: &'a [f64],
    bounds: [&'a [f64]; 2],
    /// The quotient in use, and the one that may replace it.
    best: Quotient,
    other: Quotient,
    /// Values at the two places of a quotient (n each).
    near: Vec<f64>,
    far: Vec<f64>,
    /// Second differences of a quotient, or the difference of two quotients (n).
    work: Vec<f64>,
    /// Why the map had no value at a place.
    error: Option<MapError>,
}

impl<'a> Quotients<'a> {
    /// Prepares differences at `w` (length p), where f has `value`, between `bounds` (lower and upper, p each).
    pub(crate) fn new(
        map: &'a dyn Residuals,
        w: &[f64],
        value: &'a [f64],
        bounds: [&'a [f64]; 2],
    ) -> Self {
        let zeros = vec![0.0; value.len()];
        let best = Quotient { slope: zeros.clone(), ..Quotient::default() };
        let (other, near, far) = (best.clone(), zeros.clone(), zeros.clone());
        Self { map, w: w.to_vec(), value, bounds, best, other, near, far, work: zeros, error: None }
    }

    /// The derivative for parameter `k` (length n), with a first step relative to `magnitude`.
    ///
    /// It is 0 where the box leaves the parameter no room.
    ///
    /// # Errors
    /// The map's, where no side of w has values at steps down to 6e-8 of the first.
    pub(crate) fn derivative(&mut self, k: usize, magnitude: f64) -> Result<&[f64], MapError> {
        let spacing = (4.0 * f64::EPSILON * self.w[k].abs()).max(f64::MIN_POSITIVE);
        let [below, above] = self.room(k);
        if below.max(above) < 2.0 * spacing {
            self.best.slope.fill(0.0);
            return Ok(&self.best.slope);
        }
        let mut step = (f64::EPSILON.cbrt() * magnitude).max(spacing);
        let mut retreats = 0;
        while !self.measure(k, step) {
            if retreats == RETREATS {
                let reason = "no difference step has a value".to_owned();
                return Err(self.error.take().unwrap_or(MapError::Undefined { reason }));
            }
            step = (RETREAT * step).max(spacing);
            retreats += 1;
        }
        std::mem::swap(&mut self.best, &mut self.other);
        // The values just show a step that had to be lengthened: a shorter one would be lost in them.
        if !self.lengthen(k, magnitude) {
            self.shorten(k, spacing);
        }
        Ok(&self.best.slope)
    }

    /// The derivative for parameter `k` (length n) by one value, `(f(w + h) - f(w)) / h` with `h = sqrt(eps) magnitude`; by
    /// [`Self::derivative`] where that value does not exist or hardly differs from f(w).
    ///
    /// # Errors
    /// As [`Self::derivative`].
    pub(crate) fn forward_derivative(
        &mut self,
        k: usize,
        magnitude: f64,
    ) -> Result<&[f64], MapError> {
        let spacing = (4.0 * f64::EPSILON * self.w[k].abs()).max(f64::MIN_POSITIVE);
        let step = (f64::EPSILON.sqrt() * magnitude).max(spacing);
        let mut near = std::mem::take(&mut self.near);
        let distance = self.evaluate(k, step, &mut near);
        self.near = near;
        let (mut size, mut change) = (0.0_f64, 0.0_f64);
        if let Some(distance) = distance {
            let values = self.value.iter().zip(&self.near);
            for (slope, (f, near)) in self.best.slope.iter_mut().zip(values) {
                *slope = (near - f) / distance;
                size = size.max(f.abs()).max(near.abs());
                change = change.max((near - f).abs());
            }
        }
        // Rounding must not exceed the error that is promised.
        let visible = change > f64::EPSILON / rough_error() * size;
        if visible { Ok(&self.best.slope) } else { self.derivative(k, magnitude) }
    }

    /// Lengthens a step that the values do not show: a parameter near 0 says nothing about its scale. Not across the
    /// edge of what is defined, which says that the scale is that small. Returns whether it did.
    fn lengthen(&mut self, k: usize, mut magnitude: f64) -> bool {
        let mut lengthened = false;
        let limit = self.w[k].abs().max(1.0);
        while magnitude < limit && !self.best.visible {
            magnitude = (GROWTH * magnitude).min(limit);
            self.error = None;
            let measured = self.measure(k, f64::EPSILON.cbrt() * magnitude);
            if !measured || self.error.is_some() {
                break;
            }
            std::mem::swap(&mut self.best, &mut self.other);
            lengthened = true;
        }
        lengthened
    }

    /// Shortens a step over which f' changes to where truncation `t x^2` and rounding `r / x` have their least sum.
    ///
    /// The longer step stays where the shorter one shows that it was right. It also stays where both differ by
    /// more than truncation explains: values are then noisier than their rounding.
    fn shorten(&mut self, k: usize, spacing: f64) {
        for _ in 0..SHORTENINGS {
            let long = &self.best;
            let factor = (0.5 * long.rounding / long.truncation).cbrt();
            // Written so that NaN is no reason.
            let worthwhile = long.truncation > promised_error() && factor < WORTHWHILE;
            let step = (factor * long.step).max(spacing);
            if !worthwhile || step >= WORTHWHILE * long.step || !self.measure(k, step) {
                break;
            }
            let (long, short) = (&self.best, &self.other);
            for ((gap, a), b) in self.work.iter_mut().zip(&long.slope).zip(&short.slope) {
                *gap = a - b;
            }
            let gap = norm(&self.work) / norm(&long.slope).max(norm(&short.slope));
            let explained = gap <= TRUNCATIONS * long.truncation;
            if !explained || gap <= promised_error().max(ROUNDINGS * short.rounding) {
                break;
            }
            std::mem::swap(&mut self.best, &mut self.other);
        }
    }

    /// The distances to the lower and to the upper bound.
    fn room(&self, k: usize) -> [f64; 2] {
        [self.w[k] - self.bounds[0][k], self.bounds[1][k] - self.w[k]]
    }

    /// Makes `other` the quotient of `step`, or of a shorter one in a narrow box; false where values are missing.
    fn measure(&mut self, k: usize, step: f64) -> bool {
        let [below, above] = self.room(k);
        let least = below.min(above);
        let h = step.min(if least >= ENOUGH * step { least } else { 0.5 * below.max(above) });
        let (mut near, mut far) = (std::mem::take(&mut self.near), std::mem::take(&mut self.far));
        let places = match (self.evaluate(k, h, &mut near), self.evaluate(k, -h, &mut far)) {
            (Some(a), Some(b)) => Some((a, b)),
            (Some(a), None) => self.evaluate(k, 2.0 * h, &mut far).map(|b| (a, b)),
            (None, Some(a)) => {
                std::mem::swap(&mut near, &mut far);
                self.evaluate(k, -2.0 * h, &mut far).map(|b| (a, b))
            }
            (None, None) => None,
        };
        (self.near, self.far) = (near, far);
        if let Some((a, b)) = places {
            self.combine(k, a, b);
        }
        places.is_some()
    }

    /// Writes the values `distance` beside w; returns the distance after rounding, where there are values.
    fn evaluate(&mut self, k: usize, distance: f64, out: &mut [f64]) -> Option<f64> {
        let here = self.w[k];
        let there = here + distance;
        if there < self.bounds[0][k] || there > self.bounds[1][k] {
            return None;
        }
        self.w[k] = there;
        let found = self.map.value(&self.w, out);
        self.w[k] = here;
        match found.and_then(|()| require_finite("the residuals a difference step away", out)) {
            Ok(()) => Some(there - here),
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    /// Makes `other` the quotient of the values at the distances a and b.
    fn combine(&mut self, k: usize, a: f64, b: f64) {
        let out = &mut self.other;
        let central = a * b < 0.0;
        let (mut size, mut change) = (0.0_f64, 0.0_f64);
        let rows = self.value.iter().zip(&self.near).zip(&self.far);
        for ((slope, bend), ((f, near), far)) in out.slope.iter_mut().zip(&mut self.work).zip(rows)
        {
            let (to_near, to_far) = (near - f, far - f);
            *slope = if central {
                (near - far) / (a - b)
            } else {
                (to_near * (b / a) - to_far * (a / b)) / (b - a)
            };
            // a^2 f'' / 2.
            *bend = (to_far * (a / b) - to_near) / (b / a - 1.0);
            size = size.max(f.abs()).max(near.abs());
            change = change.max((near - far).abs());
        }
        let moved = a.abs() * norm(&out.slope);
        let bent = 2.0 * norm(&self.work) / moved;
        out.step = a.abs();
        out.truncation = ((b / a).abs() / 6.0 * bent * bent).min(1.0);
        let weights = if central { 0.5 } else { 2.0 };
        out.rounding = weights * f64::EPSILON * (size / moved + self.w[k].abs() / a.abs());
        out.visible = change > VISIBLE * size;
    }
}
