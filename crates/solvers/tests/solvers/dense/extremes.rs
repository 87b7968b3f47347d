//! Extreme singular values against prescribed ones and a full decomposition, down to collapse.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{DenseJacobian, ExtremeSingularValues, Factors};
use proptest::prelude::*;

use crate::cases::settings;
use crate::systems::{EPS, Spectrum, System, gaussian, generator};

fn extremes(jacobian: &DenseJacobian) -> ExtremeSingularValues {
    let (rows, columns) = (jacobian.matrix().nrows(), jacobian.matrix().ncols());
    Factors::new(rows, columns).unwrap().extreme_singular_values(jacobian).unwrap()
}

/// c(order) of the error bound `c eps sigma_max`.
///
/// QR and bidiagonalization move J by E with `norm(E)` a small constant times eps and the root of
/// the number of reflections, statistically; the rounding of the entries of J adds
/// `eps / 2 norm(J)_F`. A singular value moves by at most `norm(E)` (Weyl).
fn growth(rows: usize, columns: usize) -> f64 {
    4.0 + ((rows + columns) as f64).sqrt()
}

fn check(system: &System) -> Result<(), TestCaseError> {
    let (n, p) = (system.rows, system.columns);
    let found = extremes(&system.jacobian);
    let bound = growth(n, p) * EPS * system.largest();
    let errors = (found.smallest - system.smallest(), found.largest - system.largest());
    let worst = errors.0.abs().max(errors.1.abs()) / bound;
    if worst > 0.2 {
        println!("extremes of {n} x {p} used {worst:.3} of the bound");
    }
    prop_assert!(worst <= 1.0, "{n} x {p}: errors {errors:?}, bound {bound:e}");
    let all = gaussflow_faer::singular_values(system.jacobian.matrix()).unwrap();
    let (largest, smallest) = (all[0], all[all.len() - 1]);
    // The decomposition iterates and errs by several times as much as one reduction.
    prop_assert!((found.largest - largest).abs() <= 8.0 * bound, "{largest:e}");
    // faer's own QR of a tall matrix passes over columns below 16 n eps of their norm.
    if n <= p && p <= n + n / 2 || p <= n && n <= p + p / 2 {
        prop_assert!((found.smallest - smallest).abs() <= 8.0 * bound, "{smallest:e}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(settings(96, 0))]

    #[test]
    fn prescribed_values_are_found_down_to_collapse(
        seed: u64, n in 1..200_usize, p in 1..200_usize,
        spectrum in prop::sample::select(Spectrum::ALL.as_slice()),
        log_condition in 0.0..18.0_f64, log_scale in -20.0..20.0_f64,
    ) {
        let condition = 10.0_f64.powf(log_condition);
        let scale = 10.0_f64.powf(log_scale);
        check(&System::new(&mut generator(seed), (n, p), spectrum, condition, scale))?;
    }
}

/// Just above the cutoff at which faer's QR passes over a column: 16 n eps is 9e-13 here.
#[test]
fn a_value_below_the_pass_over_threshold_of_qr_is_not_lost() {
    for shape in [(256, 144), (144, 256), (200, 200)] {
        for smallest in [1e-12, 1e-13, 1e-14] {
            let mut values = vec![1.0; shape.0.min(shape.1)];
            *values.last_mut().unwrap() = smallest;
            check(&System::with_values(&mut generator(3), shape, values)).unwrap();
        }
    }
}

#[test]
fn exact_losses_of_rank_give_a_smallest_value_of_rounding_level() {
    let rng = &mut generator(9);
    for (n, p) in [(256, 144), (40, 40), (12, 30), (2, 2), (7, 2), (1, 3)] {
        let full = System::new(rng, (n, p), Spectrum::LogUniform, 10.0, 3.0);
        let mut duplicate = full.jacobian.matrix().to_owned();
        let mut zero = duplicate.clone();
        let mut zero_row = duplicate.clone();
        for r in 0..n {
            duplicate[(r, p - 1)] = duplicate[(r, 0)];
            zero[(r, p / 2)] = 0.0;
        }
        for c in 0..p {
            zero_row[(n / 2, c)] = 0.0;
        }
        // Columns lost leave full row rank in a wide matrix, rows lost full column rank in a tall.
        let cases = [(duplicate, n >= p), (zero, n >= p), (zero_row, n <= p)];
        for (k, (matrix, deficient)) in cases.into_iter().enumerate() {
            let reference = gaussflow_faer::singular_values(matrix.as_ref()).unwrap();
            let found = extremes(&DenseJacobian::from_matrix(matrix));
            let bound = growth(n, p) * EPS * found.largest.max(3.0);
            assert!((found.largest - reference[0]).abs() <= 2.0 * bound, "case {k} of {n} x {p}");
            if deficient {
                assert!(found.smallest <= bound, "case {k} of {n} x {p}: {found:?}");
            } else if n != p {
                let smallest = reference[reference.len() - 1];
                assert!((found.smallest - smallest).abs() <= 2.0 * bound, "case {k}: {found:?}");
            }
        }
    }
}

#[test]
fn vectors_zero_matrices_and_diagonals_are_exact() {
    let rng = &mut generator(4);
    for size in [1, 2, 5, 144] {
        let entries = gaussian(rng, size);
        let length = gaussflow_solvers::norm(&entries);
        for jacobian in
            [Mat::from_fn(size, 1, |r, _| entries[r]), Mat::from_fn(1, size, |_, c| entries[c])]
        {
            let found = extremes(&DenseJacobian::from_matrix(jacobian));
            let bound = growth(size, 1) * EPS * length;
            assert!((found.smallest - length).abs() <= bound, "{found:?} {length}");
            assert!((found.largest - length).abs() <= bound, "{found:?} {length}");
        }
        let none = ExtremeSingularValues { smallest: 0.0, largest: 0.0 };
        assert_eq!(extremes(&DenseJacobian::zeros(size, size)), none);
        assert_eq!(extremes(&DenseJacobian::zeros(size, 2 * size)), none);
        let diagonal = Mat::from_fn(size, size, |r, c| if r == c { 0.5 + r as f64 } else { 0.0 });
        let found = extremes(&DenseJacobian::from_matrix(diagonal));
        let largest = size as f64 - 0.5;
        assert!((found.smallest - 0.5).abs() <= 8.0 * EPS * largest, "{found:?}");
        assert!((found.largest - largest).abs() <= 8.0 * EPS * largest, "{found:?}");
    }
}

/// The ends of the range of numbers: only the scale changes, not the relative error.
#[test]
fn scales_near_overflow_and_underflow_keep_the_values() {
    for scale in [1e-300, 1e-290, 1e-200, 1e-150, 1e150, 1e200, 1e290, 1e300] {
        for shape in [(20, 11), (6, 30)] {
            let system = System::new(&mut generator(8), shape, Spectrum::Geometric, 1e3, 1.0);
            let scaled = DenseJacobian::from_matrix(Mat::from_fn(shape.0, shape.1, |r, c| {
                system.jacobian.matrix()[(r, c)] * scale
            }));
            let found = extremes(&scaled);
            // Near 1e-300 the products of J fall below the normal numbers: eps / 1e-300 of them.
            let bound = growth(shape.0, shape.1) * EPS;
            let (low, high) = (found.smallest / scale, found.largest / scale);
            assert!((high - 1.0).abs() <= bound, "{scale:e}: {found:?}");
            assert!((low - system.smallest()).abs() <= bound, "{scale:e}: {found:?}");
        }
    }
}
