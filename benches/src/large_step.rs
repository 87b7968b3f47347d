//! One damped step in a process of its own, so that its largest resident size can be read.
//!
//! On all of California Housing with m = 4,096 (p = 32,768; J would take 5.4 GB), at 1e-6 of the largest eigenvalue of
//! K. And at n = 4,096 with three hidden layers of 1,024 units (p = 2,105,344; J would take 69 GB), at rho = 0.1.

use std::process::Command;
use std::time::Instant;

use gaussflow::prelude::*;
use gaussflow::solvers::norm;
use serde::{Deserialize, Serialize};

use crate::case::{Case, Fallible, Schedule, Side};
use crate::problems::{Problem, hidden_layers, shape_of, vector};

/// A step that is too large to be measured beside others.
#[derive(Clone, Copy, Debug)]
pub struct LargeStep {
    /// The name of its row, and in `--only`.
    pub name: &'static str,
    /// Rows n.
    rows: usize,
    /// Widths of the hidden layers.
    widths: &'static [usize],
    damping: Damping,
    /// Bytes that the solve's matrices may take.
    memory_limit: usize,
    /// What the whole process shall stay below, in MiB.
    asked_mebibytes: f64,
}

/// How a step is damped.
#[derive(Clone, Copy, Debug)]
enum Damping {
    /// rho0 = rho/(1-rho) over the largest eigenvalue of K.
    OfLargestEigenvalue(f64),
    /// rho.
    Fixed(f64),
}

/// Every large step.
pub const LARGE_STEPS: [LargeStep; 2] = [
    LargeStep {
        name: "large_damped_step",
        rows: 20_640,
        widths: &[4096],
        damping: Damping::OfLargestEigenvalue(1e-6),
        // S alone is 645 MiB. `Auto` then iterates by itself.
        memory_limit: 220 << 20,
        asked_mebibytes: 1000.0,
    },
    LargeStep {
        name: "deep_large_step",
        rows: 4096,
        widths: &[1024, 1024, 1024],
        damping: Damping::Fixed(0.1),
        // K takes 128 MiB, its factor as much.
        memory_limit: 512 << 20,
        asked_mebibytes: 1536.0,
    },
];

/// Features of California Housing.
const FEATURES: usize = 8;
const SCALING: f64 = 8.0;
/// The relative residual asked for.
pub const TOLERANCE: f64 = 1e-8;
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

impl LargeStep {
    /// The step in this process.
    pub fn run(&self) -> Fallible<Found> {
        let problem = Problem::california_deep(self.rows, self.widths)?;
        let objective = problem.objective(SCALING)?;
        let mut here = Linearization::new(objective.map())?;
        here.set_memory_limit(self.memory_limit);
        let begun = Instant::now();
        here.move_to(&objective, &problem.point.weights)?;
        let linearized = begun.elapsed().as_secs_f64();
        let damping = match self.damping {
            Damping::Fixed(damping) => damping,
            Damping::OfLargestEigenvalue(share) => {
                let relative = share * largest_eigenvalue(here.jacobian());
                relative / (1.0 + relative)
            }
        };
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

    /// The case whose one call is a fresh process with `--large-step NAME`.
    pub fn case(&self) -> Fallible<Case> {
        let mut fresh = Command::new(std::env::current_exe()?);
        let output = fresh.args(["--large-step", self.name, "--out", "."]).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let found: Found = serde_json::from_slice(&output.stdout)?;
        let asked = self.asked_mebibytes;
        let size = found.resident_mebibytes.map_or_else(String::new, |size| {
            let missed = if size > asked { ", missed" } else { "" };
            format!(", {size:.0} MiB resident at most (asked: {asked:.0}{missed})")
        });
        let note = format!("{}: {} iterations{size}", found.solver, found.iterations);
        let (seconds, residual) = (found.seconds, found.relative_residual);
        let side = Side::running(None, move |_| Ok(seconds), move || Ok(Some(residual)));
        let sides = vec![side.noting(move || note.clone())];
        let shape = shape_of(self.rows, FEATURES, &hidden_layers(self.widths));
        let schedule = Schedule::Once { calls: 1, rounds: 1 };
        Ok(Case { schedule, ..Case::new(self.name, "", shape, sides) })
    }
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
