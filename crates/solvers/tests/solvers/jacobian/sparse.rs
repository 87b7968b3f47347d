//! `SparseJacobian` against the dense matrix of the same entries, and its steps against their equations.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{
    DenseJacobian, JacobianOperator, SecularFactor, SecularMethod, SolveError, SparseJacobian,
    SparsityPattern, norm,
};
use proptest::prelude::*;
use rand::RngExt;

use crate::cases::settings;
use crate::systems::{EPS, gaussian, generator};

/// What is wrong with the columns.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Plain,
    /// Three columns are zero.
    ZeroColumns,
    /// Each of the last four columns repeats one of the first.
    Twins,
    /// Columns of sizes 1e-6 to 1e6.
    BadlyScaled,
}

const KINDS: [Kind; 4] = [Kind::Plain, Kind::ZeroColumns, Kind::Twins, Kind::BadlyScaled];

/// A random matrix with `fill` entries a column, one of them near the diagonal.
fn random(seed: u64, (n, p): (usize, usize), fill: usize, kind: Kind) -> SparseJacobian {
    let mut rng = generator(seed);
    let mut places = Vec::new();
    for k in 0..p {
        places.push((k * n / p, k));
        places.extend((1..fill).map(|_| (rng.random_range(0..n), k)));
    }
    if kind == Kind::Twins {
        places.retain(|(_, k)| *k < p - 4);
        let copied: Vec<(usize, usize)> = places.iter().filter(|(_, k)| *k < 4).copied().collect();
        places.extend(copied.iter().map(|(j, k)| (*j, p - 4 + k)));
    }
    let mut found = SparseJacobian::zeros(SparsityPattern::new(n, p, places).unwrap());
    let entries = gaussian(&mut rng, found.values().len());
    found.values_mut().copy_from_slice(&entries);
    for k in 0..p {
        match kind {
            Kind::ZeroColumns if k % (p / 3) == 1 => found.column_mut(k).1.fill(0.0),
            Kind::Twins if k < 4 => {
                let twin = found.column(k).1.to_vec();
                found.column_mut(p - 4 + k).1.copy_from_slice(&twin);
            }
            Kind::BadlyScaled => {
                let size = 10_f64.powf((3.0 * gaussian(&mut rng, 1)[0]).clamp(-6.0, 6.0));
                found.column_mut(k).1.iter_mut().for_each(|x| *x *= size);
            }
            _ => {}
        }
    }
    found
}

fn dense(sparse: &SparseJacobian) -> DenseJacobian {
    let mut found = DenseJacobian::zeros(sparse.rows(), sparse.columns());
    sparse.write_dense(found.matrix_mut());
    found
}

fn shapes() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![
        (66..130_usize, 66..100_usize),
        (66..100_usize).prop_map(|n| (n, n)),
        Just((70, 110))
    ]
}

proptest! {
    #![proptest_config(settings(60, 71))]

    #[test]
    fn a_sparse_operator_is_the_dense_one(seed: u64, n in 1..30_usize, p in 5..30_usize, fill in 1..6_usize) {
        let sparse = random(seed, (n, p), fill, Kind::Plain);
        let full = dense(&sparse);
        prop_assert_eq!(&SparseJacobian::from_matrix(sparse.matrix()).unwrap(), &sparse);
        let (v, u) = (gaussian(&mut generator(seed), p), gaussian(&mut generator(!seed), n));
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        let both = |work: &dyn Fn(&dyn JacobianOperator, &mut [f64]), length: usize| {
            let (mut a, mut b) = (vec![0.0; length], vec![0.0; length]);
            work(&sparse, &mut a);
            work(&full, &mut b);
            close(&a, &b)
        };
        prop_assert!(both(&|j, out| j.apply(&v, out), n));
        prop_assert!(both(&|j, out| j.apply_transposed(&u, out), p));
        prop_assert!(both(&|j, out| j.kernel_diagonal(out), n));
        prop_assert!((sparse.squared_norm() - full.squared_norm()).abs() < 1e-12);
        let mut work = Vec::new();
        let (mut a, mut b) = (Mat::zeros(p, p), Mat::zeros(p, p));
        sparse.gram(a.as_mut(), &mut work);
        full.gram(b.as_mut(), &mut work);
        prop_assert!((&a - &b).norm_max() < 1e-12);
        let (mut a, mut b) = (Mat::zeros(n, n), Mat::zeros(n, n));
        sparse.kernel(a.as_mut(), &mut work);
        full.kernel(b.as_mut(), &mut work);
        prop_assert!((&a - &b).norm_max() < 1e-12);
    }

    /// `A^T (A d + b) + lambda d = 0` with norm(d) = radius, or lambda = 0.
    #[test]
    fn sparse_steps_solve_their_equations(
        seed: u64, shape in shapes(), fill in 2..12_usize, kind in prop::sample::select(&KINDS[..]),
        decades in -4.0..1.0_f64, rho in prop_oneof![Just(1.0), 1e-9..1.0_f64],
    ) {
        let (n, p) = shape;
        let sparse = random(seed, shape, fill, kind);
        let mut factor = SecularFactor::new(n, p);
        let t: Vec<f64> = gaussian(&mut generator(seed ^ 1), n).iter().map(|x| x.abs() + 0.1).collect();
        factor.load(&sparse, Some(&t), SecularMethod::Auto).unwrap();
        prop_assert!(factor.is_sparse());
        let scales: Vec<f64> =
            factor.column_norms().iter().map(|&s| if s > 0.0 { s } else { 1.0 }).collect();
        factor.factor(&scales, &(0..p).collect::<Vec<_>>()).unwrap();
        let b = gaussian(&mut generator(seed ^ 2), n);
        factor.project(&b);
        let apply = |d: &[f64]| {
            let v: Vec<f64> = d.iter().zip(&scales).map(|(d, s)| d / s).collect();
            let mut out = vec![0.0; n];
            sparse.apply(&v, &mut out);
            out.iter_mut().zip(&t).for_each(|(o, t)| *o *= t);
            out
        };
        let size = factor.extreme_singular_values().largest;
        let defect = |d: &[f64], first: f64, second: f64| {
            let mut image = apply(d);
            image.iter_mut().zip(&b).zip(&t).for_each(|((i, b), t)| *i = t * (first * *i + b));
            let mut pulled = vec![0.0; p];
            sparse.apply_transposed(&image, &mut pulled);
            let rest: Vec<f64> =
                (0..p).map(|k| pulled[k] / scales[k] + second * d[k]).collect();
            let length = norm(d);
            norm(&rest) / (EPS * ((size * size + second) * length + size * norm(&b)))
        };
        let whole = factor.step_norm(0.0);
        let mut d = vec![0.0; p];
        factor.step(0.0, &mut d);
        prop_assert!(defect(&d, 1.0, 0.0) < 50.0, "undamped {}", defect(&d, 1.0, 0.0));
        prop_assert!((norm(&d) - whole).abs() <= 1e-12 * whole);
        let (image, rounding) = (norm(&apply(&d)), 100.0 * EPS * size * whole);
        prop_assert!((image - factor.image_norm()).abs() <= rounding);
        let radius = 10_f64.powf(decades) * whole;
        let damping = factor.damping_for(radius, 0.0);
        factor.step(damping, &mut d);
        prop_assert!(defect(&d, 1.0, damping) < 50.0, "damped {}", defect(&d, 1.0, damping));
        if damping == 0.0 {
            prop_assert!(whole <= 1.1 * radius);
        } else {
            prop_assert!((norm(&d) / radius - 1.0).abs() <= 0.1 + 1e-10);
        }
        let image = norm(&apply(&d));
        prop_assert!((image - factor.image_of_step(damping).sqrt()).abs() <= rounding);
        factor.damped_step(rho, &mut d);
        prop_assert!(defect(&d, 1.0 - rho, rho) < 50.0, "{rho} {}", defect(&d, 1.0 - rho, rho));
    }

    /// Rank and diagonal of the inverse are those of the singular value decomposition.
    #[test]
    fn sparse_inverses_are_those_of_the_decomposition(
        seed: u64, n in 100..130_usize, p in 66..90_usize, fill in 3..30_usize,
        kind in prop::sample::select(&KINDS[..]),
    ) {
        let sparse = random(seed, (n, p), fill, kind);
        let free: Vec<usize> = (0..p).collect();
        let mut factor = SecularFactor::new(n, p);
        factor.load(&sparse, None, SecularMethod::Auto).unwrap();
        let scales: Vec<f64> =
            factor.column_norms().iter().map(|&s| if s > 0.0 { s } else { 1.0 }).collect();
        factor.factor(&scales, &free).unwrap();
        let found = factor.sparse_inverse(1e-12).unwrap().unwrap();
        factor.load(&dense(&sparse), None, SecularMethod::SingularValues).unwrap();
        factor.factor(&scales, &free).unwrap();
        factor.decompose();
        let values = factor.singular_values().to_vec();
        let largest = values.iter().copied().fold(0.0, f64::max);
        let kept: Vec<usize> = (0..p).filter(|&i| values[i] > 1e-12 * largest).collect();
        prop_assert_eq!(found.rank, kept.len());
        prop_assert_eq!(found.lost.len(), p - kept.len());
        prop_assert!(found.largest <= largest * (1.0 + 1e-12) && found.largest >= 0.8 * largest);
        let diagonal = found.diagonal.unwrap();
        // A parameter that a lost direction moves has no variance.
        for k in (0..p).filter(|&k| found.lost.iter().all(|(v, _)| v[k].abs() < 1e-12)) {
            let expected: f64 = kept.iter().map(|&i| (factor.right(i)[k] / values[i]).powi(2)).sum();
            let whole = diagonal.iter().copied().fold(0.0, f64::max);
            prop_assert!((diagonal[k] - expected).abs() <= 1e-3 * expected + 1e-9 * whole,
                "{k}: {} {expected}", diagonal[k]);
        }
        for (v, s) in &found.lost {
            let mut image = vec![0.0; n];
            let w: Vec<f64> = v.iter().zip(&scales).map(|(v, d)| v / d).collect();
            sparse.apply(&w, &mut image);
            prop_assert!((norm(v) - 1.0).abs() < 1e-12 && norm(&image) <= 1e-12 * largest && *s <= 1e-12 * largest);
        }
    }
}

/// The largest place of a Gram matrix that is refused: one row of all columns.
#[test]
fn a_pattern_that_would_fill_the_memory_is_refused() {
    let p = 40_000;
    let diagonal = (0..p).map(|k| (k, k));
    let pattern = SparsityPattern::new(p + 1, p, diagonal.chain((0..p).map(|k| (p, k)))).unwrap();
    let mut sparse = SparseJacobian::zeros(pattern);
    sparse.values_mut().fill(1.0);
    let mut factor = SecularFactor::new(p + 1, p);
    factor.load(&sparse, None, SecularMethod::Auto).unwrap();
    let found = factor.factor(&vec![1.0; p], &(0..p).collect::<Vec<_>>());
    assert!(matches!(found, Err(SolveError::MemoryLimit { .. })), "{found:?}");
    let found = SparsityPattern::new(3, 3, [(0, 0), (1, 3)]);
    let expected = SolveError::EntryOutside { row: 1, column: 3, rows: 3, columns: 3 };
    assert_eq!(found, Err(expected));
}
