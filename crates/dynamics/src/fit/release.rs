//! Ends at which a bound has robbed other parameters of their effect, as `amplitude = 0` does to a phase.
//!
//! There the gradient may point out of the box only because those parameters stand where they do. They cost nothing to
//! move: the fit looks along them for a point at which the bound no longer holds.

use gaussflow_objective::{SmoothMap, require_finite};

use super::LeastSquares;
use super::error::FitError;
use super::history::{StepKind, Verdict};
use super::iterate::Iteration;
use super::stop::FitStop;

/// How far inside of the box the rank is measured that a bound may have taken, relative to the parameters.
const INSIDE: f64 = 1e-3;
/// Moves along a parameter without effect, relative to its size (to 1 where it is 0).
const MOVES: [f64; 8] = [0.3, -0.3, 1.0, -1.0, 3.0, -3.0, 0.1, -0.1];
/// How often a fit is released.
const RELEASES: usize = 4;
/// Relative rise of the loss that counts as none.
const ROUNDING: f64 = 1e-12;

impl<M: SmoothMap> Iteration<'_, M> {
    /// What becomes of a convergent end: `None` where the fit was released from a bound and goes on.
    pub(crate) fn settle(&mut self, stop: FitStop) -> Result<Option<FitStop>, FitError> {
        if !stop.converged() || stop == FitStop::Rounding || !self.bound_takes_rank()? {
            return Ok(Some(stop));
        }
        if self.releases < RELEASES && self.release()? {
            self.releases += 1;
            return Ok(None);
        }
        self.prepare()?;
        Ok(Some(FitStop::RankLostAtBound))
    }

    /// Whether rank is lost here that is there a little inside of the box.
    fn bound_takes_rank(&mut self) -> Result<bool, FitError> {
        let Some(bounds) = &self.problem.bounds else { return Ok(false) };
        if self.deficiency == 0 {
            return Ok(false);
        }
        let Some(inner) = bounds.inside(&self.here.w, INSIDE) else { return Ok(false) };
        let free = self.free.clone();
        self.trial.w.copy_from_slice(&inner);
        if !self.linearize_trial() {
            return Ok(false);
        }
        // Columns as they are there: the running maxima may lie far above them.
        let norms = self.factor.column_norms().iter();
        let scales: Vec<f64> = norms.map(|&s| if s > 0.0 { s } else { 1.0 }).collect();
        self.factor.factor(&scales, &free)?;
        let lost = free.len().min(self.here.f.len()) - self.factor.rank();
        let deficiency = self.deficiency;
        self.reload()?;
        Ok(lost < deficiency)
    }

    /// Goes along parameters without effect to where a held one wants to come inside; whether there is such a point.
    fn release(&mut self) -> Result<bool, FitError> {
        let Some(bounds) = &self.problem.bounds else { return Ok(false) };
        let residual = self.measures.residual;
        let held: Vec<usize> =
            (0..self.step.len()).filter(|k| !self.free.contains(k) && !bounds.fixes(*k)).collect();
        let most = self.loss_with_rounding();
        for &k in &self.free.clone() {
            if self.share_of_kernel(k) < 0.1 {
                continue;
            }
            let w = self.here.w[k];
            let size = if w == 0.0 { 1.0 } else { w.abs() };
            for share in MOVES {
                self.trial.w.copy_from_slice(&self.here.w);
                self.trial.w[k] = (w + share * size).clamp(bounds.lower[k], bounds.upper[k]);
                if !self.linearize_trial() || self.trial.loss > most {
                    continue;
                }
                let norms = self.factor.column_norms();
                let inward = held.iter().copied().find(|&j| {
                    let slope = self.trial.gradient[j];
                    let inside = if self.trial.w[j] <= bounds.lower[j] { -slope } else { slope };
                    inside > self.settings.gradient_tolerance * norms[j] * residual
                });
                if let Some(j) = inward {
                    self.approach.keep_off(j);
                    std::mem::swap(&mut self.here, &mut self.trial);
                    self.counts.accepted += 1;
                    self.radius = f64::NAN;
                    self.note(StepKind::Release, Verdict::Accepted, f64::NAN, 0.0);
                    return Ok(true);
                }
            }
        }
        self.reload()?;
        Ok(false)
    }

    fn loss_with_rounding(&self) -> f64 {
        self.here.loss * (1.0 + ROUNDING)
    }

    /// The norm of parameter `k`'s part in the directions that steps leave out, in scaled variables; 1 for one without
    /// effect, and 0 for all others where there are too many for singular vectors.
    fn share_of_kernel(&self, k: usize) -> f64 {
        let Some(place) = self.free.iter().position(|&free| free == k) else { return 0.0 };
        let values = self.factor.singular_values();
        if values.is_empty() {
            return if self.factor.column_norms()[k] > 0.0 { 0.0 } else { 1.0 };
        }
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let kept = order.iter().take(self.factor.rank());
        let inside: f64 = kept.map(|&i| self.factor.right(i)[place].powi(2)).sum();
        (1.0 - inside).max(0.0).sqrt()
    }

    /// Residuals and Jacobian at the trial's parameters, loaded into the factor; whether they are defined.
    fn linearize_trial(&mut self) -> bool {
        self.counts.residuals += 1;
        self.counts.jacobians += 1;
        let LeastSquares { map, bounds, rows, .. } = self.problem;
        let fine = self.trial.linearize(map, bounds.as_ref(), rows).is_ok()
            && require_finite("the residuals", &self.trial.f).is_ok();
        let (jacobian, factors) = (&self.trial.jacobian, self.trial.factors());
        fine && self.factor.load(jacobian, factors, self.settings.method).is_ok()
    }

    /// Loads the present point into the factor again.
    pub(crate) fn reload(&mut self) -> Result<(), FitError> {
        let here = &self.here;
        self.factor.load(&here.jacobian, here.factors(), self.settings.method)?;
        self.prepare()
    }
}
