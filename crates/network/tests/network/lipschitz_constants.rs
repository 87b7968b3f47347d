//! The proven constants against difference quotients over pairs of points, near and far.
//!
//! `L <= sigma2 sqrt(lambda_max((X X^T) * (X X^T)))`, `Lip_f <= sigma1 sqrt(m) sigma_max(X)`.

use gaussflow_network::{
    Activation, Architecture, InitialPoint, Initialization, Layer, Network, Scale,
};
use gaussflow_objective::{LipschitzConstants, Residuals, SmoothMap};
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{DenseJacobian, Factors, JacobianOperator, norm};

fn normal(count: usize, seed: u64) -> Vec<f64> {
    InitialPoint::draw(Initialization::Plain, count, 1, seed).unwrap().weights
}

fn dense<N: SmoothMap>(map: &N, w: &[f64]) -> Mat<f64> {
    let mut jacobian = map.new_jacobian();
    map.linearize(w, &mut vec![0.0; map.outputs()], &mut jacobian).unwrap();
    let mut out = Mat::zeros(map.outputs(), map.parameters());
    jacobian.write_dense(out.as_mut());
    out
}

fn operator_norm(matrix: Mat<f64>) -> f64 {
    let mut factors = Factors::new(matrix.nrows(), matrix.ncols()).unwrap();
    factors.extreme_singular_values(&DenseJacobian::from_matrix(matrix)).unwrap().largest
}

/// `norm(J(w + t) - J(w)) / norm(t)` in the operator norm.
fn quotient<N: SmoothMap>(map: &N, w: &[f64], t: &[f64]) -> f64 {
    let shifted: Vec<f64> = w.iter().zip(t).map(|(w, t)| w + t).collect();
    operator_norm(dense(map, &shifted) - dense(map, w)) / norm(t)
}

#[test]
fn no_pair_of_points_exceeds_the_constants() {
    for activation in Activation::ALL {
        for (n, d, m) in [(12, 3, 4), (4, 5, 3), (9, 1, 2)] {
            let point = InitialPoint::draw(Initialization::Plain, m, d, 1).unwrap();
            let network = Network::new(&normal(n * d, 50), d, &point.signs, activation).unwrap();
            let (constant, of_values) = (network.jacobian_lipschitz(), network.lipschitz());
            let (mut largest, mut steepest) = (0.0_f64, 0.0_f64);
            for pair in 0..300 {
                let scale = 10_f64.powf(-2.0 + f64::from(u8::try_from(pair % 5).unwrap()));
                let w: Vec<f64> = normal(m * d, pair).iter().map(|x| 0.5 * x).collect();
                let t: Vec<f64> = normal(m * d, 1000 + pair).iter().map(|x| scale * x).collect();
                largest = largest.max(quotient(&network, &w, &t));
                let shifted: Vec<f64> = w.iter().zip(&t).map(|(w, t)| w + t).collect();
                let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
                network.value(&w, &mut a).unwrap();
                network.value(&shifted, &mut b).unwrap();
                a.iter_mut().zip(&b).for_each(|(a, b)| *a -= b);
                steepest = steepest.max(norm(&a) / norm(&t));
            }
            let name = activation.name();
            assert!(largest <= constant, "{name} {n} {d} {m}: {largest} {constant}");
            assert!(steepest <= of_values, "{name} {n} {d} {m}: {steepest} {of_values}");
            assert!(largest >= 0.05 * constant && steepest >= 0.05 * of_values, "{name}");
        }
    }
}

/// Rows of equal `x . a` let one step bend every row where sigma'' is largest: both are attained.
#[test]
fn the_constants_are_attained_at_a_maximizing_pair() {
    // abs sigma'' is largest here; each value is the zero of sigma''' from its closed form.
    let worst = [
        (1.0 / 3_f64.sqrt()).atanh(),
        2.0 * (1.0 / 3_f64.sqrt()).atanh(),
        0.5_f64.sqrt(),
        (1.0_f64 / 3.0).sqrt(),
    ];
    for (activation, z) in Activation::ALL.into_iter().zip(worst) {
        let inputs = [2.0, 2.0, -2.0, 2.0]; // four rows, one feature
        let network = Network::new(&inputs, 1, &[1.0, -1.0, 1.0], activation).unwrap();
        let w = [0.5 * z, 0.3, -0.1];
        let found = quotient(&network, &w, &[1e-6, 0.0, 0.0]);
        let constant = network.jacobian_lipschitz();
        let ratio = found / constant;
        assert!(ratio > 1.0 - 1e-6 && ratio < 1.0 + 1e-8, "{}: {ratio}", activation.name());
        // Lip_f = sup norm(J): sigma' is largest at 0.
        let ratio = operator_norm(dense(&network, &[0.0; 3])) / network.lipschitz();
        assert!((ratio - 1.0).abs() < 1e-14, "{}: {ratio}", activation.name());
    }
}

#[test]
fn the_constant_of_the_jacobian_does_not_know_the_width_and_equals_the_kernel_form() {
    let (n, d) = (10, 3);
    let inputs = normal(n * d, 9);
    let of_width = |m: usize| {
        let signs = vec![1.0; m];
        Network::new(&inputs, d, &signs, Activation::Tanh).unwrap()
    };
    let (narrow, wide) = (of_width(2), of_width(8));
    assert!((narrow.jacobian_lipschitz() - wide.jacobian_lipschitz()).abs() < 1e-12);
    assert!((wide.lipschitz() / narrow.lipschitz() - 2.0).abs() < 1e-14);
    // lambda_max of the entrywise square of X X^T, from its own singular values.
    let row = |j: usize| &inputs[j * d..(j + 1) * d];
    let kernel = Mat::from_fn(n, n, |i, j| {
        row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum::<f64>().powi(2)
    });
    let expected = 4.0 / (3.0 * 3_f64.sqrt()) * operator_norm(kernel).sqrt();
    assert!((narrow.jacobian_lipschitz() / expected - 1.0).abs() < 1e-13);
    // It is below the loose form sigma2 sqrt(sum norm(x)^4).
    let loose: f64 = (0..n).map(|j| norm(row(j)).powi(4)).sum();
    assert!(narrow.jacobian_lipschitz() < 4.0 / (3.0 * 3_f64.sqrt()) * loose.sqrt());
}

/// A deep network has no global constants, but on balls: no pair of points of one exceeds them, and on small balls they
/// are not idle.
#[test]
fn deep_networks_have_constants_on_balls() {
    let layers = |widths: &[usize]| -> Vec<Layer> {
        let layer = |(l, &width): (usize, &usize)| Layer::new(width, Activation::ALL[l % 4]);
        widths.iter().enumerate().map(layer).collect()
    };
    let biased = layers(&[5, 4]).into_iter().map(Layer::with_bias).collect();
    let scaled =
        layers(&[6, 3, 4]).into_iter().map(|layer| layer.scaled(Scale::InverseRootWidth)).collect();
    let architectures = [
        Architecture::new(layers(&[4, 3])),
        Architecture::new(biased),
        Architecture::new(scaled).with_trained_output(),
        Architecture::new(layers(&[3])).with_trained_output(),
    ];
    for (k, architecture) in architectures.into_iter().enumerate() {
        let (n, d) = (7, 2);
        let point = InitialPoint::draw_for(&architecture, Initialization::Plain, d, 1).unwrap();
        let w = &point.weights;
        let inputs = normal(n * d, 50);
        let network = Network::with_architecture(&inputs, d, architecture, &point.signs).unwrap();
        assert!(network.jacobian_lipschitz().is_infinite() && network.lipschitz().is_infinite());
        let mut before = 0.0;
        for radius in [0.0, 0.1, 1.0, 10.0] {
            let constant = network.jacobian_lipschitz_within(w, radius);
            let of_values = network.lipschitz_within(w, radius);
            assert!(constant > before, "network {k}: it grows with the radius");
            before = constant;
            let (mut largest, mut steepest) = (0.0_f64, 0.0_f64);
            for pair in 0..60 {
                // Two points within the radius; at radius 0 neighbours stand for the derivative.
                let reach = radius.max(1e-6);
                let within = |seed: u64, share: f64| -> Vec<f64> {
                    let direction = normal(w.len(), seed);
                    let length = reach * share / norm(&direction);
                    w.iter().zip(&direction).map(|(w, x)| w + length * x).collect()
                };
                let (a, b) = (within(pair, 0.999), within(500 + pair, 0.5));
                let step: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
                largest = largest.max(quotient(&network, &b, &step));
                steepest = steepest.max(operator_norm(dense(&network, &a)));
            }
            let slack = 1.0 + 1e-4;
            assert!(largest <= slack * constant, "{k}, {radius}: {largest} {constant}");
            assert!(steepest <= slack * of_values, "{k}, {radius}: {steepest} {of_values}");
            if radius <= 0.1 {
                assert!(largest >= 0.002 * constant, "{k}, {radius}: {largest} {constant}");
                assert!(steepest >= 0.02 * of_values, "{k}, {radius}: {steepest} {of_values}");
            }
        }
    }
}

/// Biases are weights of a constant input, and a factor multiplies both constants.
#[test]
fn one_layer_with_biases_and_a_factor_has_global_constants() {
    let (n, d, m) = (8, 2, 4);
    let (inputs, signs) = (normal(n * d, 50), [1.0, -1.0, 1.0, 1.0]);
    let extended: Vec<f64> =
        inputs.chunks(d).flat_map(|x| x.iter().copied().chain([1.0])).collect();
    let plain = Network::new(&extended, d + 1, &signs, Activation::Tanh).unwrap();
    let layer = Layer::new(m, Activation::Tanh).with_bias().scaled(Scale::InverseRootWidth);
    let network =
        Network::with_architecture(&inputs, d, Architecture::new(vec![layer]), &signs).unwrap();
    assert!((2.0 * network.jacobian_lipschitz() / plain.jacobian_lipschitz() - 1.0).abs() < 1e-14);
    assert!((2.0 * network.lipschitz() / plain.lipschitz() - 1.0).abs() < 1e-14);
}

/// What rounding may do to values is above what it does, by a network evaluated at twice the scale.
#[test]
fn the_rounding_of_deep_networks_is_bounded() {
    let layers = vec![Layer::new(30, Activation::Tanh), Layer::new(20, Activation::Erf)];
    let architecture = Architecture::new(layers).with_trained_output();
    let (n, d) = (50, 3);
    let point = InitialPoint::draw_for(&architecture, Initialization::Plain, d, 1).unwrap();
    let inputs = normal(n * d, 50);
    let network = Network::with_architecture(&inputs, d, architecture, &point.signs).unwrap();
    let mut value = vec![0.0; n];
    network.value(&point.weights, &mut value).unwrap();
    let bound = network.rounding_error(&point.weights);
    // The same sums in another order: the hidden units turned around.
    let mut turned = point.weights.clone();
    let (first, rest) = turned.split_at_mut(30 * d);
    for i in 0..15 {
        for k in 0..d {
            first.swap(i * d + k, (29 - i) * d + k);
        }
    }
    rest[..20 * 30].chunks_mut(30).for_each(<[f64]>::reverse);
    let mut again = vec![0.0; n];
    network.value(&turned, &mut again).unwrap();
    let gap: Vec<f64> = value.iter().zip(&again).map(|(a, b)| a - b).collect();
    assert!(norm(&gap) > 0.0 && norm(&gap) <= bound && bound < 1e4 * norm(&gap));
}
