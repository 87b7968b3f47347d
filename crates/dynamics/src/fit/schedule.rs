//! Theorem 2's iteration in a fit: `w <- w - eta H_rho^-1 J^T grad g`, rho and the step's verdict by a schedule.

use gaussflow_solvers::{JacobianOperator, inner_product, norm};

use super::error::FitError;
use super::history::{StepKind, Verdict};
use super::iterate::{Arrival, Iteration, Outcome};
use super::stop::FitStop;
use crate::schedule::{DampingSchedule, ScheduleState, StepLength, StepVerdict};

/// grad g = 2 u: the smoothness of the sum of squares.
const SMOOTHNESS: f64 = 2.0;

impl<J: JacobianOperator> Iteration<'_, J> {
    /// Steps of the schedule until one is accepted.
    pub(crate) fn follow(
        &mut self,
        schedule: &mut dyn DampingSchedule,
        length: StepLength,
    ) -> Result<Outcome, FitError> {
        self.factor_plain()?;
        let least = self.factor.extreme_singular_values().smallest;
        let state = ScheduleState {
            iteration: self.counts.accepted,
            loss: self.here.loss,
            gradient_norm: SMOOTHNESS * norm(&self.here.gradient),
            smallest_eigenvalue: Some(least * least),
        };
        loop {
            if self.counts.residuals >= self.settings.max_evaluations {
                return Ok(Outcome::Stopped(FitStop::EvaluationLimit));
            }
            let rho = schedule.damping(state);
            if !(0.0..=1.0).contains(&rho) {
                let (name, accepted) = ("the schedule's damping", "a number in [0, 1]");
                return Err(FitError::InvalidSetting { name, value: rho, accepted });
            }
            self.damping = rho;
            self.scaled_step.resize(self.free.len(), 0.0);
            self.factor.damped_step(rho, &mut self.scaled_step);
            let eta = length.scaled(rho, SMOOTHNESS, 1.0);
            self.step.fill(0.0);
            for (&k, v) in self.free.iter().zip(&self.scaled_step) {
                self.step[k] = SMOOTHNESS * eta * v;
            }
            let confined = self.leaves_box();
            if !self.set_trial() {
                return Ok(Outcome::Stopped(FitStop::NoProgress));
            }
            if confined {
                let ends = self.trial.w.iter().zip(&self.here.w);
                self.step.iter_mut().zip(ends).for_each(|(d, (end, w))| *d = end - w);
            }
            let size = norm(&self.step);
            let defined = match self.evaluate() {
                Ok(defined) => defined,
                Err(stop) => return Ok(Outcome::Stopped(stop)),
            };
            let mut gain = if defined { self.gain() } else { f64::NEG_INFINITY };
            let mut accepted = schedule.judge(gain) == StepVerdict::Accepted;
            let mut verdict = Verdict::Rejected;
            if !defined {
                self.counts.undefined += 1;
                verdict = Verdict::Undefined;
            } else if accepted {
                match self.arrive() {
                    Ok(Arrival::There) => {
                        self.note(StepKind::Scheduled, Verdict::Accepted, gain, size);
                        return Ok(Outcome::Accepted);
                    }
                    // Values, but no Jacobian: nothing to go on from.
                    Ok(Arrival::Undefined | Arrival::RankLost) => {
                        (gain, verdict) = (f64::NEG_INFINITY, Verdict::Undefined);
                        accepted = schedule.judge(gain) == StepVerdict::Accepted;
                        self.factor_plain()?;
                    }
                    Err(stop) => return Ok(Outcome::Stopped(stop)),
                }
            }
            self.note(StepKind::Scheduled, verdict, gain, size);
            if accepted {
                return Ok(Outcome::Stopped(FitStop::NonFinite));
            }
        }
    }

    /// Factors with D = I, since equation (1) damps the parameters themselves, and projects b.
    fn factor_plain(&mut self) -> Result<(), FitError> {
        let ones = vec![1.0; self.step.len()];
        self.factor.factor(&ones, &self.free)?;
        if self.factor.takes_gradient() {
            self.factor.project_gradient(&self.here.gradient, &ones);
        } else {
            self.factor.project(self.here.b());
        }
        Ok(())
    }

    /// The decrease at the trial point over that of the quadratic model, 0 where this predicts none.
    fn gain(&mut self) -> f64 {
        self.here.apply(&self.step, &mut self.image);
        let slope = inner_product(&self.here.gradient, &self.step);
        let predicted = -(2.0 * slope + inner_product(&self.image, &self.image));
        let decrease = self.problem.rows.decrease(&self.here.f, &self.trial.f);
        if predicted > 0.0 { decrease / predicted } else { 0.0 }
    }
}
