//! Flows of `g(alpha f(w))`, recorded by columns: `request.rs` is what is asked, `recorder.rs` what is seen on the way.

mod recorder;
mod request;

use gaussflow::dynamics::{
    Checkpoint, Diagnostics, Integrator, Outcome, Settings, SimulationError, StopReason, resume,
};
use gaussflow::objective::{Loss, Objective, ObjectiveError, SecondOrderMap};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use self::recorder::{Columns, Measured, Recorder};
use self::request::{Request, checkpoint};
use crate::arrays::{Column, matrix, slice, vector};
use crate::failure::{require_memory, require_solver, value_error};
use crate::interrupts::Interrupts;
use crate::map::{Map, Task};

/// Follows the flow. Returns what the run came to, and the exception that ended it, if one did.
#[pyfunction]
pub(crate) fn flow<'py>(
    py: Python<'py>,
    map: &Map,
    request: Request<'py>,
) -> PyResult<(Option<Bound<'py, PyDict>>, Option<PyErr>)> {
    let settings = request.settings()?;
    let (n, p) = map.shape();
    require_solver(settings.solve.solver, n, p)?;
    if matches!(settings.integrator, Integrator::Stiff(_)) {
        require_memory("the matrices of the stiff integrator", &[2, p, p])?;
    }
    let from = request.resume.as_ref().map(checkpoint).transpose()?;
    let left = request.resume.as_ref().map_or((0.0, f64::NAN), |left| (left.time, left.loss));
    let following = Following {
        loss: request.loss.loss()?,
        scaling: request.scaling,
        // A copy: a callback may write to the array.
        start: slice(&request.start)?.to_vec(),
        from,
        left,
        settings,
        record_every: request.record_every,
        snapshot_every: request.snapshot_every,
        measured: if request.diagnostics { Measured::All } else { Measured::Loss },
        callback: request.callback.as_ref(),
    };
    let (found, raised) = map.attempt(py, following)?;
    match (found, raised) {
        (Ok(run), raised) => Ok((Some(described(py, run, raised.is_some())?), raised)),
        (Err(_), Some(raised)) => Ok((None, Some(raised))),
        (Err(error), None) => Err(value_error(error)),
    }
}

struct Following<'a> {
    loss: Box<dyn Loss>,
    scaling: f64,
    start: Vec<f64>,
    from: Option<Checkpoint>,
    /// Time and loss where the run is taken up.
    left: (f64, f64),
    settings: Settings,
    record_every: usize,
    snapshot_every: usize,
    measured: Measured,
    callback: Option<&'a Py<PyAny>>,
}

/// Why there is no run.
#[derive(Debug)]
pub(crate) enum Refusal {
    Objective(ObjectiveError),
    Simulation(SimulationError),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Objective(error) => error.fmt(f),
            Self::Simulation(error) => error.fmt(f),
        }
    }
}

/// A run by columns.
struct Run {
    recorder: Columns,
    outcome: Outcome,
}

impl Task for Following<'_> {
    type Output = Result<Run, Refusal>;

    fn perform<M: SecondOrderMap>(self, map: &M, interrupts: &Interrupts) -> Self::Output {
        let objective = Objective::new(map, self.loss, self.scaling).map_err(Refusal::Objective)?;
        let mut columns = Columns { last: self.start.clone(), ..Columns::default() };
        if let Some(from) = &self.from {
            columns.last.clone_from(&from.weights);
            columns.last_step = from.step;
            (columns.last_time, columns.last_loss) = self.left;
            columns.rank_scale = from.rank_scale;
            columns.stationary_reference = from.stationary_reference;
        }
        let grid = self.settings.grid(self.scaling);
        let steps = grid.steps().map_err(|error| Refusal::Simulation(error.into()))?;
        let mut recorder = Recorder {
            initial: &self.start,
            steps,
            record_every: self.record_every,
            columns,
            snapshot_every: self.snapshot_every,
            measured: self.measured,
            stationary: self.settings.stationary_fraction.is_some(),
            callback: self.callback,
            interrupts,
        };
        let ended =
            resume(&objective, &self.start, self.from.as_ref(), &self.settings, &mut recorder);
        let outcome = ended.map_err(Refusal::Simulation)?;
        Ok(Run { recorder: recorder.columns, outcome })
    }
}

/// Everything about a run.
fn described(py: Python<'_>, run: Run, raised: bool) -> PyResult<Bound<'_, PyDict>> {
    let Run { recorder, mut outcome } = run;
    if raised {
        // What the map said after the exception tells nothing.
        outcome.stop_reason = StopReason::Interrupted;
        outcome.final_time = recorder.last_time;
        outcome.final_loss = recorder.last_loss;
        outcome.final_weights.clone_from(&recorder.last);
        outcome.events.retain(|event| event.step <= recorder.last_step);
    }
    let columns = PyDict::new(py);
    let rows = &recorder.measured;
    columns.set_item("step", PyArray1::from_vec(py, recorder.steps))?;
    columns.set_item("time", vector(py, recorder.times))?;
    let numbers: [Column<Diagnostics>; 7] = [
        ("loss", |row| row.loss),
        ("deviation", |row| row.deviation),
        ("riemannian_gradient_norm", |row| row.riemannian_gradient_norm),
        ("normal_gradient_norm", |row| row.normal_gradient_norm),
        ("gram_min_eigenvalue", |row| row.gram_min_eigenvalue),
        ("gram_max_eigenvalue", |row| row.gram_max_eigenvalue),
        ("kernel_min_eigenvalue", |row| row.kernel_min_eigenvalue),
    ];
    for (name, of) in numbers {
        columns.set_item(name, vector(py, rows.iter().map(of).collect()))?;
    }
    columns.set_item("damping", vector(py, recorder.damping))?;
    let all = PyDict::new(py);
    all.set_item("columns", columns)?;
    let p = outcome.final_weights.len();
    all.set_item("snapshots", matrix(py, recorder.snapshots, recorder.snapshot_steps.len(), p)?)?;
    all.set_item("snapshot_steps", PyArray1::from_vec(py, recorder.snapshot_steps))?;
    all.set_item("last", vector(py, recorder.last))?;
    all.set_item("last_step", recorder.last_step)?;
    all.set_item("last_time", recorder.last_time)?;
    all.set_item("last_loss", recorder.last_loss)?;
    all.set_item("rank_scale", recorder.rank_scale)?;
    all.set_item("stationary_reference", recorder.stationary_reference)?;
    all.set_item("stop_reason", outcome.stop_reason.name())?;
    all.set_item("summary", outcome.to_string())?;
    all.set_item("final_time", outcome.final_time)?;
    all.set_item("final_loss", outcome.final_loss)?;
    let events = outcome
        .events
        .iter()
        .map(|event| (event.kind.name(), event.time, event.step, event.value, event.threshold));
    all.set_item("events", PyList::new(py, events)?)?;
    let counts = PyDict::new(py);
    counts.set_item("steps", outcome.statistics.accepted_steps)?;
    counts.set_item("linearizations", outcome.counts.linearizations)?;
    counts.set_item("directions", outcome.counts.directions)?;
    counts.set_item("pseudo_inverse", outcome.counts.pseudo_inverse)?;
    counts.set_item("raised_damping", outcome.counts.raised_damping)?;
    all.set_item("counts", counts)?;
    all.set_item("final_weights", vector(py, outcome.final_weights))?;
    Ok(all)
}
