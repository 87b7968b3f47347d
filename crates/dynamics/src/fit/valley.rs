//! Whether a fit that no step takes further stands at the bottom of a valley, as far as the loss itself tells.
//!
//! Where J loses rank at a minimum, as that of `(w - a)^2 + c` does at `w = a`, the residuals are never orthogonal to its
//! columns, however small these are, and steps stay damped: no test of the gradient or of undamped steps holds. The loss
//! g along the direction of the last step still tells, without J. With the rises `r(t) = g(w + t d) - g(w)`, the even
//! part `e(t) = (r(t) + r(-t)) / 2` of a minimum is positive and grows as t^2, and the odd part `(r(t) - r(-t)) / 2` is no larger.
//! Beside a minimum, or where J is wrong, the odd part rules; noise does not grow as t^2, over four lengths.

use gaussflow_solvers::JacobianOperator;

use super::iterate::Iteration;
use super::stop::FitStop;

/// Rise of the loss, relative to it, that stands out of its rounding.
const VISIBLE: f64 = 256.0 * f64::EPSILON;
/// The first length of d relative to the parameters, and the factor by which it grows until the loss rises visibly, at most
/// to `LAST` relative to them or to 1.
const FIRST: f64 = 1e-8;
const FACTOR: f64 = 8.0;
const LAST: f64 = 1e-2;
/// Bounds of `e(2 t) / e(t)`, which is 4 for a parabola. One such ratio of noise lies within them once in forty times.
const GROWTH: std::ops::Range<f64> = 2.5..6.5;

impl<J: JacobianOperator> Iteration<'_, J> {
    /// Whether the loss has a minimum here along the last step's direction: two evaluations a length, and six.
    ///
    /// # Errors
    /// Where the map fails for another reason than its values.
    pub(crate) fn stands_in_valley(&mut self) -> Result<bool, FitStop> {
        let largest = |d: &[f64], size: fn(f64) -> f64| {
            let relative = d.iter().zip(&self.here.w).map(|(d, w)| d.abs() / size(*w));
            relative.fold(0.0, f64::max)
        };
        let mut d = self.step.clone();
        let first = FIRST / largest(&d, |w| if w == 0.0 { 1.0 } else { w.abs() });
        d.iter_mut().for_each(|d| *d *= first);
        let most = (LAST / largest(&d, |w| w.abs().max(1.0))).log(FACTOR).max(0.0);
        if !first.is_finite() {
            return Ok(false);
        }
        let visible = VISIBLE * self.here.loss;
        let mut grown = 0.0;
        while grown <= most && self.counts.residuals + 8 <= self.settings.max_evaluations {
            let Some((even, odd)) = self.parts(&d, 1.0)? else { return Ok(false) };
            if odd.abs() > even.max(visible) {
                return Ok(false);
            }
            if even > visible {
                let mut before = even;
                for length in [2.0, 4.0, 8.0] {
                    match self.parts(&d, length)? {
                        Some((even, _)) if GROWTH.contains(&(even / before)) => before = even,
                        _ => return Ok(false),
                    }
                }
                return Ok(true);
            }
            d.iter_mut().for_each(|d| *d *= FACTOR);
            grown += 1.0;
        }
        Ok(false)
    }

    /// The even and the odd part of the loss's rise at t; `None` where a side has no value.
    fn parts(&mut self, d: &[f64], t: f64) -> Result<Option<(f64, f64)>, FitStop> {
        let [Some(ahead), Some(behind)] = [self.rise(d, t)?, self.rise(d, -t)?] else {
            return Ok(None);
        };
        Ok(Some((0.5 * (ahead + behind), 0.5 * (ahead - behind))))
    }

    /// `g(w + t d) - g(w)`; `None` outside of the box and where there is no value.
    fn rise(&mut self, d: &[f64], t: f64) -> Result<Option<f64>, FitStop> {
        let place = self.here.w.iter().zip(d).map(|(w, d)| w + t * d);
        self.trial.w.iter_mut().zip(place).for_each(|(trial, w)| *trial = w);
        let inside = self.problem.bounds.as_ref().is_none_or(|bounds| {
            let limits = bounds.lower.iter().zip(&bounds.upper);
            self.trial.w.iter().zip(limits).all(|(w, (low, high))| (low..=high).contains(&w))
        });
        if !inside || !self.evaluate()? {
            return Ok(None);
        }
        Ok(Some(-self.problem.rows.decrease(&self.here.f, &self.trial.f)))
    }
}
