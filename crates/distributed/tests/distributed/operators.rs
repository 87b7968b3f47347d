//! What is summed over ranks is what one machine has: vectors, Jacobians, points that fail.

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::objective::{
    FiniteDifferences, Linearization, MapError, Objective, ResidualFn, Squared,
};
use gaussflow::solvers::faer::Mat;
use gaussflow::solvers::{
    DampedSolver, DenseJacobian, Factors, IterativeSettings, JacobianOperator, MatrixFree,
    RowKronecker, SolveRequest, norm,
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

/// Rows of a matrix of this shape, whose last columns are nearly or exactly multiples of the first.
fn rows_of_shape((n, p): (usize, usize), defect: f64) -> Mat<f64> {
    let entry = |r: usize, c: usize| ((r * p + c) as f64 * 0.618_033_988_749_894_9).fract() - 0.5;
    Mat::from_fn(
        n,
        p,
        |r, c| if c + 1 == p { entry(r, 0) + defect * entry(r, c) } else { entry(r, c) },
    )
}

/// Every kernel on 2 to 5 ranks finds the solution of one machine, where J is tall, square or wide, also where a rank has
/// fewer rows than J has columns, and where columns are nearly or exactly dependent.
#[test]
fn every_kernel_solves_as_on_one_machine() {
    let shapes = [(23, 4), (9, 7), (6, 6), (7, 19)];
    for ((n, p), defect) in shapes.into_iter().flat_map(|s| [1.0, 1e-5, 0.0].map(|d| (s, d))) {
        let whole = rows_of_shape((n, p), defect);
        let dense = DenseJacobian::from_matrix(whole.clone());
        let b: Vec<f64> = (0..n).map(|j| (j as f64).cos()).collect();
        for (solver, damping) in DampedSolver::ALL.into_iter().flat_map(|s| [(s, 0.0), (s, 0.1)]) {
            let request =
                SolveRequest { solver, damping, rank_cutoff: 1e-12, ..SolveRequest::default() };
            let mut expected = vec![0.0; p];
            let alone = Factors::of(&dense).unwrap().solve(&dense, request, &b, &mut expected);
            for size in 2..6 {
                let found = run_ranks(size, |ranks| {
                    let (jacobian, rows) = (split(ranks, &whole), rows_of(n, size, ranks.rank()));
                    let mut v = vec![0.0; p];
                    let mut factors = Factors::of(&jacobian).unwrap();
                    let outcome = factors.solve(&jacobian, request, &b[rows], &mut v);
                    (outcome.map(|report| (report.solver, report.rank)), v)
                });
                let case =
                    format!("{n} x {p}, {defect:e}, {solver:?}, rho {damping}, {size} ranks");
                for (outcome, v) in &found {
                    assert_eq!(v, &found[0].1, "{case}: other bits");
                    let Ok(report) = &alone else {
                        assert!(outcome.is_err(), "{case}: {alone:?} alone, {outcome:?}");
                        continue;
                    };
                    let (solver, rank) = outcome.as_ref().unwrap_or_else(|e| panic!("{case}: {e}"));
                    assert_eq!((*solver, *rank), (report.solver, report.rank), "{case}");
                    let miss: Vec<f64> = v.iter().zip(&expected).map(|(a, b)| a - b).collect();
                    // The residual's tolerance of 1e-12 times the condition of J^T J.
                    let bound = if defect > 0.5 || damping > 0.0 { 1e-9 } else { 1e-4 };
                    assert!(norm(&miss) <= bound * norm(&expected), "{case}: {:e}", norm(&miss));
                }
            }
        }
    }
}

/// Singular values, projections and the basis of the range come from the triangle of all rows, or from all rows where p > n.
#[test]
fn spectrum_projection_and_basis_are_those_of_the_whole() {
    for ((n, p), defect) in
        [((40, 5), 1.0), ((40, 5), 1e-9), ((40, 5), 0.0), ((9, 7), 1.0), ((8, 21), 1.0)]
    {
        let whole = rows_of_shape((n, p), defect);
        let dense = DenseJacobian::from_matrix(whole.clone());
        let u: Vec<f64> = (0..n).map(|j| (0.3 * j as f64).sin()).collect();
        let mut alone = Factors::of(&dense).unwrap();
        let expected = alone.extreme_singular_values(&dense).unwrap();
        let mut projected = vec![0.0; n];
        let rank = alone.project_on_range(&dense, 1e-12, &u, &mut projected).unwrap();
        for size in 2..6 {
            let found = run_ranks(size, |ranks| {
                let (jacobian, rows) = (split(ranks, &whole), rows_of(n, size, ranks.rank()));
                let mut factors = Factors::of(&jacobian).unwrap();
                let extremes = factors.extreme_singular_values(&jacobian).unwrap();
                let mut part = vec![0.0; rows.len()];
                let here = &u[rows.clone()];
                let rank = factors.project_on_range(&jacobian, 1e-12, here, &mut part).unwrap();
                let mut basis = Mat::zeros(rows.len(), p);
                let full =
                    factors.range_basis(&jacobian, 1e-12).and_then(|mut q| q.write(basis.as_mut()));
                (extremes, rank, part, full.is_ok().then_some(basis))
            });
            let case = format!("{n} x {p}, {defect:e}, {size} ranks");
            let mut orthogonal = Mat::<f64>::zeros(p, p);
            let mut all = Vec::new();
            for (extremes, found_rank, part, basis) in found {
                let rounding = 1e-13 * expected.largest;
                assert!((extremes.largest - expected.largest).abs() < rounding, "{case}");
                assert!((extremes.smallest - expected.smallest).abs() < rounding, "{case}");
                assert_eq!(found_rank, rank, "{case}");
                all.extend(part);
                assert_eq!(basis.is_some(), rank == p && n >= p, "{case}");
                if let Some(q) = basis {
                    orthogonal += q.transpose() * &q;
                }
            }
            for (a, b) in all.iter().zip(&projected) {
                // A subspace moves by the rounding of J over its smallest kept singular value.
                assert!(
                    (a - b).abs() < if (1e-10..1e-8).contains(&defect) { 1e-5 } else { 1e-12 },
                    "{case}: {a} {b}"
                );
            }
            if rank == p && n >= p {
                let error = (orthogonal - Mat::<f64>::identity(p, p)).norm_max();
                assert!(error < 1e-13, "{case}: Q^T Q - I = {error:e}");
            }
        }
    }
}

/// Squares of 1e200 overflow, those of 1e-200 vanish: over ranks the solution is that of one machine all the same.
#[test]
fn kernels_over_ranks_keep_extreme_scales() {
    for exponent in [-700, 600] {
        let scale = 2.0_f64.powi(exponent);
        let mut whole = rows_of_shape((17, 4), 1e-3);
        whole.col_iter_mut().for_each(|column| column.iter_mut().for_each(|x| *x *= scale));
        let dense = DenseJacobian::from_matrix(whole.clone());
        let b: Vec<f64> = (0..17).map(|j| f64::from(j).cos()).collect();
        for solver in
            [DampedSolver::HouseholderQr, DampedSolver::ThinSvd, DampedSolver::PrimalCholesky]
        {
            let request = SolveRequest { solver, ..SolveRequest::default() };
            let mut expected = [0.0; 4];
            Factors::of(&dense).unwrap().solve(&dense, request, &b, &mut expected).unwrap();
            let found = run_ranks(3, |ranks| {
                let (jacobian, rows) = (split(ranks, &whole), rows_of(17, 3, ranks.rank()));
                let mut v = [0.0; 4];
                let outcome =
                    Factors::of(&jacobian).unwrap().solve(&jacobian, request, &b[rows], &mut v);
                outcome.map(|_| v)
            });
            for v in found {
                let v = v.unwrap();
                let miss: Vec<f64> = v.iter().zip(&expected).map(|(a, b)| a - b).collect();
                assert!(
                    norm(&miss) <= 1e-8 * norm(&expected),
                    "2^{exponent}, {solver:?}: {v:?} {expected:?}"
                );
            }
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
        let objective = Objective::new(map, Squared::of_residuals(2), 1.0).unwrap();
        let mut here = Linearization::new(objective.map()).unwrap();
        let fine = here.move_to(&objective, &[1.0]);
        (fine, here.move_to(&objective, &[-1.0]))
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
        let objective = Objective::new(map, Squared::of_residuals(2), 1.0).unwrap();
        Linearization::new(objective.map()).unwrap().move_to(&objective, &w)
    });
    for error in errors {
        assert!(
            matches!(&error, Err(MapError::Undefined { reason }) if reason.contains("ranks 0 and 1")),
            "{error:?}"
        );
    }
}
