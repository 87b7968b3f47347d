//! One damped step, `rho = 0.1`, as the network widens, beside the best generic way.
//!
//! Ours is a direct solve too, primal or dual as the shape asks: what `Auto` may save by an earlier
//! step's factor is another question (`amortized_flow`).

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::prelude::*;

use crate::case::{Case, Effort, Fallible, Schedule, Shape, Visit, relative_distance};
use crate::dense_step::DenseEuler;
use crate::euler::{self, Euler, Observe, weights_after};
use crate::operations;
use crate::problems::Problem;

/// The question's name.
pub const NAME: &str = "step_by_width";
/// Damping rho: positive, so that wide networks have a direction too.
pub const DAMPING: f64 = 0.1;
/// The scaling factor alpha.
const SCALING: f64 = 8.0;
/// Steps before the trajectory begins again.
const LAP: usize = 50;

/// One curve: n = 256, d = 8, over m.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let widths: &[usize] = match effort {
        Effort::Quick => &[4, 18, 64, 256],
        Effort::Full => &[4, 8, 18, 32, 64, 128, 256, 512, 1024, 2048],
    };
    for &m in widths {
        visit(case(NAME, Shape::network(256, 8, m))?)?;
    }
    Ok(())
}

/// The damped step at one shape, on both sides.
pub fn case(question: &'static str, shape: Shape) -> Fallible<Case> {
    let problem = Problem::synthetic(shape.n, shape.d, shape.m)?;
    let solver =
        if shape.n >= shape.p { DampedSolver::PrimalCholesky } else { DampedSolver::DualCholesky };
    let request = SolveRequest { damping: DAMPING, solver, ..SolveRequest::default() };
    let mut ours = Euler::new(&problem, SCALING, request, Observe::Nothing)?;
    let mut generic = DenseEuler::new(&problem, SCALING, DAMPING)?;
    // The change of the weights, not the weights: an error in a step must not hide behind w_0.
    let start = &problem.point.weights;
    let change = |weights: Vec<f64>| weights.iter().zip(start).map(|(w, s)| w - s).collect();
    let found: Vec<f64> = change(weights_after(&mut ours, 2)?);
    let expected: Vec<f64> = change(weights_after(&mut generic, 2)?);
    let error = relative_distance(&found, &expected);
    let (ours, generic) = (Rc::new(RefCell::new(ours)), Rc::new(RefCell::new(generic)));
    let peer = euler::side(&generic, LAP, operations::dense_step(shape), || Ok(None));
    Ok(Case {
        question,
        variant: String::new(),
        shape,
        schedule: Schedule::Calibrated,
        sides: vec![
            euler::side(&ours, LAP, operations::step(shape), move || Ok(Some(error))),
            peer.as_reference("faer-dense"),
        ],
    })
}
