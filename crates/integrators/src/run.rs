//! An integration under way: the loop that every method shares.
//!
//! Each accepted step is searched for events, then observed at the grid times inside it, then
//! committed; nothing after a stopping event is observed.

use crate::bracket::{Bracket, fall_through_zero};
use crate::event::{EventAction, LocatedEvent};
use crate::field::{Failure, Reason, SharedProbe};
use crate::grid::Schedule;
use crate::outcome::{End, Integration, Statistics};
use crate::segment::Stepper;

/// An event function as far as the run has followed it.
struct Watch {
    action: EventAction,
    /// The value at [`Run::time`], above 0 until the event fires.
    value: f64,
    has_fired: bool,
}

/// The committed state and everything that watches it.
pub(crate) struct Run<'r, 'f> {
    probe: &'r SharedProbe<'f>,
    grid: Schedule,
    watches: Vec<Watch>,
    time: f64,
    state: Vec<f64>,
    /// The state at the end of the step under inspection, or at the horizon inside it.
    ahead: Vec<f64>,
    inside: Vec<f64>,
    next_recorded: usize,
    events: Vec<LocatedEvent>,
    statistics: Statistics,
}

impl<'r, 'f> Run<'r, 'f> {
    pub(crate) fn new(
        probe: &'r SharedProbe<'f>,
        grid: Schedule,
        initial: &[f64],
        events: &[EventAction],
    ) -> Self {
        let watches = events
            .iter()
            .map(|&action| Watch { action, value: f64::INFINITY, has_fired: false })
            .collect();
        Self {
            probe,
            grid,
            watches,
            time: 0.0,
            state: initial.to_vec(),
            ahead: initial.to_vec(),
            inside: initial.to_vec(),
            next_recorded: 0,
            events: Vec::new(),
            statistics: Statistics::default(),
        }
    }

    /// Time 0: events that have already happened, then the first record.
    pub(crate) fn start(&mut self) -> Result<(), End<Reason>> {
        for index in 0..self.watches.len() {
            let value = self.event_value(index, 0.0, Place::Ahead);
            let value = value.map_err(|failure| End::of_failure(failure, 0.0))?;
            self.watches[index].value = value;
            if value <= 0.0 {
                self.watches[index].has_fired = true;
                let state = self.state.clone();
                self.events.push(LocatedEvent { index, time: 0.0, step: 0, state });
            }
        }
        self.record_one(0, 0.0, Place::Ahead)?;
        match self.first_stop(0) {
            Some(position) => Err(End::Event { index: self.events[position].index }),
            None => Ok(()),
        }
    }

    /// Steps until something ends the integration.
    pub(crate) fn drive(&mut self, stepper: Result<&mut dyn Stepper, Failure>) -> End<Reason> {
        let stepper = match stepper {
            Ok(stepper) => stepper,
            Err(failure) => return End::of_failure(failure, self.time),
        };
        let end = loop {
            if let Err(end) = self.step(stepper) {
                break end;
            }
        };
        self.statistics.rejected_steps = stepper.rejected_steps();
        end
    }

    fn step(&mut self, stepper: &mut dyn Stepper) -> Result<(), End<Reason>> {
        let begin = self.time;
        let ended = |failure| End::of_failure(failure, begin);
        stepper.advance(self.probe).map_err(ended)?;
        self.statistics.accepted_steps += 1;
        let limit = stepper.end_time().min(self.grid.last_time());
        stepper.state_at(self.probe, limit, &mut self.ahead).map_err(ended)?;
        if !self.ahead.iter().all(|x| x.is_finite()) {
            return Err(End::NonFinite { time: begin });
        }

        let first_new = self.events.len();
        self.locate_events(stepper, limit).map_err(ended)?;
        let stop = self.first_stop(first_new);
        let until = stop.map_or(limit, |position| self.events[position].time);
        self.record_until(stepper, until, limit)?;

        if let Some(position) = stop {
            let event = &self.events[position];
            self.time = event.time;
            self.state.copy_from_slice(&event.state);
            return Err(End::Event { index: event.index });
        }
        self.time = limit;
        std::mem::swap(&mut self.state, &mut self.ahead);
        if limit >= self.grid.last_time() { Err(End::Horizon) } else { Ok(()) }
    }

    /// Appends the events that fire up to `limit`, in the order of their times, none after the
    /// first that stops.
    fn locate_events(&mut self, stepper: &mut dyn Stepper, limit: f64) -> Result<(), Failure> {
        let first_new = self.events.len();
        for index in 0..self.watches.len() {
            if self.watches[index].has_fired {
                continue;
            }
            let value = self.event_value(index, limit, Place::Ahead)?;
            if value > 0.0 {
                self.watches[index].value = value;
                continue;
            }
            let bracket = Bracket {
                low: self.time,
                high: limit,
                low_value: self.watches[index].value,
                high_value: value,
            };
            let time = fall_through_zero(bracket, |time| {
                stepper.state_at(self.probe, time, &mut self.inside)?;
                self.event_value(index, time, Place::Inside)
            })?;
            let mut state = self.ahead.clone();
            if time < limit {
                stepper.state_at(self.probe, time, &mut state)?;
            }
            self.watches[index].has_fired = true;
            let step = self.grid.step_at_or_after(time);
            self.events.push(LocatedEvent { index, time, step, state });
        }
        self.events[first_new..].sort_by(|a, b| a.time.total_cmp(&b.time));
        if let Some(position) = self.first_stop(first_new) {
            let stop = self.events[position].time;
            self.events.retain(|event| event.time <= stop);
        }
        Ok(())
    }

    /// The first event from position `from` on that stops.
    fn first_stop(&self, from: usize) -> Option<usize> {
        let is_stop = |event: &LocatedEvent| self.watches[event.index].action == EventAction::Stop;
        self.events[from..].iter().position(is_stop).map(|position| from + position)
    }

    /// Records the grid points up to `until`; `limit` is the time of the state ahead.
    fn record_until(
        &mut self,
        stepper: &mut dyn Stepper,
        until: f64,
        limit: f64,
    ) -> Result<(), End<Reason>> {
        while self.next_recorded <= self.grid.steps() {
            let time = self.grid.time(self.next_recorded);
            if time > until {
                break;
            }
            let place = if time >= limit { Place::Ahead } else { Place::Inside };
            if matches!(place, Place::Inside) {
                stepper
                    .state_at(self.probe, time, &mut self.inside)
                    .map_err(|failure| End::of_failure(failure, self.time))?;
            }
            self.record_one(self.next_recorded, time, place)?;
        }
        Ok(())
    }

    fn record_one(&mut self, step: usize, time: f64, place: Place) -> Result<(), End<Reason>> {
        self.next_recorded = self.grid.next_recorded(step);
        let state = place.of(&self.ahead, &self.inside);
        let flow = self.probe.borrow_mut().field.record(step, time, state);
        if flow.is_break() {
            self.time = time;
            self.state.copy_from_slice(state);
            self.events.retain(|event| event.time <= time);
            return Err(End::Interrupted { time });
        }
        Ok(())
    }

    /// The value of event `index` at the state ahead or inside; never NaN.
    fn event_value(&mut self, index: usize, time: f64, place: Place) -> Result<f64, Failure> {
        self.statistics.event_evaluations += 1;
        let state = place.of(&self.ahead, &self.inside);
        let value = self.probe.borrow_mut().field.event_value(index, time, state);
        match value.map_err(Failure::Breakdown)? {
            value if value.is_nan() => Err(Failure::NonFinite),
            value => Ok(value),
        }
    }

    pub(crate) fn finish(self, end: End<Reason>) -> Integration<Reason> {
        let mut statistics = self.statistics;
        let probe = self.probe.borrow();
        statistics.field_evaluations = probe.field_evaluations;
        statistics.jacobian_products = probe.jacobian_products;
        Integration { end, time: self.time, state: self.state, events: self.events, statistics }
    }
}

/// Which of the run's buffers holds the state in question.
#[derive(Clone, Copy)]
enum Place {
    /// The end of the step, or the horizon inside it.
    Ahead,
    /// A time inside the step.
    Inside,
}

impl Place {
    fn of<'s>(self, ahead: &'s [f64], inside: &'s [f64]) -> &'s [f64] {
        match self {
            Place::Ahead => ahead,
            Place::Inside => inside,
        }
    }
}
