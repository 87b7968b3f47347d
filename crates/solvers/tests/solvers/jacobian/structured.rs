//! `RowKronecker` against its definition, `J[j, i d + k] = S[j, i] X[j, k]`.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{
    DampedSolver, DenseJacobian, Factors, JacobianOperator, KroneckerPiece, RowBlocks,
    RowKronecker, SolveRequest, inner_product, norm,
};
use proptest::prelude::*;

use crate::cases::settings;
use crate::systems::{EPS, gaussian, generator};

/// Rows, and of each piece features and hidden units: ones, primes, and both sides of the blocks of 8 and 136; the
/// last ones as networks of several layers have them, with few and many parameters.
const SHAPES: [(usize, &[(usize, usize)]); 19] = [
    (1, &[(1, 1)]),
    (1, &[(3, 2)]),
    (7, &[(1, 5)]),
    (13, &[(5, 1)]),
    (135, &[(3, 7)]),
    (136, &[(8, 4)]),
    (137, &[(2, 3)]),
    (257, &[(7, 5)]),
    (300, &[(8, 18)]),
    (131, &[(30, 4)]),
    (64, &[(2, 67)]),
    (140, &[(26, 3)]),
    (17, &[(11, 13)]),
    (1, &[(1, 1), (1, 1)]),
    (140, &[(3, 4), (4, 5), (5, 1)]),
    (137, &[(2, 3), (3, 1)]),
    (300, &[(8, 16), (17, 12)]),
    (273, &[(5, 30), (30, 3), (4, 9)]),
    (40, &[(9, 20), (20, 20), (20, 20), (20, 1)]),
];

/// The blocks of a hidden unit are those of the dense Gram matrix, to the rounding of sums over n rows.
#[test]
fn diagonal_blocks_equal_those_of_the_definition() {
    for (k, shape) in SHAPES.into_iter().enumerate() {
        let (operator, dense) = pair(k as u64 + 900, shape);
        let (n, pieces) = shape;
        let mut blocks = used_buffer(3);
        let mut orders = Vec::new();
        operator.gram_blocks(&mut blocks, &mut orders);
        let expected = pieces.iter().flat_map(|&(d, m)| vec![d; m]);
        assert_eq!(orders, expected.collect::<Vec<_>>());
        let (mut found, mut first) = (blocks.into_iter(), 0);
        for d in orders {
            for (r, c) in (0..d).flat_map(|r| (0..d).map(move |c| (r, c))) {
                let terms = (0..n).map(|j| dense[(j, first + r)] * dense[(j, first + c)]);
                let ((sum, bound), found) = (sum_and_bound(terms), found.next().unwrap());
                assert!((found - sum).abs() <= bound, "{shape:?} ({r}, {c}): {found} {sum}");
            }
            first += d;
        }
        assert_eq!(found.next(), None);
    }
}

/// The operator and the dense J from the definition alone; every other piece has inputs that are written later.
fn pair(seed: u64, (n, pieces): (usize, &[(usize, usize)])) -> (RowKronecker, Mat<f64>) {
    let rng = &mut generator(seed);
    let (mut operator, mut dense): (Option<RowKronecker>, _) = (None, Mat::zeros(n, 0));
    for (l, &(d, m)) in pieces.iter().enumerate() {
        let (x, s) = (gaussian(rng, n * d), gaussian(rng, n * m));
        let mut piece = KroneckerPiece::new(&x, d, m);
        if l % 2 == 1 {
            piece = KroneckerPiece::over_varying(n, d, m);
            for (e, x) in x.iter().enumerate() {
                piece.right_mut()[(e / d, e % d)] = *x;
            }
            piece.right_is_written();
        }
        for (e, s) in s.iter().enumerate() {
            piece.left_mut()[(e / m, e % m)] = *s;
        }
        operator = Some(match operator {
            None => RowKronecker::of_piece(piece),
            Some(before) => before.with_piece(piece),
        });
        let before = dense.ncols();
        dense.resize_with(n, before + m * d, |j, c| {
            let c = c - before;
            s[j * m + c / d] * x[j * d + c % d]
        });
    }
    (operator.unwrap(), dense)
}

#[test]
fn products_equal_those_of_the_definition() {
    for shape in SHAPES {
        let (operator, dense) = pair(1, shape);
        let (n, p) = (dense.nrows(), dense.ncols());
        assert_eq!((operator.rows(), operator.columns()), (n, p));
        let pieces = operator.pieces().iter().map(|piece| (piece.features(), piece.hidden()));
        assert_eq!(pieces.collect::<Vec<_>>(), shape.1);
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
        operator.normal_residual((&u, 0.7), &v, &mut normal_image, &mut normal);
        let residual: Vec<f64> = u.iter().zip(&image).map(|(u, image)| u - 0.7 * image).collect();
        assert_eq!(normal_image, residual);
        operator.apply_transposed(&residual, &mut pulled);
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
    let (operator, dense) = pair(4, (129, &[(5, 7)]));
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
    for operator in [RowKronecker::new(&[1.0; 32], 4, 0), RowKronecker::new(&[], 0, 3)] {
        let n = operator.rows();
        let (mut image, mut squares) = (vec![f64::NAN; n], vec![f64::NAN; n]);
        operator.apply(&[], &mut image);
        operator.kernel_diagonal(&mut squares);
        assert_eq!((image, squares), (vec![0.0; n], vec![0.0; n]));
        operator.gram(Mat::zeros(0, 0).as_mut(), &mut Vec::new());
        assert_eq!(operator.squared_norm().to_bits(), 0);
    }
    let ragged = RowKronecker::new(&[1.0, 2.0, 3.0], 2, 1);
    assert_eq!((ragged.rows(), ragged.columns()), (1, 2));
}

/// The sum of `terms`, and how far from it a sum in another order may be: (terms + 2) eps sum|terms|.
fn sum_and_bound(terms: impl ExactSizeIterator<Item = f64>) -> (f64, f64) {
    let count = terms.len();
    let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), t| (sum + t, size + t.abs()));
    (sum, (count + 2) as f64 * EPS * size)
}

/// Sizes that end blocks and vectors in every way: ones, primes, around multiples of 8 and of 136.
fn shapes() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    let rows = prop_oneof![
        4 => 1..300_usize,
        1 => 133..140_usize,
        1 => 269..276_usize,
        1 => Just(1),
    ];
    let one = prop::collection::vec((1..14_usize, 1..24_usize), 1);
    let several = prop::collection::vec((1..14_usize, 1..12_usize), 2..4);
    (rows, prop_oneof![2 => one, 1 => several])
}

/// What a work buffer may hold from another kernel: of any length, and no numbers.
fn used_buffer(length: usize) -> Vec<f64> {
    vec![f64::NAN; length]
}

fn assert_within(found: f64, (sum, bound): (f64, f64), what: &str) -> Result<(), TestCaseError> {
    prop_assert!((found - sum).abs() <= bound, "{what}: {found} and {sum}, bound {bound:e}");
    Ok(())
}

proptest! {
    #![proptest_config(settings(48, 3))]

    #[test]
    fn the_gram_matrix_is_its_definition(
        seed in any::<u64>(), shape in shapes(), used in 0..90_000_usize,
    ) {
        let (operator, dense) = pair(seed, (shape.0, &shape.1));
        let p = dense.ncols();
        let mut work = used_buffer(used);
        let mut columns = Mat::full(p, p, f64::NAN);
        operator.gram(columns.as_mut(), &mut work);
        // Row stride p, row stride -1, and a part of a larger matrix: the same numbers elsewhere.
        let mut transposed = Mat::full(p, p, f64::NAN);
        operator.gram(transposed.as_mut().transpose_mut(), &mut work);
        let mut reversed = Mat::full(p, p, f64::NAN);
        operator.gram(reversed.as_mut().reverse_rows_mut(), &mut work);
        let mut larger = Mat::full(p + 3, p + 2, f64::NAN);
        operator.gram(larger.as_mut().submatrix_mut(2, 1, p, p), &mut work);
        for (c, r) in (0..p).flat_map(|c| (0..p).map(move |r| (c, r))) {
            let entry = columns[(r, c)];
            let copies = [transposed[(c, r)], reversed[(p - 1 - r, c)], larger[(r + 2, c + 1)]];
            for copy in copies {
                prop_assert_eq!(copy.to_bits(), entry.to_bits(), "{:?}: ({}, {})", shape, r, c);
            }
            if r < c {
                prop_assert!(entry.is_nan(), "wrote above the diagonal");
                continue;
            }
            let terms = dense.col_as_slice(r).iter().zip(dense.col_as_slice(c));
            let expected = sum_and_bound(terms.map(|(a, b)| a * b));
            assert_within(entry, expected, &format!("gram of {shape:?}, ({r}, {c})"))?;
        }
        // What lies around a part of a larger matrix is not touched.
        for (r, c) in (0..p + 3).flat_map(|r| (0..p + 2).map(move |c| (r, c))) {
            let inside = (2..p + 2).contains(&r) && (1..=p).contains(&c);
            prop_assert!(inside || larger[(r, c)].is_nan());
        }
    }

    #[test]
    fn the_kernel_and_its_parts_are_their_definition(
        seed in any::<u64>(),
        shape in shapes(),
        used in 0..90_000_usize,
        chosen in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        repeated in 0..2_usize,
    ) {
        let (operator, dense) = pair(seed, (shape.0, &shape.1));
        let (n, p) = (dense.nrows(), dense.ncols());
        let by_row = dense.transpose().to_owned();
        let entry = |r: usize, c: usize| {
            let terms = by_row.col_as_slice(r).iter().zip(by_row.col_as_slice(c));
            sum_and_bound(terms.map(|(a, b)| a * b))
        };
        let mut kernel = Mat::full(n, n, f64::NAN);
        operator.kernel(kernel.as_mut(), &mut used_buffer(used));
        let mut transposed = Mat::full(n, n, f64::NAN);
        operator.kernel(transposed.as_mut().transpose_mut(), &mut used_buffer(used));
        let mut diagonal = vec![f64::NAN; n];
        operator.kernel_diagonal(&mut diagonal);
        // In any order, with repetitions; sometimes more than a block of them.
        let mut selected: Vec<usize> = chosen.iter().map(|index| index.index(n)).collect();
        selected.extend((0..n * repeated).rev());
        let mut columns = Mat::full(n, selected.len(), f64::NAN);
        operator.kernel_columns(&selected, columns.as_mut());
        for c in 0..n {
            for r in 0..c {
                prop_assert!(kernel[(r, c)].is_nan() && transposed[(c, r)].is_nan());
            }
            for r in c..n {
                assert_within(kernel[(r, c)], entry(r, c), &format!("{shape:?}, ({r}, {c})"))?;
                prop_assert_eq!(transposed[(c, r)].to_bits(), kernel[(r, c)].to_bits());
            }
            assert_within(diagonal[c], entry(c, c), &format!("{shape:?}, diagonal {c}"))?;
        }
        for (k, &c) in selected.iter().enumerate() {
            for r in 0..n {
                assert_within(columns[(r, k)], entry(r, c), &format!("{shape:?}, column {c}"))?;
            }
        }
        let squares = (0..n * p).map(|e| dense[(e % n, e / n)] * dense[(e % n, e / n)]);
        assert_within(operator.squared_norm(), sum_and_bound(squares), "squared norm")?;
    }

    #[test]
    fn the_products_are_their_definition(seed in any::<u64>(), shape in shapes()) {
        let (operator, dense) = pair(seed, (shape.0, &shape.1));
        let (n, p) = (dense.nrows(), dense.ncols());
        let rng = &mut generator(seed.wrapping_add(1));
        let (v, u) = (gaussian(rng, p), gaussian(rng, n));
        let (mut image, mut pulled) = (vec![f64::NAN; n], vec![f64::NAN; p]);
        operator.apply(&v, &mut image);
        operator.apply_transposed(&u, &mut pulled);
        let (mut normal_image, mut normal) = (vec![f64::NAN; n], vec![f64::NAN; p]);
        operator.normal_apply(&v, &mut normal_image, &mut normal);
        let by_row = dense.transpose().to_owned();
        for j in 0..n {
            let terms = by_row.col_as_slice(j).iter().zip(&v).map(|(a, v)| a * v);
            let expected = sum_and_bound(terms);
            assert_within(image[j], expected, &format!("J v of {shape:?}, row {j}"))?;
            assert_within(normal_image[j], expected, &format!("image of {shape:?}, row {j}"))?;
        }
        for c in 0..p {
            let column = dense.col_as_slice(c);
            let expected = sum_and_bound(column.iter().zip(&u).map(|(a, u)| a * u));
            assert_within(pulled[c], expected, &format!("J^T u of {shape:?}, column {c}"))?;
            // Of the image that was found, so that its own rounding does not count.
            let expected = sum_and_bound(column.iter().zip(&normal_image).map(|(a, u)| a * u));
            assert_within(normal[c], expected, &format!("J^T J v of {shape:?}, column {c}"))?;
        }
    }

    #[test]
    fn the_product_of_a_block_is_its_definition(
        seed in any::<u64>(), n in 1..300_usize, columns in 1..14_usize, count in 0..24_usize,
    ) {
        let rng = &mut generator(seed);
        let mut matrix = RowBlocks::zeros(n, columns);
        for (e, x) in gaussian(rng, n * columns).into_iter().enumerate() {
            matrix[(e / columns, e % columns)] = x;
        }
        let weights = gaussian(rng, count * columns);
        for b in 0..matrix.blocks() {
            let stride = matrix.block_stride(b);
            let mut out = vec![f64::NAN; count * stride];
            matrix.block_product(b, &weights, &mut out);
            for (i, weights) in weights.chunks_exact(columns).enumerate() {
                for (j, row) in matrix.block_rows(b).enumerate() {
                    let terms = weights.iter().enumerate().map(|(k, w)| matrix[(row, k)] * w);
                    let found = out[i * stride + j];
                    let what = format!("{n} x {columns}, block {b}, vector {i}, row {j}");
                    assert_within(found, sum_and_bound(terms), &what)?;
                }
            }
        }
    }
}
