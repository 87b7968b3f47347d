//! `apply_inverse` against `((1 - rho) J^T J + rho I) x = y`, in double-double.

use gaussflow_solvers::{DampedSolver, Factors, SolveError, SolveRequest, norm};
use proptest::prelude::*;

use crate::cases::settings;
use crate::double_double::{Double, dot, length};
use crate::systems::{EPS, Spectrum, System, columns_of, gaussian, generator};

/// `norm((1-rho) J^T J x + rho x - y)`.
fn defect(system: &System, rho: f64, x: &[f64], y: &[f64]) -> f64 {
    let columns = columns_of(&system.jacobian);
    let mut image = vec![Double::default(); system.rows];
    for (column, &x) in columns.iter().zip(x) {
        for (i, &c) in image.iter_mut().zip(column) {
            *i = *i + c * x.into();
        }
    }
    let kept = Double::from(1.0) - rho.into();
    let rest: Vec<Double> = (0..x.len())
        .map(|k| kept * dot(&columns[k], &image) + Double::from(rho) * x[k].into() - y[k].into())
        .collect();
    length(&rest)
}

proptest! {
    #![proptest_config(settings(48, 3))]

    /// The factor's relative error is c eps of `norm(H)`, on both of its triangles, so that the
    /// defect is `c eps norm(H) norm(H^-1) norm(y)` at most; that holds for Woodbury's form too,
    /// whose subtraction errs by `eps norm(y) / rho`.
    #[test]
    fn the_inverse_solves_its_equation(
        seed: u64, n in 1..80_usize, p in 1..80_usize, log_condition in 0.0..4.0_f64,
        rho in prop_oneof![Just(0.0), (-6.0..0.0_f64).prop_map(|x| 10.0_f64.powf(x)), Just(1.0)],
    ) {
        let rng = &mut generator(seed);
        let condition = 10.0_f64.powf(log_condition);
        let system = System::new(rng, (n, p), Spectrum::LogUniform, condition, 2.0);
        let y = gaussian(rng, p);
        for solver in DampedSolver::DIRECT {
            let mut x = y.clone();
            let request = SolveRequest { damping: rho, solver, ..SolveRequest::default() };
            let mut factors = Factors::new(n, p).unwrap();
            match factors.apply_inverse(&system.jacobian, request, &mut x) {
                Err(SolveError::NotPositiveDefinite { .. } | SolveError::RankDeficient { .. }) => {
                    prop_assert!(rho == 0.0 && n != p, "{solver:?} {n} x {p} {rho}");
                    continue;
                }
                outcome => outcome.unwrap(),
            }
            if rho == 0.0 && p > n {
                continue; // the pseudo-inverse: y is not in its range
            }
            let (small, large) = (if p > n { 0.0 } else { system.smallest() }, system.largest());
            let at = |s: f64| (1.0 - rho) * s * s + rho;
            // At n = p and rho = 0 the dual form passes through K twice.
            let twice = solver == DampedSolver::DualCholesky && rho == 0.0;
            let spread = at(large) / at(small) * if twice { at(large) / at(small) } else { 1.0 };
            let dual = if rho > 0.0 { at(large) / rho } else { 0.0 };
            let spread = if solver == DampedSolver::DualCholesky { spread.max(dual) } else { spread };
            let bound = (8.0 + (n + p) as f64 / 4.0) * EPS * spread * norm(&y);
            let found = defect(&system, rho, &x, &y);
            prop_assert!(found <= bound, "{solver:?} {n} x {p} {rho:e}: {found:e} > {bound:e}");
        }
    }
}

#[test]
fn wrong_lengths_and_dampings_are_refused() {
    let system = System::new(&mut generator(1), (4, 3), Spectrum::Geometric, 2.0, 1.0);
    let mut factors = Factors::new(4, 3).unwrap();
    let request = |damping| SolveRequest { damping, ..SolveRequest::default() };
    let short = factors.apply_inverse(&system.jacobian, request(0.5), &mut [1.0; 2]);
    assert!(matches!(short, Err(SolveError::ShapeMismatch { expected: 3, found: 2, .. })));
    let over = factors.apply_inverse(&system.jacobian, request(1.5), &mut [1.0; 3]);
    assert!(matches!(over, Err(SolveError::InvalidDamping { .. })));
    let nan = factors.apply_inverse(&system.jacobian, request(0.5), &mut [0.0, f64::NAN, 0.0]);
    assert!(matches!(nan, Err(SolveError::NonFinite { index: 1, .. })));
}
