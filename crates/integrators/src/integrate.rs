//! The one way in: checked input, one of four methods, the shared loop.
//!
//! `dx/dt = v(t, x)` from `x(0)` to the horizon, seen at the times of a [`Grid`].

use std::cell::RefCell;
use std::ops::ControlFlow;

use crate::error::IntegrationError;
use crate::event::{EventAction, EventFunction};
use crate::explicit::{Euler, RungeKutta4};
use crate::field::{Probe, Reason, VectorField, Watched, WatchedField};
use crate::grid::{Grid, Schedule};
use crate::library::{with_adaptive, with_stiff};
use crate::method::{Method, Tolerances};
use crate::outcome::Integration;
use crate::run::Run;

/// Receives the solution at the recorded grid times in order, start and end included.
///
/// A closure `FnMut(&mut F, usize, f64, &[f64]) -> ControlFlow<()>` implements it.
pub trait Observer<F: VectorField> {
    /// Receives the grid index `step`, its time, and the state there; `Break` ends the integration with
    /// [`End::Interrupted`](crate::End::Interrupted). It may evaluate the field.
    fn record(&mut self, field: &mut F, step: usize, time: f64, state: &[f64]) -> ControlFlow<()>;
}

impl<F, O> Observer<F> for O
where
    F: VectorField,
    O: FnMut(&mut F, usize, f64, &[f64]) -> ControlFlow<()>,
{
    fn record(&mut self, field: &mut F, step: usize, time: f64, state: &[f64]) -> ControlFlow<()> {
        self(field, step, time, state)
    }
}

/// Observes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl<F: VectorField> Observer<F> for Unobserved {
    fn record(&mut self, _: &mut F, _: usize, _: f64, _: &[f64]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Integrates `dx/dt = v(t, x)` from `x(0) = initial` (length n) to the horizon of the grid, or to an earlier end.
///
/// Results are bitwise identical from run to run. A run to a shorter horizon on the same grid is the beginning of a run to a
/// longer one. Methods with error control may evaluate the field past the horizon, by one of their steps. [`Method::Euler`]
/// with the step of the grid shows `x_k` to the observer, and then evaluates the field once at `x_k`; at the last recorded
/// state it does not evaluate it.
///
/// # Errors
/// [`IntegrationError`] for input that allows no start: a step, tolerance, horizon or interval out of range, or an initial
/// state that is not finite or has another length than the field has components. What happens later is in
/// [`Integration::end`].
pub fn integrate<F: VectorField>(
    method: Method,
    grid: Grid,
    field: &mut F,
    initial: &[f64],
    events: &mut [&mut dyn EventFunction<F>],
    observer: &mut dyn Observer<F>,
) -> Result<Integration<F::Breakdown>, IntegrationError> {
    let actions: Vec<EventAction> = events.iter().map(|event| event.action()).collect();
    let mut watched = WatchedField { field, events, observer };
    integrate_any(method, grid, &mut watched, initial, &actions).map(Integration::of_any)
}

/// [`integrate`] for a field of any type.
fn integrate_any(
    method: Method,
    grid: Grid,
    field: &mut dyn Watched,
    initial: &[f64],
    events: &[EventAction],
) -> Result<Integration<Reason>, IntegrationError> {
    let schedule = Schedule::of_grid(&grid)?;
    let plan = Plan::new(method, schedule)?;
    check_initial(field.dimension(), initial)?;

    let probe = RefCell::new(Probe::new(field));
    let mut run = Run::new(&probe, schedule, initial, events);
    let end = match run.start() {
        Err(end) => end,
        Ok(()) => match plan {
            Plan::Euler(steps) => run.drive(Ok(&mut Euler::new(steps, initial))),
            Plan::RungeKutta4(steps) => run.drive(Ok(&mut RungeKutta4::new(steps, initial))),
            Plan::Adaptive(tolerances) => {
                with_adaptive(&probe, initial, tolerances, |stepper| run.drive(stepper))?
            }
            Plan::Stiff(tolerances) => {
                with_stiff(&probe, initial, tolerances, |stepper| run.drive(stepper))?
            }
        },
    };
    Ok(run.finish(end))
}

/// A method with checked settings.
enum Plan {
    Euler(Schedule),
    RungeKutta4(Schedule),
    Adaptive(Tolerances),
    Stiff(Tolerances),
}

impl Plan {
    fn new(method: Method, grid: Schedule) -> Result<Self, IntegrationError> {
        let steps = |step| Schedule::of_method(step, grid.last_time());
        Ok(match method {
            Method::Euler { step } => Plan::Euler(steps(step)?),
            Method::RungeKutta4 { step } => Plan::RungeKutta4(steps(step)?),
            Method::Adaptive { relative_tolerance, absolute_tolerance } => {
                Plan::Adaptive(Tolerances::new(relative_tolerance, absolute_tolerance)?)
            }
            Method::Stiff { relative_tolerance, absolute_tolerance } => {
                Plan::Stiff(Tolerances::new(relative_tolerance, absolute_tolerance)?)
            }
        })
    }
}

fn check_initial(dimension: usize, initial: &[f64]) -> Result<(), IntegrationError> {
    if dimension == 0 {
        return Err(IntegrationError::EmptyState);
    }
    if initial.len() != dimension {
        return Err(IntegrationError::DimensionMismatch {
            expected: dimension,
            found: initial.len(),
        });
    }
    match initial.iter().position(|x| !x.is_finite()) {
        Some(index) => {
            Err(IntegrationError::NonFiniteInitialState { index, value: initial[index] })
        }
        None => Ok(()),
    }
}
