//! What is recorded of a run, step by step.

use std::ops::ControlFlow;

use gaussflow::dynamics::{Diagnostics, Flow, Observer, ObserverError};
use gaussflow::objective::{Loss, SecondOrderMap};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::interrupts::Interrupts;

/// What is measured at a recorded step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Measured {
    /// Everything in [`Diagnostics`].
    All,
    /// Loss and deviation.
    Loss,
}

/// What was recorded.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) steps: Vec<i64>,
    pub(super) times: Vec<f64>,
    pub(super) damping: Vec<f64>,
    pub(super) measured: Vec<Diagnostics>,
    pub(super) snapshots: Vec<f64>,
    pub(super) snapshot_steps: Vec<i64>,
    /// w (p) at the last step that was seen, recorded or not, its number, time and loss.
    pub(super) last: Vec<f64>,
    pub(super) last_step: usize,
    pub(super) last_time: f64,
    pub(super) last_loss: f64,
    pub(super) rank_scale: f64,
    pub(super) stationary_reference: Option<f64>,
}

/// Records steps, and looks whether the run is to end.
pub(super) struct Recorder<'a> {
    pub(super) initial: &'a [f64],
    /// Steps of the whole run.
    pub(super) steps: usize,
    pub(super) record_every: usize,
    pub(super) columns: Columns,
    pub(super) snapshot_every: usize,
    pub(super) measured: Measured,
    /// Whether the run watches for standstill.
    pub(super) stationary: bool,
    pub(super) callback: Option<&'a Py<PyAny>>,
    pub(super) interrupts: &'a Interrupts,
}

impl<M: SecondOrderMap, L: Loss> Observer<M, L> for Recorder<'_> {
    fn record(
        &mut self,
        step: usize,
        time: f64,
        flow: &mut Flow<'_, M, L>,
    ) -> Result<ControlFlow<()>, ObserverError> {
        let here = flow.linearization();
        let columns = &mut self.columns;
        columns.last.clear();
        columns.last.extend_from_slice(here.point());
        (columns.last_step, columns.last_time, columns.last_loss) = (step, time, here.loss());
        if !step.is_multiple_of(self.record_every) && step != self.steps {
            let stopped = self.interrupts.check().is_err();
            return Ok(if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        }
        let measured = match self.measured {
            Measured::All => Diagnostics::measure(flow, self.initial)?,
            Measured::Loss => Diagnostics::loss_alone(flow.linearization(), self.initial),
        };
        // Where the policy is to stop there may be no direction.
        let damping = flow.damping_used().unwrap_or(f64::NAN);
        let cutoff = flow.rank_cutoff();
        let here = flow.linearization_mut();
        let columns = &mut self.columns;
        if step == 0 {
            columns.rank_scale = here.largest_singular_value()?;
            if self.stationary {
                columns.stationary_reference = Some(here.gradient_norms(cutoff)?.tangent);
            }
        }
        let number = i64::try_from(step)?;
        columns.steps.push(number);
        columns.times.push(time);
        columns.damping.push(damping);
        columns.measured.push(measured);
        if self.snapshot_every > 0 && step.is_multiple_of(self.snapshot_every) {
            columns.snapshots.extend_from_slice(here.point());
            columns.snapshot_steps.push(number);
        }
        if self.interrupts.check().is_err() {
            return Ok(ControlFlow::Break(()));
        }
        let Some(callback) = self.callback else { return Ok(ControlFlow::Continue(())) };
        let answer = Python::attach(|py| {
            let info = PyDict::new(py);
            info.set_item("step", step)?;
            info.set_item("time", time)?;
            info.set_item("loss", measured.loss)?;
            info.set_item("deviation", measured.deviation)?;
            info.set_item("weights", PyArray1::from_slice(py, &columns.last))?;
            callback.bind(py).call1((info,))?.extract()
        });
        Ok(match answer {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => ControlFlow::Break(()),
            Err(error) => {
                self.interrupts.stop(error);
                ControlFlow::Break(())
            }
        })
    }
}
