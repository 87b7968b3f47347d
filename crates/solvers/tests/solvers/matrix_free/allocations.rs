//! A second solve at the same Jacobian allocates nothing, whatever the damping.

use gaussflow_solvers::{IterativeSettings, JacobianOperator, MatrixFree};

use crate::allocation_counter::allocations;
use crate::matrix_free::random::{dense, gaussian, generator, network};

/// All methods on one Jacobian.
fn solve_all(solver: &mut MatrixFree, jacobian: &dyn JacobianOperator, b: &[f64], v: &mut [f64]) {
    for preconditioner_memory in [0, 1 << 20] {
        let settings = IterativeSettings { preconditioner_memory, ..IterativeSettings::default() };
        for rho in [0.3, 0.1, 1.0] {
            solver.solve_cg(jacobian, rho, settings, b, v).unwrap();
            solver.solve_lsmr(jacobian, rho, settings, b, v).unwrap();
        }
    }
}

#[test]
fn a_second_solve_allocates_nothing() {
    let rng = &mut generator(3);
    let structured = [network(rng, 120, 4, 20), network(rng, 60, 4, 40)];
    let plain = [dense(rng, 50, 30, 4.0), dense(rng, 30, 50, 4.0)];
    let jacobians: [&dyn JacobianOperator; 4] =
        [&structured[0], &structured[1], &plain[0], &plain[1]];
    for (k, jacobian) in jacobians.into_iter().enumerate() {
        let (rows, columns) = (jacobian.rows(), jacobian.columns());
        let (b, mut v) = (gaussian(rng, rows), vec![0.0; columns]);
        let mut solver = MatrixFree::new(rows, columns).unwrap();
        solve_all(&mut solver, jacobian, &b, &mut v);
        let count = allocations(|| solve_all(&mut solver, jacobian, &b, &mut v));
        assert_eq!(count, 0, "Jacobian {k}");
    }
}
