//! The shared cache: each factorization once a point, and no trace of the point before.

use gaussflow_solvers::{DampedSolver, FactorCounts, Factors, SolveReport, SolveRequest};

use crate::systems::{Spectrum, System, gaussian, generator};

fn system(seed: u64, shape: (usize, usize)) -> System {
    System::new(&mut generator(seed), shape, Spectrum::LogUniform, 1e3, 1.0)
}

fn solve(
    factors: &mut Factors,
    system: &System,
    solver: DampedSolver,
    damping: f64,
    b: &[f64],
) -> (Vec<f64>, SolveReport) {
    let mut v = vec![0.0; system.columns];
    let request = SolveRequest { damping, solver, ..SolveRequest::default() };
    let report = factors.solve(&system.jacobian, request, b, &mut v).unwrap();
    (v, report)
}

/// Everything that a step, its observers and its geometry ask of one point.
fn ask(factors: &mut Factors, system: &System, b: &[f64]) -> Vec<Vec<f64>> {
    let tall = system.rows >= system.columns;
    let mut answers = Vec::new();
    for solver in DampedSolver::DIRECT {
        for damping in [0.0, 0.25] {
            let definite = match solver {
                DampedSolver::PrimalCholesky | DampedSolver::HouseholderQr => tall,
                DampedSolver::DualCholesky => !tall,
                DampedSolver::Auto | DampedSolver::AmortizedCholesky | DampedSolver::ThinSvd => {
                    true
                }
                DampedSolver::ConjugateGradients | DampedSolver::Lsmr => false,
            };
            if damping > 0.0 || definite {
                answers.push(solve(factors, system, solver, damping, b).0);
            }
        }
    }
    let extremes = factors.extreme_singular_values(&system.jacobian).unwrap();
    answers.push(vec![extremes.smallest, extremes.largest]);
    let mut projection = vec![0.0; system.rows];
    factors.project_on_range(&system.jacobian, 1e-14, b, &mut projection).unwrap();
    answers.push(projection);
    answers
}

#[test]
fn each_factorization_is_computed_once_a_point() {
    let system = system(1, (30, 12));
    let b = gaussian(&mut generator(2), 30);
    let mut factors = Factors::new(30, 12).unwrap();
    for _ in 0..3 {
        solve(&mut factors, &system, DampedSolver::PrimalCholesky, 0.1, &b);
        solve(&mut factors, &system, DampedSolver::DualCholesky, 0.1, &b);
        solve(&mut factors, &system, DampedSolver::HouseholderQr, 0.0, &b);
        solve(&mut factors, &system, DampedSolver::HouseholderQr, 0.1, &b);
        solve(&mut factors, &system, DampedSolver::ThinSvd, 0.0, &b);
        solve(&mut factors, &system, DampedSolver::ThinSvd, 0.1, &b);
        factors.extreme_singular_values(&system.jacobian).unwrap();
        let mut out = vec![0.0; 30];
        factors.project_on_range(&system.jacobian, 1e-14, &b, &mut out).unwrap();
    }
    let once = FactorCounts {
        gram: 1,
        cholesky: 2,
        qr: 1,
        stacked_qr: 1,
        svd: 1,
        extremes: 1,
        ..FactorCounts::default()
    };
    assert_eq!(factors.counts(), once);
    // Another damping needs the damped factors anew, and no other.
    solve(&mut factors, &system, DampedSolver::PrimalCholesky, 0.2, &b);
    solve(&mut factors, &system, DampedSolver::HouseholderQr, 0.2, &b);
    solve(&mut factors, &system, DampedSolver::ThinSvd, 0.2, &b);
    let twice = FactorCounts { cholesky: 3, stacked_qr: 2, ..once };
    assert_eq!(factors.counts(), twice);
    factors.invalidate();
    ask(&mut factors, &system, &b);
    assert_eq!(factors.counts().qr, 2);
    assert_eq!(factors.counts().svd, 2);
    assert_eq!(factors.counts().extremes, 2);
}

/// A failed factorization must not be taken for a current one.
#[test]
fn a_refused_factor_is_refused_again() {
    let system = System::with_values(&mut generator(6), (9, 3), vec![1.0, 1.0, 0.0]);
    let mut factors = Factors::new(9, 3).unwrap();
    let request = SolveRequest { solver: DampedSolver::PrimalCholesky, ..Default::default() };
    for _ in 0..2 {
        let outcome = factors.solve(&system.jacobian, request, &[1.0; 9], &mut [0.0; 3]);
        assert!(outcome.is_err());
    }
    assert_eq!(factors.counts().cholesky, 2);
}

#[test]
fn reused_buffers_give_the_bits_of_fresh_ones() {
    for shape in [(40, 17), (17, 40), (64, 64)] {
        let b = gaussian(&mut generator(3), shape.0);
        let mut reused = Factors::new(shape.0, shape.1).unwrap();
        // A point that lost rank comes between: it takes the other path through QR.
        let lost = System::with_values(&mut generator(9), shape, {
            let mut values = vec![1.0; 17.min(shape.0.min(shape.1))];
            values.resize(shape.0.min(shape.1), 0.0);
            values[16] = 0.0;
            values
        });
        for seed in 0..4 {
            let point = system(seed, shape);
            reused.invalidate();
            let mut fresh = Factors::new(shape.0, shape.1).unwrap();
            assert_eq!(ask(&mut reused, &point, &b), ask(&mut fresh, &point, &b), "{shape:?}");
            reused.invalidate();
            reused.extreme_singular_values(&lost.jacobian).unwrap();
            solve(&mut reused, &lost, DampedSolver::ThinSvd, 0.0, &b);
        }
    }
}

/// The answer does not depend on what was asked before at the same point.
#[test]
fn the_order_of_questions_does_not_change_the_solution() {
    let system = system(5, (40, 17));
    let b = gaussian(&mut generator(3), 40);
    let plain = solve(&mut Factors::new(40, 17).unwrap(), &system, DampedSolver::Auto, 0.0, &b).0;
    let mut factors = Factors::new(40, 17).unwrap();
    factors.extreme_singular_values(&system.jacobian).unwrap();
    assert_eq!(solve(&mut factors, &system, DampedSolver::Auto, 0.0, &b).0, plain);
}
