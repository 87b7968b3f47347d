//! A run: the flow of an objective from w_0 to the horizon or to the event that stops it.

use std::ops::ControlFlow;

use gaussflow_integrators::{
    End, EventAction, EventFunction, Grid, Integration, IntegrationError, Method, Statistics,
    integrate,
};
use gaussflow_objective::{Loss, MapError, Objective, PointError, SecondOrderMap};
use gaussflow_solvers::{ExtremeSingularValues, SolveError};

use crate::events::{EventKind, EventRecord, Watch};
use crate::flow::{Flow, FlowCounts, SolveSettings};
use crate::preconditioner::{Preconditioner, RankPolicy};
use crate::settings::{AtExit, Integrator, Settings};

/// Sees every recorded step, at the point where the flow is.
///
/// Implement it for a recorder of your own; closures `|step, time, flow|` implement it. Breaking
/// interrupts the run.
pub trait Observer<M: SecondOrderMap, L: Loss> {
    /// Step `step` at `time`; `flow` is at the state and shares what it has computed there.
    fn record(&mut self, step: usize, time: f64, flow: &mut Flow<'_, M, L>) -> ControlFlow<()>;
}

impl<M: SecondOrderMap, L: Loss, C> Observer<M, L> for C
where
    C: FnMut(usize, f64, &mut Flow<'_, M, L>) -> ControlFlow<()>,
{
    fn record(&mut self, step: usize, time: f64, flow: &mut Flow<'_, M, L>) -> ControlFlow<()> {
        self(step, time, flow)
    }
}

/// The observer that does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl<M: SecondOrderMap, L: Loss> Observer<M, L> for Unobserved {
    fn record(&mut self, _: usize, _: f64, _: &mut Flow<'_, M, L>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Why a run ended; data, never an error.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StopReason {
    /// The horizon was reached.
    Horizon,
    /// An event stopped it.
    Event(EventKind),
    /// Error control asked for a step below the spacing of the time axis: a singularity is near
    /// (reported as loss of rank for the undamped flow, where it can be nothing else).
    StepUnderflow,
    /// The observer asked to stop.
    Interrupted,
    /// The map or the linear algebra failed for another reason than rank or finiteness.
    Failed(PointError),
}

impl StopReason {
    /// The name in files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Horizon => "horizon",
            Self::Event(kind) => kind.name(),
            Self::StepUnderflow => "step-underflow",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
        }
    }
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Why it ended.
    pub stop_reason: StopReason,
    /// Time of the final state.
    pub final_time: f64,
    /// The final weights (length p).
    pub final_weights: Vec<f64>,
    /// `g(alpha f)` there.
    pub final_loss: f64,
    /// Events in the order of their times.
    pub events: Vec<EventRecord>,
    /// Solves and fallbacks.
    pub counts: FlowCounts,
    /// Steps and evaluations of the integrator.
    pub statistics: Statistics,
}

impl Outcome {
    /// The first exit from the ball; `None` when there was none or no radius was set.
    pub fn exit_time(&self) -> Option<f64> {
        self.events.iter().find(|e| e.kind == EventKind::LeftBall).map(|e| e.time)
    }
}

/// Why a run could not start.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// Step, horizon, tolerance or initial state are not acceptable.
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
}

/// Runs the flow of `objective` from `initial` (length p), showing every record to `observer`.
///
/// # Errors
/// [`SimulationError`] when the run cannot start; everything later is in the [`Outcome`].
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
/// use gaussflow_dynamics::{Flow, Settings, simulate};
/// use gaussflow_objective::{FiniteDifferences, Objective, ResidualFn, Squared};
///
/// // f(w) = (w, w): the flow contracts g by exp(-4 t) towards the mean of the targets.
/// let map = FiniteDifferences::new(ResidualFn::new(2, 1, |w, out| out.fill(w[0])));
/// let objective = Objective::new(map, Squared::new(vec![1.0, 3.0])?, 1.0)?;
/// let mut losses = Vec::new();
/// let mut record = |_, _, flow: &mut Flow<_, _>| {
///     losses.push(flow.linearization().loss());
///     ControlFlow::Continue(())
/// };
/// let outcome = simulate(&objective, &[0.0], &Settings::default(), &mut record)?;
/// assert_eq!(losses.len(), 501);
/// assert!((outcome.final_weights[0] - 2.0).abs() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn simulate<M: SecondOrderMap, L: Loss>(
    objective: &Objective<M, L>,
    initial: &[f64],
    settings: &Settings,
    observer: &mut dyn Observer<M, L>,
) -> Result<Outcome, SimulationError> {
    check(settings)?;
    let solve = effective_solve(settings);
    let mut flow =
        Flow::new(objective, settings.preconditioner, solve).map_err(PointError::from)?;
    flow.move_to(initial).map_err(PointError::from)?;
    // Rank is judged on the scale of the start: a network that saturates shrinks its whole Jacobian.
    let start = flow.linearization_mut().largest_singular_value().map_err(PointError::from)?;
    flow.linearization_mut().set_rank_scale(start);

    // Where the spectrum is out of reach nobody can watch it.
    let tall = objective.map().outputs() >= objective.map().parameters();
    let rank_is_watched = settings.preconditioner == Preconditioner::GaussNewton
        // With p > n the Gram matrix is singular everywhere: nothing is lost on the way.
        && tall
        && flow.linearization().has_whole_spectrum();
    let mut watches = watches(settings, solve, initial, rank_is_watched);
    let (method, grid) = method_and_grid(settings, objective.scaling());
    // Where the observed point has no linearization the run ends; integrators know no such reason.
    let mut unobservable: Option<MapError> = None;
    let mut record = |flow: &mut Flow<'_, M, L>, step: usize, time: f64, w: &[f64]| {
        if let Err(error) = flow.move_to(w) {
            unobservable = Some(error);
            return ControlFlow::Break(());
        }
        observer.record(step, time, flow)
    };
    let integration = {
        let mut events: Vec<&mut dyn EventFunction<Flow<'_, M, L>>> = Vec::new();
        for watch in &mut watches {
            events.push(watch);
        }
        integrate(method, grid, &mut flow, initial, &mut events, &mut record)?
    };
    Ok(conclude(
        &mut flow,
        &mut watches,
        integration,
        unobservable,
        (grid.step, settings.rank_threshold),
    ))
}

/// Refuses thresholds that are not positive and finite.
fn check(settings: &Settings) -> Result<(), SimulationError> {
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

/// The integrator's method and grid; the discrete iteration is Euler with step alpha eta.
fn method_and_grid(settings: &Settings, alpha: f64) -> (Method, Grid) {
    let step = match settings.integrator {
        Integrator::Discrete => alpha * settings.step,
        _ => settings.step,
    };
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
    (method, Grid { step, every: settings.record_every, horizon: settings.horizon })
}

/// Turns the integrator's end into the run's outcome.
fn conclude<M: SecondOrderMap, L: Loss>(
    flow: &mut Flow<'_, M, L>,
    watches: &mut [Watch],
    integration: Integration<PointError>,
    unobservable: Option<MapError>,
    (step_size, rank_threshold): (f64, f64),
) -> Outcome {
    let Integration { end, time, state, events: located, statistics } = integration;
    let mut events = Vec::new();
    for event in located {
        let Some(watch) = watches.get_mut(event.index) else { continue };
        // The value at the located state; where it is undefined the event says so with NaN.
        let value = watch.measure(flow, &event.state).unwrap_or(f64::NAN);
        let (kind, threshold) = (watch.kind, watch.threshold);
        events.push(EventRecord { kind, time: event.time, step: event.step, value, threshold });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the grid holds at most 1e12 steps and times are not negative"
    )]
    let mut step = (time / step_size).ceil() as usize;
    // The quotient is rounded: settle on the products, which are the recorded times.
    while step > 0 && (step - 1) as f64 * step_size >= time {
        step -= 1;
    }
    let mut note = |kind, value, threshold| {
        if !events.iter().any(|e: &EventRecord| e.kind == kind && e.time >= time) {
            events.push(EventRecord { kind, time, step, value, threshold });
        }
        StopReason::Event(kind)
    };
    let stop_reason = match (end, unobservable) {
        (End::Horizon, _) => StopReason::Horizon,
        (End::Event { index }, _) => match watches.get(index) {
            Some(watch) => StopReason::Event(watch.kind),
            None => StopReason::Horizon,
        },
        (End::NonFinite { .. }, _) => note(EventKind::NonFinite, f64::INFINITY, f64::MAX),
        (End::Breakdown { cause, .. }, _) => match cause {
            PointError::Solve(SolveError::RankDeficient { smallest, largest, cutoff, .. }) => {
                let ratio = if largest > 0.0 { smallest / largest } else { 0.0 };
                note(EventKind::RankLost, ratio, cutoff)
            }
            PointError::Solve(SolveError::NotPositiveDefinite { .. }) => {
                note(EventKind::RankLost, 0.0, 0.0)
            }
            PointError::Map(MapError::NonFinite { value, .. })
            | PointError::Solve(SolveError::NonFinite { value, .. }) => {
                note(EventKind::NonFinite, value, f64::MAX)
            }
            other => StopReason::Failed(other),
        },
        // The undamped field is unbounded only where J loses rank: the singularity is that, and the
        // event tells how near to it the clock could come.
        (End::StepUnderflow { .. }, _) if flow.preconditioner() == Preconditioner::GaussNewton => {
            let near = flow.move_to(&state).is_ok();
            let ratio = flow.linearization_mut().extreme_singular_values();
            let ratio =
                ratio.map(ExtremeSingularValues::ratio).ok().filter(|_| near).unwrap_or(f64::NAN);
            note(EventKind::RankLost, ratio, rank_threshold)
        }
        (End::StepUnderflow { .. }, _) => StopReason::StepUnderflow,
        (End::Interrupted { .. }, Some(MapError::NonFinite { value, .. })) => {
            note(EventKind::NonFinite, value, f64::MAX)
        }
        (End::Interrupted { .. }, Some(error)) => StopReason::Failed(error.into()),
        (End::Interrupted { .. }, None) => StopReason::Interrupted,
    };
    let final_loss = match flow.move_to(&state) {
        Ok(()) => flow.linearization().loss(),
        Err(_) => f64::NAN,
    };
    Outcome {
        stop_reason,
        final_time: time,
        final_weights: state,
        final_loss,
        events,
        counts: flow.counts(),
        statistics,
    }
}
