//! Steps in a trust region: the plain one, its acceleration, the secant's, and what the gain ratio decides.

use gaussflow_solvers::{JacobianOperator, norm};

use super::error::FitError;
use super::history::{StepKind, Verdict};
use super::iterate::{Arrival, Iteration, Outcome};
use super::noise::{NoiseWatch, UNEXPLAINED};
use super::settings::Acceleration;
use super::stop::FitStop;

/// Gain ratio above which a step is taken.
const TAKEN: f64 = 1e-4;
/// Gain ratio up to which the radius shrinks, and acceleration is tried.
const POOR: f64 = 0.25;
/// Gain ratio from which the radius grows.
const GOOD: f64 = 0.75;
/// Gain ratio that no longer speaks for the model: the step has left the ground it describes.
const TOO_GOOD: f64 = 4.0;
/// How often a point's steps may be refused for being too good, or the first point's for not being good.
const DISTRUST: usize = 3;
/// Bound on `2 norm(D a) / norm(D v)` of an acceleration a (Transtrum and Sethna).
const ACCELERATION_BOUND: f64 = 0.75;
/// Rejected steps after which rough derivatives are made better.
const PATIENCE: usize = 2;
/// Trials at one point: radii shrink at least by half, so that the spacing of numbers is met before.
const TRIALS: usize = 1100;

/// A trial with its measured decrease over the predicted one.
#[derive(Clone, Copy)]
struct Trial {
    kind: StepKind,
    gain: f64,
    decrease: f64,
    defined: bool,
    /// Whether any residual changed.
    visible: bool,
}

/// Where a step is refused although the loss may have fallen.
fn is_distrusted(trial: &Trial, damping: f64, at_start: bool) -> bool {
    let too_good = trial.gain > TOO_GOOD && damping > 0.0;
    // Nothing but the parameters' size speaks for the first radius, and a first step decides which valley the fit
    // runs down: it must be where the linear model holds.
    let unproved = at_start && trial.gain > TAKEN && trial.gain < GOOD;
    too_good || unproved
}

impl<J: JacobianOperator> Iteration<'_, J> {
    /// Tries steps until one is accepted.
    pub(crate) fn advance(&mut self, initial_radius: f64) -> Result<Outcome, FitError> {
        let size = self.scaled_norm();
        if self.radius.is_nan() {
            self.radius = initial_radius * if size > 0.0 { size } else { 1.0 };
        }
        if let Some(outcome) = self.try_secant() {
            return Ok(outcome);
        }
        let mut distrusted = 0;
        let mut noise = NoiseWatch::default();
        let (mut jump, mut rejected, mut unseen) = (0.0, 0, 0);
        for _ in 0..TRIALS {
            if self.counts.residuals >= self.settings.max_evaluations {
                return Ok(Outcome::Stopped(FitStop::EvaluationLimit));
            }

            // Propose `(J^T J + lambda D^2) d = -J^T b` with norm(D d) at most the radius.
            self.damping = self.factor.damping_for(self.radius, self.damping);
            self.scaled_step.resize(self.free.len(), 0.0);
            self.factor.step(self.damping, &mut self.scaled_step);
            let length = norm(&self.scaled_step);
            let image = self.factor.image_of_step(self.damping);
            let mut predicted = image + 2.0 * self.damping * length * length;
            self.step.fill(0.0);
            for (&k, v) in self.free.iter().zip(&self.scaled_step) {
                self.step[k] = v / self.scales[k];
            }

            // Keep it in the box.
            self.approach.begin();
            let confined = self.leaves_box();
            if confined {
                predicted = self.confine()?;
            }
            if !self.set_trial() {
                return Ok(Outcome::Stopped(FitStop::NoProgress));
            }

            // Measure the trial point, and see whether its decrease is noise.
            let mut trial = match self.measure(predicted) {
                Ok(trial) => trial,
                Err(stop) => return Ok(Outcome::Stopped(stop)),
            };
            if noise.sees(length, trial.gain) && self.measures.is_below(trial.decrease.abs()) {
                self.note(trial.kind, Verdict::Rejected, trial.gain, length);
                return Ok(Outcome::Stopped(FitStop::Noise));
            }

            // Bend a poor step along the geodesic.
            let mut curvature = 0.0;
            let accelerates = self.settings.acceleration != Acceleration::None && !confined;
            if accelerates && trial.gain < POOR && trial.defined && self.damping > 0.0 {
                match self.accelerate(&mut trial, predicted, length) {
                    Ok(ratio) => curvature = ratio,
                    Err(stop) => return Ok(Outcome::Stopped(stop)),
                }
            }

            // Shorten a first step that nothing but a guessed radius speaks for.
            let at_start = self.counts.accepted == 0;
            if distrusted < DISTRUST && is_distrusted(&trial, self.damping, at_start) {
                distrusted += 1;
                self.note(trial.kind, Verdict::Rejected, trial.gain, length);
                self.radius = 0.25 * length;
                if confined {
                    self.factor_free()?;
                }
                continue;
            }

            // Adapt the radius to the gain ratio, and go there if the step is taken.
            let before = self.damping;
            self.adapt(&trial, length, image, curvature);
            if trial.gain > TAKEN {
                self.promised = (trial.kind != StepKind::Accelerated).then_some(predicted);
                match self.arrive() {
                    Ok(Arrival::There) => {
                        return Ok(self.accepted(&trial, predicted, before, length));
                    }
                    Ok(Arrival::Undefined) => {
                        trial.defined = false;
                        self.radius = 0.1 * length;
                    }
                    Ok(Arrival::RankLost) => self.approach.refuse(),
                    Err(stop) => return Ok(Outcome::Stopped(stop)),
                }
            }

            // Rejected: say so, and see whether a shorter step could do better.
            let verdict = if trial.defined { Verdict::Rejected } else { Verdict::Undefined };
            self.note(trial.kind, verdict, trial.gain, length);
            // A shorter step will not show either, unless the residuals have a symmetry between w and w + d. Residuals that
            // jump and then stay are rounded ones.
            unseen = if trial.defined && !trial.visible { unseen + 1 } else { 0 };
            if unseen > 1 {
                let noisy = jump > 0.0 && self.measures.is_below(jump);
                let stop = if noisy { FitStop::Noise } else { FitStop::NoProgress };
                return Ok(Outcome::Stopped(stop));
            }
            if trial.defined && trial.gain.abs() > UNEXPLAINED {
                jump = trial.decrease.abs();
            }
            if confined {
                self.factor_free()?;
            }
            rejected += 1;
            if rejected == PATIENCE && self.is_rough() {
                return Ok(Outcome::Misled);
            }
        }
        Ok(Outcome::Stopped(FitStop::NoProgress))
    }

    /// Writes `w + d` to the trial point; false where it is w itself.
    pub(crate) fn set_trial(&mut self) -> bool {
        let mut moved = false;
        let sums = self.here.w.iter().zip(&self.step).map(|(w, d)| w + d);
        for ((trial, sum), w) in self.trial.w.iter_mut().zip(sums).zip(&self.here.w) {
            *trial = sum;
            moved |= sum.to_bits() != w.to_bits();
        }
        self.clip_trial();
        moved
    }

    /// The rounding of the loss that parameters' rounding makes.
    fn loss_noise(&self) -> f64 {
        4.0 * self.measures.noise * self.measures.residual
    }

    /// Evaluates the trial point and compares with the predicted decrease.
    fn measure(&mut self, predicted: f64) -> Result<Trial, FitStop> {
        let kind =
            if self.damping > 0.0 { StepKind::LevenbergMarquardt } else { StepKind::GaussNewton };
        if !self.evaluate()? {
            self.counts.undefined += 1;
            let (gain, decrease) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
            return Ok(Trial { kind, gain, decrease, defined: false, visible: true });
        }
        let decrease = self.problem.rows.decrease(&self.here.f, &self.trial.f);
        // Below rounding the decrease says nothing: the step is judged by the gradient it leads to. A damped
        // step may predict little only because it is short.
        let undamped = self.damping == 0.0;
        let noise = self.loss_noise();
        let gain = if undamped && predicted <= noise && decrease >= -noise {
            1.0
        } else if predicted > 0.0 {
            decrease / predicted
        } else {
            f64::NEG_INFINITY
        };
        let visible = self.here.f != self.trial.f;
        Ok(Trial { kind, gain, decrease, defined: true, visible })
    }

    /// Bends a poor step along the geodesic: `v + a/2`, `a = -(J^T J + lambda D^2)^-1 J^T D2f[v, v]`.
    ///
    /// D2f comes from the map, or for nothing from the trial point: `2 (f(w + v) - f(w) - J v)`. The better of
    /// both points becomes the trial. Returns `2 norm(D a) / norm(D v)`.
    fn accelerate(
        &mut self,
        trial: &mut Trial,
        predicted: f64,
        length: f64,
    ) -> Result<f64, FitStop> {
        self.here.jacobian.apply(&self.step, &mut self.image);
        if let Some(second) = self.second {
            self.counts.second_derivatives += 1;
            let (w, jacobian) = (&self.here.w, &self.here.jacobian);
            let found =
                second.second_derivative(w, jacobian, &self.step, &self.step, &mut self.image);
            if found.is_err() {
                return Ok(f64::INFINITY);
            }
        } else {
            for ((image, after), before) in
                self.image.iter_mut().zip(&self.trial.f).zip(&self.here.f)
            {
                *image = 2.0 * (after - before - *image);
            }
        }
        let mut curvature = std::mem::take(&mut self.image);
        self.here.scale_rows(&mut curvature);
        self.project(&curvature);
        self.image = curvature;
        self.factor.step(self.damping, &mut self.scaled_step);
        self.project_residuals();
        let ratio = 2.0 * norm(&self.scaled_step) / length;
        let spent = self.counts.residuals >= self.settings.max_evaluations;
        // Written so that NaN is refused.
        let bounded = ratio <= ACCELERATION_BOUND;
        if !bounded || spent {
            return Ok(ratio);
        }
        let plain = (self.trial.w.clone(), self.trial.f.clone(), self.step.clone());
        let plain_loss = self.trial.loss;
        for (&k, a) in self.free.iter().zip(&self.scaled_step) {
            self.step[k] += 0.5 * a / self.scales[k];
        }
        let inside = !self.leaves_box() && self.set_trial();
        if inside {
            let bent = self.measure(predicted)?;
            if bent.gain > trial.gain {
                *trial = Trial { kind: StepKind::Accelerated, ..bent };
                return Ok(ratio);
            }
        }
        (self.trial.w, self.trial.f, self.step) = plain;
        self.trial.loss = plain_loss;
        Ok(ratio)
    }

    /// More's rules for the radius, after a trial of scaled `length`.
    fn adapt(&mut self, trial: &Trial, length: f64, image: f64, curvature: f64) {
        if trial.gain <= POOR {
            let mut factor = if !trial.defined {
                0.1
            } else if trial.decrease >= 0.0 {
                0.5
            } else {
                // Where the parabola through both losses and the slope has its minimum.
                let slope = image + self.damping * length * length;
                (0.5 * slope / (slope - 0.5 * trial.decrease)).max(0.1)
            };
            if curvature > ACCELERATION_BOUND {
                factor = (0.9 * ACCELERATION_BOUND / curvature).min(factor).max(0.1);
            }
            self.radius = factor * self.radius.min(10.0 * length);
            self.damping /= factor;
        } else if self.damping == 0.0 {
            self.radius = self.radius.max(2.0 * length);
        } else if trial.gain >= GOOD {
            self.radius = 2.0 * length;
            self.damping *= 0.5;
        }
    }

    /// Records an accepted step, and ends the fit where it was negligible.
    fn accepted(&mut self, trial: &Trial, predicted: f64, damping: f64, length: f64) -> Outcome {
        let adapted = std::mem::replace(&mut self.damping, damping);
        self.note(trial.kind, Verdict::Accepted, trial.gain, length);
        self.damping = adapted;
        // A damped step may be short, and its decrease small, for other reasons than a minimum.
        if damping > 0.0 || trial.kind == StepKind::Accelerated {
            return Outcome::Accepted;
        }
        // The point that was left is now in `trial`.
        let bound = self.settings.loss_tolerance * self.trial.loss;
        if predicted <= self.loss_noise() {
            self.mark_rounding();
        } else if predicted <= bound && trial.decrease.abs() <= bound {
            return Outcome::Stopped(FitStop::Decrease);
        }
        let tolerance = self.settings.step_tolerance;
        if self.step.iter().zip(&self.trial.w).all(|(d, w)| d.abs() <= tolerance * w.abs()) {
            return Outcome::Stopped(FitStop::Step);
        }
        Outcome::Accepted
    }

    /// One step of the secant model, where it has proved the better one near a minimum.
    fn try_secant(&mut self) -> Option<Outcome> {
        let all_free = self.free.len() == self.here.w.len();
        let near = self.measures.column_cosine < super::secant::NEAR;
        if !all_free || !near || self.counts.residuals >= self.settings.max_evaluations {
            return None;
        }
        let secant = self.secant.as_mut()?;
        let (here, scales) = (&self.here, &self.scales);
        let (predicted, damping) =
            secant.propose(&self.factor, &here.gradient, scales, self.radius, &mut self.step)?;
        let scaled: Vec<f64> = self.step.iter().zip(scales).map(|(d, s)| d * s).collect();
        let length = norm(&scaled);
        if self.leaves_box() || !self.set_trial() {
            return None;
        }
        // A step that the radius or a negative curvature shortened is no undamped one.
        self.damping = damping;
        let trial = match self.measure(predicted) {
            Ok(trial) => Trial { kind: StepKind::Secant, ..trial },
            Err(stop) => return Some(Outcome::Stopped(stop)),
        };
        if trial.gain > POOR {
            self.promised = None;
            match self.arrive() {
                Ok(Arrival::There) => {
                    if trial.gain > GOOD {
                        self.radius = self.radius.max(2.0 * length);
                    }
                    return Some(self.accepted(&trial, predicted, damping, length));
                }
                Ok(Arrival::Undefined | Arrival::RankLost) => {}
                Err(stop) => return Some(Outcome::Stopped(stop)),
            }
        }
        let verdict = if trial.defined { Verdict::Rejected } else { Verdict::Undefined };
        self.note(trial.kind, verdict, trial.gain, length);
        if let Some(secant) = &mut self.secant {
            secant.forget();
        }
        None
    }
}
