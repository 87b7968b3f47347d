//! `mpirun -n 2 --bind-to core target/release/examples/calibrate [ROWS HIDDEN FEATURES]`: the seconds of each unit of the
//! cost model on this machine, with all ranks at work, as a file for `gaussflow-scaling --machine`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use gaussflow::network::{Activation, InitialPoint, Initialization, Network};
use gaussflow::objective::{Objective, SmoothMap, Squared};
use gaussflow::solvers::faer::Mat;
use gaussflow::solvers::{
    DampedSolver, DenseJacobian, Factors, JacobianOperator, SolveError, SolveRequest,
};
use gaussflow_distributed::Communicator;
use gaussflow_distributed::cost::{Cost, Shape, Step};
use gaussflow_distributed::machine::Machine;
use gaussflow_distributed::mpi_ranks::MpiRank;
use gaussflow_distributed::partition::rows_of;
use gaussflow_distributed::reduce::Reducer;
use gaussflow_distributed::scaling::{Link, Setting};

/// What the command line takes.
const ACCEPTED: &str = "accepted: nothing, or ROWS HIDDEN FEATURES";

/// Least times of each measurement; the shortest counts, because other users of a machine only ever lengthen it.
const TIMES: usize = 15;

/// Least seconds over which each measurement is repeated: what another program does for a moment then meets some of its
/// times, and not all.
const SECONDS: f64 = 0.5;

/// Connections between the ranks, with sums over them.
type Ranks<'c> = Rc<RefCell<Reducer<'c, MpiRank>>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let shape = match words.as_slice() {
        [] => Shape { rows: 20_640, hidden: 64, features: 8 },
        [n, m, d] => Shape { rows: n.parse()?, hidden: m.parse()?, features: d.parse()? },
        _ => return Err(ACCEPTED.into()),
    };
    let ranks = MpiRank::join().ok_or("MPI cannot be initialized")?;
    let reducer = Rc::new(RefCell::new(Reducer::new(&ranks)));
    let mut machine = kernels(shape, &ranks, &reducer)?;
    factorizations(shape.parameters(), &reducer, &mut machine)?;
    let link = messages(shape.parameters(), &reducer);
    if ranks.rank() == 0 {
        let name = format!("the machine of this call, {} ranks at work", ranks.size());
        let networks = BTreeMap::from([("shared-memory".to_owned(), link)]);
        print!("{}", Setting { name, machine, networks }.text());
    }
    Ok(())
}

/// The shortest seconds of `work`, all ranks beginning together.
fn shortest(reducer: &Ranks<'_>, work: impl FnMut()) -> f64 {
    sorted(reducer, work)[0]
}

/// The seconds of `work` in increasing order, at least [`TIMES`] of them.
fn sorted(reducer: &Ranks<'_>, mut work: impl FnMut()) -> Vec<f64> {
    let (mut seconds, first) = (Vec::new(), Instant::now());
    loop {
        // All ranks go by the clock of rank 0.
        let passed = reducer.borrow_mut().gather(&[first.elapsed().as_secs_f64()])[0];
        if seconds.len() >= TIMES && passed >= SECONDS {
            seconds.sort_by(f64::total_cmp);
            return seconds;
        }
        let begun = Instant::now();
        work();
        seconds.push(begun.elapsed().as_secs_f64());
    }
}

/// Numbers between -1/2 and 1/2 without a pattern.
fn number(index: usize) -> f64 {
    ((index * index + 3 * index) as f64 * 0.618_033_988_749_894_9).fract() - 0.5
}

/// What this rank does with its rows, each by itself.
fn kernels(
    shape: Shape,
    ranks: &MpiRank,
    reducer: &Ranks<'_>,
) -> Result<Machine, Box<dyn std::error::Error>> {
    let Shape { hidden, features, .. } = shape;
    let p = shape.parameters();
    let rows = rows_of(shape.rows, ranks.size(), ranks.rank());
    let inputs: Vec<f64> = (rows.start * features..rows.end * features).map(number).collect();
    let start = InitialPoint::draw(Initialization::Nullified, hidden, features, 0)?;
    let network = Network::new(&inputs, features, &start.signs, Activation::Tanh)?;
    let loss = Squared::new(rows.clone().map(number).collect())?;
    let objective = Objective::new(network.nullified_at(&start.weights)?, loss, 8.0)?;
    let Cost { shared, .. } = shape.cost(ranks.size(), Step::Direct);

    let (mut value, mut jacobian) = (vec![0.0; rows.len()], objective.map().new_jacobian());
    let mut wrong = None;
    let entries = shortest(reducer, || {
        wrong = objective.map().linearize(&start.weights, &mut value, &mut jacobian).err();
    });
    if let Some(error) = wrong {
        return Err(error.into());
    }
    let (mut gram, mut work) = (Mat::zeros(p, p), Vec::new());
    let grams = shortest(reducer, || jacobian.gram(gram.as_mut(), &mut work));
    let mut pulled = vec![0.0; p];
    let products =
        sorted(reducer, || jacobian.normal_apply(&start.weights, &mut value, &mut pulled));
    // S comes from a cache that the users of a machine share: a run meets the median, and not the best.
    let products = products[products.len() / 2];
    Ok(Machine {
        entry: entries / shared.entries,
        gram: grams / shared.gram,
        product: products / (2.0 * rows.len() as f64 * p as f64),
        factor: 0.0,
        solve: 0.0,
        qr: 0.0,
        svd: 0.0,
    })
}

/// Factors and solves with them, of dense matrices of p columns; what takes as long with the factor kept is taken off.
fn factorizations(
    p: usize,
    reducer: &Ranks<'_>,
    machine: &mut Machine,
) -> Result<(), Box<dyn std::error::Error>> {
    let order = p as f64;
    let dense = |rows: usize| {
        let entry = |r, c| number(r * p + c) + if r == c { 2.0 } else { 0.0 };
        DenseJacobian::from_matrix(Mat::from_fn(rows, p, entry))
    };
    let (square, mut v) = (dense(p), vec![0.0; p]);
    let mut factors = Factors::new(p, p)?;
    let (request, whole, without) = timed(reducer, &square, DampedSolver::PrimalCholesky, 0.5)?;
    let (mut gram, mut work) = (Mat::zeros(p, p), Vec::new());
    let gram_alone = shortest(reducer, || square.gram(gram.as_mut(), &mut work));
    let Cost { repeated, .. } = Shape { rows: p, hidden: p, features: 1 }.cost(1, Step::Direct);
    machine.factor = (whole - gram_alone - without).max(0.0) / repeated.factor;

    factors.solve(&square, request, &vec![1.0; p], &mut v)?;
    let mut refused = None;
    let again = shortest(reducer, || {
        // Products of many inverses leave the range of numbers.
        v.fill(1.0);
        refused = factors.apply_inverse(&square, request, &mut v).err();
    });
    if let Some(error) = refused {
        return Err(error.into());
    }
    machine.solve = (again - without).max(0.0) / (order * order);

    let tall = dense(2 * p);
    let (_, whole, without) = timed(reducer, &tall, DampedSolver::HouseholderQr, 0.0)?;
    // 2p x p: 2 p^3 - p^3 / 3.
    machine.qr = (whole - without).max(0.0) / (5.0 / 3.0 * order.powi(3));
    let (_, whole, without) = timed(reducer, &square, DampedSolver::ThinSvd, 0.0)?;
    machine.svd = (whole - without).max(0.0) / order.powi(3);
    Ok(())
}

/// A request, and the shortest seconds of solving it with the factor made anew, and with the factor kept.
fn timed(
    reducer: &Ranks<'_>,
    jacobian: &DenseJacobian,
    solver: DampedSolver,
    damping: f64,
) -> Result<(SolveRequest, f64, f64), SolveError> {
    let request = SolveRequest { damping, solver, ..SolveRequest::default() };
    let (rows, columns) = (jacobian.rows(), jacobian.columns());
    let (b, mut v) = (vec![1.0; rows], vec![0.0; columns]);
    let mut factors = Factors::new(rows, columns)?;
    let mut refused = None;
    let whole = shortest(reducer, || {
        factors.invalidate();
        refused = factors.solve(jacobian, request, &b, &mut v).err();
    });
    let without = shortest(reducer, || {
        refused = factors.solve(jacobian, request, &b, &mut v).err();
    });
    refused.map_or(Ok((request, whole, without)), Err)
}

/// What a sum of eight numbers and one of a Gram matrix take, between two ranks; 0 for a single rank.
fn messages(p: usize, reducer: &Ranks<'_>) -> Link {
    let count = reducer.borrow().ranks().size();
    let mut short = [0.0; 8];
    let latency =
        shortest(reducer, || (0..100).for_each(|_| reducer.borrow_mut().sum(&mut short))) / 100.0;
    let mut long = vec![0.0; p * (p + 1) / 2];
    let whole = shortest(reducer, || reducer.borrow_mut().sum(&mut long));
    let bytes = 8.0 * (long.len() * 2 * (count - 1)) as f64 / count as f64;
    let byte = if bytes > 0.0 { (whole - 2.0 * latency).max(0.0) / bytes } else { 0.0 };
    Link { latency, byte, most_ranks: 128 }
}
