//! A run as Python asks for it.

use gaussflow::dynamics::{
    AtExit, Checkpoint, EventKind, EventRecord, Integrator, Preconditioner, RankPolicy, Settings,
    SolveSettings, Tolerances,
};
use gaussflow::objective::Metric;
use gaussflow::solvers::DampedSolver;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::arrays::slice;
use crate::choice::{chosen, named};
use crate::losses::LossSaid;

/// A run as Python asks for it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Request<'py> {
    pub(super) loss: LossSaid<'py>,
    pub(super) start: PyReadonlyArray1<'py, f64>,
    pub(super) scaling: f64,
    pub(super) method: String,
    pub(super) damping: f64,
    pub(super) integrator: String,
    pub(super) step: f64,
    pub(super) horizon: f64,
    pub(super) rtol: f64,
    pub(super) atol: f64,
    pub(super) record_every: usize,
    pub(super) snapshot_every: usize,
    /// Whether gradients and singular values are measured beside loss and deviation.
    pub(super) diagnostics: bool,
    pub(super) solver: String,
    pub(super) metric: String,
    pub(super) rank_policy: String,
    pub(super) rank_cutoff: f64,
    pub(super) rank_threshold: f64,
    pub(super) solve_tolerance: f64,
    pub(super) memory_limit: usize,
    pub(super) ball_radius: Option<f64>,
    pub(super) stop_at_exit: bool,
    pub(super) stationary_fraction: Option<f64>,
    /// `callback(dict)` at each recorded step; true ends the run.
    pub(super) callback: Option<Py<PyAny>>,
    /// Where an earlier run was left.
    pub(super) resume: Option<Left<'py>>,
}

/// The state of a run at the last step that was seen.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct Left<'py> {
    pub(super) step: usize,
    pub(super) time: f64,
    pub(super) loss: f64,
    pub(super) weights: PyReadonlyArray1<'py, f64>,
    pub(super) rank_scale: f64,
    pub(super) stationary_reference: Option<f64>,
    pub(super) events: Vec<(String, f64, usize, f64, f64)>,
}

impl Request<'_> {
    /// Whether the integrator's steps are those of the grid, so that each is seen.
    fn steps_on_the_grid(&self) -> bool {
        matches!(self.integrator.as_str(), "euler" | "rk4" | "discrete")
    }

    /// The settings of the dynamics.
    pub(super) fn settings(&self) -> PyResult<Settings> {
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

/// The checkpoint at which a run is taken up.
pub(super) fn checkpoint(left: &Left<'_>) -> PyResult<Checkpoint> {
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
