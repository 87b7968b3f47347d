//! The flow in the metric of the loss's Hessian, where its output is known in closed form (docs/learn/derivations.md, 8).

use gaussflow::dynamics::{Settings, SolveSettings};
use gaussflow::objective::{Logistic, Metric, Softmax};
use gaussflow::prelude::*;

const ROWS: usize = 6;
const FEATURES: usize = 2;

/// A network with more weights than outputs.
fn network(outputs: usize) -> (Network, Vec<f64>) {
    let layer = Layer::new(20, Activation::Tanh).with_bias();
    let architecture = Architecture::new(vec![layer]).with_trained_output().with_outputs(outputs);
    let start =
        InitialPoint::draw_for(&architecture, Initialization::Nullified, FEATURES, 3).unwrap();
    let inputs = InitialPoint::draw(Initialization::Plain, ROWS, FEATURES, 1).unwrap().weights;
    let network =
        Network::with_architecture(&inputs, FEATURES, architecture, &start.signs).unwrap();
    (network.nullified_at(&start.weights).unwrap(), start.weights)
}

/// Runs the Gauss-Newton flow to time 3 and shows the time and the output of each step to `see`.
fn follow<L: Loss>(
    metric: Metric,
    (network, start): (&Network, &[f64]),
    loss: L,
    mut see: impl FnMut(f64, &[f64], &[f64]),
) {
    let objective = Objective::new(network, loss, 5.0).unwrap();
    let settings = Settings {
        integrator: Integrator::RungeKutta4,
        step: 0.02,
        horizon: 3.0,
        solve: SolveSettings {
            metric,
            rank_policy: RankPolicy::PseudoInverse,
            rank_cutoff: 1e-10,
            ..SolveSettings::default()
        },
        ..Settings::default()
    };
    let outcome = simulate(&objective, start, &settings, |_, time, flow: &mut Flow<'_, _, _>| {
        let here = flow.linearization();
        see(time, here.output(), here.loss_gradient());
    });
    assert_eq!(outcome.unwrap().stop_reason, StopReason::Horizon);
}

#[test]
fn in_the_metric_of_the_loss_its_gradient_falls_like_exp_of_minus_t() {
    let (one, start) = network(1);
    let classes: Vec<f64> = (0..ROWS).map(|j| f64::from(j % 2 == 0)).collect();
    let mut worst = 0.0_f64;
    follow(
        Metric::LossHessian,
        (&one, &start),
        Logistic::new(classes.clone()).unwrap(),
        |t, psi, b| {
            for ((psi, b), y) in psi.iter().zip(b).zip(&classes) {
                // At psi = 0 the gradient is 1/2 - y; 1 - pi of the right class is exp(-t) / 2.
                worst = worst.max((b * t.exp() / (0.5 - y) - 1.0).abs());
                let margin = (2.0 * t.exp() - 1.0).ln();
                worst = worst.max((psi * (2.0 * y - 1.0) - margin).abs());
            }
        },
    );
    assert!(worst < 1e-7, "{worst}");

    let (three, start) = network(3);
    let labels: Vec<usize> = (0..ROWS).map(|j| j % 3).collect();
    let (mut worst, mut first) = (0.0_f64, Vec::new());
    follow(
        Metric::LossHessian,
        (&three, &start),
        Softmax::of_classes(&labels, 3).unwrap(),
        |t, _, b| {
            if first.is_empty() {
                first = b.to_vec();
            }
            for (b, first) in b.iter().zip(&first) {
                worst = worst.max((b * t.exp() / first - 1.0).abs());
            }
        },
    );
    assert!(worst < 1e-7, "{worst}");
}

#[test]
fn in_the_euclidean_metric_margins_grow_like_the_logarithm_of_t() {
    let (one, start) = network(1);
    let mut worst = 0.0_f64;
    follow(
        Metric::Euclidean,
        (&one, &start),
        Logistic::new(vec![1.0; ROWS]).unwrap(),
        |t, psi, _| {
            for psi in psi {
                worst = worst.max((psi + psi.exp() - t - 1.0).abs());
            }
        },
    );
    assert!(worst < 1e-7, "{worst}");
}
