//! The loop of a fit: test, try steps until one is accepted, go there.

use gaussflow_objective::{MapError, SecondOrderMap, SmoothMap, require_finite};
use gaussflow_solvers::{JacobianOperator, SecularFactor, norm};

use super::confine::Approach;
use super::error::FitError;
use super::history::{StepKind, StepRecord, Verdict};
use super::point::{Point, is_off_domain};
use super::result::Fit;
use super::secant::Secant;
use super::settings::{Acceleration, Damping, FitSettings};
use super::stop::{FitCounts, FitStop, Measures, require_positive};
use super::{FitObserver, Given};
use crate::schedule::StepLength;

/// Largest ratio of a scale to its column's present norm.
const LARGEST_MEMORY: f64 = 1e8;

/// A fit under way.
///
/// It knows the map by the type of its Jacobian alone, so that it is compiled once for all maps of dense Jacobians.
pub(crate) struct Iteration<'a, J> {
    pub(crate) map: &'a dyn SmoothMap<Jacobian = J>,
    pub(crate) problem: &'a Given,
    pub(crate) settings: &'a FitSettings,
    /// The map's own second derivatives, where they are asked for.
    pub(crate) second: Option<&'a dyn SecondOrderMap<Jacobian = J>>,
    pub(crate) here: Point<J>,
    /// The trial point: `w` and `f` are always current, the rest once it is accepted.
    pub(crate) trial: Point<J>,
    pub(crate) factor: SecularFactor,
    /// D (p).
    pub(crate) scales: Vec<f64>,
    /// Parameters that are not held by a bound.
    pub(crate) free: Vec<usize>,
    /// Number of free parameters less the rank.
    pub(crate) deficiency: usize,
    pub(crate) approach: Approach,
    /// How often the fit was released from a bound.
    pub(crate) releases: usize,
    /// The trial step d (p), and the scaled step over the factored columns.
    pub(crate) step: Vec<f64>,
    pub(crate) scaled_step: Vec<f64>,
    pub(crate) image: Vec<f64>,
    /// Radius of the trust region; NaN before the first step.
    pub(crate) radius: f64,
    /// lambda.
    pub(crate) damping: f64,
    pub(crate) measures: Measures,
    pub(crate) secant: Option<Secant>,
    /// The decrease that the linear model promises for the trial, where the trial is its minimizer.
    pub(crate) promised: Option<f64>,
    pub(crate) counts: FitCounts,
    pub(crate) history: Vec<StepRecord>,
    /// Whether rough derivatives made the last accepted step: it ends near a minimum where others would end at one.
    pub(crate) came_roughly: bool,
    /// Where the last accepted step was below the loss's rounding: cosine and rank before it.
    at_rounding: Option<(f64, usize)>,
}

/// What became of a step to a trial point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The fit stands there.
    There,
    /// Its Jacobian is undefined or not finite.
    Undefined,
    /// The step ended on a bound, where rank is lost.
    RankLost,
}

/// What a trial led to.
pub(crate) enum Outcome {
    Accepted,
    /// Steps fail that rough derivatives have proposed.
    Misled,
    Stopped(FitStop),
}

impl<'a, J: JacobianOperator> Iteration<'a, J> {
    /// Checks the problem and stands at the start.
    pub(crate) fn new(
        map: &'a dyn SmoothMap<Jacobian = J>,
        problem: &'a Given,
        start: &[f64],
        settings: &'a FitSettings,
    ) -> Result<Self, FitError> {
        let (n, p) = (map.outputs(), map.parameters());
        if n == 0 || p == 0 {
            return Err(FitError::Empty { outputs: n, parameters: p });
        }
        super::require_count("starting values", start, p)?;
        require_finite("the start", start).map_err(FitError::Start)?;
        if let Some(bounds) = &problem.bounds {
            for (k, &value) in start.iter().enumerate() {
                let (lower, upper) = (bounds.lower[k], bounds.upper[k]);
                if value < lower || value > upper {
                    let name = problem.names[k].clone();
                    return Err(FitError::StartOutside { name, value, lower, upper });
                }
            }
        }
        check(settings)?;
        let mut here = Point::new(map, start);
        let counts = FitCounts { residuals: 1, jacobians: 1, ..FitCounts::default() };
        map.value(start, &mut here.f).map_err(FitError::Start)?;
        problem.rows.subtract_observations(&mut here.f);
        require_finite("the residuals", &here.f).map_err(FitError::Start)?;
        let loss = problem.rows.loss(&here.f);
        if !loss.is_finite() {
            return Err(FitError::StartOverflow { loss });
        }
        here.linearize(map, problem.bounds.as_ref(), &problem.rows).map_err(FitError::Start)?;
        let mut factor = SecularFactor::new(n, p);
        here.load_into(&mut factor, settings.method)?;
        let scales = factor.column_norms().iter().map(|&s| if s > 0.0 { s } else { 1.0 }).collect();
        let residual = here.residual_norm;
        let trusted = matches!(settings.damping, Damping::TrustRegion { .. });
        let accelerated = settings.acceleration != Acceleration::None;
        let second = match settings.acceleration {
            Acceleration::Exact => {
                let missing = FitError::Acceleration(MapError::NoSecondDerivatives);
                Some(map.second_order().ok_or(missing)?)
            }
            Acceleration::Geodesic | Acceleration::None => None,
        };
        let secant = (trusted && accelerated && p <= Secant::LARGEST).then(|| Secant::new(p));
        Ok(Self {
            map,
            problem,
            settings,
            second,
            trial: Point::new(map, start),
            here,
            factor,
            scales,
            free: (0..p).collect(),
            deficiency: 0,
            approach: Approach::new(p),
            releases: 0,
            step: vec![0.0; p],
            scaled_step: Vec::with_capacity(p),
            image: vec![0.0; n],
            radius: f64::NAN,
            damping: 0.0,
            measures: Measures {
                residual,
                initial_residual: residual,
                image: f64::NAN,
                column_cosine: f64::NAN,
                noise: f64::NAN,
                random: (p as f64 / n as f64).sqrt().min(1.0),
            },
            secant,
            promised: None,
            counts,
            history: Vec::with_capacity(8),
            came_roughly: false,
            at_rounding: None,
        })
    }

    /// Runs to the end.
    pub(crate) fn run(mut self, observer: FitObserver<'_>) -> Result<(Fit, J), FitError> {
        let start = StepRecord {
            iteration: 0,
            kind: StepKind::Start,
            verdict: Verdict::Accepted,
            loss: self.here.loss,
            gain_ratio: f64::NAN,
            damping: f64::NAN,
            radius: f64::NAN,
            step_norm: 0.0,
            cosine: f64::NAN,
        };
        self.history.push(start);
        let stop = if observer(&start, &self.here.w).is_break() {
            self.prepare()?;
            FitStop::Interrupted
        } else {
            self.iterate(observer)?
        };
        // What the result says of the point rests on the best derivatives, also where a limit ended the fit.
        let ended = !matches!(stop, FitStop::Interrupted | FitStop::Failed(_));
        if ended && self.refine().unwrap_or(false) {
            self.prepare()?;
        }
        Ok(Fit::conclude(self, stop))
    }

    /// Steps until there is a reason to stop.
    fn iterate(&mut self, observer: FitObserver<'_>) -> Result<FitStop, FitError> {
        // A schedule learns from the steps of this fit alone.
        let mut damping = self.settings.damping.clone();
        loop {
            // Factor `J D^-1` of the free parameters, and measure what the tests compare.
            self.prepare()?;
            if self.free.is_empty() {
                return Ok(FitStop::AtBounds);
            }

            // Test the point: gradient, predicted decrease, noise; then whether the last step still told anything.
            let mut end = self.measures.verdict(self.settings.gradient_tolerance);
            if let Some(before) = self.at_rounding.take()
                && end.is_none()
                && self.stalls(before)?
            {
                end = Some(FitStop::Decrease);
            }

            // An end holds only by the best derivatives that there are, and after a step that they made.
            if end.is_some() {
                match self.refine() {
                    Ok(false) => {}
                    Ok(true) => continue,
                    Err(stop) => return Ok(stop),
                }
                if std::mem::take(&mut self.came_roughly) && !self.measures.is_at_rounding() {
                    end = None;
                }
            }

            // And only if no bound hides a way down: otherwise go on from the released point.
            if let Some(stop) = end {
                match self.settle(stop)? {
                    Some(stop) => return Ok(stop),
                    None => continue,
                }
            }
            if self.counts.accepted >= self.settings.max_iterations {
                return Ok(FitStop::IterationLimit);
            }

            // Try steps until one is accepted: the trust region's, or those of a damping schedule.
            let before = self.history.len();
            let outcome = match &mut damping {
                Damping::TrustRegion { initial_radius } => self.advance(*initial_radius)?,
                Damping::Schedule { schedule, length } => self.follow(&mut **schedule, *length)?,
            };

            // Tell the observer. The point that was left lends its buffers to the trial: show what was tried.
            for record in &self.history[before..] {
                let accepted = record.verdict == Verdict::Accepted;
                let w = if accepted { &self.here.w } else { &self.trial.w };
                if observer(record, w).is_break() {
                    self.prepare()?;
                    return Ok(FitStop::Interrupted);
                }
            }

            // Rough derivatives may be the reason why steps fail, or why they are short.
            if outcome.may_be_misled() {
                match self.refine() {
                    Ok(false) => {}
                    Ok(true) => continue,
                    Err(stop) => return Ok(stop),
                }
            }

            // No step was accepted: say what is true of the point, or else why there was none.
            if let Outcome::Stopped(stop) = outcome {
                self.prepare()?;
                // Where nothing lowers the loss, and every column is orthogonal to the residuals, that is why.
                let stationary = self.measures.column_cosine <= self.settings.gradient_tolerance;
                let stalled = matches!(stop, FitStop::NoProgress | FitStop::Noise) && stationary;
                let measured = self.measures.verdict(self.settings.gradient_tolerance);
                let at_bottom = match stop {
                    FitStop::NoProgress | FitStop::Noise if self.measures.is_still() => true,
                    FitStop::NoProgress => match self.stands_in_valley() {
                        Ok(found) => found,
                        Err(stop) => return Ok(stop),
                    },
                    _ => false,
                };
                let stop = match measured {
                    // What is true of the point says more than what is true of the last step.
                    Some(found) if stop.converged() => found,
                    _ if stalled => FitStop::Gradient,
                    _ if at_bottom => FitStop::Decrease,
                    _ => stop,
                };
                if let Some(stop) = self.settle(stop)? {
                    return Ok(stop);
                }
            }
        }
    }

    /// Factors at the present point and measures what the tests compare.
    pub(crate) fn prepare(&mut self) -> Result<(), FitError> {
        let norms = self.factor.column_norms();
        for (scale, &size) in self.scales.iter_mut().zip(norms) {
            *scale = scale.max(size);
            // A column may have fallen so far that its present effect would drown.
            if size > 0.0 {
                *scale = scale.min(LARGEST_MEMORY * size);
            }
        }
        self.measures.noise = f64::EPSILON
            * norms.iter().zip(&self.here.w).map(|(size, w)| size * w.abs()).sum::<f64>();
        self.find_free();
        let residual = self.here.residual_norm;
        let cosines = self.free.iter().map(|&k| {
            let size = self.factor.column_norms()[k];
            if size > 0.0 { (self.here.gradient[k] / size / residual).abs() } else { 0.0 }
        });
        self.measures.column_cosine = cosines.fold(0.0, f64::max);
        self.measures.residual = residual;
        if self.free.is_empty() {
            self.measures.image = 0.0;
            self.deficiency = 0;
            return Ok(());
        }
        self.factor_free()?;
        self.deficiency = self.deficiency_of(self.free.len());
        self.measures.image = self.factor.image_norm();
        Ok(())
    }

    /// How many of `free` factored parameters steps cannot tell.
    pub(crate) fn deficiency_of(&self, free: usize) -> usize {
        free.min(self.here.f.len()).saturating_sub(self.factor.rank())
    }

    /// Factors the free columns and projects b.
    pub(crate) fn factor_free(&mut self) -> Result<(), FitError> {
        self.factor.factor(&self.scales, &self.free)?;
        self.project_residuals();
        Ok(())
    }

    /// Projects `right`, in the rows of J, for the factor's next step.
    pub(crate) fn project(&mut self, right: &[f64]) {
        if self.factor.takes_gradient() {
            let mut pulled = vec![0.0; self.step.len()];
            self.here.jacobian.apply_transposed(right, &mut pulled);
            self.factor.project_gradient(&pulled, &self.scales);
        } else {
            self.factor.project(right);
        }
    }

    /// Makes b the right-hand side of steps.
    pub(crate) fn project_residuals(&mut self) {
        if self.factor.takes_gradient() {
            self.factor.project_gradient(&self.here.gradient, &self.scales);
        } else {
            self.factor.project(self.here.b());
        }
    }

    /// Evaluates the residuals at the trial point; whether they are defined and finite there.
    pub(crate) fn evaluate(&mut self) -> Result<bool, FitStop> {
        self.counts.residuals += 1;
        match self.map.value(&self.trial.w, &mut self.trial.f) {
            Ok(()) => {}
            Err(error) if is_off_domain(&error) => return Ok(false),
            Err(error) => return Err(FitStop::Failed(error)),
        }
        self.problem.rows.subtract_observations(&mut self.trial.f);
        self.trial.loss = self.problem.rows.loss(&self.trial.f);
        // Also where the squares of finite residuals overflow.
        Ok(self.trial.loss.is_finite() && require_finite("the residuals", &self.trial.f).is_ok())
    }

    /// Goes to the trial point if it has a Jacobian, and has lost no rank by ending on a bound.
    pub(crate) fn arrive(&mut self) -> Result<Arrival, FitStop> {
        self.counts.jacobians += 1;
        let mut arrival = match self.linearize_trial_as_needed() {
            Ok(()) => {
                let loaded = self.trial.load_into(&mut self.factor, self.settings.method).is_ok();
                if loaded { Arrival::There } else { Arrival::Undefined }
            }
            Err(error) if is_off_domain(&error) => Arrival::Undefined,
            Err(error) => return Err(FitStop::Failed(error)),
        };
        if arrival == Arrival::There && self.landing_costs_rank() {
            arrival = Arrival::RankLost;
        }
        if arrival == Arrival::There {
            if let Some(secant) = &mut self.secant {
                let predicted = self.promised.take();
                let (rows, scales) = (&self.problem.rows, &self.scales);
                secant.learn(&self.here, &self.trial, &self.step, predicted, rows, scales);
            }
            self.came_roughly = self.is_rough();
            std::mem::swap(&mut self.here, &mut self.trial);
            self.counts.accepted += 1;
            self.approach.commit();
        } else {
            self.counts.undefined += usize::from(arrival == Arrival::Undefined);
            // The factor was overwritten: what held before holds again.
            let again = self.here.load_into(&mut self.factor, self.settings.method);
            if again.is_err() || self.factor_free().is_err() {
                return Err(FitStop::NonFinite);
            }
        }
        Ok(arrival)
    }

    /// Whether the trial, loaded into the factor, ends on a bound at which other parameters lose their effect.
    fn landing_costs_rank(&mut self) -> bool {
        let Some(bounds) = &self.problem.bounds else { return false };
        if self.approach.landed.is_empty() || self.approach.insists() {
            return false;
        }
        let mut free = Vec::with_capacity(self.free.len());
        bounds.free_at(&self.trial.w, &self.trial.gradient, &mut free);
        let factored = !free.is_empty() && self.factor.factor(&self.scales, &free).is_ok();
        factored && self.deficiency_of(free.len()) > self.deficiency
    }

    /// Adds a record of the present trial.
    pub(crate) fn note(&mut self, kind: StepKind, verdict: Verdict, gain_ratio: f64, norm: f64) {
        let iteration = self.counts.accepted - usize::from(verdict == Verdict::Accepted);
        let loss = match verdict {
            Verdict::Accepted => self.here.loss,
            Verdict::Rejected => self.trial.loss,
            Verdict::Undefined => f64::NAN,
        };
        self.history.push(StepRecord {
            iteration,
            kind,
            verdict,
            loss,
            gain_ratio,
            damping: self.damping,
            radius: self.radius,
            step_norm: norm,
            cosine: self.measures.image / self.measures.residual,
        });
        self.counts.rejected += usize::from(verdict != Verdict::Accepted);
    }

    /// `norm(D w)`.
    pub(crate) fn scaled_norm(&self) -> f64 {
        let scaled: Vec<f64> = self.here.w.iter().zip(&self.scales).map(|(w, d)| w * d).collect();
        norm(&scaled)
    }

    /// Remembers that the accepted step was below the loss's rounding.
    pub(crate) fn mark_rounding(&mut self) {
        // The factor is still the one that the step was made with.
        self.at_rounding = Some((self.measures.image / self.measures.residual, self.factor.rank()));
    }

    /// Whether the gradient has stopped to fall since the point before; where it rose, the fit goes back there.
    fn stalls(&mut self, (before, rank): (f64, usize)) -> Result<bool, FitError> {
        let cosine = self.measures.image / self.measures.residual;
        // Another rank is another model: what it promised before says nothing about it.
        if cosine <= 0.5 * before || self.factor.rank() > rank {
            return Ok(false);
        }
        if cosine > before {
            std::mem::swap(&mut self.here, &mut self.trial);
            self.reload()?;
        }
        Ok(true)
    }
}

/// Refuses settings outside their ranges.
fn check(settings: &FitSettings) -> Result<(), FitError> {
    match &settings.damping {
        Damping::TrustRegion { initial_radius } => {
            require_positive("the initial radius", *initial_radius)?;
        }
        Damping::Schedule { length: StepLength::Constant(eta), .. } => {
            require_positive("the schedule's step", *eta)?;
        }
        Damping::Schedule { length: StepLength::Whole, .. } => {}
    }
    let tolerances = [
        ("the gradient tolerance", settings.gradient_tolerance),
        ("the step tolerance", settings.step_tolerance),
        ("the loss tolerance", settings.loss_tolerance),
        ("the rank cutoff", settings.rank_cutoff),
    ];
    for (name, value) in tolerances {
        if !(0.0..1.0).contains(&value) {
            return Err(FitError::InvalidSetting { name, value, accepted: "0 or above, below 1" });
        }
    }
    Ok(())
}
