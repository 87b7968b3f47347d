//! The cost model counts what is exchanged: exchanges and bytes of a step, to the last byte.

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::network::{Activation, InitialPoint, Initialization, Network};
use gaussflow::objective::{Linearization, Objective, Squared};
use gaussflow::solvers::{DampedSolver, SolveRequest};
use gaussflow_distributed::communicator::Communicator;
use gaussflow_distributed::cost::{Cost, Resident, Shape, Step};
use gaussflow_distributed::exchange::{self, Exchange, Sums};
use gaussflow_distributed::machine::{Machine, Work};
use gaussflow_distributed::partition::rows_of;
use gaussflow_distributed::reduce::{Reducer, Traffic};
use gaussflow_distributed::split_map::SplitMap;
use gaussflow_distributed::threads::run_ranks;

/// Exchanges and bytes of two steps on each rank, the second at a point nearby, with its iterations.
fn exchanged(
    shape: Shape,
    (solver, damping): (DampedSolver, f64),
    size: usize,
) -> Vec<[(Traffic, usize); 2]> {
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
            let request = SolveRequest { solver, damping, ..SolveRequest::default() };
            let report = point.solve_loss_gradient(request, &mut v).unwrap();
            w.iter_mut().zip(&v).for_each(|(w, v)| *w -= 1e-6 * v);
            let after = reducer.borrow().traffic();
            let exchanges = after.exchanges - before.exchanges;
            let bytes = after.bytes - before.bytes;
            (Traffic { exchanges, bytes, seconds: 0.0 }, report.iterations)
        })
    })
}

#[test]
fn exchanges_and_bytes_of_a_step_are_as_counted() {
    // The Gram matrices have 2,080 numbers, which are gathered, and 18,528, which are summed by pieces.
    for (hidden, size) in [(16, 2), (48, 2), (48, 3), (16, 4)] {
        let shape = Shape { rows: 1001, hidden, features: 4 };
        for [(direct, refined), _] in exchanged(shape, (DampedSolver::PrimalCholesky, 0.1), size) {
            assert_eq!(refined, 0, "the model is of a step without a refinement");
            let cost = shape.cost(size, Step::Direct);
            assert_eq!(direct, cost.traffic(), "{hidden} units, {size} ranks");
        }
        let shared = (DampedSolver::AmortizedCholesky, 0.1);
        for [_, (shared, iterations)] in exchanged(shape, shared, size) {
            assert!(iterations > 0);
            let cost = shape.cost(size, Step::Shared { iterations });
            assert_eq!(shared, cost.traffic(), "{hidden} units, {size} ranks");
        }
    }
}

/// Rank 0 has a rank to meet in every round. Where the number of ranks is no power of two, others miss rounds.
#[test]
fn exchanges_of_an_orthogonal_step_are_those_of_rank_0() {
    // With 101 rows, ranks have fewer rows than J has columns.
    for (rows, size) in [(1001, 2), (1001, 3), (101, 3), (1001, 4), (1001, 5), (101, 5)] {
        let shape = Shape { rows, hidden: 16, features: 4 };
        let counted = shape.cost(size, Step::Orthogonal).traffic();
        let ranks = exchanged(shape, (DampedSolver::HouseholderQr, 0.0), size);
        for (rank, steps) in ranks.into_iter().enumerate() {
            for (made, _) in steps {
                assert!(made.exchanges <= counted.exchanges && made.bytes <= counted.bytes);
                let all = rank == 0 || size.is_power_of_two();
                assert!(!all || made == counted, "{size} ranks: {made:?} on {rank}, {counted:?}");
            }
        }
    }
}

#[test]
fn exchanges_of_a_dual_step_are_as_counted_on_all_ranks() {
    // Sums of 6,000 numbers are gathered by two ranks, and made by pieces on more.
    for (hidden, size) in [(20, 2), (20, 3), (20, 4), (20, 5), (1500, 2), (1500, 3), (1500, 5)] {
        let shape = Shape { rows: 61, hidden, features: 4 };
        let counted = shape.cost(size, Step::Dual).traffic();
        for steps in exchanged(shape, (DampedSolver::DualCholesky, 0.1), size) {
            assert!(steps.iter().all(|(made, _)| *made == counted), "{size} ranks: {steps:?}");
        }
    }
}

/// A cost with nothing but these exchanges.
fn only(ranks: usize, exchanges: Vec<(usize, Exchange)>) -> Cost {
    let (shared, repeated, resident) = (Work::default(), Work::default(), Resident::default());
    Cost { ranks, shared, repeated, exchanges, resident }
}

#[test]
fn sums_are_counted_as_they_are_made() {
    for size in [1, 2, 3, 4] {
        for length in [1, 520, 5461, 8192, 8193, 20_001] {
            let made = run_ranks(size, |ranks| {
                let mut reducer = Reducer::new(ranks);
                reducer.sum(&mut vec![1.0; length]);
                Traffic { seconds: 0.0, ..reducer.traffic() }
            });
            let counted = only(size, vec![(1, Exchange::Sum(length))]).traffic();
            assert!(made.iter().all(|made| *made == counted), "{size} ranks, {length} numbers");
        }
    }
}

/// 12 rows on 3 ranks, 2 units, 2 features, p = 4, by hand.
#[test]
#[allow(clippy::float_cmp, reason = "small whole numbers, and thirds and sixths of them")]
fn a_small_step_costs_what_it_costs_by_hand() {
    let shape = Shape { rows: 12, hidden: 2, features: 2 };
    let direct = shape.cost(3, Step::Direct);
    // 4 rows: 4 * 2 entries; 4 * 3 * 3 of the Gram matrix; 3 products of 16; a factor of 64 / 6; 2 solves of 16.
    let shared = Work { entries: 8.0, gram: 36.0, products: 48.0, ..Work::default() };
    assert_eq!(direct.shared, shared);
    assert_eq!(direct.repeated, Work { factor: 64.0 / 6.0, solves: 32.0, ..Work::default() });
    // Sums of 4 + 12, 10 and 4 numbers, from two others.
    assert_eq!(direct.traffic(), Traffic { exchanges: 3, bytes: 8 * 2 * 30, seconds: 0.0 });
    // 12 rows of 3 numbers; 4 rows of 3 + 2; vectors; two 4 x 4 matrices and three triangles of 10.
    assert_eq!(direct.resident.data, 8.0 * 36.0);
    assert_eq!(direct.resident.rows, 8.0 * 20.0);
    assert_eq!(direct.resident.matrices, 8.0 * (32.0 + 30.0));

    let iterated = shape.cost(3, Step::Shared { iterations: 5 });
    assert_eq!(iterated.shared, Work { gram: 0.0, products: 16.0 * 15.0, ..shared });
    assert_eq!(iterated.repeated, Work { solves: 80.0, ..Work::default() });
    assert_eq!(iterated.traffic(), Traffic { exchanges: 8, bytes: 16 * (16 + 28), seconds: 0.0 });

    let orthogonal = shape.cost(3, Step::Orthogonal);
    // Reflections of 4 x 4: 2 (16 + 9 + 4 + 1) with lengths 4, 3, 2, 1, by the integral 2 * 64 / 3; two stacks of 8 x 4.
    assert!((orthogonal.shared.qr - 128.0 / 3.0).abs() < 1e-12);
    assert!((orthogonal.repeated.qr - 2.0 * (128.0 - 64.0 / 3.0)).abs() < 1e-12);
    assert_eq!(orthogonal.exchanges[1], (2, Exchange::Swap(10)));

    let wide = Shape { rows: 3, hidden: 2, features: 2 };
    let dual = wide.cost(3, Step::Dual);
    // With one row on a rank there is one round, and a rank has two blocks: its own row's and the next rank's. Each has one
    // entry of 2 + 2 multiply-adds.
    assert_eq!((dual.shared.gram, dual.repeated.factor), (8.0, 27.0 / 6.0));
    // The 2 + 2 numbers of a row from one other rank; from each of two others 2 blocks, 1 number of b, and the sums of
    // 4 + 12, 4 and 4.
    let numbers = 4 + 2 * (2 + 1 + 24);
    assert_eq!(dual.traffic(), Traffic { exchanges: 6, bytes: 8 * numbers, seconds: 0.0 });
}

/// The seconds of Householder reflections, counted one by one.
#[test]
fn reflections_are_counted() {
    for (rows, columns) in [(400_usize, 100_usize), (100, 100), (60, 100)] {
        let shape = Shape { rows, hidden: columns / 4, features: 4 };
        let counted = shape.cost(1, Step::Orthogonal).shared.qr;
        let one = |j: usize| 2.0 * ((rows - j) * (columns - j)) as f64;
        let summed: f64 = (0..rows.min(columns)).map(one).sum();
        // The integral leaves out terms of lower order.
        assert!((summed / counted - 1.0).abs() < 0.03, "{rows} x {columns}: {summed} {counted}");
    }
}

#[test]
#[allow(clippy::float_cmp, reason = "whole numbers below 2^53, halved exactly")]
fn one_rank_exchanges_nothing_and_what_has_rows_halves() {
    let shape = Shape { rows: 20_640, hidden: 64, features: 8 };
    let steps = [Step::Direct, Step::Shared { iterations: 10 }, Step::Orthogonal];
    for [one, two] in steps.map(|step| [1, 2].map(|ranks| shape.cost(ranks, step))) {
        assert_eq!(one.traffic(), Traffic::default());
        assert!(two.traffic().bytes > 0);
        assert!(two.shared.gram * 2.0 == one.shared.gram);
        assert!(two.shared.products * 2.0 == one.shared.products);
        assert!(two.repeated.factor == one.repeated.factor);
        assert!(two.repeated.solves == one.repeated.solves);
    }
    // Without exchanges, a step takes what is shared out over the ranks, and what is not.
    let machine = Machine {
        entry: 2e-9,
        gram: 1e-10,
        product: 3e-10,
        factor: 2e-10,
        solve: 1e-9,
        qr: 1e-10,
        svd: 1e-9,
    };
    let network = exchange::Network { latency: 0.0, byte: 0.0 };
    let [a, b] = [1, 2].map(|ranks| {
        shape.cost(ranks, Step::Direct).seconds(&machine, &network, Sums::Program).total()
    });
    let replicated = 512_f64.powi(3) / 6.0 * machine.factor + 2.0 * 512_f64.powi(2) * machine.solve;
    assert!((2.0 * (b - replicated) / (a - replicated) - 1.0).abs() < 1e-12);
}
