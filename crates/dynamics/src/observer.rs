//! What watches a run: at every recorded step, and at checkpoints.

use std::ops::ControlFlow;

use gaussflow_integrators::Statistics;
use gaussflow_objective::{Loss, SmoothMap};

use crate::checkpoint::Checkpoint;
use crate::flow::{Flow, FlowCounts};

/// The error type of observers; a run ends with it and returns it in [`crate::SimulationError::Observer`].
pub type ObserverError = Box<dyn std::error::Error + Send + Sync>;

/// Converts what an observer returns into "go on", "stop" or an error.
///
/// It is implemented for `()` (the run goes on), for [`ControlFlow`] (its `Break` stops the run) and for a [`Result`] of either
/// (its error ends the run).
pub trait Answer {
    /// Returns whether the run goes on.
    ///
    /// # Errors
    /// The error of the observer.
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

/// Watches a run: it is called at every recorded step and at every checkpoint.
///
/// Closures `|step, time, flow|` that return an [`Answer`] implement it; they ignore checkpoints. Implement it yourself to
/// save the checkpoints of [`crate::resume`].
pub trait Observer<M: SmoothMap, L: Loss> {
    /// Receives step `step` at time `time`; `flow` stands at the parameters of that step, and shares what it has computed there.
    /// `Break` stops the run.
    ///
    /// # Errors
    /// Any error of the observer; it ends the run.
    fn record(
        &mut self,
        step: usize,
        time: f64,
        flow: &mut Flow<'_, M, L>,
    ) -> Result<ControlFlow<()>, ObserverError>;

    /// Receives each checkpoint, after the record of the same step. `work` counts from the call of [`crate::simulate`] or
    /// [`crate::resume`] on. `Break` stops the run.
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

/// Counts the work of a run: solves, fallbacks and steps of the integrator.
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
