//! Rough derivatives, where a step needs no more than a direction, and when they are made better.
//!
//! Differences to one side cost half of central ones. Their error e bends a step by e of its length, which is nothing far from
//! a minimum. Nothing ends by them: not a fit, not a point whose steps fail, not the covariance.

use gaussflow_objective::MapError;
use gaussflow_solvers::JacobianOperator;

use super::iterate::{Iteration, Outcome};
use super::point::{Point, is_off_domain};
use super::settings::Damping;
use super::stop::FitStop;

/// The cosine between residuals and tangent space above which the next point's Jacobian may be rough.
const FAR: f64 = 0.1;

impl Outcome {
    /// Whether better derivatives could lead to another one.
    pub(super) fn may_be_misled(&self) -> bool {
        use FitStop::{Decrease, NoProgress, Noise, Step};
        matches!(self, Self::Misled | Self::Stopped(Decrease | NoProgress | Noise | Step))
    }
}

impl<J: JacobianOperator> Iteration<'_, J> {
    /// Linearizes at the trial point, roughly where that is enough. Near a bound, derivatives decide what it holds.
    pub(super) fn linearize_trial_as_needed(&mut self) -> Result<(), MapError> {
        let (bounds, rows) = (self.problem.bounds.as_ref(), &self.problem.rows);
        let far = self.measures.image > FAR * self.measures.residual;
        let trusted = matches!(self.settings.damping, Damping::TrustRegion { .. });
        if bounds.is_none() && far && trusted {
            self.trial.linearize_roughly(self.map, rows)
        } else {
            self.trial.linearize(self.map, bounds, rows)
        }
    }

    /// Whether the present Jacobian is rougher than the map's can be.
    pub(super) fn is_rough(&self) -> bool {
        self.here.jacobian_error > self.map.jacobian_error()
    }

    /// Makes the Jacobian as accurate as the map can, if it is not; whether it did. Where there is no better one, the one at
    /// hand counts as the best.
    ///
    /// # Errors
    /// Where the map fails for another reason than its values, or the better Jacobian cannot be factored.
    pub(super) fn refine(&mut self) -> Result<bool, FitStop> {
        if !self.is_rough() {
            return Ok(false);
        }
        self.counts.jacobians += 1;
        let mut better = Point::new(self.map, &self.here.w);
        let (bounds, rows) = (self.problem.bounds.as_ref(), &self.problem.rows);
        match better.linearize(self.map, bounds, rows) {
            Ok(()) => {
                let loaded = better.load_into(&mut self.factor, self.settings.method);
                loaded.map_err(|_| FitStop::NonFinite)?;
                self.here = better;
                Ok(true)
            }
            Err(error) if is_off_domain(&error) => {
                self.here.jacobian_error = self.map.jacobian_error();
                Ok(false)
            }
            Err(error) => Err(FitStop::Failed(error)),
        }
    }
}
