//! Many parameters: sparse Jacobians against dense ones, and both against what is known.

use gaussflow_dynamics::{
    Damping, FitSettings, FitStop, GainRatioDamping, LeastSquares, StepLength,
};
use gaussflow_objective::{
    FiniteDifferences, ResidualFn, Residuals, SmoothMap, SparseDifferences, check_jacobian,
};
use gaussflow_solvers::SparsityPattern;

/// Broyden's tridiagonal function, residual j.
fn broyden(w: &[f64], j: usize) -> f64 {
    let left = if j > 0 { w[j - 1] } else { 0.0 };
    let right = w.get(j + 1).copied().unwrap_or(0.0);
    (3.0 - 2.0 * w[j]) * w[j] - left - 2.0 * right + 1.0
}

fn tridiagonal(p: usize) -> impl Residuals {
    ResidualFn::new(p, p, move |w, r| (0..p).for_each(|j| r[j] = broyden(w, j)))
}

#[test]
fn broyden_tridiagonal_is_solved_at_any_size() {
    for p in [1000, 20_000] {
        let map = SparseDifferences::new(tridiagonal(p), SparsityPattern::banded(p, p, 1, 1));
        let map = map.unwrap();
        assert_eq!(map.groups(), 3);
        let fit = LeastSquares::new(map).fit(&vec![-1.0; p], &FitSettings::default()).unwrap();
        assert!(fit.stop.converged() && fit.loss < 1e-20, "{p}: {:?} {:e}", fit.stop, fit.loss);
        assert_eq!(fit.rank, p);
        assert!(fit.counts.jacobians <= 10, "{:?}", fit.counts);
    }
}

/// The function and as many observations of its parameters: 2p residuals.
fn observed(p: usize) -> impl Residuals + Clone {
    ResidualFn::new(2 * p, p, move |w: &[f64], r: &mut [f64]| {
        for j in 0..p {
            r[j] = broyden(w, j);
            r[p + j] = 0.3 * (w[j] + 0.6 - 0.2 * (j as f64).sin());
        }
    })
}

fn pattern(p: usize) -> SparsityPattern {
    let band = (0..p).flat_map(|j| (j.saturating_sub(1)..(j + 2).min(p)).map(move |k| (j, k)));
    SparsityPattern::new(2 * p, p, band.chain((0..p).map(|k| (p + k, k)))).unwrap()
}

/// With damped steps on the way, by both kinds of damping, and residuals left at the end.
#[test]
fn sparse_and_dense_fits_agree() {
    let p = 100;
    let start: Vec<f64> = (0..p).map(|k| -3.0 + (k as f64).cos()).collect();
    let full = LeastSquares::new(FiniteDifferences::new(observed(p)));
    let sparse = LeastSquares::new(SparseDifferences::new(observed(p), pattern(p)).unwrap());
    let whole = Damping::Schedule {
        schedule: Box::new(GainRatioDamping::new(0.1)),
        length: StepLength::Whole,
    };
    for damping in [Damping::TrustRegion { initial_radius: 0.05 }, whole] {
        // A schedule comes no closer than to where the rounding of the loss decides.
        let settings = FitSettings { damping, gradient_tolerance: 1e-7, ..FitSettings::default() };
        let (a, b) = (full.fit(&start, &settings), sparse.fit(&start, &settings));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert!(a.stop.converged() && b.stop.converged(), "{:?} {:?}", a.stop, b.stop);
        assert_eq!((a.rank, b.rank), (p, p));
        assert!(b.history.iter().any(|step| step.damping > 0.0));
        for k in 0..p {
            let deviation = a.standard_deviations[k];
            assert!((a.parameters[k] - b.parameters[k]).abs() < 1e-5 * deviation, "{k}");
            assert!((b.standard_deviations[k] / deviation - 1.0).abs() < 1e-6, "{k}");
            assert!((a.covariance(k, k).unwrap().sqrt() / deviation - 1.0).abs() < 1e-12);
        }
        assert!(b.covariance(0, 1).is_none());
    }
}

/// Parameter 7 is in no residual, and only the sum of 30 and 31 is.
#[test]
fn what_the_data_do_not_determine_is_said() {
    let p = 90;
    let map = ResidualFn::new(2 * p, p, move |w: &[f64], r: &mut [f64]| {
        let mut seen = w.to_vec();
        seen[7] = 0.0;
        (seen[30], seen[31]) = (w[30] + w[31], 0.0);
        for j in 0..p {
            r[j] = (0.5 * seen[j]).exp() - 1.5 - if j > 0 { 0.1 * seen[j - 1] } else { 0.0 };
            r[p + j] = seen[j] - (j as f64).sin();
        }
    });
    let band = (0..p).flat_map(|j| (j.saturating_sub(2)..(j + 2).min(p)).map(move |k| (j, k)));
    let seen: Vec<(usize, usize)> = band.flat_map(|(j, k)| [(j, k), (p + j, k)]).collect();
    let sparse = SparseDifferences::new(map, SparsityPattern::new(2 * p, p, seen).unwrap());
    let sparse = sparse.unwrap();
    let start = vec![0.3; p];
    assert!(check_jacobian(&sparse, &start, &vec![1.0; p]).unwrap().passed());
    let full = LeastSquares::new(FiniteDifferences::new(sparse.inner()));
    let full = full.fit(&start, &FitSettings::default()).unwrap();
    let fit = LeastSquares::new(sparse).fit(&start, &FitSettings::default()).unwrap();
    for fit in [fit, full] {
        assert!(fit.stop.converged(), "{:?}", fit.stop);
        assert_eq!((fit.rank, fit.null_directions.len()), (p - 2, 2));
        for k in 0..p {
            let lost = [7, 30, 31].contains(&k);
            assert_eq!(fit.standard_deviations[k].is_infinite(), lost, "{k}");
        }
    }
}

/// Columns beside a wall: roots of parameters that are 0 have one side alone.
#[test]
fn sparse_differences_look_to_the_side_that_is_defined() {
    let p = 70;
    let map = ResidualFn::new(p, p, move |w, r| {
        (0..p).for_each(|j| r[j] = w[j].powf(1.5) + w[(j + 1) % p]);
    });
    let places = (0..p).flat_map(|j| [(j, j), (j, (j + 1) % p)]);
    let map = SparseDifferences::new(map, SparsityPattern::new(p, p, places).unwrap()).unwrap();
    let w: Vec<f64> = (0..p).map(|k| if k % 3 == 0 { 0.0 } else { 1.0 + k as f64 }).collect();
    let (mut value, mut jacobian) = (vec![0.0; p], map.new_jacobian());
    map.linearize(&w, &mut value, &mut jacobian).unwrap();
    for (k, w) in w.iter().enumerate() {
        let entry = *jacobian.entry_mut(k, k).unwrap();
        let error = if *w == 0.0 { 0.02 } else { 1e-8 * entry };
        assert!((entry - 1.5 * w.sqrt()).abs() < error, "{k}: {entry}");
        let other = *jacobian.entry_mut((k + p - 1) % p, k).unwrap();
        assert!((other - 1.0).abs() < 1e-7, "{k}: {other}");
    }
}

/// A full Jacobian of more than 64 columns, from a start whose first steps are damped.
#[test]
fn many_dense_parameters_are_fitted() {
    let p = 150;
    let map = ResidualFn::new(p, p, move |w: &[f64], r: &mut [f64]| {
        // Broyden and Lam's almost linear function in other coordinates: every residual sees every parameter.
        let sum: f64 = w.iter().sum();
        (0..p).for_each(|j| r[j] = broyden(w, j) + 1e-3 * (sum + p as f64));
    });
    let problem = LeastSquares::new(FiniteDifferences::new(map));
    let start: Vec<f64> = (0..p).map(|k| -3.0 + (k as f64).sin()).collect();
    let fit = problem.fit(&start, &FitSettings::default()).unwrap();
    assert!(matches!(fit.stop, FitStop::Rounding | FitStop::Gradient), "{:?}", fit.stop);
    assert!(fit.loss < 1e-20, "{:e}", fit.loss);
    assert_eq!(fit.rank, p);
}
