//! The defining equation over random shapes, dampings and preconditioners.

use gaussflow_solvers::{
    Attained, DampedSolver, Factors, IterativeReport, IterativeSettings, JacobianOperator,
    MatrixFree, SolveRequest, norm,
};
use proptest::prelude::*;

use crate::matrix_free::random::{dense, gaussian, generator, network, residual};

const TOLERANCE: f64 = 1e-9;

fn settings(preconditioner_memory: usize) -> IterativeSettings {
    IterativeSettings { tolerance: TOLERANCE, max_iterations: 20_000, preconditioner_memory }
}

/// The true residual of `v` against what the report claims.
fn judge(
    jacobian: &dyn JacobianOperator,
    rho: f64,
    b: &[f64],
    v: &[f64],
    report: &IterativeReport,
) -> Result<(), TestCaseError> {
    let (found, gradient, level) = residual(jacobian, rho, b, v);
    // Two evaluations of one residual differ by the rounding of both.
    let slack = 4.0 * level;
    match report.attained {
        Attained::Tolerance => {
            prop_assert!(
                found <= TOLERANCE * gradient + slack,
                "{found:e} {gradient:e} {report:?}"
            );
        }
        // As far as rounding admits, measured independently.
        Attained::Rounding => prop_assert!(found <= 1e3 * level, "{found:e} {level:e} {report:?}"),
    }
    prop_assert!((found - report.residual).abs() <= slack + 1e-6 * found, "{found:e} {report:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn solutions_fulfil_the_damped_normal_equations(
        seed: u64, n in 1..60_usize, p in 1..60_usize,
        log_damping in -8.0..-0.05_f64, log_spread in 0.0..3.0_f64, memory in 0..3_usize,
    ) {
        let rng = &mut generator(seed);
        let jacobian = dense(rng, n, p, 10_f64.powf(log_spread));
        let (b, rho) = (gaussian(rng, n), 10_f64.powf(log_damping));
        let mut solver = MatrixFree::new(n, p)?;
        let mut v = vec![f64::NAN; p];
        // No preconditioner, one that cannot hold all pivots, one that can.
        let bytes = [0, 8 * n * 45, 1 << 20][memory];
        let report = solver.solve_cg(&jacobian, rho, settings(bytes), &b, &mut v)?;
        judge(&jacobian, rho, &b, &v, &report)?;
        let mut w = vec![f64::NAN; p];
        let report = solver.solve_lsmr(&jacobian, rho, settings(0), &b, &mut w)?;
        judge(&jacobian, rho, &b, &w, &report)?;
    }

    #[test]
    fn structured_jacobians_are_solved_in_both_shapes(
        seed: u64, n in 1..200_usize, m in 1..40_usize, d in 1..5_usize, log_damping in -6.0..-0.05_f64,
    ) {
        let rng = &mut generator(seed);
        let jacobian = network(rng, n, d, m);
        // Relative to the size of K, as a user scales it.
        let kernel = jacobian.squared_norm();
        let rho0 = kernel * 10_f64.powf(log_damping);
        let (b, rho) = (gaussian(rng, n), rho0 / (1.0 + rho0));
        let mut solver = MatrixFree::new(n, m * d)?;
        let mut v = vec![0.0; m * d];
        let report = solver.solve_cg(&jacobian, rho, settings(1 << 22), &b, &mut v)?;
        judge(&jacobian, rho, &b, &v, &report)?;
    }
}

/// At rho = 0 the minimum-norm solution, which the pseudo-inverse gives.
#[test]
fn undamped_solutions_are_those_of_least_norm() {
    let rng = &mut generator(5);
    for (n, p) in [(1, 1), (30, 12), (12, 30), (25, 25), (1, 9), (9, 1)] {
        let jacobian = dense(rng, n, p, 3.0);
        let b = gaussian(rng, n);
        let (mut expected, mut found) = (vec![0.0; p], vec![0.0; p]);
        let request = SolveRequest { solver: DampedSolver::ThinSvd, ..SolveRequest::default() };
        let mut factors = Factors::new(n, p).unwrap();
        factors.solve(&jacobian, request, &b, &mut expected).unwrap();
        let least = factors.extreme_singular_values(&jacobian).unwrap();
        let mut solver = MatrixFree::new(n, p).unwrap();
        for lsmr in [true, false] {
            let report = if lsmr {
                solver.solve_lsmr(&jacobian, 0.0, settings(0), &b, &mut found).unwrap()
            } else {
                solver.solve_cg(&jacobian, 0.0, settings(0), &b, &mut found).unwrap()
            };
            let error: Vec<f64> = found.iter().zip(&expected).map(|(a, b)| a - b).collect();
            // In the row space an error e has norm(J^T J e) >= sigma_min^2 norm(e).
            let bound = 2.0 * report.residual.max(1e-15) / (least.smallest * least.smallest);
            assert!(norm(&error) <= bound, "{n} x {p}: {:e} > {bound:e}", norm(&error));
        }
    }
}

/// A preconditioner changes the way, not the solution; and it is worth its memory.
#[test]
fn preconditioned_equals_unpreconditioned_with_fewer_iterations() {
    let rng = &mut generator(7);
    for (n, hidden) in [(300, 100), (300, 40)] {
        let jacobian = network(rng, n, 4, hidden);
        let rho0 = 1e-6 * jacobian.squared_norm();
        let (b, rho) = (gaussian(rng, n), rho0 / (1.0 + rho0));
        let p = jacobian.columns();
        let (mut plain, mut fast) = (vec![0.0; p], vec![0.0; p]);
        let mut solver = MatrixFree::new(n, p).unwrap();
        let without = solver.solve_cg(&jacobian, rho, settings(0), &b, &mut plain).unwrap();
        let with = solver.solve_cg(&jacobian, rho, settings(1 << 24), &b, &mut fast).unwrap();
        assert_eq!(without.preconditioner_rank, 0);
        assert!(with.preconditioner_rank > 32 && with.preconditioner_trace < 0.1);
        assert!(with.iterations * 3 < without.iterations, "{with:?} {without:?}");
        // The preconditioned matrix is the identity plus something semidefinite.
        assert!(with.ritz_values.0 > 1.0 - 1e-6, "{with:?}");
        let error: Vec<f64> = plain.iter().zip(&fast).map(|(a, b)| a - b).collect();
        assert!(norm(&error) <= (with.residual + without.residual) / rho);
    }
}

/// The factor of a Jacobian nearby, and of another damping, is a valid preconditioner all the same.
#[test]
fn a_kept_preconditioner_serves_the_next_jacobian() {
    let rng = &mut generator(8);
    let first = network(rng, 150, 3, 60);
    let mut second = first.clone();
    for (k, shift) in gaussian(rng, 150 * 60).into_iter().enumerate() {
        second.pieces_mut()[0].left_mut()[(k % 150, k / 150)] *= 1.0 + 0.01 * shift;
    }
    let b = gaussian(rng, 150);
    let mut solver = MatrixFree::new(150, 180).unwrap();
    let mut v = vec![0.0; 180];
    let built = solver.solve_cg(&first, 0.1, settings(1 << 20), &b, &mut v).unwrap();
    solver.keep_preconditioner();
    for rho in [0.1, 1e-2, 0.5] {
        let report = solver.solve_cg(&second, rho, settings(1 << 20), &b, &mut v).unwrap();
        judge(&second, rho, &b, &v, &report).unwrap();
        assert_eq!(report.preconditioner_rank, built.preconditioner_rank);
        let without = solver.solve_cg(&second, rho, settings(0), &b, &mut v).unwrap();
        assert!(report.iterations < without.iterations, "{report:?} {without:?}");
    }
}

#[test]
fn two_runs_have_the_same_bits() {
    let jacobian = network(&mut generator(9), 200, 4, 80);
    let b = gaussian(&mut generator(10), 200);
    let run = |solver: &mut MatrixFree, lsmr: bool| -> Vec<u64> {
        let mut v = vec![0.0; 320];
        if lsmr {
            solver.solve_lsmr(&jacobian, 1e-3, settings(0), &b, &mut v).unwrap();
        } else {
            solver.solve_cg(&jacobian, 1e-3, settings(1 << 20), &b, &mut v).unwrap();
        }
        v.iter().map(|x| x.to_bits()).collect()
    };
    let mut warm = MatrixFree::new(200, 320).unwrap();
    for lsmr in [true, false] {
        let first = run(&mut warm, lsmr);
        assert_eq!(first, run(&mut warm, lsmr));
        assert_eq!(first, run(&mut MatrixFree::new(200, 320).unwrap(), lsmr));
    }
}
