//! The vector field that is integrated, and the probe through which every method reads it.
//!
//! `dx/dt = v(t, x)` on `R^n`. A field may have no value at a point; the reason travels to the
//! outcome unchanged, and no method mistakes it for a number.

use std::any::Any;
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::event::EventFunction;
use crate::integrate::Observer;

/// Defines an ordinary differential equation `dx/dt = v(t, x)`, with x in `R^n` and n = `dimension()`.
///
/// Methods take `&mut self`, so that a field may keep what it computed last. Its values must depend on the arguments only.
pub trait VectorField {
    /// Why the field has no value at a point (for example loss of rank), with its numbers.
    type Breakdown: Clone + std::fmt::Debug + 'static;

    /// Returns the number n of components of the state, which must not change.
    fn dimension(&self) -> usize;

    /// Writes `v(time, state)` to `derivative` (both of length n).
    ///
    /// # Errors
    /// The reason why the field has no value there; the integration ends with it ([`End::Breakdown`](crate::End::Breakdown)).
    fn evaluate(
        &mut self,
        time: f64,
        state: &[f64],
        derivative: &mut [f64],
    ) -> Result<(), Self::Breakdown>;

    /// Writes the directional derivative `Dv(time, state) direction` to `out` (all of length n). Only
    /// [`Method::Stiff`](crate::Method::Stiff) calls it.
    ///
    /// # Errors
    /// The reason why the field has no derivative there.
    fn jacobian_apply(
        &mut self,
        time: f64,
        state: &[f64],
        direction: &[f64],
        out: &mut [f64],
    ) -> Result<(), Self::Breakdown>;
}

/// Why a field has no value, whatever the field's own type of reasons.
pub(crate) type Reason = Rc<dyn Any>;

/// A field with all that watches it, whatever its type: what an integration asks. Methods are compiled once for all
/// fields because they see no more than this; a field's reason why it has no value travels as a [`Reason`].
pub(crate) trait Watched: VectorField<Breakdown = Reason> {
    fn record(&mut self, step: usize, time: f64, state: &[f64]) -> ControlFlow<()>;

    fn event_value(&mut self, index: usize, time: f64, state: &[f64]) -> Result<f64, Reason>;
}

/// A field, its event functions and its observer.
pub(crate) struct WatchedField<'f, 'e, F> {
    pub(crate) field: &'f mut F,
    pub(crate) events: &'f mut [&'e mut dyn EventFunction<F>],
    pub(crate) observer: &'f mut dyn Observer<F>,
}

impl<F: VectorField> VectorField for WatchedField<'_, '_, F> {
    type Breakdown = Reason;

    fn dimension(&self) -> usize {
        self.field.dimension()
    }

    fn evaluate(&mut self, time: f64, state: &[f64], derivative: &mut [f64]) -> Result<(), Reason> {
        self.field.evaluate(time, state, derivative).map_err(any)
    }

    fn jacobian_apply(
        &mut self,
        time: f64,
        state: &[f64],
        direction: &[f64],
        out: &mut [f64],
    ) -> Result<(), Reason> {
        self.field.jacobian_apply(time, state, direction, out).map_err(any)
    }
}

impl<F: VectorField> Watched for WatchedField<'_, '_, F> {
    fn record(&mut self, step: usize, time: f64, state: &[f64]) -> ControlFlow<()> {
        self.observer.record(self.field, step, time, state)
    }

    fn event_value(&mut self, index: usize, time: f64, state: &[f64]) -> Result<f64, Reason> {
        self.events[index].value(self.field, time, state).map_err(any)
    }
}

fn any<B: 'static>(cause: B) -> Reason {
    Rc::new(cause)
}

/// Why a method could not take its next step.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The field, its Jacobian or an event function has no value.
    Breakdown(Reason),
    /// A value was infinite, not a number, or past the range the method can square.
    NonFinite,
    /// The step that the tolerance asks for is below the spacing of the time axis.
    StepUnderflow,
}

/// States past this size count as overflow in the error-controlled methods. It lies between what
/// an honest state reaches and what a stage holds after [`REJECTING_VALUE`] entered it.
const LARGEST_STATE: f64 = 1e100;

/// What stands in for a field without a value, and the bound on the values it may have.
///
/// diffsol's closures cannot fail, and its error norm is `f64::max(0, norm)`, which reads NaN as
/// "no error at all" and accepts the step. A finite value this size makes the norm huge, so that
/// the step is rejected and cut by the smallest factor instead; times any step it stays finite.
const REJECTING_VALUE: f64 = 1e150;

/// The field, its counters, and what went wrong since the last accepted step.
pub(crate) struct Probe<'f> {
    pub(crate) field: &'f mut dyn Watched,
    pub(crate) field_evaluations: usize,
    pub(crate) jacobian_products: usize,
    /// The latest failure inside the step now attempted; the next step clears it.
    pub(crate) step_failure: Option<Failure>,
    /// A failure of the Jacobian at an accepted state: the next step cannot be trusted.
    pub(crate) jacobian_failure: Option<Failure>,
}

/// The probe, shared between the integrator's loop and the closures that diffsol holds.
pub(crate) type SharedProbe<'f> = RefCell<Probe<'f>>;

impl<'f> Probe<'f> {
    pub(crate) fn new(field: &'f mut dyn Watched) -> Self {
        Self {
            field,
            field_evaluations: 0,
            jacobian_products: 0,
            step_failure: None,
            jacobian_failure: None,
        }
    }

    /// One counted evaluation; a breakdown is the caller's to handle.
    pub(crate) fn evaluate(
        &mut self,
        time: f64,
        state: &[f64],
        derivative: &mut [f64],
    ) -> Result<(), Failure> {
        self.field_evaluations += 1;
        self.field.evaluate(time, state, derivative).map_err(Failure::Breakdown)
    }

    /// Evaluates where state and value must lie in the range that error norms can square.
    pub(crate) fn evaluate_bounded(
        &mut self,
        time: f64,
        state: &[f64],
        derivative: &mut [f64],
    ) -> Result<(), Failure> {
        if !is_honest(time, state) {
            return Err(Failure::NonFinite);
        }
        self.evaluate(time, state, derivative)?;
        if within(derivative, REJECTING_VALUE) { Ok(()) } else { Err(Failure::NonFinite) }
    }

    /// Evaluates for a caller that cannot fail: a failure is remembered, and the derivative
    /// becomes one that no error test accepts.
    pub(crate) fn evaluate_or_reject(&mut self, time: f64, state: &[f64], derivative: &mut [f64]) {
        if let Err(failure) = self.evaluate_bounded(time, state, derivative) {
            // The latest failure is that of the shortest step, nearest to the last accepted
            // time; but a stage spoiled by an earlier failure has nothing to add to it.
            if is_honest(time, state) || self.step_failure.is_none() {
                self.step_failure = Some(failure);
            }
            derivative.fill(REJECTING_VALUE);
        }
    }

    /// The Jacobian product for a caller that cannot fail: a failure is remembered and the
    /// product becomes zero, which keeps the Newton matrix regular until the step ends.
    pub(crate) fn jacobian_or_zero(
        &mut self,
        time: f64,
        state: &[f64],
        direction: &[f64],
        out: &mut [f64],
    ) {
        self.jacobian_products += 1;
        let failure = match self.field.jacobian_apply(time, state, direction, out) {
            Err(cause) => Failure::Breakdown(cause),
            Ok(()) if !within(out, REJECTING_VALUE) => Failure::NonFinite,
            Ok(()) => return,
        };
        self.jacobian_failure.get_or_insert(failure);
        out.fill(0.0);
    }
}

/// Whether a stage is a point at which to ask the field, not what a failed stage before it left.
fn is_honest(time: f64, state: &[f64]) -> bool {
    time.is_finite() && within(state, LARGEST_STATE)
}

/// Whether every entry is a number of size at most `bound`; false for NaN.
fn within(values: &[f64], bound: f64) -> bool {
    values.iter().all(|value| value.abs() <= bound)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "the promise is equality to the last bit")]

    use super::*;
    use crate::integrate::Unobserved;

    struct Wall;

    impl VectorField for Wall {
        type Breakdown = f64;
        fn dimension(&self) -> usize {
            2
        }
        fn evaluate(&mut self, _: f64, x: &[f64], v: &mut [f64]) -> Result<(), f64> {
            if x[0] > 1.0 {
                return Err(x[0]);
            }
            v.copy_from_slice(&[1.0, if x[1] > 0.0 { f64::NAN } else { 0.0 }]);
            Ok(())
        }
        fn jacobian_apply(
            &mut self,
            _: f64,
            x: &[f64],
            _: &[f64],
            _: &mut [f64],
        ) -> Result<(), f64> {
            Err(x[0])
        }
    }

    fn watched<'f>(
        field: &'f mut Wall,
        observer: &'f mut Unobserved,
    ) -> WatchedField<'f, 'f, Wall> {
        WatchedField { field, events: &mut [], observer }
    }

    /// Where the wall was met, if that is the failure.
    fn wall(failure: Option<&Failure>) -> Option<f64> {
        let Some(Failure::Breakdown(cause)) = failure else { return None };
        cause.downcast_ref().copied()
    }

    #[test]
    fn the_latest_failure_is_kept_and_the_value_is_one_that_no_error_test_accepts() {
        let (mut wall_field, mut observer) = (Wall, Unobserved);
        let mut field = watched(&mut wall_field, &mut observer);
        let mut probe = Probe::new(&mut field);
        let mut v = [0.0; 2];
        probe.evaluate_or_reject(0.0, &[0.0, 1.0], &mut v);
        assert_eq!(v, [REJECTING_VALUE; 2]);
        assert!(matches!(probe.step_failure, Some(Failure::NonFinite)));
        for place in [3.0, 2.0] {
            probe.evaluate_or_reject(0.0, &[place, 0.0], &mut v);
            assert_eq!(v, [REJECTING_VALUE; 2]);
            assert_eq!(wall(probe.step_failure.as_ref()), Some(place));
        }
        // A stage that the failure spoiled does not replace it, and is not evaluated.
        probe.evaluate_or_reject(0.0, &[1e-10 * REJECTING_VALUE, 0.0], &mut v);
        assert_eq!(wall(probe.step_failure.as_ref()), Some(2.0));
        assert_eq!(probe.field_evaluations, 3);
    }

    #[test]
    fn a_poisoned_stage_never_reaches_the_field() {
        let (mut wall_field, mut observer) = (Wall, Unobserved);
        let mut field = watched(&mut wall_field, &mut observer);
        let mut probe = Probe::new(&mut field);
        let mut v = [0.0; 2];
        probe.evaluate_or_reject(0.0, &[1e-20 * REJECTING_VALUE, 0.0], &mut v);
        probe.evaluate_or_reject(0.0, &[f64::NAN, 0.0], &mut v);
        assert!(matches!(probe.step_failure, Some(Failure::NonFinite)));
        assert_eq!(probe.field_evaluations, 0);
    }

    #[test]
    fn a_jacobian_without_value_is_remembered_apart() {
        let (mut wall_field, mut observer) = (Wall, Unobserved);
        let mut field = watched(&mut wall_field, &mut observer);
        let mut probe = Probe::new(&mut field);
        let mut out = [f64::NAN; 2];
        probe.jacobian_or_zero(0.0, &[0.5, 0.0], &[1.0, 0.0], &mut out);
        assert_eq!(out, [0.0; 2]);
        assert_eq!(wall(probe.jacobian_failure.as_ref()), Some(0.5));
        assert!(probe.step_failure.is_none());
    }
}
