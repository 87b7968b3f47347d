//! What has no answer says so, with numbers.

use gaussflow_solvers::{
    DenseJacobian, IterativeSettings, JacobianOperator, MatrixFree, SolveError,
};

use crate::matrix_free::random::{dense, gaussian, generator, network};

#[test]
fn an_iteration_limit_that_is_too_low_is_reported() {
    let rng = &mut generator(1);
    let jacobian = network(rng, 300, 4, 100);
    let rho = 1e-6 * jacobian.squared_norm();
    let rho = rho / (1.0 + rho);
    let b = gaussian(rng, 300);
    let mut v = vec![0.0; 400];
    let settings =
        IterativeSettings { tolerance: 1e-8, max_iterations: 7, preconditioner_memory: 0 };
    let mut solver = MatrixFree::new(300, 400).unwrap();
    for lsmr in [false, true] {
        let found = if lsmr {
            solver.solve_lsmr(&jacobian, rho, settings, &b, &mut v)
        } else {
            solver.solve_cg(&jacobian, rho, settings, &b, &mut v)
        };
        let Err(SolveError::NotConverged { iterations, relative_residual, tolerance, .. }) = found
        else {
            panic!("{found:?}");
        };
        assert!(iterations == 7 && relative_residual > 1e-8 && (tolerance - 1e-8).abs() < 1e-20);
        assert!(relative_residual.is_finite() && v.iter().all(|v| v.is_finite()));
    }
}

#[test]
fn wrong_inputs_are_refused() {
    let jacobian = dense(&mut generator(2), 3, 2, 1.0);
    let mut solver = MatrixFree::new(3, 2).unwrap();
    let settings = IterativeSettings::default();
    let mut solve = |rho: f64, b: &[f64], v: &mut [f64]| {
        solver.solve_cg(&jacobian, rho, settings, b, v).unwrap_err()
    };
    assert!(matches!(solve(-0.1, &[1.0; 3], &mut [0.0; 2]), SolveError::InvalidDamping { .. }));
    assert!(matches!(solve(0.1, &[1.0; 2], &mut [0.0; 2]), SolveError::ShapeMismatch { .. }));
    assert!(matches!(solve(0.1, &[1.0; 3], &mut [0.0; 3]), SolveError::ShapeMismatch { .. }));
    let b = [1.0, f64::NAN, 0.0];
    assert!(matches!(solve(0.1, &b, &mut [0.0; 2]), SolveError::NonFinite { index: 1, .. }));
    assert!(matches!(MatrixFree::new(0, 2), Err(SolveError::EmptySystem { .. })));
    let mut infinite = DenseJacobian::zeros(3, 2);
    infinite.matrix_mut()[(1, 1)] = f64::INFINITY;
    solver.invalidate();
    for rho in [0.0, 0.1] {
        let found = solver.solve_cg(&infinite, rho, settings, &[1.0; 3], &mut [0.0; 2]);
        assert!(matches!(found, Err(SolveError::NonFinite { .. })), "{found:?}");
        let found = solver.solve_lsmr(&infinite, rho, settings, &[1.0; 3], &mut [0.0; 2]);
        assert!(matches!(found, Err(SolveError::NonFinite { .. })), "{found:?}");
    }
}

/// An optimum is not an error: the solution is zero.
#[test]
fn a_right_hand_side_with_no_gradient_gives_zero() {
    let mut jacobian = DenseJacobian::zeros(3, 2);
    jacobian.matrix_mut()[(0, 0)] = 1.0;
    jacobian.matrix_mut()[(1, 1)] = 2.0;
    let mut solver = MatrixFree::new(3, 2).unwrap();
    let mut v = [5.0; 2];
    let settings = IterativeSettings::default();
    for b in [[0.0; 3], [0.0, 0.0, 4.0]] {
        let report = solver.solve_cg(&jacobian, 0.1, settings, &b, &mut v).unwrap();
        assert!(v.iter().all(|&v| v == 0.0) && report.iterations == 0, "{v:?} {report:?}");
        solver.solve_lsmr(&jacobian, 0.0, settings, &b, &mut v).unwrap();
        assert!(v.iter().all(|&v| v == 0.0));
    }
    // rho = 1 leaves v = J^T b.
    solver.solve_cg(&jacobian, 1.0, settings, &[3.0, 1.0, 7.0], &mut v).unwrap();
    assert!((v[0] - 3.0).abs() < 1e-15 && (v[1] - 2.0).abs() < 1e-15);
}
