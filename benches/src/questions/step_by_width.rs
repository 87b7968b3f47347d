//! One damped step, `rho = 0.1`, as the network widens, beside the best generic way.
//!
//! Ours is a direct solve too, primal or dual as the shape asks: what `Auto` may save by an earlier
//! step's factor is another question (`amortized_flow`).

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::prelude::*;

use crate::case::{Case, Effort, Fallible, Shape, Side, Visit, relative_distance};
use crate::dense_step::DenseEuler;
use crate::euler::{self, Euler, Observe, weights_after};
use crate::operations;
use crate::problems::Problem;

/// The question's name.
pub const NAME: &str = "step_by_width";
/// Damping rho: positive, so that wide networks have a direction too.
pub const DAMPING: f64 = 0.1;
/// The scaling factor alpha.
pub const SCALING: f64 = 8.0;
/// Steps before the trajectory begins again.
const LAP: usize = 50;

/// One curve: n = 256, d = 8, over m.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let widths: &[usize] =
        effort.choose(&[4, 18, 64, 256], &[4, 8, 18, 32, 64, 128, 256, 512, 1024, 2048]);
    for &m in widths {
        visit(case(NAME, String::new(), &Problem::synthetic(256, 8, m)?)?)?;
    }
    Ok(())
}

/// The damped step of one problem, on both sides.
pub fn case(question: &'static str, variant: String, problem: &Problem) -> Fallible<Case> {
    let solver = direct_solver(problem.shape);
    let request = SolveRequest { damping: DAMPING, solver, ..SolveRequest::default() };
    let (sides, _) = sides(problem, request, LAP, 2)?;
    Ok(Case::new(question, variant, problem.shape, sides))
}

/// The direct solver of the smaller system.
pub fn direct_solver(shape: Shape) -> DampedSolver {
    if shape.n >= shape.p { DampedSolver::PrimalCholesky } else { DampedSolver::DualCholesky }
}

/// Ours and the best generic way, back at the initial weights after every `lap` of steps, compared after
/// `compared` of them; and by how much ours has changed the weights then.
pub fn sides(
    problem: &Problem,
    request: SolveRequest,
    lap: usize,
    compared: usize,
) -> Fallible<(Vec<Side<'static>>, Vec<f64>)> {
    let mut ours = Euler::new(problem, SCALING, request, Observe::Nothing)?;
    let mut generic = DenseEuler::new(problem, SCALING, request.damping)?;
    // The change of the weights, not the weights: an error in a step must not hide behind w_0.
    let found = problem.change(&weights_after(&mut ours, compared)?);
    let error = relative_distance(&found, &problem.change(&weights_after(&mut generic, compared)?));
    let (ours, generic) = (Rc::new(RefCell::new(ours)), Rc::new(RefCell::new(generic)));
    let pieces = problem.pieces();
    let (counted, dense) = (operations::step(&pieces), operations::dense_step(&pieces));
    let sides = vec![
        euler::side(&ours, lap, counted, move || Ok(Some(error))),
        euler::side(&generic, lap, dense, || Ok(None)).as_reference("faer-dense"),
    ];
    Ok((sides, found))
}
