//! A step with loss, deviation, Riemannian gradient norm and the certified smallest singular value
//! every step, beside the bare step: it is tracked from point to point.
//!
//! The error is that of the smallest singular value against an SVD of the dense J, relative to the
//! largest.

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::prelude::*;

use crate::case::{Case, Effort, Fallible, Schedule, Visit};
use crate::euler::{self, Euler, Observe, Stepper};
use crate::operations;
use crate::problems::Problem;

/// The question's name.
pub const NAME: &str = "eigenvalue_tracking";
/// The name of the bare step beside it.
pub const BARE: &str = "bare-step";
/// The scaling factor alpha.
const SCALING: f64 = 8.0;
/// Steps of the undamped flow before it begins again.
const LAP: usize = 100;

/// One curve: n = 256, d = 8, over m; undamped.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let widths: &[usize] = effort.choose(&[18], &[4, 8, 18, 24]);
    for &m in widths {
        visit(case(NAME, &Problem::california(256, m)?, DampedSolver::PrimalCholesky)?)?;
    }
    Ok(())
}

/// The step with its diagnostics against the bare step, both by `solver`.
pub fn case(question: &'static str, problem: &Problem, solver: DampedSolver) -> Fallible<Case> {
    let shape = problem.shape;
    let request = SolveRequest { solver, ..SolveRequest::default() };
    let observed = Euler::new(problem, SCALING, request, Observe::Diagnostics)?;
    let bare = Euler::new(problem, SCALING, request, Observe::Nothing)?;
    let (observed, bare) = (Rc::new(RefCell::new(observed)), Rc::new(RefCell::new(bare)));
    let operations = operations::step(&problem.pieces());
    let problem = problem.clone();
    let looked_at = Rc::clone(&observed);
    let error = move || smallest_error(&problem, &mut *looked_at.try_borrow_mut()?);
    let bare = euler::side(&bare, LAP, operations, || Ok(None)).as_reference(BARE);
    let sides = vec![euler::side(&observed, LAP, operations, error), bare];
    let schedule = Schedule::Batches { calls: LAP };
    Ok(Case { schedule, ..Case::new(question, solver.name(), shape, sides) })
}

/// `|sigma_min - sigma_min of the dense J| / sigma_max`, worst of the first steps.
fn smallest_error(problem: &Problem, stepper: &mut Euler) -> Fallible<Option<f64>> {
    let map = problem.objective(SCALING)?;
    let mut jacobian = map.map().new_jacobian();
    let mut dense = DenseJacobian::zeros(problem.shape.n, problem.shape.p);
    let mut value = vec![0.0; problem.shape.n];
    let mut worst = 0.0_f64;
    stepper.reset()?;
    for _ in 0..5 {
        map.map().linearize(stepper.weights(), &mut value, &mut jacobian)?;
        jacobian.write_dense(dense.matrix_mut());
        let values = gaussflow_faer::singular_values(dense.matrix());
        let values = values.map_err(|error| format!("the SVD failed: {error:?}"))?;
        let (Some(largest), Some(smallest)) = (values.first(), values.last()) else {
            return Ok(None);
        };
        stepper.step()?;
        worst = worst.max((stepper.observed().smallest - smallest).abs() / largest);
    }
    Ok(Some(worst))
}
