//! One damped step on all of California Housing with m = 4,096 (p = 32,768), in a process of its own
//! so that its largest resident size can be read: J would take 5.4 GB.
//!
//! rho0 = rho/(1-rho) is 1e-6 of the largest eigenvalue of K, to a true relative residual of 1e-8.

use std::process::Command;
use std::time::Instant;

use gaussflow::prelude::*;
use gaussflow::solvers::norm;
use serde::{Deserialize, Serialize};

use crate::case::{Case, Fallible, Schedule, Shape, Side};
use crate::problems::{Problem, vector};

/// The case's name.
pub const NAME: &str = "large_damped_step";
const ROWS: usize = 20_640;
const HIDDEN: usize = 4096;
const SCALING: f64 = 8.0;
/// rho0 over the largest eigenvalue of K.
const DAMPING: f64 = 1e-6;
/// The relative residual asked for.
const TOLERANCE: f64 = 1e-8;
/// Power iterations for the largest eigenvalue: two digits are enough to set a damping.
const POWERS: usize = 20;

/// What the process found.
#[derive(Debug, Deserialize, Serialize)]
pub struct Found {
    /// The kernel that ran.
    solver: String,
    /// Seconds of linearization and solve.
    seconds: f64,
    /// `norm(J^T b - H_rho v) / norm(J^T b)`, through the operator.
    relative_residual: f64,
    /// Iterations.
    iterations: usize,
    /// Largest resident size in MiB; `None` where the system does not tell.
    resident_mebibytes: Option<f64>,
}

/// What the solve's matrices may take: S alone is 645 MiB, and the whole process shall stay below
/// 1,000 MiB. `Auto` then iterates by itself.
const MEMORY_LIMIT: usize = 220 << 20;

/// The step, in this process.
pub fn run() -> Fallible<Found> {
    let problem = Problem::california(ROWS, HIDDEN)?;
    let objective = problem.objective(SCALING)?;
    let mut here = Linearization::new(objective.map())?;
    here.set_memory_limit(MEMORY_LIMIT);
    let begun = Instant::now();
    here.move_to(&objective, &problem.point.weights)?;
    let linearized = begun.elapsed().as_secs_f64();
    let relative = DAMPING * largest_eigenvalue(here.jacobian());
    let damping = relative / (1.0 + relative);
    let request = SolveRequest { damping, tolerance: TOLERANCE, ..SolveRequest::default() };
    let mut direction = vec![0.0; problem.shape.p];
    let begun = Instant::now();
    let report = here.solve_loss_gradient(request, &mut direction)?;
    let seconds = linearized + begun.elapsed().as_secs_f64();
    here.parameter_gradient(&mut direction);
    Ok(Found {
        solver: report.solver.name().to_owned(),
        seconds,
        relative_residual: report.residual / norm(&direction),
        iterations: report.iterations,
        resident_mebibytes: resident(),
    })
}

/// The largest eigenvalue of `K = J J^T`, by power iteration.
fn largest_eigenvalue(jacobian: &dyn JacobianOperator) -> f64 {
    let mut u = vector(jacobian.rows());
    let mut v = vec![0.0; jacobian.columns()];
    let mut size = norm(&u);
    for _ in 0..POWERS {
        u.iter_mut().for_each(|x| *x /= size);
        jacobian.apply_transposed(&u, &mut v);
        jacobian.apply(&v, &mut u);
        size = norm(&u);
    }
    size
}

/// The largest resident size so far, as Linux tells it.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024.0)
}

/// The case whose one call is a fresh process with `--large-step`.
pub fn case() -> Fallible<Case> {
    let output =
        Command::new(std::env::current_exe()?).args(["--large-step", "--out", "."]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let found: Found = serde_json::from_slice(&output.stdout)?;
    let size = found.resident_mebibytes.map_or_else(String::new, |size| format!(", {size:.0} MiB"));
    let note = format!("{}: {} iterations{size} resident at most", found.solver, found.iterations);
    let (seconds, residual) = (found.seconds, found.relative_residual);
    let side = Side::running(None, move |_| Ok(seconds), move || Ok(Some(residual)));
    let sides = vec![side.noting(move || note.clone())];
    let schedule = Schedule::Once { calls: 1, rounds: 1 };
    Ok(Case { schedule, ..Case::new(NAME, "", Shape::network(ROWS, 8, HIDDEN), sides) })
}
