//! Lanczos values against certified ones, and its bounds against the whole spectrum.

use gaussflow_solvers::{Coverage, DenseJacobian, Factors, JacobianOperator, MatrixFree};
use proptest::prelude::*;

use crate::matrix_free::random::{dense, generator, network};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// All steps: both values to rounding, whatever the conditioning.
    #[test]
    fn all_steps_give_the_extreme_singular_values(
        seed: u64, n in 1..50_usize, p in 1..50_usize, log_spread in 0.0..12.0_f64,
    ) {
        let jacobian = dense(&mut generator(seed), n, p, 10_f64.powf(log_spread));
        let exact = Factors::new(n, p)?.extreme_singular_values(&jacobian)?;
        let found = MatrixFree::new(n, p)?.extremes(&jacobian, usize::MAX)?;
        let rounding = 100.0 * f64::EPSILON * exact.largest;
        prop_assert_eq!((found.coverage, found.steps), (Coverage::Whole, n.min(p)));
        prop_assert!((found.largest - exact.largest).abs() <= rounding, "{found:?} {exact:?}");
        prop_assert!((found.smallest - exact.smallest).abs() <= rounding, "{found:?} {exact:?}");
    }

    /// Few steps: one-sided values, and residuals that bound the distance of the largest.
    #[test]
    fn few_steps_give_bounds(seed: u64, n in 40..80_usize, m in 10..40_usize) {
        let jacobian = network(&mut generator(seed), n, 3, m);
        let exact = Factors::new(n, 3 * m)?.extreme_singular_values(&jacobian)?;
        let mut solver = MatrixFree::new(n, 3 * m)?;
        let rounding = 100.0 * f64::EPSILON * exact.largest;
        for steps in [1, 3, 8, 16] {
            let found = solver.extremes(&jacobian, steps)?;
            prop_assert!(found.largest <= exact.largest + rounding);
            prop_assert!(found.smallest >= exact.smallest - rounding);
            // The largest value dominates these kernels: from 8 steps it is the one found.
            if steps >= 8 {
                let bound = found.largest_residual + rounding;
                prop_assert!(exact.largest - found.largest <= bound, "{found:?} {exact:?}");
            }
        }
        let found = solver.extremes(&jacobian, 16)?;
        prop_assert!(found.largest_residual <= 1e-3 * found.largest, "{found:?}");
    }
}

/// Multiple and zero singular values break the process off early; it starts again.
#[test]
fn invariant_subspaces_do_not_hide_values() {
    let mut jacobian = DenseJacobian::zeros(7, 5);
    for (k, value) in [3.0, 3.0, 3.0, 0.5, 0.5].into_iter().enumerate() {
        jacobian.matrix_mut()[(k + 1, k)] = value;
    }
    let mut solver = MatrixFree::new(7, 5).unwrap();
    let found = solver.extremes(&jacobian, 5).unwrap();
    assert!((found.largest - 3.0).abs() < 1e-14 && (found.smallest - 0.5).abs() < 1e-14);
    jacobian.matrix_mut()[(4, 3)] = 0.0;
    let found = solver.extremes(&jacobian, 5).unwrap();
    assert!((found.largest - 3.0).abs() < 1e-14 && found.smallest < 1e-14, "{found:?}");
    let found = solver.extremes(&DenseJacobian::zeros(7, 5), 9).unwrap();
    assert!(found.largest == 0.0 && found.smallest == 0.0 && found.steps == 5, "{found:?}");
    assert_eq!(jacobian.rows(), 7);
}
