//! Beyond the memory limit: products alone, and refusals of what needs a matrix.

use gaussflow_solvers::{AmortizedFactor, Choice, DampedSolver, Factors, SolveError, SolveRequest};
use gaussflow_solvers::{SpectrumTracker, norm};

use crate::systems::{Spectrum, System, gaussian, generator};

/// Well conditioned, of either orientation and square.
const SHAPES: [(usize, usize); 3] = [(60, 24), (24, 60), (30, 30)];

#[test]
fn auto_iterates_and_finds_the_solution_of_the_direct_kernel() {
    for shape in SHAPES {
        let system = System::new(&mut generator(1), shape, Spectrum::LogUniform, 10.0, 1.0);
        let b = gaussian(&mut generator(2), shape.0);
        for damping in [0.0, 0.1] {
            let request = SolveRequest { damping, ..SolveRequest::default() };
            let (mut direct, mut found) = (vec![0.0; shape.1], vec![0.0; shape.1]);
            let mut factors = Factors::new(shape.0, shape.1).unwrap();
            factors.solve(&system.jacobian, request, &b, &mut direct).unwrap();
            let mut factors = Factors::new(shape.0, shape.1).unwrap();
            factors.set_memory_limit(100);
            let report = factors.solve(&system.jacobian, request, &b, &mut found).unwrap();
            let kernel =
                if damping > 0.0 { DampedSolver::ConjugateGradients } else { DampedSolver::Lsmr };
            assert_eq!((report.solver, report.choice), (kernel, Choice::MemoryLimit));
            let gap: Vec<f64> = found.iter().zip(&direct).map(|(a, b)| a - b).collect();
            // Residuals of 1e-12, over a smallest eigenvalue of 1e-2.
            assert!(norm(&gap) <= 1e-9 * norm(&direct), "{shape:?} {damping}: {report:?}");
            let counts = factors.counts();
            assert_eq!((counts.gram, counts.cholesky, counts.qr, counts.svd), (0, 0, 0, 0));
            // A path has no room for a factor either.
            let mut path = AmortizedFactor::new();
            let again =
                path.solve(&mut factors, &system.jacobian, request, &b, &mut found).unwrap();
            assert_eq!((again.solver, factors.counts().cholesky), (kernel, 0));
        }
    }
}

#[test]
fn what_needs_a_matrix_is_refused_and_the_largest_value_is_not() {
    for shape in SHAPES {
        let system = System::new(&mut generator(3), shape, Spectrum::LogUniform, 10.0, 1.0);
        let jacobian = &system.jacobian;
        let mut factors = Factors::new(shape.0, shape.1).unwrap();
        factors.set_memory_limit(100);
        let beyond =
            |error| matches!(error, SolveError::MemoryLimit { bytes, limit: 100 } if bytes > 100);
        assert!(beyond(factors.extreme_singular_values(jacobian).unwrap_err()));
        let mut tracker = SpectrumTracker::default();
        assert!(beyond(tracker.extremes(&mut factors, jacobian).unwrap_err()));
        assert!(beyond(tracker.smallest(&mut factors, jacobian).unwrap_err()));
        let (u, mut out) = (vec![1.0; shape.0], vec![0.0; shape.0]);
        assert!(beyond(factors.project_on_range(jacobian, 1e-14, &u, &mut out).unwrap_err()));
        assert_eq!((factors.counts().gram, factors.counts().qr), (0, 0));
        let largest = factors.largest_singular_value(jacobian).unwrap();
        assert!((largest - 1.0).abs() < 1e-12, "{largest}");
    }
}

/// The Gram matrix fits, J and its QR do not.
#[test]
fn an_ill_conditioned_tall_system_iterates_where_its_qr_has_no_room() {
    let (n, p) = (200, 10);
    let system = System::new(&mut generator(5), (n, p), Spectrum::LogUniform, 1e4, 1.0);
    let b = gaussian(&mut generator(6), n);
    let mut factors = Factors::new(n, p).unwrap();
    let mut v = vec![0.0; p];
    let direct = factors.solve(&system.jacobian, SolveRequest::default(), &b, &mut v).unwrap();
    assert_eq!(direct.choice, Choice::UndampedIllConditioned);
    factors.invalidate();
    factors.set_memory_limit(8 * n * p);
    let request = SolveRequest { tolerance: 1e-8, ..SolveRequest::default() };
    let report = factors.solve(&system.jacobian, request, &b, &mut v).unwrap();
    assert_eq!((report.solver, report.choice), (DampedSolver::Lsmr, Choice::MemoryLimit));
}

/// A tracker made by `default` is the one made by `new`.
#[test]
fn a_default_tracker_certifies_its_first_point() {
    let system = System::new(&mut generator(7), (90, 40), Spectrum::LogUniform, 50.0, 1.0);
    let mut factors = Factors::new(90, 40).unwrap();
    let mut tracker = SpectrumTracker::default();
    tracker.extremes(&mut factors, &system.jacobian).unwrap();
    assert_eq!((tracker.counts().certified, tracker.counts().dense), (1, 0));
}
