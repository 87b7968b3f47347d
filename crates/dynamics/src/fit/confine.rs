//! Steps in a box: which parameters its bounds hold, and where a step that leaves it ends.
//!
//! A step is cut short of a bound that it meets for the first time, and may end on it where the next step leaves there
//! as well. A step onto a bound at which other parameters lose their effect is taken back.

use gaussflow_solvers::{JacobianOperator, inner_product};

use super::Bounds;
use super::error::FitError;
use super::iterate::Iteration;

/// Share of the way to a bound that a step goes which may not end on it.
const SHORT: f64 = 0.9;
/// Steps cut short after one onto a bound was taken back, until the next may end there: by then the parameter has come
/// near enough for the loss to show whether the others still count.
const PATIENCE: u32 = 12;

impl Bounds {
    /// Whether parameter `k` has one value only.
    pub(crate) fn fixes(&self, k: usize) -> bool {
        self.lower[k] >= self.upper[k]
    }

    /// `w` with each parameter that lies on an edge of the box, or within `share` of its own size of one, moved inside
    /// by as much; `None` where there is none.
    pub(crate) fn inside(&self, w: &[f64], share: f64) -> Option<Vec<f64>> {
        let mut moved = false;
        let inner = w.iter().enumerate().map(|(k, &value)| {
            let (lower, upper) = (self.lower[k], self.upper[k]);
            let width = upper - lower;
            let size = match value.abs() {
                0.0 if width.is_finite() => width,
                0.0 => 1.0,
                size => size.min(width),
            };
            let room = (share * size).min(0.5 * width);
            let end = value.max(lower + room).min(upper - room);
            moved |= end.to_bits() != value.to_bits();
            end
        });
        let inner = inner.collect();
        moved.then_some(inner)
    }

    /// The bound that `end` lies beyond.
    fn crossed(&self, k: usize, end: f64) -> Option<f64> {
        let below = (end < self.lower[k]).then_some(self.lower[k]);
        below.or((end > self.upper[k]).then_some(self.upper[k]))
    }

    /// The parameters at `w` that are not at a bound which the steepest descent points out of.
    pub(crate) fn free_at(&self, w: &[f64], gradient: &[f64], free: &mut Vec<usize>) {
        free.clear();
        for (k, (&w, &slope)) in w.iter().zip(gradient).enumerate() {
            let at_lower = w <= self.lower[k] && slope >= 0.0;
            let at_upper = w >= self.upper[k] && slope <= 0.0;
            if !(at_lower || at_upper || self.fixes(k)) {
                free.push(k);
            }
        }
    }
}

/// How the steps of a fit have met the bounds.
#[derive(Debug, Default)]
pub(crate) struct Approach {
    /// Accepted steps in a row that were cut short by a bound of each parameter (p).
    cuts: Vec<u32>,
    /// How many of them there must be before a step may end on it (p).
    needed: Vec<u32>,
    /// Parameters that the present trial is cut short in, and those that it puts on a bound.
    cut: Vec<usize>,
    pub(crate) landed: Vec<usize>,
}

impl Approach {
    pub(crate) fn new(p: usize) -> Self {
        Self { cuts: vec![0; p], needed: vec![1; p], ..Self::default() }
    }

    /// Where a step by `d` of a parameter at `w` ends, as a step.
    fn shorten(&self, bounds: &Bounds, k: usize, w: f64, d: f64) -> f64 {
        let Some(bound) = bounds.crossed(k, w + d) else { return d };
        let share = if self.cuts[k] >= self.needed[k] { 1.0 } else { SHORT };
        share * (bound - w)
    }

    /// Forgets the last trial.
    pub(crate) fn begin(&mut self) {
        self.cut.clear();
        self.landed.clear();
    }

    /// The present trial was accepted.
    pub(crate) fn commit(&mut self) {
        let cuts = self.cuts.iter_mut().enumerate();
        cuts.for_each(|(k, cuts)| *cuts = if self.cut.contains(&k) { *cuts + 1 } else { 0 });
        self.begin();
    }

    /// The present trial lost rank on a bound: keep off there for a while.
    pub(crate) fn refuse(&mut self) {
        for &k in &self.landed {
            self.needed[k] = self.cuts[k] + PATIENCE;
        }
    }

    /// Whether steps onto the bounds of the present trial were taken back before: they then count.
    pub(crate) fn insists(&self) -> bool {
        self.landed.iter().all(|&k| self.needed[k] >= PATIENCE)
    }

    /// Keeps parameter `k` off its bounds for a while.
    pub(crate) fn keep_off(&mut self, k: usize) {
        (self.cuts[k], self.needed[k]) = (0, PATIENCE);
    }
}

impl<J: JacobianOperator> Iteration<'_, J> {
    /// Finds the parameters that no bound holds.
    pub(crate) fn find_free(&mut self) {
        if let Some(bounds) = &self.problem.bounds {
            bounds.free_at(&self.here.w, &self.here.gradient, &mut self.free);
        }
    }

    /// Whether a step by `d` of parameter `k` leaves the box.
    fn is_too_long(&self, k: usize, d: f64) -> bool {
        let bounds = self.problem.bounds.as_ref();
        bounds.is_some_and(|bounds| bounds.crossed(k, self.here.w[k] + d).is_some())
    }

    /// A step by `d` of parameter `k`, shortened to the box.
    fn shorten(&self, k: usize, d: f64) -> f64 {
        let bounds = self.problem.bounds.as_ref();
        bounds.map_or(d, |bounds| self.approach.shorten(bounds, k, self.here.w[k], d))
    }

    /// Whether `w + d` is outside the box.
    pub(crate) fn leaves_box(&self) -> bool {
        self.step.iter().enumerate().any(|(k, &d)| self.is_too_long(k, d))
    }

    /// Puts the trial point into the box.
    pub(crate) fn clip_trial(&mut self) {
        if let Some(bounds) = &self.problem.bounds {
            for (k, w) in self.trial.w.iter_mut().enumerate() {
                *w = w.clamp(bounds.lower[k], bounds.upper[k]);
            }
        }
    }

    /// Shortens the step d to the box: offenders go to their bounds or short of them, the others are solved for again.
    ///
    /// Each round fixes at least one parameter more, so that there are at most p. Where the result is no
    /// better than shortening each parameter alone, that is taken. Returns the decrease that the linear
    /// model predicts. The factor is then one of fewer columns.
    pub(crate) fn confine(&mut self) -> Result<f64, FitError> {
        let mut free = self.free.clone();
        let shortened: Vec<f64> =
            self.step.iter().enumerate().map(|(k, &d)| self.shorten(k, d)).collect();
        let mut held = vec![0.0; self.step.len()];
        let mut right = vec![0.0; self.image.len()];
        loop {
            let before = free.len();
            free.retain(|&k| {
                let offends = self.is_too_long(k, self.step[k]);
                if offends {
                    held[k] = self.shorten(k, self.step[k]);
                }
                !offends
            });
            if free.len() == before || free.is_empty() {
                break;
            }
            let here = &self.here;
            here.apply(&held, &mut right);
            right.iter_mut().zip(here.b()).for_each(|(r, b)| *r += b);
            self.factor.factor(&self.scales, &free)?;
            self.project(&right);
            self.scaled_step.resize(free.len(), 0.0);
            self.factor.step(self.damping, &mut self.scaled_step);
            self.step.copy_from_slice(&held);
            for (&k, v) in free.iter().zip(&self.scaled_step) {
                self.step[k] = v / self.scales[k];
            }
        }
        for k in 0..self.step.len() {
            self.step[k] = self.shorten(k, self.step[k]);
        }
        let here = &self.here;
        let mut predict = |d: &[f64]| {
            here.apply(d, &mut right);
            -(2.0 * inner_product(here.b(), &right) + inner_product(&right, &right))
        };
        let (solved, plain) = (predict(&self.step), predict(&shortened));
        if plain > solved {
            self.step.copy_from_slice(&shortened);
        }
        let Some(bounds) = &self.problem.bounds else { return Ok(solved.max(plain)) };
        for (k, (&d, &w)) in self.step.iter().zip(&here.w).enumerate() {
            let is = |share: f64| {
                let mut sides = [bounds.lower[k], bounds.upper[k]].into_iter();
                d != 0.0 && sides.any(|bound| (share * (bound - w)).to_bits() == d.to_bits())
            };
            if is(1.0) {
                self.approach.landed.push(k);
            } else if is(SHORT) {
                self.approach.cut.push(k);
            }
        }
        Ok(solved.max(plain))
    }
}
