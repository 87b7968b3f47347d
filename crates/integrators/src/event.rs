//! Events: the first time at which a function of the state falls from positive to zero or below.
//!
//! `t* = inf { t >= 0 : e(t, x(t)) <= 0 }`, as seen at the ends of the accepted steps: a value
//! that dips below zero and returns inside one step is not seen.

use crate::field::VectorField;

/// Says what an event does to the integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventAction {
    /// End the integration at the event.
    Stop,
    /// Record the event and go on; later crossings of the same function are ignored.
    Continue,
}

/// Defines an event: the time at which a function of the state falls to zero, such as the distance to a boundary.
pub trait EventFunction<F: VectorField> {
    /// Returns the value at a time and state. The event fires where it falls from above 0 to 0 or below, or at time 0 if it
    /// is not above 0 there. A NaN ends the integration.
    ///
    /// # Errors
    /// The reason of the field why there is no value; the integration ends with it.
    fn value(&mut self, field: &mut F, time: f64, state: &[f64]) -> Result<f64, F::Breakdown>;

    /// Returns what happens when the event fires; asked once, at the start.
    fn action(&self) -> EventAction;
}

/// Makes an [`EventFunction`] of a closure `(field, time, state) -> Result<value, breakdown>`.
#[derive(Clone, Copy, Debug)]
pub struct FallingValue<V> {
    value: V,
    action: EventAction,
}

impl<V> FallingValue<V> {
    /// Takes `action` where the value of the closure falls to zero.
    pub fn new<F>(action: EventAction, value: V) -> Self
    where
        F: VectorField,
        V: FnMut(&mut F, f64, &[f64]) -> Result<f64, F::Breakdown>,
    {
        Self { value, action }
    }
}

impl<F, V> EventFunction<F> for FallingValue<V>
where
    F: VectorField,
    V: FnMut(&mut F, f64, &[f64]) -> Result<f64, F::Breakdown>,
{
    fn value(&mut self, field: &mut F, time: f64, state: &[f64]) -> Result<f64, F::Breakdown> {
        (self.value)(field, time, state)
    }

    fn action(&self) -> EventAction {
        self.action
    }
}

/// Holds the time and state at which an event fired.
#[derive(Clone, Debug, PartialEq)]
pub struct LocatedEvent {
    /// Index of the event function in the list given to [`integrate`](crate::integrate).
    pub index: usize,
    /// The time. The value of the function is at or below zero here, and above zero at most four units in the last place of
    /// the step's end time earlier.
    pub time: f64,
    /// The number of the first grid time at or after `time`.
    pub step: usize,
    /// The state at `time`, length `n`.
    pub state: Vec<f64>,
}
