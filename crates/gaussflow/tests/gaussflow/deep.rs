//! A deep network under everything above it: flows, iterations, fits and the geometry of what it can output.

use gaussflow::dynamics::{ConstantDamping, StepLength, iterate_scheduled};
use gaussflow::prelude::*;

const ROWS: usize = 60;
const FEATURES: usize = 3;

/// Two hidden layers of tanh and arctan, biases in the first, p = 36.
fn network() -> (Network, Vec<f64>) {
    let layers = vec![
        Layer::new(5, Activation::Tanh).with_bias().scaled(Scale::InverseRootWidth),
        Layer::new(3, Activation::Arctan),
    ];
    let architecture = Architecture::new(layers).with_trained_output();
    let start =
        InitialPoint::draw_for(&architecture, Initialization::Nullified, FEATURES, 4).unwrap();
    let inputs = InitialPoint::draw(Initialization::Plain, ROWS, FEATURES, 1).unwrap().weights;
    let network = Network::with_architecture(&inputs, FEATURES, architecture, &start.signs)
        .unwrap()
        .nullified_at(&start.weights)
        .unwrap();
    (network, start.weights)
}

/// What the network itself outputs some way from its start: targets that it can reach.
fn reachable(network: &Network, start: &[f64], alpha: f64) -> Vec<f64> {
    let there: Vec<f64> =
        start.iter().enumerate().map(|(k, w)| w + 0.05 * (k as f64).sin() / alpha).collect();
    let mut targets = vec![0.0; ROWS];
    network.value(&there, &mut targets).unwrap();
    targets.iter().map(|f| alpha * f).collect()
}

/// The Gauss-Newton flow itself halves the distance of reachable outputs in time `log 2 / 2`, whatever the conditioning:
/// `d psi / dt = -P grad g = -2 P (psi - y)`; gradient flow, stiff, falls as well.
#[test]
fn flows_of_a_deep_network_reach_what_it_can_output() {
    let (network, start) = network();
    let alpha = 100.0;
    let targets = reachable(&network, &start, alpha);
    let objective = Objective::new(&network, Squared::new(targets).unwrap(), alpha).unwrap();
    let first = objective.loss_at(&start).unwrap();
    let tolerances = Tolerances { relative: 1e-9, absolute: 1e-12 };
    let settings = Settings {
        integrator: Integrator::Adaptive(tolerances),
        horizon: 2.0,
        ..Settings::default()
    };
    let end = simulate(&objective, &start, &settings, |_, _, _| ()).unwrap();
    assert_eq!(end.stop_reason, StopReason::Horizon, "{end}");
    let rate = (first / end.final_loss).ln() / 2.0;
    assert!((rate - 4.0).abs() < 0.05, "the loss falls like exp(-4 t), found exp(-{rate} t)");

    let settings = Settings {
        preconditioner: Preconditioner::Gradient,
        integrator: Integrator::Stiff(Tolerances { relative: 1e-6, absolute: 1e-9 }),
        ..settings
    };
    let end = simulate(&objective, &start, &settings, |_, _, _| ()).unwrap();
    assert_eq!(end.stop_reason, StopReason::Horizon, "{end}");
    assert!(end.final_loss < 0.05 * first, "{end}");
}

/// Theorem 2's iteration with damping, and the fitter to the last digits.
#[test]
fn iterations_and_fits_of_a_deep_network_end_at_the_minimum() {
    let (network, start) = network();
    let targets = reachable(&network, &start, 1.0);
    let loss = Squared::new(targets.clone()).unwrap();
    let objective = Objective::new(&network, loss, 1.0).unwrap();
    let problem = LeastSquares::new(&network).with_observations(targets).unwrap();
    let fit = problem.fit(&start, &FitSettings::default()).unwrap();
    assert!(fit.loss < 1e-20, "{fit}");
    let found = objective.loss_at(&fit.parameters).unwrap();
    assert!((found - fit.loss).abs() <= 1e-12 * found.max(1e-20));

    let mut schedule = ConstantDamping { damping: 1e-3 };
    let first = objective.loss_at(&start).unwrap();
    let (_, end) =
        iterate_scheduled(&objective, &start, &mut schedule, StepLength::Whole, 40).unwrap();
    let last = objective.loss_at(&end).unwrap();
    assert!(last < 1e-3 * first, "{last} of {first}");
}

/// Gradient and Hessian of the loss along a geodesic, its logarithm, and transport.
#[test]
fn the_geometry_of_a_deep_network_passes_its_checks() {
    let (network, start) = network();
    let targets: Vec<f64> = (0..ROWS).map(|j| (j as f64).sin()).collect();
    let objective = Objective::new(&network, Squared::new(targets).unwrap(), 50.0).unwrap();
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let mut v: Vec<f64> = (0..start.len()).map(|k| (1.7 * k as f64).cos()).collect();
    let mut tangent = vec![0.0; ROWS];
    manifold.at(&start).unwrap().tangent_vector(&v, &mut tangent).unwrap();
    let length = tangent.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.iter_mut().for_each(|v| *v /= length);
    let settings = GeodesicSettings { tolerance: 1e-11, ..GeodesicSettings::default() };
    for check in manifold.check_derivatives(&start, &v, &settings).unwrap() {
        assert!(check.passed(), "{check:?}");
    }
    let curve = manifold.exp(&start, &v, &settings).unwrap();
    assert!(curve.speed_drift < 1e-8, "{}", curve.speed_drift);
    let end = curve.complete().unwrap().point.clone();
    let back = manifold.log(&start, &end, &settings).unwrap();
    let gap = back.velocity.iter().zip(&v).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let size = v.iter().fold(0.0, |size: f64, v| size.max(v.abs()));
    assert!(gap < 1e-6 * size && (back.distance - 1.0).abs() < 1e-8, "{gap:e} of {size}");
}
