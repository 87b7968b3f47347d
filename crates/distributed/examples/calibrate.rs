//! `mpirun -n 2 --bind-to core target/release/examples/calibrate [ROWS HIDDEN FEATURES [EXCHANGE BYTE]]`:
//! the seconds of each unit of the cost model on this machine, with all ranks at work, and the steps that
//! it predicts, for another network where its seconds an exchange and a byte are given.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use gaussflow::network::{Activation, InitialPoint, Initialization, Network};
use gaussflow::objective::{Objective, SmoothMap, Squared};
use gaussflow::solvers::faer::Mat;
use gaussflow::solvers::{DampedSolver, DenseJacobian, Factors, JacobianOperator, SolveRequest};
use gaussflow_distributed::Communicator;
use gaussflow_distributed::cost::{Machine, Shape, Step};
use gaussflow_distributed::mpi_ranks::MpiRank;
use gaussflow_distributed::partition::rows_of;
use gaussflow_distributed::reduce::Reducer;

/// What the command line takes.
const ACCEPTED: &str = "accepted: nothing, ROWS HIDDEN FEATURES, or these and the seconds of an EXCHANGE and of a BYTE";

/// Times of each measurement; the median counts.
const TIMES: usize = 15;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (counts, network) = words.split_at(words.len().min(3));
    let shape = match counts {
        [] => Shape { rows: 20_640, hidden: 64, features: 8 },
        [n, m, d] => Shape { rows: n.parse()?, hidden: m.parse()?, features: d.parse()? },
        _ => return Err(ACCEPTED.into()),
    };
    let network: Option<[f64; 2]> = match network {
        [] => None,
        [exchange, byte] => Some([exchange.parse()?, byte.parse()?]),
        _ => return Err(ACCEPTED.into()),
    };
    let ranks = MpiRank::join().ok_or("MPI cannot be initialized")?;
    let reducer = Rc::new(RefCell::new(Reducer::new(&ranks)));
    let mut machine = measure(shape, &ranks, &reducer)?;
    if let Some([exchange, byte]) = network {
        (machine.exchange, machine.byte) = (exchange, byte);
    }
    if ranks.rank() == 0 {
        println!("{machine:#?}");
        let steps =
            [("direct", Step::Direct), ("shared, 10 iterations", Step::Shared { iterations: 10 })];
        for (name, step) in steps {
            print!("{name}: milliseconds on 1, 2, 4, ... 1024 ranks");
            for ranks in (0..11).map(|k| 1 << k) {
                print!(" {:.3}", 1e3 * shape.cost(ranks, step).seconds(&machine, ranks));
            }
            println!();
        }
    }
    Ok(())
}

/// The median seconds of `work`, all ranks beginning together.
fn median(reducer: &RefCell<Reducer<'_, MpiRank>>, mut work: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..TIMES)
        .map(|_| {
            reducer.borrow_mut().gather(&[0.0]);
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[TIMES / 2]
}

/// Each kernel by itself, on this rank's rows.
fn measure(
    shape: Shape,
    ranks: &MpiRank,
    reducer: &Rc<RefCell<Reducer<'_, MpiRank>>>,
) -> Result<Machine, Box<dyn std::error::Error>> {
    let Shape { hidden, features, .. } = shape;
    let p = shape.parameters();
    let rows = rows_of(shape.rows, ranks.size(), ranks.rank());
    let number = |e: usize| ((e * e + 3 * e) as f64 * 0.618_033_988_749_894_9).fract() - 0.5;
    let inputs: Vec<f64> = (rows.start * features..rows.end * features).map(number).collect();
    let start = InitialPoint::draw(Initialization::Nullified, hidden, features, 0)?;
    let network = Network::new(&inputs, features, &start.signs, Activation::Tanh)?;
    let loss = Squared::new(rows.clone().map(number).collect())?;
    let objective = Objective::new(network.nullified_at(&start.weights)?, loss, 8.0)?;
    let here = shape.cost(ranks.size(), Step::Direct);

    let (mut value, mut jacobian) = (vec![0.0; rows.len()], objective.map().new_jacobian());
    let mut wrong = None;
    let entries = median(reducer, || {
        wrong = objective.map().linearize(&start.weights, &mut value, &mut jacobian).err();
    });
    if let Some(error) = wrong {
        return Err(error.into());
    }
    let (mut gram, mut work) = (Mat::zeros(p, p), Vec::new());
    let grams = median(reducer, || jacobian.gram(gram.as_mut(), &mut work));
    let mut pulled = vec![0.0; p];
    let products =
        median(reducer, || jacobian.normal_apply(&start.weights, &mut value, &mut pulled));

    // A factor and solves with it: of a dense J of p rows, whose own Gram matrix is timed and taken off.
    let square = Mat::from_fn(p, p, |r, c| number(r * p + c) + if r == c { 2.0 } else { 0.0 });
    let square = DenseJacobian::from_matrix(square);
    let request = SolveRequest {
        damping: 0.5,
        solver: DampedSolver::PrimalCholesky,
        ..SolveRequest::default()
    };
    let mut factors = Factors::new(p, p)?;
    let (b, mut v) = (vec![1.0; p], vec![0.0; p]);
    let gram_alone = median(reducer, || square.gram(gram.as_mut(), &mut work));
    let mut refused = None;
    let whole = median(reducer, || {
        factors.invalidate();
        refused = factors.solve(&square, request, &b, &mut v).err();
    });
    let again = median(reducer, || {
        refused = factors.apply_inverse(&square, request, &mut v).err();
    });
    let without = median(reducer, || {
        refused = factors.solve(&square, request, &b, &mut v).err();
    });
    if let Some(error) = refused {
        return Err(error.into());
    }
    let mut short = [0.0; 8];
    let exchange = median(reducer, || (0..100).for_each(|_| reducer.borrow_mut().sum(&mut short)));
    let mut long = vec![0.0; p * (p + 1) / 2];
    let long_sum = median(reducer, || reducer.borrow_mut().sum(&mut long));
    let sum_bytes = 8.0 * (long.len() * 2 * (ranks.size() - 1)) as f64 / ranks.size() as f64;
    let (madds, order) = (here.gram, p as f64);
    Ok(Machine {
        entry: entries / here.entries,
        gram: grams / madds,
        product: products / (2.0 * rows.len() as f64 * order),
        factor: (whole - gram_alone - without).max(0.0) / here.factor,
        solve: (again - without).max(0.0) / (order * order),
        exchange: exchange / 100.0,
        byte: if sum_bytes > 0.0 { (long_sum - exchange / 50.0).max(0.0) / sum_bytes } else { 0.0 },
    })
}
