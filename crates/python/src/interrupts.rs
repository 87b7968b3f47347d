//! What stops work from outside: an exception of a user's function, or Ctrl-C.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use gaussflow::objective::{MapError, Residuals, SecondOrderMap, SmoothMap};
use gaussflow::solvers::faer::MatMut;
use pyo3::{PyErr, PyResult, Python};

/// Milliseconds between two looks at the signals.
pub(crate) const PERIOD: u64 = 50;

/// Lets Python's handlers of signals that came run, Ctrl-C's first of all.
///
/// # Errors
/// What a handler raises.
#[allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the method is not general enough in its lifetime"
)]
pub(crate) fn signals() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
}

/// The first exception that was raised during one call into this module. Once there is one, every evaluation of a map is
/// refused, so that the work ends soon.
pub(crate) struct Interrupts {
    raised: Mutex<Option<PyErr>>,
    stopped: AtomicBool,
    begun: Instant,
    /// Milliseconds after `begun` at which signals are looked at again.
    due: AtomicU64,
}

impl Interrupts {
    pub(crate) fn new() -> Self {
        let (raised, stopped) = (Mutex::new(None), AtomicBool::new(false));
        Self { raised, stopped, begun: Instant::now(), due: AtomicU64::new(PERIOD) }
    }

    /// Keeps an exception, and gives what a map answers from now on.
    pub(crate) fn stop(&self, error: PyErr) -> MapError {
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        raised.get_or_insert(error);
        self.stopped.store(true, Ordering::Relaxed);
        refusal()
    }

    /// Whether there is an exception.
    pub(crate) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Refuses where there is an exception, after a look at the signals every now and then.
    ///
    /// # Errors
    /// [`MapError::Stopped`].
    pub(crate) fn check(&self) -> Result<(), MapError> {
        if self.stopped() {
            return Err(refusal());
        }
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now < self.due.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.due.store(now + PERIOD, Ordering::Relaxed);
        signals().map_err(|error| self.stop(error))
    }

    /// The exception, if there was one.
    pub(crate) fn into_raised(self) -> Option<PyErr> {
        self.raised.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal() -> MapError {
    MapError::Stopped { reason: "an exception was raised".to_owned() }
}

/// A map that looks for interrupts at each evaluation.
pub(crate) struct Watched<'a, M: ?Sized> {
    pub(crate) inner: &'a M,
    pub(crate) interrupts: &'a Interrupts,
}

impl<M: Residuals + ?Sized> Residuals for Watched<'_, M> {
    fn parameters(&self) -> usize {
        self.inner.parameters()
    }

    fn outputs(&self) -> usize {
        self.inner.outputs()
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.interrupts.check()?;
        self.inner.value(w, out)
    }
}

impl<M: SecondOrderMap + ?Sized> SmoothMap for Watched<'_, M> {
    type Jacobian = M::Jacobian;

    fn new_jacobian(&self) -> M::Jacobian {
        self.inner.new_jacobian()
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut M::Jacobian,
    ) -> Result<(), MapError> {
        self.interrupts.check()?;
        self.inner.linearize(w, value, jacobian)
    }

    fn linearize_within(
        &self,
        w: &[f64],
        lower: &[f64],
        upper: &[f64],
        value: &mut [f64],
        jacobian: &mut M::Jacobian,
    ) -> Result<(), MapError> {
        self.interrupts.check()?;
        self.inner.linearize_within(w, lower, upper, value, jacobian)
    }

    fn linearize_roughly(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut M::Jacobian,
    ) -> Result<f64, MapError> {
        self.interrupts.check()?;
        self.inner.linearize_roughly(w, value, jacobian)
    }

    fn jacobian_error(&self) -> f64 {
        self.inner.jacobian_error()
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = M::Jacobian>> {
        Some(self)
    }
}

impl<M: SecondOrderMap + ?Sized> SecondOrderMap for Watched<'_, M> {
    fn second_derivative(
        &self,
        w: &[f64],
        jacobian: &M::Jacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        self.interrupts.check()?;
        self.inner.second_derivative(w, jacobian, u, v, out)
    }

    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        jacobian: &M::Jacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        self.interrupts.check()?;
        self.inner.weighted_hessian_apply(w, jacobian, weights, v, out)
    }

    fn weighted_hessian(
        &self,
        w: &[f64],
        jacobian: &M::Jacobian,
        weights: &[f64],
        out: MatMut<'_, f64>,
    ) -> Result<(), MapError> {
        self.interrupts.check()?;
        self.inner.weighted_hessian(w, jacobian, weights, out)
    }
}
