//! From the integrator's end to the run's outcome: events with their values, stop reason, final loss.

use gaussflow_integrators::{End, Integration, LocatedEvent};
use gaussflow_objective::{Loss, MapError, PointError, SmoothMap};
use gaussflow_solvers::{ExtremeSingularValues, SolveError};

use crate::events::{EventKind, EventRecord, Watch};
use crate::flow::Flow;
use crate::outcome::{Outcome, StopReason};
use crate::preconditioner::Preconditioner;

/// Turns the integrator's end into the run's outcome.
pub(crate) fn conclude<M: SmoothMap, L: Loss>(
    flow: &mut Flow<'_, M, L>,
    watches: &[Watch],
    integration: Integration<PointError>,
    unobservable: Option<MapError>,
    mut events: Vec<EventRecord>,
    (step_size, rank_threshold): (f64, f64),
) -> Outcome {
    let Integration { end, time, state, statistics, .. } = integration;
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
    Outcome {
        stop_reason,
        final_time: time,
        final_loss: loss_at(flow, &state),
        final_weights: state,
        events,
        counts: flow.counts(),
        statistics,
    }
}

/// The loss at `w`; NaN where it is undefined.
pub(crate) fn loss_at<M: SmoothMap, L: Loss>(flow: &mut Flow<'_, M, L>, w: &[f64]) -> f64 {
    match flow.move_to(w) {
        Ok(()) => flow.linearization().loss(),
        Err(_) => f64::NAN,
    }
}

/// The located events with what was measured at them.
pub(crate) fn located<M: SmoothMap, L: Loss>(
    flow: &mut Flow<'_, M, L>,
    watches: &mut [Watch],
    events: &[LocatedEvent],
) -> Vec<EventRecord> {
    let mut found = Vec::new();
    for event in events {
        let Some(watch) = watches.get_mut(event.index) else { continue };
        // The value at the located state; where it is undefined the event says so with NaN.
        let value = watch.measure(flow, &event.state).unwrap_or(f64::NAN);
        let (kind, threshold) = (watch.kind, watch.threshold);
        found.push(EventRecord { kind, time: event.time, step: event.step, value, threshold });
    }
    found
}
