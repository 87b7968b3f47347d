//! What an integration returns: how it ended, where, and what it cost. None of it is an error.

use std::rc::Rc;

use crate::event::LocatedEvent;
use crate::field::{Failure, Reason};

/// Says why an integration ended. Each `time` equals [`Integration::time`], the last time at which the state is known to be
/// valid.
#[derive(Clone, Debug, PartialEq)]
pub enum End<B> {
    /// The horizon was reached; the state is the solution there.
    Horizon,
    /// An event that stops fired. It is the last entry of [`Integration::events`], except for others at the same time, and
    /// the state is that of the event.
    Event {
        /// Index of the event function in the list given to [`integrate`](crate::integrate).
        index: usize,
    },
    /// The next state, or a field or event value that leads to it, is infinite or NaN; for methods with error control also a
    /// state beyond `1e100` or a derivative beyond `1e150`.
    NonFinite {
        /// The last time with a finite state.
        time: f64,
    },
    /// The field, its Jacobian or an event function has no value before the next state, and no shorter step avoids that.
    Breakdown {
        /// The last time with a value.
        time: f64,
        /// The reason that the field gave.
        cause: B,
    },
    /// The tolerance asks for a step below the spacing of floating-point times, as happens before a singularity.
    StepUnderflow {
        /// The last accepted time.
        time: f64,
    },
    /// The observer stopped the integration.
    Interrupted {
        /// The recorded time at which it did.
        time: f64,
    },
}

impl End<Reason> {
    pub(crate) fn of_failure(failure: Failure, time: f64) -> Self {
        match failure {
            Failure::Breakdown(cause) => End::Breakdown { time, cause },
            Failure::NonFinite => End::NonFinite { time },
            Failure::StepUnderflow => End::StepUnderflow { time },
        }
    }
}

impl<B: Clone + 'static> End<B> {
    /// With the type of the field's reasons, which all are `B`.
    fn of_any(end: End<Reason>) -> Self {
        match end {
            End::Horizon => End::Horizon,
            End::Event { index } => End::Event { index },
            End::NonFinite { time } => End::NonFinite { time },
            End::Breakdown { time, cause } => match cause.downcast() {
                Ok(cause) => End::Breakdown { time, cause: Rc::unwrap_or_clone(cause) },
                Err(_) => unreachable!("every reason came from the one field that is integrated"),
            },
            End::StepUnderflow { time } => End::StepUnderflow { time },
            End::Interrupted { time } => End::Interrupted { time },
        }
    }
}

/// Counts the work of an integration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Steps taken, the one past the horizon or an event included.
    pub accepted_steps: usize,
    /// Attempts rejected by the error test or the Newton iteration; 0 for fixed steps.
    pub rejected_steps: usize,
    /// Calls of [`VectorField::evaluate`](crate::VectorField::evaluate) by the method, those in
    /// rejected attempts included; not those of observers and event functions.
    pub field_evaluations: usize,
    /// Calls of [`VectorField::jacobian_apply`](crate::VectorField::jacobian_apply).
    pub jacobian_products: usize,
    /// Calls of [`EventFunction::value`](crate::EventFunction::value).
    pub event_evaluations: usize,
}

impl std::ops::AddAssign for Statistics {
    fn add_assign(&mut self, other: Self) {
        self.accepted_steps += other.accepted_steps;
        self.rejected_steps += other.rejected_steps;
        self.field_evaluations += other.field_evaluations;
        self.jacobian_products += other.jacobian_products;
        self.event_evaluations += other.event_evaluations;
    }
}

/// Holds the outcome of an integration.
#[derive(Clone, Debug, PartialEq)]
pub struct Integration<B> {
    /// Why it ended.
    pub end: End<B>,
    /// The time at which it ended, from 0 to the horizon.
    pub time: f64,
    /// The state at `time` (length n).
    pub state: Vec<f64>,
    /// The events that fired up to `time`, in the order of their times.
    pub events: Vec<LocatedEvent>,
    /// The work.
    pub statistics: Statistics,
}

impl<B: Clone + 'static> Integration<B> {
    /// With the type of the field's reasons.
    pub(crate) fn of_any(found: Integration<Reason>) -> Self {
        let Integration { end, time, state, events, statistics } = found;
        Self { end: End::of_any(end), time, state, events, statistics }
    }
}
