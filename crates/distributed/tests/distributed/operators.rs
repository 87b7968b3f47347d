//! What is summed over ranks is what one machine has: vectors, Jacobians, points that fail.

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::objective::{FiniteDifferences, MapError, ResidualFn, SmoothMap};
use gaussflow::solvers::faer::Mat;
use gaussflow::solvers::{
    Choice, DampedSolver, DenseJacobian, Factors, IterativeSettings, JacobianOperator, MatrixFree,
    RowKronecker, SolveError, SolveRequest, norm,
};
use gaussflow_distributed::Communicator;
use gaussflow_distributed::partition::rows_of;
use gaussflow_distributed::reduce::Reducer;
use gaussflow_distributed::row_split::RowSplit;
use gaussflow_distributed::split_map::SplitMap;
use gaussflow_distributed::threads::{ThreadRank, run_ranks};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, RngSeed};

fn settings(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(7),
        ..ProptestConfig::default()
    }
}

/// Irregular numbers of both signs and many sizes, no two alike.
fn number(a: usize, b: usize) -> f64 {
    let at = (a * 7919 + b * 104_729 + 1) as f64 * 0.618_033_988_749_894_9;
    (at.fract() - 0.5) * (((a + 3 * b) % 41) as f64 - 20.0).exp2()
}

/// The rows of J on one rank, over the ranks.
fn split<'c, 's>(
    ranks: &'c ThreadRank<'s>,
    whole: &Mat<f64>,
) -> RowSplit<'c, DenseJacobian, ThreadRank<'s>> {
    let rows = rows_of(whole.nrows(), ranks.size(), ranks.rank());
    let here = whole.as_ref().subrows(rows.start, rows.len()).to_owned();
    RowSplit::new(DenseJacobian::from_matrix(here), Rc::new(RefCell::new(Reducer::new(ranks))))
}

proptest! {
    #![proptest_config(settings(48))]

    #[test]
    fn rows_are_shared_evenly_and_all_of_them(rows in 0..5000usize, ranks in 1..70usize) {
        let mut next = 0;
        for rank in 0..ranks {
            let range = rows_of(rows, ranks, rank);
            prop_assert_eq!(range.start, next);
            prop_assert!(range.len() == rows / ranks || range.len() == rows / ranks + 1);
            next = range.end;
        }
        prop_assert_eq!(next, rows);
    }

    /// Short vectors are gathered, long ones summed by pieces: the bits are those of `x_0 + x_1 + ...`.
    #[test]
    fn sums_have_the_bits_of_the_order_of_the_ranks(size in 1..6usize, length in 0..30_000usize) {
        let sums = run_ranks(size, |ranks| {
            let mut values: Vec<f64> = (0..length).map(|i| number(ranks.rank(), i)).collect();
            Reducer::new(ranks).sum(&mut values);
            values
        });
        let expected: Vec<f64> =
            (0..length).map(|i| (1..size).fold(number(0, i), |s, rank| s + number(rank, i))).collect();
        for found in sums {
            prop_assert!(found == expected);
        }
    }

    /// Against the whole J on one machine, to the rounding of sums over n rows.
    #[test]
    fn products_and_norms_are_those_of_the_whole(size in 2..5usize, extra in 0..40usize, p in 1..9usize) {
        let n = size + extra;
        let whole = Mat::from_fn(n, p, number);
        let dense = DenseJacobian::from_matrix(whole.clone());
        let (u, v): (Vec<f64>, Vec<f64>) =
            ((0..n).map(|j| number(j, 50)).collect(), (0..p).map(|k| number(60, k)).collect());
        let found = run_ranks(size, |ranks| {
            let (jacobian, rows) = (split(ranks, &whole), rows_of(n, size, ranks.rank()));
            let here = &u[rows.clone()];
            let (mut image, mut pulled, mut normal) =
                (vec![0.0; rows.len()], vec![0.0; p], vec![0.0; p]);
            jacobian.apply_transposed(here, &mut pulled);
            jacobian.normal_apply(&v, &mut image, &mut normal);
            let mut defect = vec![0.0; p];
            jacobian.normal_residual((here, 0.5), &v, &mut image, &mut defect);
            let mut gram = Mat::zeros(p, p);
            jacobian.gram(gram.as_mut(), &mut Vec::new());
            let scalars = [
                jacobian.squared_norm().sqrt(),
                jacobian.inner_product(here, here).sqrt(),
                jacobian.output_norm(here),
                jacobian.total_rows() as f64,
            ];
            (pulled, normal, gram, scalars, defect)
        });
        let (mut image, mut pulled, mut normal) = (vec![0.0; n], vec![0.0; p], vec![0.0; p]);
        dense.apply_transposed(&u, &mut pulled);
        dense.normal_apply(&v, &mut image, &mut normal);
        let mut defect = vec![0.0; p];
        dense.normal_residual((&u, 0.5), &v, &mut image, &mut defect);
        let mut gram = Mat::zeros(p, p);
        dense.gram(gram.as_mut(), &mut Vec::new());
        let j = dense.squared_norm().sqrt();
        let [u_norm, v] = [&u, &v].map(|x| gaussflow::solvers::norm(x));
        let rounding = 4.0 * (n + p) as f64 * f64::EPSILON;
        for (rank, one) in found.iter().enumerate() {
            prop_assert!(*one == found[0], "rank {rank} has other bits");
            for k in 0..p {
                prop_assert!((one.0[k] - pulled[k]).abs() <= rounding * j * u_norm);
                prop_assert!((one.1[k] - normal[k]).abs() <= rounding * j * j * v);
                prop_assert!((one.4[k] - defect[k]).abs() <= rounding * j * (u_norm + j * v));
                for r in k..p {
                    prop_assert!((one.2[(r, k)] - gram[(r, k)]).abs() <= rounding * j * j);
                }
            }
            for (found, expected) in one.3.iter().zip([j, u_norm, u_norm, n as f64]) {
                prop_assert!((found - expected).abs() <= rounding * expected);
            }
        }
    }
}

/// Damped conjugate gradients over ranks take the blocks of hidden units, where J has them: the same
/// solution as with the dense J, which has none, in less than half of its iterations.
#[test]
fn blocks_of_units_precondition_over_ranks() {
    const SHAPE: (usize, usize, usize) = (400, 6, 10);
    let (n, d, m) = SHAPE;
    // Features of very different sizes, which the blocks even out.
    let inputs: Vec<f64> =
        (0..n * d).map(|e| number(e, 0) * 2.0_f64.powi(20) * ((e % d) as f64).exp2()).collect();
    let slope = |j: usize, i: usize| 0.2 + ((j * (i + 1)) as f64 * 0.618).fract();
    let whole = Mat::from_fn(n, m * d, |j, c| slope(j, c / d) * inputs[j * d + c % d]);
    let solutions = run_ranks(2, |ranks| {
        let rows = rows_of(n, 2, ranks.rank());
        let mut here = RowKronecker::new(&inputs[rows.start * d..rows.end * d], d, m);
        for (r, j) in rows.clone().enumerate() {
            (0..m).for_each(|i| here.pieces_mut()[0].left_mut()[(r, i)] = slope(j, i));
        }
        let structured = RowSplit::new(here, Rc::new(RefCell::new(Reducer::new(ranks))));
        let dense = split(ranks, &whole);
        let b: Vec<f64> = rows.clone().map(|j| (j as f64).sin()).collect();
        let solve = |jacobian: &dyn JacobianOperator| {
            let (mut solver, mut v) =
                (MatrixFree::new(rows.len(), m * d).unwrap(), vec![0.0; m * d]);
            let settings = IterativeSettings { tolerance: 1e-10, ..IterativeSettings::default() };
            let report = solver.solve_cg(jacobian, 0.01, settings, &b, &mut v).unwrap();
            (report.iterations, v)
        };
        (solve(&structured), solve(&dense))
    });
    for ((few, v), (many, w)) in solutions {
        assert!(2 * few < many, "{few} iterations against {many}");
        let difference: Vec<f64> = v.iter().zip(&w).map(|(v, w)| v - w).collect();
        assert!(norm(&difference) < 1e-6 * norm(&w), "{:e}", norm(&difference) / norm(&w));
    }
}

/// Squares of 1e200 overflow; the norm over ranks does not.
#[test]
fn a_norm_over_ranks_keeps_extreme_scales() {
    let whole = Mat::zeros(2, 1);
    let norms =
        run_ranks(2, |ranks| split(ranks, &whole).output_norm(&[[3e200], [4e200]][ranks.rank()]));
    for found in norms {
        assert!((found / 5e200 - 1.0).abs() < 1e-15);
    }
}

/// Kernels of the parameters solve; those that need all rows say so; `Auto` never takes one of them.
#[test]
fn kernels_that_need_all_rows_are_refused() {
    // Columns 2 and 3 differ by 1e-6: the Cholesky factor's condition is above what Auto accepts.
    let whole = Mat::from_fn(9, 3, |r, c| {
        let base = 1.0 + (r * (c.min(1) + 2) % 5) as f64;
        if c == 2 { base + 1e-6 * (r % 3) as f64 } else { base }
    });
    let outcomes = run_ranks(2, |ranks| {
        let (jacobian, rows) = (split(ranks, &whole), rows_of(9, 2, ranks.rank()));
        let b: Vec<f64> = rows.clone().map(|j| number(j, 1)).collect();
        DampedSolver::ALL.map(|solver| {
            let mut factors = Factors::new(rows.len(), 3).unwrap();
            factors.set_total_rows(9);
            let request = SolveRequest { solver, ..SolveRequest::default() };
            let mut v = [0.0; 3];
            (solver, factors.solve(&jacobian, request, &b, &mut v))
        })
    });
    for (solver, outcome) in outcomes.into_iter().flatten() {
        match solver {
            DampedSolver::DualCholesky | DampedSolver::HouseholderQr | DampedSolver::ThinSvd => {
                let refused = matches!(outcome, Err(SolveError::SplitRows { total: 9, .. }));
                assert!(refused, "{solver:?}: {outcome:?}");
            }
            DampedSolver::Auto => {
                let report = outcome.unwrap();
                let taken = (report.solver, report.choice);
                assert_eq!(taken, (DampedSolver::Lsmr, Choice::MemoryLimit));
            }
            _ => assert!(outcome.is_ok(), "{solver:?}: {outcome:?}"),
        }
    }
}

/// A row that has no value on one rank is an error on all; nobody waits for anybody.
#[test]
fn an_error_of_one_rank_is_the_error_of_all() {
    let errors = run_ranks(3, |ranks| {
        let rank = ranks.rank();
        let rows = ResidualFn::new(2, 1, move |w: &[f64], out: &mut [f64]| {
            out.fill(w[0]);
            if rank == 1 {
                out[1] = w[0].ln();
            }
        });
        let reducer = Rc::new(RefCell::new(Reducer::new(ranks)));
        let map = SplitMap::new(FiniteDifferences::new(rows), 2 * rank, reducer);
        let (mut value, mut jacobian) = ([0.0; 2], map.new_jacobian());
        let fine = map.linearize(&[1.0], &mut value, &mut jacobian);
        (fine, map.linearize(&[-1.0], &mut value, &mut jacobian))
    });
    for (fine, failed) in errors {
        assert_eq!(fine, Ok(()));
        // Where the map itself notices first, it is undefined elsewhere.
        assert!(
            matches!(failed, Err(MapError::NonFinite { .. } | MapError::Undefined { .. })),
            "{failed:?}"
        );
    }
}

/// On unlike processors w may come to differ in its last bit: that is noticed, not summed over.
#[test]
fn ranks_at_different_points_are_noticed() {
    let errors = run_ranks(2, |ranks| {
        let rows = ResidualFn::new(2, 1, |w: &[f64], out: &mut [f64]| out.fill(w[0]));
        let reducer = Rc::new(RefCell::new(Reducer::new(ranks)));
        let map = SplitMap::new(FiniteDifferences::new(rows), 2 * ranks.rank(), reducer);
        let w = [if ranks.rank() == 1 { 1.0_f64.next_up() } else { 1.0 }];
        map.linearize(&w, &mut [0.0; 2], &mut map.new_jacobian())
    });
    for error in errors {
        assert!(
            matches!(&error, Err(MapError::Undefined { reason }) if reason.contains("ranks 0 and 1")),
            "{error:?}"
        );
    }
}
