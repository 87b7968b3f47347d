//! The cost model counts what is exchanged: exchanges and bytes of a step, to the last byte.

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::network::{Activation, InitialPoint, Initialization, Network};
use gaussflow::objective::{Linearization, Objective, Squared};
use gaussflow::solvers::{DampedSolver, SolveRequest};
use gaussflow_distributed::communicator::Communicator;
use gaussflow_distributed::cost::{Machine, Shape, Step};
use gaussflow_distributed::partition::rows_of;
use gaussflow_distributed::reduce::{Reducer, Traffic};
use gaussflow_distributed::split_map::SplitMap;
use gaussflow_distributed::threads::run_ranks;

/// Exchanges and bytes of two steps, the second at a point nearby, with its iterations.
fn exchanged(shape: Shape, solver: DampedSolver, size: usize) -> [(Traffic, usize); 2] {
    let start =
        InitialPoint::draw(Initialization::Nullified, shape.hidden, shape.features, 0).unwrap();
    let number = |e: usize| ((e * e + 3 * e) as f64 * 0.618_033_988_749_894_9).fract() - 0.5;
    let inputs: Vec<f64> = (0..shape.rows * shape.features).map(number).collect();
    run_ranks(size, |ranks| {
        let rows = rows_of(shape.rows, size, ranks.rank());
        let here = &inputs[rows.start * shape.features..rows.end * shape.features];
        let network = Network::new(here, shape.features, &start.signs, Activation::Tanh).unwrap();
        let network = network.nullified_at(&start.weights).unwrap();
        let reducer = Rc::new(RefCell::new(Reducer::new(ranks)));
        let map = SplitMap::new(network, rows.start, Rc::clone(&reducer));
        let loss = Squared::new(rows.clone().map(number).collect()).unwrap();
        let objective = Objective::new(map, loss, 8.0).unwrap();
        let mut point = Linearization::new(objective.map()).unwrap();
        let (mut w, mut v) = (start.weights.clone(), vec![0.0; start.weights.len()]);
        [0, 1].map(|_| {
            let before = reducer.borrow().traffic();
            point.move_to(&objective, &w).unwrap();
            let request = SolveRequest { solver, damping: 0.1, ..SolveRequest::default() };
            let report = point.solve_loss_gradient(request, &mut v).unwrap();
            w.iter_mut().zip(&v).for_each(|(w, v)| *w -= 1e-6 * v);
            let after = reducer.borrow().traffic();
            let exchanges = after.exchanges - before.exchanges;
            let bytes = after.bytes - before.bytes;
            (Traffic { exchanges, bytes, seconds: 0.0 }, report.iterations)
        })
    })
    .remove(0)
}

#[test]
fn exchanges_and_bytes_of_a_step_are_as_counted() {
    // The Gram matrices have 2,080 numbers, which are gathered, and 18,528, which are summed by pieces.
    for (hidden, size) in [(16, 2), (48, 2), (48, 3), (16, 4)] {
        let shape = Shape { rows: 1001, hidden, features: 4 };
        let [(direct, refined), _] = exchanged(shape, DampedSolver::PrimalCholesky, size);
        assert_eq!(refined, 0, "the model is of a step without a refinement");
        let cost = shape.cost(size, Step::Direct);
        let counted = (cost.exchanges as u64, cost.bytes as u64);
        assert_eq!((direct.exchanges, direct.bytes), counted, "{hidden} units, {size} ranks");
        let [_, (shared, iterations)] = exchanged(shape, DampedSolver::AmortizedCholesky, size);
        assert!(iterations > 0);
        let cost = shape.cost(size, Step::Shared { iterations });
        let counted = (cost.exchanges as u64, cost.bytes as u64);
        assert_eq!((shared.exchanges, shared.bytes), counted, "{hidden} units, {size} ranks");
    }
}

#[test]
#[allow(clippy::float_cmp, reason = "whole numbers below 2^53, halved exactly")]
fn one_rank_exchanges_nothing_and_what_has_rows_halves() {
    let shape = Shape { rows: 20_640, hidden: 64, features: 8 };
    let [one, two] = [1, 2].map(|ranks| shape.cost(ranks, Step::Direct));
    assert_eq!((one.exchanges, one.bytes), (0, 0));
    assert!(two.gram * 2.0 == one.gram && two.products * 2.0 == one.products);
    assert!(two.factor == one.factor && two.solves == one.solves);
    // Without exchanges, a step takes what is shared out over the ranks, and what is not.
    let machine = Machine {
        entry: 2e-9,
        gram: 1e-10,
        product: 3e-10,
        factor: 2e-10,
        solve: 1e-9,
        exchange: 0.0,
        byte: 0.0,
    };
    let [a, b] = [one.seconds(&machine, 1), two.seconds(&machine, 2)];
    let replicated = one.factor * machine.factor + one.solves * machine.solve;
    assert!((2.0 * (b - replicated) / (a - replicated) - 1.0).abs() < 1e-12);
}
