//! Flows of `g(alpha f(w))`, recorded by columns.

use std::ops::ControlFlow;

use gaussflow::dynamics::{
    AtExit, Checkpoint, Diagnostics, EventKind, EventRecord, Flow, Integrator, Observer,
    ObserverError, Outcome, Preconditioner, RankPolicy, Settings, SimulationError, SolveSettings,
    StopReason, Tolerances, resume,
};
use gaussflow::integrators::Grid;
use gaussflow::objective::{
    Linearization, Loss, Metric, Objective, ObjectiveError, SecondOrderMap,
};
use gaussflow::solvers::DampedSolver;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::{Column, matrix, slice, vector};
use crate::choice::{chosen, named};
use crate::failure::{require_memory, require_solver, value_error};
use crate::interrupts::Interrupts;
use crate::losses::LossSaid;
use crate::map::{Map, Task};

/// A run as Python asks for it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Request<'py> {
    loss: LossSaid<'py>,
    start: PyReadonlyArray1<'py, f64>,
    scaling: f64,
    method: String,
    damping: f64,
    integrator: String,
    step: f64,
    horizon: f64,
    rtol: f64,
    atol: f64,
    record_every: usize,
    snapshot_every: usize,
    /// Whether gradients and singular values are measured beside loss and deviation.
    diagnostics: bool,
    solver: String,
    metric: String,
    rank_policy: String,
    rank_cutoff: f64,
    rank_threshold: f64,
    solve_tolerance: f64,
    memory_limit: usize,
    ball_radius: Option<f64>,
    stop_at_exit: bool,
    stationary_fraction: Option<f64>,
    /// `callback(dict)` at each recorded step; true ends the run.
    callback: Option<Py<PyAny>>,
    /// Where an earlier run was left.
    resume: Option<Left<'py>>,
}

/// The state of a run at the last step that was seen.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Left<'py> {
    step: usize,
    time: f64,
    loss: f64,
    weights: PyReadonlyArray1<'py, f64>,
    rank_scale: f64,
    stationary_reference: Option<f64>,
    events: Vec<(String, f64, usize, f64, f64)>,
}

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

impl Request<'_> {
    /// Whether the integrator's steps are those of the grid, so that each is seen.
    fn steps_on_the_grid(&self) -> bool {
        matches!(self.integrator.as_str(), "euler" | "rk4" | "discrete")
    }

    /// The settings of the dynamics.
    fn settings(&self) -> PyResult<Settings> {
        let tolerances = Tolerances { relative: self.rtol, absolute: self.atol };
        Ok(Settings {
            preconditioner: chosen(
                "method",
                &self.method,
                &[
                    ("gauss-newton", Preconditioner::GaussNewton),
                    (
                        "levenberg-marquardt",
                        Preconditioner::LevenbergMarquardt { damping: self.damping },
                    ),
                    ("gradient", Preconditioner::Gradient),
                ],
            )?,
            integrator: chosen(
                "integrator",
                &self.integrator,
                &[
                    ("euler", Integrator::Euler),
                    ("rk4", Integrator::RungeKutta4),
                    ("adaptive", Integrator::Adaptive(tolerances)),
                    ("stiff", Integrator::Stiff(tolerances)),
                    ("discrete", Integrator::Discrete),
                ],
            )?,
            step: self.step,
            horizon: self.horizon,
            // With steps of its own the state of each is kept, so that none is lost where the run is stopped.
            record_every: if self.steps_on_the_grid() { 1 } else { self.record_every },
            checkpoint_every: 0,
            solve: SolveSettings {
                metric: named("metric", &self.metric, &Metric::ALL, Metric::name)?,
                solver: named("solver", &self.solver, &DampedSolver::ALL, DampedSolver::name)?,
                rank_policy: named(
                    "rank_policy",
                    &self.rank_policy,
                    &RankPolicy::ALL,
                    RankPolicy::name,
                )?,
                rank_cutoff: self.rank_cutoff,
                tolerance: self.solve_tolerance,
                memory_limit: self.memory_limit.saturating_mul(1 << 20),
            },
            rank_threshold: self.rank_threshold,
            ball_radius: self.ball_radius,
            at_exit: if self.stop_at_exit { AtExit::Stop } else { AtExit::Continue },
            stationary_fraction: self.stationary_fraction,
        })
    }
}

/// The events that a run's file may name.
const KINDS: [EventKind; 4] =
    [EventKind::LeftBall, EventKind::RankLost, EventKind::NonFinite, EventKind::Stationary];

/// The grid of a run's steps: those of the discrete iteration take the time alpha eta.
fn settings_grid(settings: &Settings, scaling: f64) -> Grid {
    let Settings { step, horizon, integrator, .. } = *settings;
    let step = if integrator == Integrator::Discrete { step * scaling } else { step };
    Grid { step, every: 1, horizon }
}

/// The checkpoint at which a run is taken up.
fn checkpoint(left: &Left<'_>) -> PyResult<Checkpoint> {
    let events = left.events.iter().map(|(kind, time, step, value, threshold)| {
        let kind = named("event", kind, &KINDS, EventKind::name)?;
        Ok(EventRecord { kind, time: *time, step: *step, value: *value, threshold: *threshold })
    });
    Ok(Checkpoint {
        step: left.step,
        weights: slice(&left.weights)?.to_vec(),
        rank_scale: left.rank_scale,
        stationary_reference: left.stationary_reference,
        events: events.collect::<PyResult<_>>()?,
    })
}

/// What is measured at a recorded step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Measured {
    /// Everything in [`Diagnostics`].
    All,
    /// Loss and deviation.
    Loss,
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

/// What was recorded.
#[derive(Default)]
struct Columns {
    steps: Vec<i64>,
    times: Vec<f64>,
    damping: Vec<f64>,
    measured: Vec<Diagnostics>,
    snapshots: Vec<f64>,
    snapshot_steps: Vec<i64>,
    /// w (p) at the last step that was seen, recorded or not, its number, time and loss.
    last: Vec<f64>,
    last_step: usize,
    last_time: f64,
    last_loss: f64,
    rank_scale: f64,
    stationary_reference: Option<f64>,
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
        let grid = settings_grid(&self.settings, self.scaling);
        let steps = grid.steps().map_err(|error| Refusal::Simulation(error.into()))?;
        let mut recorder = Recorder {
            initial: &self.start,
            steps,
            record_every: self.record_every,
            columns,
            snapshot_every: self.snapshot_every,
            measured: self.measured,
            callback: self.callback,
            interrupts,
        };
        let ended =
            resume(&objective, &self.start, self.from.as_ref(), &self.settings, &mut recorder);
        let outcome = ended.map_err(Refusal::Simulation)?;
        Ok(Run { recorder: recorder.columns, outcome })
    }
}

/// Records steps, and looks whether the run is to end.
struct Recorder<'a> {
    initial: &'a [f64],
    /// Steps of the whole run.
    steps: usize,
    record_every: usize,
    columns: Columns,
    snapshot_every: usize,
    measured: Measured,
    callback: Option<&'a Py<PyAny>>,
    interrupts: &'a Interrupts,
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
            Measured::Loss => loss_alone(flow.linearization(), self.initial),
        };
        // Where the policy is to stop there may be no direction.
        let damping = flow.damping_used().unwrap_or(f64::NAN);
        let cutoff = flow.rank_cutoff();
        let here = flow.linearization_mut();
        let columns = &mut self.columns;
        if step == 0 {
            columns.rank_scale = here.largest_singular_value()?;
            columns.stationary_reference =
                here.gradient_norms(cutoff).ok().map(|norms| norms.tangent);
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

/// Loss and deviation; all else is NaN.
fn loss_alone<J: gaussflow::solvers::JacobianOperator>(
    here: &Linearization<J>,
    initial: &[f64],
) -> Diagnostics {
    let squares = here.point().iter().zip(initial).map(|(w, start)| (w - start) * (w - start));
    Diagnostics {
        loss: here.loss(),
        deviation: squares.sum::<f64>().sqrt(),
        riemannian_gradient_norm: f64::NAN,
        normal_gradient_norm: f64::NAN,
        gram_min_eigenvalue: f64::NAN,
        gram_max_eigenvalue: f64::NAN,
        kernel_min_eigenvalue: f64::NAN,
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
