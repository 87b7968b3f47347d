//! The kernels with each instruction set that this processor includes, against their definitions.
//!
//! A program of its own: the choice holds for a whole process.

use faer::{Mat, MatRef};
use gaussflow_solvers::{
    DampedSolver, Factors, JacobianOperator, RowKronecker, SolveRequest, force_instruction_set,
};

/// Numbers between -1 and 1 with no pattern, the same each time.
fn draws(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Compares with a sum of terms, by the rounding of any order of summation.
fn assert_sum(found: f64, terms: impl Iterator<Item = f64>, what: &str) {
    let (mut sum, mut size, mut count) = (0.0, 0.0, 0.0);
    for term in terms {
        (sum, size, count) = (sum + term, size + f64::abs(term), count + 1.0);
    }
    let bound = 2.0 * (count + 4.0) * f64::EPSILON * size;
    assert!((found - sum).abs() <= bound, "{what}: {found} is not {sum}");
}

/// Every kernel of a structured Jacobian against its dense definition, and a solve.
fn check(set: u8, (n, d, m): (usize, usize, usize)) {
    let what = format!("instruction set {set}, n {n}, d {d}, m {m}");
    let p = m * d;
    let mut jacobian = RowKronecker::new(&draws(n * d, 1), d, m);
    let (mut left, slopes) = (draws(n * m, 2).into_iter(), jacobian.pieces_mut()[0].left_mut());
    for j in 0..n {
        for i in 0..m {
            slopes[(j, i)] = left.next().unwrap_or(0.0);
        }
    }
    let dense = Mat::from_fn(n, p, |j, c| {
        jacobian.pieces()[0].left()[(j, c / d)] * jacobian.pieces()[0].right()[(j, c % d)]
    });
    let (v, u) = (draws(p, 3), draws(n, 4));
    let (mut image, mut pulled) = (vec![f64::NAN; n], vec![f64::NAN; p]);
    jacobian.apply(&v, &mut image);
    for j in 0..n {
        assert_sum(image[j], (0..p).map(|c| dense[(j, c)] * v[c]), &format!("J v, {what}"));
    }
    jacobian.apply_transposed(&u, &mut pulled);
    for c in 0..p {
        let terms = (0..n).map(|j| dense[(j, c)] * u[j]);
        assert_sum(pulled[c], terms, &format!("J^T u, {what}"));
    }
    jacobian.normal_residual((&u, 0.5), &v, &mut image, &mut pulled);
    for c in 0..p {
        let terms = (0..n).map(|j| dense[(j, c)] * image[j]);
        assert_sum(pulled[c], terms, &format!("J^T (b - J v / 2), {what}"));
    }
    let work = &mut Vec::new();
    let mut gram = Mat::zeros(p, p);
    jacobian.gram(gram.as_mut(), work);
    assert_lower(gram.as_ref(), |r, c| (0..n).map(move |j| (j, r, c)), &dense, &what);
    let mut kernel = Mat::zeros(n, n);
    jacobian.kernel(kernel.as_mut(), work);
    let rows = dense.transpose().to_owned();
    assert_lower(kernel.as_ref(), |r, c| (0..p).map(move |k| (k, r, c)), &rows, &what);
    let request = SolveRequest {
        damping: 0.1,
        solver: DampedSolver::PrimalCholesky,
        ..SolveRequest::default()
    };
    let mut factors = Factors::new(n, p).unwrap();
    for turn in 0..2 {
        factors.invalidate();
        let report = factors.solve(&jacobian, request, &u, &mut pulled).unwrap();
        assert!(report.relative_residual < 1e-14, "turn {turn}, {what}: {report:?}");
    }
}

/// The lower triangle of `columns^T columns`.
fn assert_lower<T: Iterator<Item = (usize, usize, usize)>>(
    found: MatRef<'_, f64>,
    terms: impl Fn(usize, usize) -> T,
    columns: &Mat<f64>,
    what: &str,
) {
    for c in 0..found.ncols() {
        for r in c..found.nrows() {
            let products = terms(r, c).map(|(j, r, c)| columns[(j, r)] * columns[(j, c)]);
            assert_sum(found[(r, c)], products, &format!("({r}, {c}) of {what}"));
        }
    }
}

#[test]
fn kernels_are_right_with_every_instruction_set() {
    let shapes = [
        (1, 1, 1),
        (5, 1, 3),
        (64, 2, 4),
        (139, 2, 5),
        (40, 3, 2),
        (300, 3, 3),
        (150, 3, 30),
        (30, 8, 4),
        (290, 8, 5),
        (150, 5, 18),
        (64, 30, 4),
        (12, 9, 7),
    ];
    // With vectors of one number, with AVX2 where there is, and with the best.
    for set in [1, 2, 0] {
        force_instruction_set(set);
        shapes.into_iter().for_each(|shape| check(set, shape));
    }
}
