//! Ends at which a bound has robbed other parameters of their effect, as `amplitude = 0` does to a phase.
//!
//! There the gradient may point out of the box only because those parameters stand where they do. They cost nothing to
//! move: the fit looks along them for a point at which the bound no longer holds.

use gaussflow_objective::require_finite;

use gaussflow_solvers::JacobianOperator;

use super::Given;
use super::error::FitError;
use super::history::{StepKind, Verdict};
use super::iterate::Iteration;
use super::stop::FitStop;

/// How far inside of the box the rank is measured that a bound may have taken, relative to the parameters.
const INSIDE: f64 = 1e-3;
/// Moves along a direction without effect, in units of a parameter's size.
const MOVES: [f64; 8] = [0.3, -0.3, 1.0, -1.0, 3.0, -3.0, 0.1, -0.1];
/// Directions that are looked along, of each kind.
const DIRECTIONS: usize = 4;
/// Norm of a column relative to the one inside of the box up to which the parameter has lost its effect.
const VANISHED: f64 = 1e-8;
/// How often a fit is released.
const RELEASES: usize = 4;
/// Relative rise of the loss that counts as none.
const ROUNDING: f64 = 1e-12;

/// What bounds have taken from the parameters that they do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// The effect of one on the residuals.
    Effect,
    /// The difference between the effects of some.
    Distinction,
}

impl<J: JacobianOperator> Iteration<'_, J> {
    /// What becomes of a convergent end: `None` where the fit was released from a bound and goes on.
    pub(crate) fn settle(&mut self, stop: FitStop) -> Result<Option<FitStop>, FitError> {
        if !stop.converged() || stop == FitStop::Rounding {
            return Ok(Some(stop));
        }
        let Some(taken) = self.taken_by_bounds()? else { return Ok(Some(stop)) };
        if self.releases < RELEASES && self.release()? {
            self.releases += 1;
            return Ok(None);
        }
        self.prepare()?;
        // Parameters that merely cannot be told apart still have their effect: the gradient by each of them is 0.
        Ok(Some(if taken == Taken::Effect { FitStop::RankLostAtBound } else { stop }))
    }

    /// What is lost here that is there a little inside of the box.
    fn taken_by_bounds(&mut self) -> Result<Option<Taken>, FitError> {
        let Some(bounds) = &self.problem.bounds else { return Ok(None) };
        if self.deficiency == 0 {
            return Ok(None);
        }
        let Some(inner) = bounds.inside(&self.here.w, INSIDE) else { return Ok(None) };
        let free = self.free.clone();
        let here = self.factor.column_norms().to_vec();
        self.trial.w.copy_from_slice(&inner);
        if !self.linearize_trial() {
            self.reload()?;
            return Ok(None);
        }
        // Columns as they are there: the running maxima may lie far above them.
        let norms = self.factor.column_norms().iter();
        let scales: Vec<f64> = norms.map(|&s| if s > 0.0 { s } else { 1.0 }).collect();
        let inside = self.factor.column_norms();
        let vanished = free.iter().any(|&k| inside[k] > 0.0 && here[k] <= VANISHED * inside[k]);
        self.factor.factor(&scales, &free)?;
        let lost = self.deficiency_of(free.len());
        let deficiency = self.deficiency;
        self.reload()?;
        let taken = if vanished { Taken::Effect } else { Taken::Distinction };
        Ok((lost < deficiency).then_some(taken))
    }

    /// Goes along directions without effect to where a held parameter wants to come inside; whether there is such a point.
    fn release(&mut self) -> Result<bool, FitError> {
        let Some(bounds) = &self.problem.bounds else { return Ok(false) };
        let (residual, most) = (self.measures.residual, self.here.loss * (1.0 + ROUNDING));
        let held: Vec<usize> = (0..self.step.len())
            .filter(|k| self.free.binary_search(k).is_err() && !bounds.fixes(*k))
            .collect();
        for direction in self.directions_without_effect() {
            for share in MOVES {
                for (k, d) in direction.iter().enumerate() {
                    let end = self.here.w[k] + share * d;
                    self.trial.w[k] = end.clamp(bounds.lower[k], bounds.upper[k]);
                }
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

    /// Each parameter whose column is 0, and the right singular vectors that steps leave out (p each), some of each: as
    /// long as one parameter's size (1 where it is 0).
    fn directions_without_effect(&self) -> Vec<Vec<f64>> {
        let w = &self.here.w;
        let size = |k: usize| if w[k] == 0.0 { 1.0 } else { w[k].abs() };
        let empty = |k: &&usize| self.factor.column_norms()[**k] == 0.0;
        let mut found: Vec<Vec<f64>> = Vec::new();
        for &k in self.free.iter().filter(empty).take(DIRECTIONS) {
            let mut direction = vec![0.0; w.len()];
            direction[k] = size(k);
            found.push(direction);
        }
        let values = self.factor.singular_values();
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        for &i in order.iter().skip(self.factor.rank()).take(DIRECTIONS) {
            let mut direction = vec![0.0; w.len()];
            for (&k, v) in self.free.iter().zip(self.factor.right(i)) {
                direction[k] = v / self.scales[k];
            }
            let longest = direction.iter().enumerate().map(|(k, d)| d.abs() / size(k));
            let longest = longest.fold(0.0, f64::max);
            if longest > 0.0 {
                direction.iter_mut().for_each(|d| *d /= longest);
                found.push(direction);
            }
        }
        found
    }

    /// Residuals and Jacobian at the trial's parameters, loaded into the factor; whether they are defined.
    fn linearize_trial(&mut self) -> bool {
        self.counts.residuals += 1;
        self.counts.jacobians += 1;
        let Given { bounds, rows, .. } = self.problem;
        let fine = self.trial.linearize(self.map, bounds.as_ref(), rows).is_ok()
            && require_finite("the residuals", &self.trial.f).is_ok();
        fine && self.trial.load_into(&mut self.factor, self.settings.method).is_ok()
    }

    /// Loads the present point into the factor again.
    pub(crate) fn reload(&mut self) -> Result<(), FitError> {
        self.here.load_into(&mut self.factor, self.settings.method)?;
        self.prepare()
    }
}
