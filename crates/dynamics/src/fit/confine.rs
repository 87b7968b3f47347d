//! Steps in a box: which parameters its bounds hold, and the step with offenders at their bounds.

use gaussflow_objective::SmoothMap;
use gaussflow_solvers::{JacobianOperator, inner_product};

use super::error::FitError;
use super::iterate::Iteration;

impl<M: SmoothMap> Iteration<'_, M> {
    /// Finds the parameters that are not at a bound which the steepest descent points out of.
    pub(crate) fn find_free(&mut self) {
        let Some(bounds) = &self.problem.bounds else { return };
        self.free.clear();
        for (k, (&w, &slope)) in self.here.w.iter().zip(&self.here.gradient).enumerate() {
            let at_lower = w <= bounds.lower[k] && slope >= 0.0;
            let at_upper = w >= bounds.upper[k] && slope <= 0.0;
            if !(at_lower || at_upper) {
                self.free.push(k);
            }
        }
    }

    /// Whether `w + d` is outside the box.
    pub(crate) fn leaves_box(&self) -> bool {
        self.problem.bounds.as_ref().is_some_and(|bounds| {
            let ends = self.here.w.iter().zip(&self.step).map(|(w, d)| w + d);
            let mut sides = ends.zip(bounds.lower.iter().zip(&bounds.upper));
            sides.any(|(end, (lower, upper))| end < *lower || end > *upper)
        })
    }

    /// Puts the trial point into the box.
    pub(crate) fn clip_trial(&mut self) {
        if let Some(bounds) = &self.problem.bounds {
            for (k, w) in self.trial.w.iter_mut().enumerate() {
                *w = w.clamp(bounds.lower[k], bounds.upper[k]);
            }
        }
    }

    /// Shortens the step d to the box: offenders go to their bounds, the others are solved for again.
    ///
    /// Each round fixes at least one parameter more, so that there are at most p. Where the result is no
    /// better than the plain projection on the box, that is taken. Returns the decrease that the linear
    /// model predicts. The factor is then one of fewer columns.
    pub(crate) fn confine(&mut self) -> Result<f64, FitError> {
        let Some(bounds) = &self.problem.bounds else { return Ok(0.0) };
        let project =
            |k: usize, w: f64, d: f64| (w + d).clamp(bounds.lower[k], bounds.upper[k]) - w;
        let here = &self.here;
        let projected: Vec<f64> =
            (0..self.step.len()).map(|k| project(k, here.w[k], self.step[k])).collect();
        let mut free = self.free.clone();
        let mut held = vec![0.0; self.step.len()];
        let mut right = vec![0.0; self.image.len()];
        loop {
            let before = free.len();
            free.retain(|&k| {
                let inside = project(k, here.w[k], self.step[k]);
                let end = here.w[k] + self.step[k];
                let fits = end >= bounds.lower[k] && end <= bounds.upper[k];
                if !fits {
                    held[k] = inside;
                }
                fits
            });
            if free.len() == before || free.is_empty() {
                break;
            }
            here.apply(&held, &mut right);
            right.iter_mut().zip(here.b()).for_each(|(r, b)| *r += b);
            self.factor.factor(&self.scales, &free)?;
            if self.factor.takes_gradient() {
                let mut pulled = vec![0.0; self.step.len()];
                here.jacobian.apply_transposed(&right, &mut pulled);
                self.factor.project_gradient(&pulled, &self.scales);
            } else {
                self.factor.project(&right);
            }
            self.scaled_step.resize(free.len(), 0.0);
            self.factor.step(self.damping, &mut self.scaled_step);
            self.step.copy_from_slice(&held);
            for (&k, v) in free.iter().zip(&self.scaled_step) {
                self.step[k] = v / self.scales[k];
            }
        }
        for (k, step) in self.step.iter_mut().enumerate() {
            *step = project(k, here.w[k], *step);
        }
        let mut predict = |d: &[f64]| {
            here.apply(d, &mut right);
            -(2.0 * inner_product(here.b(), &right) + inner_product(&right, &right))
        };
        let (solved, plain) = (predict(&self.step), predict(&projected));
        if plain > solved {
            self.step.copy_from_slice(&projected);
        }
        Ok(solved.max(plain))
    }
}
