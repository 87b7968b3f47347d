//! The sizes that the targets are stated at: the paper's step, all of California Housing, a wide
//! network; with the peers where they run.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use gaussflow::prelude::*;
use gaussflow::solvers::faer::linalg::matmul::matmul;
use gaussflow::solvers::faer::{Accum, Mat, Par};

use crate::case::{Case, Fallible, Schedule, Shape, Side, relative_distance};
use crate::operations;
use crate::peer::{Peer, Task};
use crate::problems::{Problem, fraction};
use crate::questions::step_by_width::{self, SCALING};
use crate::questions::{eigenvalue_tracking, gram_by_shape};

/// Steps of one batch at the paper's size, and of the wide network.
const LAPS: [usize; 2] = [100, 25];
/// The wide network's damping: with p above n, only a damped direction is defined.
const WIDE_DAMPING: f64 = 0.1;
/// The order of the product that gives the peak.
const PEAK_ORDER: usize = 2000;

/// The peers that run; all `None` without `--peers`.
#[derive(Default)]
pub struct Peers {
    /// NumPy and SciPy.
    pub numpy: Option<Rc<RefCell<Peer>>>,
    /// JAX.
    pub jax: Option<Rc<RefCell<Peer>>>,
    /// geomstats, for the manifold of a small network; in an environment of its own.
    pub geomstats: Option<Rc<RefCell<Peer>>>,
    /// neural-tangents, for the kernels of deep networks; in an environment of its own.
    pub neural_tangents: Option<Rc<RefCell<Peer>>>,
    /// somax, for steps of classes; in an environment of its own.
    pub somax: Option<Rc<RefCell<Peer>>>,
}

impl Peers {
    /// Those of a step that run, in the table's order.
    fn running(&self) -> impl Iterator<Item = Rc<RefCell<Peer>>> {
        [&self.jax, &self.numpy].into_iter().flatten().map(Rc::clone)
    }
}

/// The multiply-add limit: a large product by faer, and by OpenBLAS where that peer runs; the faster counts.
pub fn peak(peers: &Peers) -> Fallible<Case> {
    let order = PEAK_ORDER;
    let operations = Some(2.0 * (order as f64).powi(3));
    let left = Mat::from_fn(order, order, |r, c| fraction(r * order + c));
    let right = Mat::from_fn(order, order, |r, c| fraction(r + c * order));
    let mut product = Mat::zeros(order, order);
    let mut side = Side::calling(operations, 0.0, move || {
        matmul(product.as_mut(), Accum::Replace, left.as_ref(), right.as_ref(), 1.0, Par::Seq);
        Ok(())
    });
    side.error = Box::new(|| Ok(None));
    let mut sides = vec![side];
    if let Some(numpy) = &peers.numpy {
        let (peer, problem) = (Rc::clone(numpy), Path::new("").to_owned());
        let task = Task { peer, name: "peak", problem, operations };
        sides.push(task.side("dgemm", None)?);
    }
    let (variant, shape) = (format!("product of order {order}"), Shape::matrix(order, order));
    let schedule = Schedule::Batches { calls: 1 };
    Ok(Case { schedule, ..Case::new("peak", variant, shape, sides) })
}

/// The products of [`peak`] as sides beside others.
pub fn limits(peers: &Peers) -> Fallible<Vec<Side<'static>>> {
    Ok(peak(peers)?.sides.into_iter().map(once_a_batch).collect())
}

/// The same side with one call a batch, however many calls the others make.
pub fn once_a_batch(mut side: Side<'static>) -> Side<'static> {
    let mut one = side.run;
    side.run = Box::new(move |calls| Ok(one(1)? * calls as f64));
    side
}

/// The paper's step (n = 256, d = 8, m = 18, undamped, alpha = 8) by `solver`.
pub fn paper_step(peers: &Peers, folder: &Path, solver: DampedSolver) -> Fallible<Case> {
    let problem = Problem::california(256, 18)?;
    let request = SolveRequest { solver, ..SolveRequest::default() };
    let variant = solver.name();
    step(&problem, request, peers, "step", LAPS[0], (folder, "paper_step", variant))
}

/// The step of a wide network (n = 256, d = 8, m = 2,048, damped).
pub fn wide_step(peers: &Peers, folder: &Path) -> Fallible<Case> {
    let problem = Problem::california(256, 2048)?;
    let request = SolveRequest { damping: WIDE_DAMPING, ..SolveRequest::default() };
    step(&problem, request, peers, "wide-step", LAPS[1], (folder, "wide_step", ""))
}

/// A step on every side, all from the same weights.
fn step(
    problem: &Problem,
    request: SolveRequest,
    peers: &Peers,
    task: &'static str,
    lap: usize,
    (folder, question, variant): (&Path, &'static str, &str),
) -> Fallible<Case> {
    let (shape, damping) = (problem.shape, request.damping);
    let (mut sides, found) = step_by_width::sides(problem, request, lap, lap)?;
    let folder = folder.join(question);
    problem.write(&folder, SCALING, damping)?;
    for peer in peers.running() {
        // Wide: the peers use the entrywise kernel, as this workspace does.
        let count = if shape.p > shape.n { operations::step } else { operations::dense_step };
        let operations = count(&problem.pieces());
        let task = Task { peer, name: task, problem: folder.clone(), operations: Some(operations) };
        let distance = |weights: &[f64]| relative_distance(&problem.change(weights), &found);
        sides.extend(task.sides(lap, distance)?);
    }
    let schedule = Schedule::Batches { calls: lap };
    Ok(Case { schedule, ..Case::new(question, variant, shape, sides) })
}

/// The paper's step with every diagnostic, beside the bare step.
pub fn step_with_diagnostics(solver: DampedSolver) -> Fallible<Case> {
    eigenvalue_tracking::case("paper_step_with_diagnostics", &Problem::california(256, 18)?, solver)
}

/// `J^T J` at n = 20,640, m = 64 from the network's S and X; J formed and multiplied on the others.
pub fn large_gram(peers: &Peers, folder: &Path) -> Fallible<Case> {
    let problem = Problem::california(20_640, 64)?;
    let shape = problem.shape;
    let mut case = gram_by_shape::case(shape, "");
    case.question = "large_gram";
    if let Some(numpy) = &peers.numpy {
        let folder = folder.join("large_gram");
        problem.write(&folder, SCALING, 0.0)?;
        let operations = Some(operations::dense_gram(shape.n, shape.p));
        let task = Task { peer: Rc::clone(numpy), name: "gram", problem: folder, operations };
        let expected = network_gram(&problem)?;
        let distance = |gram: &[f64]| relative_distance(&lower_of(gram, shape.p), &expected);
        case.sides.extend(task.sides(1, distance)?);
    }
    case.schedule = Schedule::Batches { calls: 1 };
    Ok(case)
}

/// The lower triangle of a symmetric matrix of order p that is stored column after column.
pub fn lower_of(columns: &[f64], p: usize) -> Vec<f64> {
    columns.chunks_exact(p).enumerate().flat_map(|(c, column)| column[c..].to_vec()).collect()
}

/// The lower triangle of `J^T J` at the problem's initial weights.
fn network_gram(problem: &Problem) -> Fallible<Vec<f64>> {
    let objective = problem.objective(SCALING)?;
    let mut jacobian = objective.map().new_jacobian();
    let mut value = vec![0.0; problem.shape.n];
    objective.map().linearize(&problem.point.weights, &mut value, &mut jacobian)?;
    let mut gram = Mat::zeros(problem.shape.p, problem.shape.p);
    jacobian.gram(gram.as_mut(), &mut Vec::new());
    Ok(gram_by_shape::lower_triangle(&gram))
}
