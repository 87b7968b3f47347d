//! Planted singular models: the rank, and the combination of parameters that the data do not determine.

use gaussflow_dynamics::{FitSettings, LeastSquares};
use gaussflow_objective::{FiniteDifferences, ResidualFn, SmoothMap};

/// `y = (a + 2 b) exp(-c t)`: only a + 2 b is seen.
fn planted() -> impl SmoothMap {
    FiniteDifferences::new(ResidualFn::new(8, 3, |w: &[f64], r: &mut [f64]| {
        for (j, r) in r.iter_mut().enumerate() {
            let t = j as f64;
            *r = (w[0] + 2.0 * w[1]) * (-w[2] * t).exp() - 5.0 * (-0.4 * t).exp() - 0.01 * t.cos();
        }
    }))
}

#[test]
fn a_deficient_combination_is_named() {
    let problem = LeastSquares::new(planted()).with_names(["a", "b", "c"]).unwrap();
    let fit = problem.fit(&[1.0, 1.0, 1.0], &FitSettings::default()).unwrap();
    assert!(fit.stop.converged(), "{fit}");
    assert_eq!(fit.rank, 2, "{fit}");
    let null = &fit.null_directions[0].direction;
    // Moving a by 2 and b by -1 changes nothing.
    assert!((null[0] / null[1] + 2.0).abs() < 1e-6 && null[2].abs() < 1e-6, "{null:?}");
    assert!(fit.standard_deviations[0].is_infinite() && fit.standard_deviations[1].is_infinite());
    assert!(fit.standard_deviations[2] > 0.0 && fit.standard_deviations[2] < 0.1);
    let text = fit.to_string();
    assert!(text.contains("do not determine") && text.contains("0.8944 a"), "{text}");
    assert!(text.lines().count() < 25);
}

#[test]
fn an_unused_parameter_is_named_and_stays() {
    let map = FiniteDifferences::new(ResidualFn::new(3, 2, |w: &[f64], r: &mut [f64]| {
        for (r, y) in r.iter_mut().zip([1.0, 2.0, 4.0]) {
            *r = w[0] - y;
        }
    }));
    let fit = LeastSquares::new(map).fit(&[0.0, 7.0], &FitSettings::default()).unwrap();
    assert!((fit.parameters[0] - 7.0 / 3.0).abs() < 1e-9 && fit.parameters[1] == 7.0, "{fit}");
    assert_eq!(fit.rank, 1);
    assert!(fit.null_directions[0].direction[1].abs() > 0.999_999);
}

#[test]
fn fewer_observations_than_parameters_give_the_nearest_solution() {
    // One equation w_0 + w_1 + w_2 + w_3 = 8, and one for a product.
    let map = FiniteDifferences::new(ResidualFn::new(2, 4, |w: &[f64], r: &mut [f64]| {
        r[0] = w.iter().sum::<f64>() - 8.0;
        r[1] = w[0] * w[1] - 3.0;
    }));
    let fit = LeastSquares::new(map).fit(&[1.0, 2.0, 0.5, 0.0], &FitSettings::default()).unwrap();
    assert!(fit.loss < 1e-24 && fit.stop.converged(), "{fit}");
    assert_eq!((fit.rank, fit.null_directions.len()), (2, 2));
    for null in &fit.null_directions {
        let d = &null.direction;
        let w = &fit.parameters;
        let changes = [d.iter().sum::<f64>(), d[0] * w[1] + w[0] * d[1]];
        assert!(changes.iter().all(|c| c.abs() < 1e-8), "{changes:?}");
    }
    assert!(fit.residual_deviation.is_nan());
}

#[test]
fn a_wide_linear_problem_takes_the_least_norm_step_in_scaled_variables() {
    // r = A w - y with A = (1 2 2), y = 9, from 0: D = diag(1, 2, 2), so D w is along (1, 1, 1).
    let map = FiniteDifferences::new(ResidualFn::new(1, 3, |w: &[f64], r: &mut [f64]| {
        r[0] = w[0] + 2.0 * w[1] + 2.0 * w[2] - 9.0;
    }));
    let damping = gaussflow_dynamics::Damping::TrustRegion { initial_radius: 1e6 };
    let settings = FitSettings { damping, ..FitSettings::default() };
    let fit = LeastSquares::new(map).fit(&[0.0; 3], &settings).unwrap();
    for (w, expected) in fit.parameters.iter().zip([3.0, 1.5, 1.5]) {
        assert!((w - expected).abs() < 1e-8, "{fit}");
    }
}
