//! Theorem 2's iteration under a schedule of dampings: `w <- w - eta H_rho^-1 J^T grad g`, no step tested.

use gaussflow_objective::SmoothMap;
use gaussflow_solvers::norm;

use super::error::FitError;
use super::history::{StepKind, Verdict};
use super::iterate::{Iteration, Outcome};
use super::settings::{FitSchedule, ScheduleState};
use super::stop::FitStop;

impl<M: SmoothMap> Iteration<'_, M> {
    /// One step of the schedule; grad g = 2 u.
    pub(crate) fn follow(
        &mut self,
        schedule: &dyn FitSchedule,
        eta: f64,
    ) -> Result<Outcome, FitError> {
        if self.counts.residuals >= self.settings.max_evaluations {
            return Ok(Outcome::Stopped(FitStop::EvaluationLimit));
        }
        let state = ScheduleState {
            iteration: self.counts.accepted,
            loss: self.here.loss,
            gradient_norm: 2.0 * norm(&self.here.gradient),
        };
        let rho = schedule.damping(state);
        if !(0.0..=1.0).contains(&rho) {
            let (name, accepted) = ("the schedule's damping", "a number in [0, 1]");
            return Err(FitError::InvalidSetting { name, value: rho, accepted });
        }
        self.damping = rho;
        // Equation (1) damps the parameters themselves: D = I.
        let ones = vec![1.0; self.step.len()];
        self.factor.factor(&ones, &self.free)?;
        if self.factor.takes_gradient() {
            self.factor.project_gradient(&self.here.gradient, &ones);
        } else {
            self.factor.project(self.here.b());
        }
        self.scaled_step.resize(self.free.len(), 0.0);
        self.factor.damped_step(rho, &mut self.scaled_step);
        self.step.fill(0.0);
        for (&k, v) in self.free.iter().zip(&self.scaled_step) {
            self.step[k] = 2.0 * eta * v;
        }
        for ((trial, w), d) in self.trial.w.iter_mut().zip(&self.here.w).zip(&self.step) {
            *trial = w + d;
        }
        self.clip_trial();
        let length = norm(&self.step);
        let arrived = match self.evaluate() {
            Ok(true) => self.arrive(),
            Ok(false) => {
                self.counts.undefined += 1;
                Ok(false)
            }
            Err(stop) => Err(stop),
        };
        match arrived {
            Ok(true) => {
                self.note(StepKind::Scheduled, Verdict::Accepted, f64::NAN, length);
                Ok(Outcome::Accepted)
            }
            Ok(false) => {
                self.note(StepKind::Scheduled, Verdict::Undefined, f64::NAN, length);
                Ok(Outcome::Stopped(FitStop::NonFinite))
            }
            Err(stop) => Ok(Outcome::Stopped(stop)),
        }
    }
}
