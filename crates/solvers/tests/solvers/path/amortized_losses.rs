//! Failing at the time of writing: what `AmortizedFactor` does not see, or does not refuse.

use gaussflow_solvers::{AmortizedFactor, DampedSolver, DenseJacobian, Factors, SolveError};
use gaussflow_solvers::{JacobianOperator, SolveRequest, SpectrumTracker, norm};

use crate::path::amortized::{Shared, damped};
use crate::path::paths::{EPS, gaussian, generator, spread, with_values};

/// One singular value falls by ten from point to point: where `J^T J` is no longer to be trusted the
/// answer must be that of the orthogonal kernel, within its condition.
#[test]
fn a_value_that_collapses_along_the_path_is_handed_to_the_orthogonal_kernel() {
    let (n, p) = (400, 200);
    let b = gaussian(&mut generator(1), n);
    let mut shared = Shared::new((n, p));
    for point in 0..10 {
        let mut values = spread(p, 0.1, 1.0);
        values[7] = 0.1 * 10.0_f64.powi(-point);
        let jacobian = with_values(1, n, &values);
        let (v, report) = shared.solve(&jacobian, damped(0.0), &b);
        let mut direct = vec![0.0; p];
        let request = SolveRequest { solver: DampedSolver::HouseholderQr, ..damped(0.0) };
        Factors::new(n, p).unwrap().solve(&jacobian, request, &b, &mut direct).unwrap();
        let gap: Vec<f64> = v.iter().zip(&direct).map(|(a, b)| a - b).collect();
        // What least squares themselves allow (Higham, theorem 20.1), beside nine digits above.
        let condition = 1.0 / values[7];
        let misfit = condition * condition * norm(&b) / norm(&direct);
        let bound = 1e-8 + 1000.0 * EPS * (condition + misfit);
        assert!(norm(&gap) <= bound * norm(&direct), "point {point}: {report:?}");
    }
}

/// Finite input whose `J^T b` is out of range has an answer; one whose solution is gets a typed error, as
/// `Factors::solve` gives, and no NaN.
#[test]
fn a_solution_out_of_range_is_refused() {
    let scaled = |factor: f64| {
        let mut jacobian = with_values(1, 60, &spread(24, 0.1, 1.0));
        jacobian.matrix_mut().col_iter_mut().for_each(|c| c.iter_mut().for_each(|x| *x *= factor));
        jacobian
    };
    let b: Vec<f64> = gaussian(&mut generator(1), 60).iter().map(|b| b * 1e250).collect();
    let mut shared = Shared::new((60, 24));
    let mut v = vec![0.0; 24];
    let jacobian = scaled(1e100);
    let report =
        shared.path.solve(&mut shared.factors, &jacobian, damped(0.0), &b, &mut v).unwrap();
    assert!(report.relative_residual < 1e-14, "{report:?}");
    shared.factors.invalidate();
    let jacobian = scaled(1e-100);
    let outcome = shared.path.solve(&mut shared.factors, &jacobian, damped(0.0), &b, &mut v);
    assert!(matches!(outcome, Err(SolveError::Overflow { .. })), "{outcome:?} {v:?}");
}

/// Buffers of another order are made anew: no panic, and no certificate of a part of the matrix.
#[test]
fn jacobians_of_another_order_are_followed_anew() {
    for orders in [[40_usize, 24], [24, 40]] {
        let (mut tracker, mut path) = (SpectrumTracker::new(), AmortizedFactor::new());
        for p in orders {
            let jacobian: DenseJacobian = with_values(1, 60, &spread(p, 0.5, 2.0));
            let mut factors = Factors::new(jacobian.rows(), p).unwrap();
            let found = tracker.extremes(&mut factors, &jacobian).unwrap();
            assert!((found.smallest - 0.5).abs() < 1e-12);
            path.solve(&mut factors, &jacobian, damped(0.0), &[1.0; 60], &mut vec![0.0; p])
                .unwrap();
        }
    }
}

/// A tracker that was used at a smaller order must not certify by a leading part of the matrix.
#[test]
fn a_certificate_is_of_the_whole_matrix() {
    let small = with_values(1, 60, &spread(17, 0.5, 2.0));
    let mut tracker = SpectrumTracker::new();
    tracker.extremes(&mut Factors::new(60, 17).unwrap(), &small).unwrap();
    let (mut even, odd) = (spread(17, 0.6, 1.0), 0.05);
    even[3] = 0.2;
    // Coordinates k and k + 17 mirrored: even values, and odd ones that are all 0.7 but the last.
    let matrix = gaussflow_solvers::faer::Mat::from_fn(34, 34, |r, c| {
        let (a, b) = (even[c % 17], if c % 17 == 16 { odd } else { 0.7 });
        match (r == c, r % 17 == c % 17) {
            (true, _) => 0.5 * (a + b),
            (false, true) => 0.5 * (a - b),
            _ => 0.0,
        }
    });
    let jacobian = DenseJacobian::from_matrix(matrix);
    let found = tracker.extremes(&mut Factors::new(34, 34).unwrap(), &jacobian).unwrap();
    assert!((found.smallest - odd).abs() < 1e-12, "{found:?}");
}
