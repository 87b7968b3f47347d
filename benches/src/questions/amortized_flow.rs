//! 200 Euler steps of the Gauss-Newton flow at n = 20,640, m = 64: direct solves against a named
//! solver that may use what earlier steps factored.
//!
//! Both flows advance in turns, a few steps each; the total of the steps counts. The error is the
//! largest relative difference of loss, deviation and Riemannian gradient norm at the end, where both
//! have made the same number of steps.

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::prelude::*;

use crate::case::{Case, Effort, Fallible, Schedule, Visit};
use crate::euler::{self, Euler, Observe, Shared};
use crate::operations;
use crate::problems::Problem;

/// The question's name.
pub const NAME: &str = "amortized_flow";
/// The rows of California Housing.
pub const ROWS: usize = 20_640;
/// Hidden units.
pub const HIDDEN: usize = 64;
/// Steps of the whole flow.
const STEPS: usize = 200;
/// The direct kernel.
const DIRECT: DampedSolver = DampedSolver::PrimalCholesky;

/// The solver that is compared with the direct one: the first whose name begins with `amortized`,
/// and while there is none what `Auto` chooses.
pub fn candidate() -> DampedSolver {
    let named = DampedSolver::ALL.into_iter().find(|kind| kind.name().starts_with("amortized"));
    named.unwrap_or(DampedSolver::Auto)
}

/// One case a scaling factor.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let (calls, rounds) = effort.choose((5, 4), (10, STEPS / 10));
    let problem = Problem::california(ROWS, HIDDEN)?;
    for scaling in [8.0, 256.0] {
        visit(case(&problem, scaling, Schedule::Once { calls, rounds })?)?;
    }
    Ok(())
}

/// Both flows at one scaling factor.
fn case(problem: &Problem, scaling: f64, schedule: Schedule) -> Fallible<Case> {
    let flow = |solver| -> Fallible<Shared<Euler>> {
        let request = SolveRequest { solver, ..SolveRequest::default() };
        let flow = Euler::new(problem, scaling, request, Observe::Nothing)?;
        Ok(Rc::new(RefCell::new(flow)))
    };
    let (direct, amortized) = (flow(DIRECT)?, flow(candidate())?);
    let steps = operations::step(&problem.pieces());
    let (own, theirs) = (Rc::clone(&amortized), Rc::clone(&direct));
    let error = move || {
        if own.try_borrow()?.made() != theirs.try_borrow()?.made() {
            return Ok(None);
        }
        let (a, b) = (own.try_borrow()?.observe_apart()?, theirs.try_borrow()?.observe_apart()?);
        let pairs = [
            (a.loss, b.loss),
            (a.deviation, b.deviation),
            (a.riemannian_gradient_norm, b.riemannian_gradient_norm),
        ];
        Ok(Some(pairs.iter().fold(0.0, |worst: f64, (a, b)| worst.max((a - b).abs() / b.abs()))))
    };
    let spoken = Rc::clone(&amortized);
    let note = move || spoken.try_borrow().map_or_else(|_| String::new(), |flow| flow.sharing());
    let direct = euler::side(&direct, STEPS, steps, || Ok(None)).as_reference(DIRECT.name());
    // What another solver does depends on its iterations; times are what is compared.
    let counted = (candidate() == DIRECT).then_some(steps);
    let ours = euler::side(&amortized, STEPS, counted, error).noting(note);
    let variant = format!("{},alpha={scaling}", candidate().name());
    Ok(Case { schedule, ..Case::new(NAME, variant, problem.shape, vec![ours, direct]) })
}
