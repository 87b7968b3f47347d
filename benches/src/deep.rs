//! Networks of two hidden layers: a damped step and the tangent kernel, with the peers where they run.
//!
//! d = 8, alpha = 8, rho = 0.1, tanh. JAX has J by its layers, as this library does, and by differentiating f row by
//! row; neural-tangents has the kernel alone.

use std::path::Path;
use std::rc::Rc;

use gaussflow::prelude::*;
use gaussflow::solvers::faer::Mat;

use crate::case::{Case, Fallible, Schedule, Side, relative_distance};
use crate::dense_step::lower_product;
use crate::headline::{self, Peers};
use crate::operations;
use crate::peer::Task;
use crate::problems::Problem;
use crate::questions::gram_by_shape::lower_triangle;
use crate::questions::step_by_width::{self, SCALING};
use crate::report::Report;

/// The name in `--only`.
pub const NAME: &str = "deep";
/// The names of the rows.
pub const STEP: &str = "deep_step";
/// Those of the kernel's.
pub const KERNEL: &str = "deep_kernel";

const DAMPING: f64 = 0.1;

/// A shape of network: rows, widths, and how many steps or kernels are one batch.
type Deep = (usize, [usize; 2], usize);

/// The steps that are measured.
const STEPS: [Deep; 3] = [(256, [32, 32], 25), (256, [256, 256], 4), (4096, [16, 16], 4)];
/// The kernels.
const KERNELS: [Deep; 2] = [(256, [32, 32], 50), (256, [256, 256], 10)];

/// Every case, beside the products that give the limit.
pub fn take(peers: &Peers, folder: &Path, report: &mut Report) -> Fallible<()> {
    for deep in STEPS {
        report.take_beside(headline::limits(peers)?, step(peers, folder, deep)?)?;
    }
    for deep in KERNELS {
        report.take_beside(headline::limits(peers)?, kernel(peers, folder, deep)?)?;
    }
    Ok(())
}

/// A step by what `Auto` takes, by the direct solver of the shape, by a formed J, and by JAX.
fn step(peers: &Peers, folder: &Path, (n, widths, lap): Deep) -> Fallible<Case> {
    let problem = Problem::california_deep(n, &widths)?;
    let (shape, pieces) = (problem.shape, problem.pieces());
    let request = SolveRequest { damping: DAMPING, ..SolveRequest::default() };
    let (mut sides, found) = step_by_width::sides(&problem, request, lap, lap)?;
    let solver = step_by_width::direct_solver(shape);
    let direct = step_by_width::sides(&problem, SolveRequest { solver, ..request }, lap, lap)?;
    let direct = direct.0.into_iter().next().ok_or("a step has our side")?;
    sides.insert(1, Side { peer: Some(solver.name().to_owned()), ..direct });
    let folder = folder.join(STEP).join(format!("{n}-{}", problem.widths()));
    problem.write(&folder, SCALING, DAMPING)?;
    let dense = operations::dense_step(&pieces);
    // By the layers, the peer forms J where that is less than K, and not otherwise.
    let by_layers = if n >= shape.p { dense } else { operations::step(&pieces) };
    for (name, operations) in [("deep-step", by_layers), ("deep-step-autodiff", dense)] {
        let Some(peer) = peers.jax.as_ref().map(Rc::clone) else { continue };
        let operations = Some(operations);
        let task = Task { peer, name, problem: folder.clone(), operations };
        let distance = |weights: &[f64]| relative_distance(&problem.change(weights), &found);
        sides.extend(task.sides(lap, distance)?);
    }
    let schedule = Schedule::Batches { calls: lap };
    Ok(Case { schedule, ..Case::new(STEP, problem.widths(), shape, sides) })
}

/// Linearization and K, of the same problem.
fn kernel(peers: &Peers, folder: &Path, (n, widths, lap): Deep) -> Fallible<Case> {
    let problem = Problem::california_deep(n, &widths)?;
    let (shape, pieces) = (problem.shape, problem.pieces());
    let operations = operations::linearization(&pieces) + operations::kernel_of(&pieces);
    let objective = problem.objective(SCALING)?;
    let (mut value, mut jacobian) = (vec![0.0; n], objective.map().new_jacobian());
    let (mut matrix, mut work) = (Mat::zeros(n, n), Vec::new());
    let mut weights = problem.point.weights.clone();
    objective.map().linearize(&weights, &mut value, &mut jacobian)?;
    jacobian.kernel(matrix.as_mut(), &mut work);
    let found = lower_triangle(&matrix);
    let mut dense = Mat::zeros(n, shape.p);
    jacobian.write_dense(dense.as_mut());
    lower_product(matrix.as_mut(), dense.as_ref(), dense.transpose(), 1.0);
    let error = relative_distance(&found, &lower_triangle(&matrix));
    let ours = Side::calling(operations, error, move || {
        // Another point each time, as of the peers.
        weights[0] *= 1.0 - 1e-12;
        objective.map().linearize(&weights, &mut value, &mut jacobian)?;
        jacobian.kernel(matrix.as_mut(), &mut work);
        Ok(())
    });
    let folder = folder.join(KERNEL).join(format!("{n}-{}", problem.widths()));
    problem.write(&folder, SCALING, DAMPING)?;
    let by_rows = operations::linearization(&pieces) + operations::dense_gram(shape.p, n);
    // Those that differentiate row by row take so long that one call is a batch.
    let tasks = [
        (&peers.jax, "deep-kernel", operations, lap),
        (&peers.jax, "deep-kernel-autodiff", by_rows, 1),
        (&peers.neural_tangents, "deep-kernel", by_rows, 1),
    ];
    let mut sides = vec![ours];
    for (peer, name, operations, calls) in tasks {
        let Some(peer) = peer.as_ref().map(Rc::clone) else { continue };
        let operations = Some(operations);
        let task = Task { peer, name, problem: folder.clone(), operations };
        let distance = |kernel: &[f64]| relative_distance(&headline::lower_of(kernel, n), &found);
        match task.sides(calls, distance) {
            Ok(found) if calls < lap => {
                sides.extend(found.into_iter().map(headline::once_a_batch));
            }
            Ok(found) => sides.extend(found),
            Err(error) => println!("    left out: {error}"),
        }
    }
    let schedule = Schedule::Batches { calls: lap };
    Ok(Case { schedule, ..Case::new(KERNEL, problem.widths(), shape, sides) })
}
