//! Networks of several outputs against as many of one output, and against Taylor's remainders.

use gaussflow_network::{
    Activation, Architecture, InitialPoint, Initialization, Layer, Network, NetworkError, Scale,
    infinite_width_kernel,
};
use gaussflow_objective::{
    LipschitzConstants, Residuals, SecondOrderMap, SmoothMap, check_jacobian,
    check_second_derivative,
};
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{JacobianOperator, norm};

/// Rows: more than a block holds once each stands three times.
const ROWS: usize = 50;
const FEATURES: usize = 3;
const OUTPUTS: usize = 3;

fn inputs() -> Vec<f64> {
    (0..ROWS * FEATURES).map(|e| (0.37 * e as f64).sin()).collect()
}

fn architectures() -> Vec<Architecture> {
    let layer = |width| Layer::new(width, Activation::Tanh);
    let plain = Architecture::one_layer(6, Activation::Erf);
    let scaled = layer(8).with_bias().scaled(Scale::InverseRootWidth);
    let deep = Architecture::new(vec![scaled, Layer::new(4, Activation::Sigmoid)]);
    // Fewer units than outputs, too.
    let narrow = Architecture::one_layer(2, Activation::Arctan).with_trained_output();
    let all =
        [plain.clone(), plain.with_trained_output(), deep.clone(), deep.with_trained_output()];
    all.into_iter().chain([narrow]).collect()
}

/// The network with several outputs, its start, and for each output the network and start of that one alone.
type Parts = (Network, InitialPoint, Vec<(Network, Vec<f64>)>);

fn parts(architecture: &Architecture, kind: Initialization) -> Parts {
    let several = architecture.clone().with_outputs(OUTPUTS);
    let point = InitialPoint::draw_for(&several, kind, FEATURES, 5).unwrap();
    let network = Network::with_architecture(&inputs(), FEATURES, several, &point.signs).unwrap();
    let network = network.started_as(kind, &point.weights).unwrap();
    let width = network.last_layer().width;
    let hidden = point.weights.len()
        - if network.parameters() > architecture.parameters(FEATURES) {
            OUTPUTS * width
        } else {
            0
        };
    let alone = (0..OUTPUTS).map(|k| {
        let signs = &point.signs[k * width..(k + 1) * width];
        let one =
            Network::with_architecture(&inputs(), FEATURES, architecture.clone(), signs).unwrap();
        let mut weights = point.weights[..hidden].to_vec();
        if one.parameters() > hidden {
            weights.extend_from_slice(signs);
        }
        (one.started_as(kind, &weights).unwrap(), weights)
    });
    let alone = alone.collect();
    (network, point, alone)
}

/// `f(w)` and J.
fn linearized(network: &Network, w: &[f64]) -> (Vec<f64>, Mat<f64>) {
    let (mut value, mut jacobian) = (vec![0.0; network.outputs()], network.new_jacobian());
    network.linearize(w, &mut value, &mut jacobian).unwrap();
    let mut alone = vec![0.0; network.outputs()];
    network.value(w, &mut alone).unwrap();
    let apart = value.iter().zip(&alone).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart <= 1e-15 * norm(&value).max(1.0), "{apart}");
    let mut dense = Mat::zeros(network.outputs(), network.parameters());
    jacobian.write_dense(dense.as_mut());
    (value, dense)
}

#[test]
fn each_output_is_a_network_of_its_own_row_of_weights() {
    for architecture in architectures() {
        let (network, point, alone) = parts(&architecture, Initialization::Nullified);
        let w: Vec<f64> = point.weights.iter().map(|w| 0.9 * w + 0.05).collect();
        let (value, jacobian) = linearized(&network, &w);
        let trained =
            if alone[0].1.len() < w.len() { OUTPUTS * network.last_layer().width } else { 0 };
        let hidden = w.len() - trained;
        for (k, (one, start)) in alone.iter().enumerate() {
            let own = start.len() - hidden;
            let mut weights = w[..hidden].to_vec();
            weights.extend_from_slice(&w[hidden + k * own..hidden + (k + 1) * own]);
            let (expected, slopes) = linearized(one, &weights);
            for j in 0..ROWS {
                let row = j * OUTPUTS + k;
                assert!((value[row] - expected[j]).abs() < 1e-14, "{architecture:?}");
                for column in 0..w.len() {
                    let place = match column.checked_sub(hidden) {
                        None => Some(column),
                        Some(rest) => (rest / own == k).then_some(hidden + rest % own),
                    };
                    let entry = place.map_or(0.0, |place| slopes[(j, place)]);
                    let error = (jacobian[(row, column)] - entry).abs();
                    assert!(
                        error < 1e-14 * entry.abs().max(1.0),
                        "{architecture:?} ({row}, {column})"
                    );
                }
            }
        }
    }
}

#[test]
fn derivatives_pass_the_checkers_and_agree_with_each_other() {
    for architecture in architectures() {
        let (network, point, _) = parts(&architecture, Initialization::Plain);
        let (w, p) = (&point.weights, network.parameters());
        let v: Vec<f64> = (0..p).map(|k| 0.1 * (k as f64).cos()).collect();
        let check = check_jacobian(&network, w, &v).unwrap();
        assert!(check.passed(), "{architecture:?}: {check}");
        let check = check_second_derivative(&network, w, &v).unwrap();
        assert!(check.passed(), "{architecture:?}: {check}");
        let (mut value, mut jacobian) = (vec![0.0; network.outputs()], network.new_jacobian());
        network.linearize(w, &mut value, &mut jacobian).unwrap();
        let weights: Vec<f64> = (0..network.outputs()).map(|j| (0.7 * j as f64).sin()).collect();
        let (mut second, mut product) = (vec![0.0; network.outputs()], vec![0.0; p]);
        network.second_derivative(w, &jacobian, &v, &v, &mut second).unwrap();
        network.weighted_hessian_apply(w, &jacobian, &weights, &v, &mut product).unwrap();
        let mut matrix = Mat::<f64>::zeros(p, p);
        network.weighted_hessian(w, &jacobian, &weights, matrix.as_mut()).unwrap();
        let by_outputs: f64 = weights.iter().zip(&second).map(|(r, d)| r * d).sum();
        let by_product: f64 = product.iter().zip(&v).map(|(b, v)| b * v).sum();
        let by_matrix: f64 = (0..p)
            .flat_map(|r| (0..p).map(move |c| (r, c)))
            .map(|(r, c)| matrix[(r, c)] * v[r] * v[c])
            .sum();
        let size = norm(&second) * norm(&weights);
        for other in [by_product, by_matrix] {
            assert!(
                (by_outputs - other).abs() < 1e-13 * size,
                "{architecture:?}: {by_outputs} {other}"
            );
        }
        // The kernel and the Gram matrix of the structure are those of the dense J.
        let (_, dense) = linearized(&network, w);
        let n = network.outputs();
        let (mut kernel, mut gram) = (Mat::zeros(n, n), Mat::zeros(p, p));
        jacobian.kernel(kernel.as_mut(), &mut Vec::new());
        jacobian.gram(gram.as_mut(), &mut Vec::new());
        let (rows, columns) = (&dense * dense.transpose(), dense.transpose() * &dense);
        for (found, expected) in [(&kernel, &rows), (&gram, &columns)] {
            for c in 0..found.ncols() {
                for r in c..found.nrows() {
                    let error = (found[(r, c)] - expected[(r, c)]).abs();
                    assert!(error < 1e-12 * expected[(r, c)].abs().max(1.0), "{architecture:?}");
                }
            }
        }
    }
}

#[test]
fn lipschitz_bounds_hold_between_points() {
    for architecture in architectures() {
        let (network, point, _) = parts(&architecture, Initialization::Plain);
        let w = &point.weights;
        let (here, slopes) = linearized(&network, w);
        for scale in [1e-4, 0.1] {
            let step: Vec<f64> = (0..w.len()).map(|k| scale * (3.0 * k as f64).sin()).collect();
            let moved: Vec<f64> = w.iter().zip(&step).map(|(w, s)| w + s).collect();
            let (there, other) = linearized(&network, &moved);
            let length = norm(&step);
            let change: Vec<f64> = there.iter().zip(&here).map(|(a, b)| a - b).collect();
            assert!(norm(&change) <= network.lipschitz_within(w, length) * length);
            let turned = (&other - &slopes).norm_l2();
            // The Frobenius norm is at most the operator norm times the root of the rank: a weak test from above.
            let bound = network.jacobian_lipschitz_within(w, length) * length;
            let largest = (&other - &slopes).svd().unwrap().S().column_vector()[0];
            assert!(largest <= bound && turned.is_finite(), "{architecture:?}: {largest} {bound}");
        }
    }
}

#[test]
fn antisymmetric_starts_put_out_zero_and_shapes_are_checked() {
    for architecture in architectures() {
        let (network, point, _) = parts(&architecture, Initialization::Antisymmetric);
        let mut value = vec![f64::NAN; network.outputs()];
        network.value(&point.weights, &mut value).unwrap();
        assert!(norm(&value) < 1e-12, "{architecture:?}");
        assert!(network.one_layer().is_none());
    }
    let several = Architecture::one_layer(2, Activation::Tanh).with_outputs(2);
    let refused = Network::with_architecture(&[1.0, 2.0], 1, several.clone(), &[1.0, 1.0]);
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("2 output signs") && text.contains("accepted: 4"), "{text}");
    let refused = infinite_width_kernel(&[1.0], 1, &several, 1e-6).unwrap_err();
    assert!(matches!(refused, NetworkError::SeveralOutputs { outputs: 2, .. }), "{refused}");
    let none = Architecture::one_layer(2, Activation::Tanh).with_outputs(0);
    assert!(InitialPoint::draw_for(&none, Initialization::Plain, 1, 0).is_err());
}
