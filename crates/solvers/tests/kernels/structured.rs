//! `RowKronecker` against its definition, `J[j, i d + k] = S[j, i] X[j, k]`.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{DampedSolver, DenseJacobian, Factors, JacobianOperator, RowKronecker};
use gaussflow_solvers::{SolveRequest, inner_product, norm};

use crate::systems::{EPS, gaussian, generator};

/// Rows, features and hidden units: ones, primes, and both sides of the blocks of 8 and 136.
const SHAPES: [(usize, usize, usize); 13] = [
    (1, 1, 1),
    (1, 3, 2),
    (7, 1, 5),
    (13, 5, 1),
    (135, 3, 7),
    (136, 8, 4),
    (137, 2, 3),
    (257, 7, 5),
    (300, 8, 18),
    (131, 30, 4),
    (64, 2, 67),
    (140, 26, 3),
    (17, 11, 13),
];

/// The operator, S row-major, and the dense J from the definition alone.
fn pair(seed: u64, (n, d, m): (usize, usize, usize)) -> (RowKronecker, Mat<f64>) {
    let rng = &mut generator(seed);
    let (x, s) = (gaussian(rng, n * d), gaussian(rng, n * m));
    let mut operator = RowKronecker::new(&x, d, m);
    for j in 0..n {
        for i in 0..m {
            operator.left_mut()[(j, i)] = s[j * m + i];
        }
    }
    let dense = Mat::from_fn(n, m * d, |j, c| s[j * m + c / d] * x[j * d + c % d]);
    (operator, dense)
}

#[test]
fn products_equal_those_of_the_definition() {
    for shape in SHAPES {
        let (n, d, m) = shape;
        let (operator, dense) = pair(1, shape);
        let p = m * d;
        assert_eq!((operator.rows(), operator.columns()), (n, p));
        assert_eq!((operator.features(), operator.hidden()), (d, m));
        let rng = &mut generator(2);
        let (v, u) = (gaussian(rng, p), gaussian(rng, n));
        let (mut image, mut pulled) = (vec![f64::NAN; n], vec![f64::NAN; p]);
        operator.apply(&v, &mut image);
        operator.apply_transposed(&u, &mut pulled);
        let (mut normal_image, mut normal) = (vec![f64::NAN; n], vec![f64::NAN; p]);
        operator.normal_apply(&v, &mut normal_image, &mut normal);
        assert_eq!(normal_image, image);
        operator.apply_transposed(&image, &mut pulled);
        assert_eq!(normal, pulled);
        operator.apply_transposed(&u, &mut pulled);
        for j in 0..n {
            let terms: Vec<f64> = (0..p).map(|c| dense[(j, c)] * v[c]).collect();
            assert_sum(image[j], &terms, &format!("J v of {shape:?}, row {j}"));
        }
        for c in 0..p {
            let terms: Vec<f64> = (0..n).map(|j| dense[(j, c)] * u[j]).collect();
            assert_sum(pulled[c], &terms, &format!("J^T u of {shape:?}, column {c}"));
        }
        // <J v, u> = <v, J^T u>, to the rounding of sums of n p terms.
        let (left, right) = (inner_product(&image, &u), inner_product(&v, &pulled));
        let size = dense.norm_l2() * norm(&u) * norm(&v);
        assert!((left - right).abs() <= (n + p) as f64 * EPS * size, "{shape:?}");
    }
}

/// A sum in any order errs by at most (terms + 2) eps times the sum of the absolute values.
fn assert_sum(found: f64, terms: &[f64], what: &str) {
    let bound = (terms.len() + 2) as f64 * EPS * terms.iter().map(|t| t.abs()).sum::<f64>();
    let sum: f64 = terms.iter().sum();
    assert!((found - sum).abs() <= bound, "{what}: {found} and {sum}");
}

#[test]
fn matrices_equal_those_of_the_definition() {
    for shape in SHAPES {
        let (operator, expected) = pair(3, shape);
        let (n, p) = (expected.nrows(), expected.ncols());
        let mut dense = Mat::full(n, p, f64::NAN);
        operator.write_dense(dense.as_mut());
        assert_eq!(dense, expected, "{shape:?}");
        let structure: &dyn JacobianOperator = &operator;
        let plain = DenseJacobian::from_matrix(expected.clone());
        for (jacobian, name) in [(structure, "structured"), (&plain, "dense")] {
            let mut gram = Mat::full(p, p, f64::NAN);
            let mut kernel = Mat::full(n, n, f64::NAN);
            jacobian.gram(gram.as_mut(), &mut Vec::new());
            jacobian.kernel(kernel.as_mut(), &mut Vec::new());
            for (c, r) in (0..p).flat_map(|c| (0..p).map(move |r| (c, r))) {
                if r < c {
                    assert!(gram[(r, c)].is_nan(), "{name} gram wrote above the diagonal");
                    continue;
                }
                let terms: Vec<f64> = (0..n).map(|j| expected[(j, r)] * expected[(j, c)]).collect();
                assert_sum(gram[(r, c)], &terms, &format!("{name} gram of {shape:?}"));
            }
            for (c, r) in (0..n).flat_map(|c| (0..n).map(move |r| (c, r))) {
                if r < c {
                    assert!(kernel[(r, c)].is_nan(), "{name} kernel wrote above the diagonal");
                    continue;
                }
                // The product of two sums errs relative to the product of their absolute sums.
                let terms: Vec<f64> = (0..p).map(|k| expected[(r, k)] * expected[(c, k)]).collect();
                assert_sum(kernel[(r, c)], &terms, &format!("{name} kernel of {shape:?}"));
            }
        }
    }
}

#[test]
fn parts_of_the_kernel_equal_those_of_the_definition() {
    for shape in SHAPES {
        let (operator, dense) = pair(6, shape);
        let plain = DenseJacobian::from_matrix(dense.clone());
        let (n, p) = (dense.nrows(), dense.ncols());
        let selected = [n - 1, 0, n / 2];
        for jacobian in [&operator as &dyn JacobianOperator, &plain] {
            let mut diagonal = vec![f64::NAN; n];
            jacobian.kernel_diagonal(&mut diagonal);
            let mut columns = Mat::full(n, 3, f64::NAN);
            jacobian.kernel_columns(&selected, columns.as_mut());
            let entry =
                |r: usize, c: usize| (0..p).map(|k| dense[(r, k)] * dense[(c, k)]).collect();
            for r in 0..n {
                let terms: Vec<f64> = entry(r, r);
                assert_sum(diagonal[r], &terms, &format!("diagonal {r} of {shape:?}"));
                for (c, &j) in selected.iter().enumerate() {
                    let terms: Vec<f64> = entry(r, j);
                    assert_sum(columns[(r, c)], &terms, &format!("column {j} of {shape:?}"));
                }
            }
            let squares: Vec<f64> =
                (0..n * p).map(|e| dense[(e / p, e % p)] * dense[(e / p, e % p)]).collect();
            assert_sum(jacobian.squared_norm(), &squares, "squared norm");
        }
    }
}

#[test]
fn a_solve_through_the_structure_equals_the_dense_one() {
    let (operator, dense) = pair(4, (129, 5, 7));
    let dense = DenseJacobian::from_matrix(dense);
    let b = gaussian(&mut generator(5), 129);
    for solver in DampedSolver::DIRECT {
        let request = SolveRequest { damping: 1e-3, solver, ..SolveRequest::default() };
        let mut solutions = [[0.0; 35], [0.0; 35]];
        let [first, second] = &mut solutions;
        let operators: [(&dyn JacobianOperator, _); 2] = [(&operator, first), (&dense, second)];
        for (jacobian, v) in operators {
            Factors::new(129, 35).unwrap().solve(jacobian, request, &b, v).unwrap();
        }
        let [first, second] = solutions;
        let gap: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
        // Both within the condition (at most norm^2 / rho) of the exact one, dual included.
        let condition = dense.matrix().norm_l2().powi(2) / 1e-3;
        assert!(norm(&gap) <= 200.0 * EPS * condition * norm(&first), "{solver:?}");
    }
}

#[test]
fn shapes_without_entries_are_empty_and_not_a_panic() {
    let operator = RowKronecker::new(&[], 0, 3);
    assert_eq!((operator.rows(), operator.columns()), (0, 0));
    operator.apply(&[], &mut []);
    operator.apply_transposed(&[], &mut []);
    let ragged = RowKronecker::new(&[1.0, 2.0, 3.0], 2, 1);
    assert_eq!((ragged.rows(), ragged.columns()), (1, 2));
}
