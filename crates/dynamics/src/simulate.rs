//! A run: the flow of an objective from w_0 to the horizon or to the event that stops it.

use std::ops::ControlFlow;

use gaussflow_integrators::{
    End, EventAction, EventFunction, Grid, IntegrationError, Method, integrate,
};
use gaussflow_objective::{Loss, MapError, Objective, PointError, SmoothMap};
use gaussflow_solvers::JacobianOperator;

use crate::batches::Batching;
use crate::checkpoint::{Checkpoint, Piece};
use crate::ending::{conclude, located, loss_at};
use crate::events::{EventKind, Watch};
use crate::flow::{Flow, SolveSettings};
use crate::observer::{Answer, Observer, ObserverError, Work};
use crate::outcome::{Outcome, StopReason};
use crate::preconditioner::{Preconditioner, RankPolicy};
use crate::settings::{AtExit, Integrator, Settings};

/// Says why a run could not start, or carries the error with which its observer ended it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// The observer returned an error.
    #[error("the observer: {0}")]
    Observer(#[source] ObserverError),
    /// The stiff integrator needs second derivatives ([`MapError::NoSecondDerivatives`]).
    #[error("Integrator::Stiff: {0}")]
    Stiff(#[source] MapError),
    /// Step, horizon, tolerance or initial state are not accepted.
    #[error(transparent)]
    Integration(#[from] IntegrationError),
    /// The map has no linearization at w_0.
    #[error("at the initial weights: {0}")]
    InitialPoint(#[from] PointError),
    /// A threshold or radius is not positive and finite.
    #[error("{name} is {value}; accepted: a finite number above 0")]
    InvalidSetting {
        /// Which setting.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// Batches were given with an integrator that evaluates the field more than once per step.
    #[error(
        "steps on batches of rows are made by Integrator::Discrete and Integrator::Euler alone"
    )]
    Batches,
    /// A momentum outside of [0, 1).
    #[error("the momentum is {momentum}; accepted: a number from 0 to below 1")]
    InvalidMomentum {
        /// Its value.
        momentum: f64,
    },
    /// Checkpoints that do not lie on recorded steps.
    #[error(
        "a checkpoint every {interval} steps does not fit a record every {every}; accepted: a multiple"
    )]
    InvalidInterval {
        /// Steps from checkpoint to checkpoint.
        interval: usize,
        /// Steps from record to record.
        every: usize,
    },
    /// The checkpoint lies at the end of the run or beyond.
    #[error(
        "the checkpoint is at step {step} and the horizon at step {steps}: nothing is left to do"
    )]
    PastHorizon {
        /// Its step.
        step: usize,
        /// Steps of the run.
        steps: usize,
    },
    /// The checkpoint is at a step at which a run with these settings has none.
    #[error("no checkpoint at step {step} in a run with one every {interval} steps")]
    InvalidCheckpoint {
        /// Its step.
        step: usize,
        /// Steps from checkpoint to checkpoint; 0 for none.
        interval: usize,
    },
}

/// Runs the flow of `objective` from `initial` (length p) to the horizon or to the event that stops it.
///
/// The flow is `dw/dt = -(1/alpha) H_rho^-1 J^T grad g(alpha f(w))`. At each recorded step the run calls `observer`, a closure
/// `|step, time, flow|` that returns nothing, a [`ControlFlow`], or a [`Result`] of either ([`Answer`]); `|_, _, _| ()`
/// observes nothing. Any [`SmoothMap`] will do, except for [`Integrator::Stiff`], which needs second derivatives.
///
/// # Cost
/// Euler's method takes one linearization and one damped solve per step, the method of Runge and Kutta four. Watching the
/// rank adds an estimate of sigma_min / sigma_max of J at each step.
///
/// # Errors
/// [`SimulationError`] when the run cannot start, or with the observer's error. Everything that happens later is in the
/// [`Outcome`].
///
/// # Source
/// Equation (1); [`Integrator::Discrete`] is the iteration of Theorem 2.
///
/// # Examples
/// ```
/// use gaussflow_dynamics::{Settings, simulate};
/// use gaussflow_objective::{FiniteDifferences, Objective, ResidualFn, Squared};
///
/// // f(w) = (w, w): the flow contracts g by exp(-4 t) towards the mean of the targets.
/// let map = FiniteDifferences::new(ResidualFn::new(2, 1, |w, out| out.fill(w[0])));
/// let objective = Objective::new(map, Squared::new(vec![1.0, 3.0])?, 1.0)?;
/// let mut losses = Vec::new();
/// let outcome = simulate(&objective, &[0.0], &Settings::default(), |_, _, flow| {
///     losses.push(flow.linearization().loss());
/// })?;
/// assert_eq!(losses.len(), 501);
/// assert!((outcome.final_weights[0] - 2.0).abs() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn simulate<M: SmoothMap, L: Loss, A: Answer>(
    objective: &Objective<M, L>,
    initial: &[f64],
    settings: &Settings,
    mut observer: impl FnMut(usize, f64, &mut Flow<'_, M, L>) -> A,
) -> Result<Outcome, SimulationError> {
    in_pieces((objective, None), initial, None, settings, &mut observer)
}

/// Runs as [`simulate`] does, from `checkpoint` on (from `initial` where it is `None`), with an [`Observer`] that also
/// receives checkpoints.
///
/// The checkpoint must come from a run from `initial` (w_0, length p) with the same settings. A resumed run is then bitwise
/// identical to an uninterrupted one. The counts of the outcome cover the work since the checkpoint. Without
/// [`Settings::checkpoint_every`] the state at any recorded step can serve as a checkpoint; the resumed run then agrees with
/// the uninterrupted one up to the accuracy of its solves, because it rebuilds its caches where the other one did not.
///
/// # Errors
/// As [`simulate`]; [`SimulationError::InvalidCheckpoint`] for a step at which this run has no checkpoint, and
/// [`SimulationError::PastHorizon`] for one at the end of the run or beyond.
pub fn resume<M: SmoothMap, L: Loss>(
    objective: &Objective<M, L>,
    initial: &[f64],
    checkpoint: Option<&Checkpoint>,
    settings: &Settings,
    observer: &mut dyn Observer<M, L>,
) -> Result<Outcome, SimulationError> {
    resume_in_batches(objective, None, initial, checkpoint, settings, observer)
}

/// Runs as [`resume`] does, with steps on batches of rows where `batching` is given.
///
/// It works with [`Integrator::Discrete`] and [`Integrator::Euler`]. The observer still sees the objective on all rows, which
/// is linearized only where a step is recorded. Loss of rank is not watched. Momentum starts at zero at each checkpoint.
///
/// # Errors
/// As [`resume`]; [`SimulationError::Batches`] for another integrator, and [`SimulationError::InvalidMomentum`] for a
/// momentum outside [0, 1).
pub fn resume_in_batches<M: SmoothMap, L: Loss>(
    objective: &Objective<M, L>,
    batching: Option<Batching<'_, M, L>>,
    initial: &[f64],
    checkpoint: Option<&Checkpoint>,
    settings: &Settings,
    observer: &mut dyn Observer<M, L>,
) -> Result<Outcome, SimulationError> {
    if let Some(Batching { momentum, .. }) = batching {
        if !matches!(settings.integrator, Integrator::Discrete | Integrator::Euler) {
            return Err(SimulationError::Batches);
        }
        if !(0.0..1.0).contains(&momentum) {
            return Err(SimulationError::InvalidMomentum { momentum });
        }
    }
    let interval = settings.checkpoint_every;
    if let Some(&Checkpoint { step, .. }) = checkpoint
        && (step == 0 || (interval > 0 && !step.is_multiple_of(interval)))
    {
        return Err(SimulationError::InvalidCheckpoint { step, interval });
    }
    let steps = settings.grid(objective.scaling()).steps()?;
    if let Some(&Checkpoint { step, .. }) = checkpoint.filter(|at| at.step >= steps) {
        return Err(SimulationError::PastHorizon { step, steps });
    }
    in_pieces((objective, batching), initial, checkpoint.cloned(), settings, observer)
}

/// Integrates from checkpoint to checkpoint.
fn in_pieces<M: SmoothMap, L: Loss>(
    (objective, batching): (&Objective<M, L>, Option<Batching<'_, M, L>>),
    initial: &[f64],
    mut checkpoint: Option<Checkpoint>,
    settings: &Settings,
    observer: &mut dyn Observer<M, L>,
) -> Result<Outcome, SimulationError> {
    check(objective.map(), settings)?;
    let solve = effective_solve(settings);
    let (method, grid) = method_and_grid(settings, objective.scaling());
    let mut work = Work::default();
    loop {
        let begin = checkpoint.as_ref().map_or(0, |at| at.step);
        let piece = Piece::new(grid, begin, settings.checkpoint_every)?;
        let start = checkpoint.as_ref().map_or(initial, |at| &at.weights);
        let mut flow =
            Flow::new(objective, settings.preconditioner, solve).map_err(PointError::from)?;
        flow.move_to(start).map_err(PointError::from)?;
        if let Some(batching) = batching {
            flow.take_batches(batching, (grid.step, begin));
        }
        // Rank is judged on the scale of the run's start: a network that saturates shrinks its whole
        // Jacobian.
        let rank_scale = match &checkpoint {
            Some(at) => at.rank_scale,
            None => flow.linearization_mut().largest_singular_value().map_err(PointError::from)?,
        };
        flow.linearization_mut().set_rank_scale(rank_scale);

        // Where the spectrum is out of reach nobody can watch it.
        let tall = flow.linearization().jacobian().total_rows() >= start.len();
        let rank_is_watched = settings.preconditioner == Preconditioner::GaussNewton
            // With p > n the Gram matrix is singular everywhere: nothing is lost on the way.
            && tall
            && batching.is_none()
            && flow.linearization().has_whole_spectrum();
        let mut watches = watches(settings, solve, initial, rank_is_watched);
        let mut events = Vec::new();
        if let Some(at) = &checkpoint {
            events.clone_from(&at.events);
            watches.retain(|watch| at.events.iter().all(|event| event.kind != watch.kind));
            watches.iter_mut().for_each(|watch| watch.reference = at.stationary_reference);
        }
        // Where the observed point has no linearization the run ends; integrators know no such reason.
        let mut unobservable: Option<MapError> = None;
        let mut refusal: Option<ObserverError> = None;
        let mut record = |flow: &mut Flow<'_, M, L>, step: usize, _: f64, w: &[f64]| {
            // The checkpoint itself was recorded before it was made.
            if step == 0 && !piece.is_first() {
                return ControlFlow::Continue(());
            }
            if let Err(error) = flow.move_to(w) {
                unobservable = Some(error);
                return ControlFlow::Break(());
            }
            match piece.place(step) {
                Ok((step, time)) => observer.record(step, time, flow).unwrap_or_else(|error| {
                    refusal = Some(error);
                    ControlFlow::Break(())
                }),
                // The grid was checked when the piece was made.
                Err(_) => ControlFlow::Break(()),
            }
        };
        let mut integration = {
            let mut functions: Vec<&mut dyn EventFunction<Flow<'_, M, L>>> =
                watches.iter_mut().map(|watch| watch as _).collect();
            integrate(method, piece.grid()?, &mut flow, start, &mut functions, &mut record)?
        };
        if let Some(error) = refusal {
            return Err(SimulationError::Observer(error));
        }
        work.statistics += integration.statistics;
        integration.time = match integration.end {
            End::Horizon => grid.time(piece.end())?,
            _ => piece.time(integration.time)?,
        };
        for event in &mut integration.events {
            event.step = piece.place(event.step)?.0;
            event.time = piece.time(event.time)?;
        }
        events.extend(located(&mut flow, &mut watches, &integration.events));
        let goes_on = integration.end == End::Horizon && !piece.is_last();
        if goes_on {
            let at = Checkpoint {
                step: piece.end(),
                weights: std::mem::take(&mut integration.state),
                rank_scale,
                stationary_reference: watches.iter().find_map(|watch| watch.reference),
                events,
            };
            work.counts += flow.counts();
            if observer.checkpoint(&at, &work).map_err(SimulationError::Observer)?.is_continue() {
                checkpoint = Some(at);
                continue;
            }
            let Checkpoint { weights, events, .. } = at;
            return Ok(Outcome {
                stop_reason: StopReason::Interrupted,
                final_time: integration.time,
                final_loss: loss_at(&mut flow, &weights),
                final_weights: weights,
                events,
                counts: work.counts,
                statistics: work.statistics,
            });
        }
        let thresholds = (grid.step, settings.rank_threshold);
        let mut outcome =
            conclude(&mut flow, &watches, integration, unobservable, events, thresholds);
        outcome.counts = work.counts;
        outcome.counts += flow.counts();
        outcome.statistics = work.statistics;
        return Ok(outcome);
    }
}

/// Refuses thresholds that are not positive and finite, and a stiff run without second derivatives.
fn check<M: SmoothMap>(map: &M, settings: &Settings) -> Result<(), SimulationError> {
    if matches!(settings.integrator, Integrator::Stiff(_)) && map.second_order().is_none() {
        return Err(SimulationError::Stiff(MapError::NoSecondDerivatives));
    }
    let named = [
        ("the rank threshold", Some(settings.rank_threshold)),
        ("the ball radius", settings.ball_radius),
        ("the stationary fraction", settings.stationary_fraction),
    ];
    for (name, value) in named {
        if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0)) {
            return Err(SimulationError::InvalidSetting { name, value });
        }
    }
    let (interval, every) = (settings.checkpoint_every, settings.record_every);
    if every > 0 && !interval.is_multiple_of(every) {
        return Err(SimulationError::InvalidInterval { interval, every });
    }
    Ok(())
}

/// Error-controlled runs stop at loss of rank whatever the policy says.
fn effective_solve(settings: &Settings) -> SolveSettings {
    if settings.integrator.is_error_controlled() {
        SolveSettings { rank_policy: RankPolicy::Stop, ..settings.solve }
    } else {
        settings.solve
    }
}

/// The events to be located.
fn watches(
    settings: &Settings,
    solve: SolveSettings,
    initial: &[f64],
    rank_is_watched: bool,
) -> Vec<Watch> {
    let watch = |kind, threshold, action| Watch {
        kind,
        threshold,
        action,
        initial: initial.to_vec(),
        reference: None,
    };
    let mut found = Vec::new();
    if let Some(radius) = settings.ball_radius {
        let action = match settings.at_exit {
            AtExit::Continue => EventAction::Continue,
            AtExit::Stop => EventAction::Stop,
        };
        found.push(watch(EventKind::LeftBall, radius, action));
    }
    if rank_is_watched {
        let action = match solve.rank_policy {
            RankPolicy::Stop => EventAction::Stop,
            RankPolicy::PseudoInverse | RankPolicy::RaiseDamping => EventAction::Continue,
        };
        found.push(watch(EventKind::RankLost, settings.rank_threshold, action));
    }
    if let Some(fraction) = settings.stationary_fraction {
        found.push(watch(EventKind::Stationary, fraction, EventAction::Stop));
    }
    found
}

/// The integrator's method and grid; the discrete iteration is Euler.
fn method_and_grid(settings: &Settings, scaling: f64) -> (Method, Grid) {
    let grid = settings.grid(scaling);
    let step = grid.step;
    let method = match settings.integrator {
        Integrator::Euler | Integrator::Discrete => Method::Euler { step },
        Integrator::RungeKutta4 => Method::RungeKutta4 { step },
        Integrator::Adaptive(tolerances) => Method::Adaptive {
            relative_tolerance: tolerances.relative,
            absolute_tolerance: tolerances.absolute,
        },
        Integrator::Stiff(tolerances) => Method::Stiff {
            relative_tolerance: tolerances.relative,
            absolute_tolerance: tolerances.absolute,
        },
    };
    (method, grid)
}
