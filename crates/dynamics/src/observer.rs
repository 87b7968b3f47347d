//! What watches a run: at every recorded step, and at checkpoints.

use std::ops::ControlFlow;

use gaussflow_integrators::Statistics;
use gaussflow_objective::{Loss, SmoothMap};

use crate::checkpoint::Checkpoint;
use crate::flow::{Flow, FlowCounts};

/// An observer's own error, which ends the run and reaches the caller in [`crate::SimulationError::Observer`].
pub type ObserverError = Box<dyn std::error::Error + Send + Sync>;

/// What an observer may answer: nothing (the run goes on), a [`ControlFlow`] whose `Break` interrupts the run, or a
/// [`Result`] of either, whose error ends it.
pub trait Answer {
    /// Whether the run goes on.
    ///
    /// # Errors
    /// The observer's.
    fn answer(self) -> Result<ControlFlow<()>, ObserverError>;
}

impl Answer for () {
    fn answer(self) -> Result<ControlFlow<()>, ObserverError> {
        Ok(ControlFlow::Continue(()))
    }
}

impl Answer for ControlFlow<()> {
    fn answer(self) -> Result<ControlFlow<()>, ObserverError> {
        Ok(self)
    }
}

impl<A: Answer, E: Into<ObserverError>> Answer for Result<A, E> {
    fn answer(self) -> Result<ControlFlow<()>, ObserverError> {
        self.map_err(Into::into)?.answer()
    }
}

/// Sees every recorded step, at the point where the flow is, and every checkpoint ([`crate::resume`]).
///
/// Closures `|step, time, flow|` that return an [`Answer`] implement it.
pub trait Observer<M: SmoothMap, L: Loss> {
    /// Step `step` at `time`; `flow` is at the state and shares what it has computed there. Breaking interrupts the run.
    ///
    /// # Errors
    /// The observer's own; they end the run.
    fn record(
        &mut self,
        step: usize,
        time: f64,
        flow: &mut Flow<'_, M, L>,
    ) -> Result<ControlFlow<()>, ObserverError>;

    /// The run has come to a checkpoint, after the record there; the work is that since
    /// [`crate::simulate`] or [`crate::resume`] was called. Breaking interrupts the run.
    ///
    /// # Errors
    /// As [`Self::record`].
    fn checkpoint(
        &mut self,
        _at: &Checkpoint,
        _work: &Work,
    ) -> Result<ControlFlow<()>, ObserverError> {
        Ok(ControlFlow::Continue(()))
    }
}

/// Solves, fallbacks and integration steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Solves and fallbacks.
    pub counts: FlowCounts,
    /// Steps and evaluations of the integrator.
    pub statistics: Statistics,
}

impl<M: SmoothMap, L: Loss, C, A: Answer> Observer<M, L> for C
where
    C: FnMut(usize, f64, &mut Flow<'_, M, L>) -> A,
{
    fn record(
        &mut self,
        step: usize,
        time: f64,
        flow: &mut Flow<'_, M, L>,
    ) -> Result<ControlFlow<()>, ObserverError> {
        self(step, time, flow).answer()
    }
}
