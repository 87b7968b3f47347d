//! Settings and shapes that are refused, and limits that no number of iterations passes.

use gaussflow_solvers::{
    AmortizedFactor, DenseJacobian, Factors, IterativeSettings, MatrixFree, SecularFactor,
    SecularMethod, SolveError, SolveRequest,
};

use crate::draws::generator;
use crate::range::draws::Draw;

#[test]
fn tolerances_that_no_residual_meets_are_refused() {
    let mut jacobian = DenseJacobian::zeros(3, 2);
    jacobian.matrix_mut()[(0, 0)] = 1.0;
    jacobian.matrix_mut()[(1, 1)] = 1e-5;
    let mut v = [0.0; 2];
    for tolerance in [f64::NEG_INFINITY, -1e-300, f64::NAN] {
        let settings = IterativeSettings {
            tolerance,
            max_iterations: usize::MAX,
            ..IterativeSettings::default()
        };
        for rho in [0.0, 0.5, 1.0] {
            let mut solver = MatrixFree::new(3, 2).unwrap();
            for found in [
                solver.solve_cg(&jacobian, rho, settings, &[1.0; 3], &mut v),
                solver.solve_lsmr(&jacobian, rho, settings, &[1.0; 3], &mut v),
            ] {
                assert!(matches!(found, Err(SolveError::InvalidTolerance { .. })), "{found:?}");
            }
            let request = SolveRequest { damping: rho, tolerance, ..SolveRequest::default() };
            let mut factors = Factors::new(3, 2).unwrap();
            let found = factors.solve(&jacobian, request, &[1.0; 3], &mut v);
            assert!(matches!(found, Err(SolveError::InvalidTolerance { .. })), "{found:?}");
            let found =
                AmortizedFactor::new().solve(&mut factors, &jacobian, request, &[1.0; 3], &mut v);
            assert!(matches!(found, Err(SolveError::InvalidTolerance { .. })), "{found:?}");
            let found = factors.apply_inverse(&jacobian, request, &mut v);
            assert!(matches!(found, Err(SolveError::InvalidTolerance { .. })), "{found:?}");
        }
    }
}

/// With a tolerance of 0 and any number of iterations, a solve ends: each pass is bounded and halves the residual.
#[test]
fn no_limit_on_iterations_is_no_endless_loop() {
    for k in 0..60 {
        let draw = Draw::new(&mut generator(500 + k));
        let (n, p) = draw.shape();
        let settings = IterativeSettings {
            tolerance: 0.0,
            max_iterations: usize::MAX,
            preconditioner_memory: if k % 2 == 0 { 0 } else { 1 << 20 },
        };
        let mut solver = MatrixFree::new(n, p).unwrap();
        let mut v = vec![0.0; p];
        let most = 60 * 100 * (n.min(p) + 1);
        for found in [
            solver.solve_cg(&*draw.jacobian, draw.damping, settings, &draw.b, &mut v),
            solver.solve_lsmr(&*draw.jacobian, draw.damping, settings, &draw.b, &mut v),
        ] {
            let iterations = match found {
                Ok(report) => report.iterations,
                Err(SolveError::NotConverged { iterations, .. }) => iterations,
                Err(SolveError::Overflow { .. } | SolveError::NonFinite { .. }) => 0,
                Err(other) => panic!("draw {k}: {other}"),
            };
            assert!(iterations <= most, "draw {k}: {iterations}");
        }
    }
}

#[test]
fn systems_without_rows_or_columns_are_refused() {
    for (n, p) in [(0, 0), (0, 3), (3, 0)] {
        let jacobian = DenseJacobian::zeros(n, p);
        let empty = SolveError::EmptySystem { rows: n, columns: p };
        assert_eq!(Factors::new(n, p).err(), Some(empty));
        assert_eq!(MatrixFree::new(n, p).err(), Some(empty));
        for method in
            [SecularMethod::Auto, SecularMethod::SingularValues, SecularMethod::Eigenvalues]
        {
            let found = SecularFactor::new(n, p).load(&jacobian, None, method);
            assert_eq!(found, Err(empty), "{method:?}");
        }
    }
}
