//! The infinite-width kernel against erf's closed form, Gauss-Hermite quadrature and finite sums.

use gaussflow_network::{
    Activation, ActivationFunction, Architecture, InitialPoint, Initialization, Layer, Network,
    NetworkError, Scale, infinite_width_kernel,
};
use gaussflow_objective::SmoothMap;
use gaussflow_solvers::JacobianOperator;
use gaussflow_solvers::faer::Mat;

const X: [f64; 12] = [0.3, -0.7, 1.1, 2.0, 0.4, -1.5, -0.2, 0.9, 0.6, 4.0, -3.0, 5.0];

fn one_layer(x: &[f64], d: usize, activation: Activation, tolerance: f64) -> (Mat<f64>, f64) {
    infinite_width_kernel(x, d, &Architecture::one_layer(1, activation), tolerance).unwrap()
}

fn dot(i: usize, j: usize) -> f64 {
    (0..3).map(|k| X[3 * i + k] * X[3 * j + k]).sum()
}

/// erf: `E = (4/pi) / sqrt((1 + 2 a)(1 + 2 b) - 4 c^2)`, a, b, c the entries of the covariance.
#[test]
fn the_error_function_has_a_closed_form() {
    let (kernel, estimate) = one_layer(&X, 3, Activation::Erf, 1e-12);
    assert!(estimate < 1e-12);
    for i in 0..4 {
        for j in 0..4 {
            let (a, b, c) = (dot(i, i), dot(j, j), dot(i, j));
            let determinant = (1.0 + 2.0 * a) * (1.0 + 2.0 * b) - 4.0 * c * c;
            let expected = c * 4.0 / std::f64::consts::PI / determinant.sqrt();
            assert!(
                (kernel[(i, j)] - expected).abs() < 1e-10,
                "{i} {j}: {}",
                kernel[(i, j)] - expected
            );
        }
    }
}

/// Nodes and weights of Gauss-Hermite for the standard normal, by Newton on the orthonormal recurrence.
fn gauss_hermite(n: usize) -> Vec<(f64, f64)> {
    let last_two = |x: f64| {
        let (mut before, mut now) = (0.0, 1.0);
        for k in 0..n {
            let next = (x * now - (k as f64).sqrt() * before) / ((k + 1) as f64).sqrt();
            (before, now) = (now, next);
        }
        (before, now) // h_(n-1), h_n orthonormal
    };
    // Sign changes on a fine grid bracket every node.
    let reach = 2.0 * (n as f64).sqrt() + 1.0;
    let grid = 4000 * n;
    let at = |k: usize| -reach + 2.0 * reach * (k as f64 + 0.37) / grid as f64;
    let mut rule = Vec::new();
    for k in 0..grid {
        let (mut low, mut high) = (at(k), at(k + 1));
        if last_two(low).1 * last_two(high).1 >= 0.0 {
            continue;
        }
        for _ in 0..80 {
            let middle = 0.5 * (low + high);
            if last_two(low).1 * last_two(middle).1 <= 0.0 { high = middle } else { low = middle }
        }
        let h = last_two(0.5 * (low + high)).0;
        rule.push((0.5 * (low + high), 1.0 / (n as f64 * h * h)));
    }
    rule
}

/// For rows of norm near 1 Gauss-Hermite converges and is an independent rule.
#[test]
fn gauss_hermite_agrees_on_short_rows() {
    let rule = gauss_hermite(120);
    assert_eq!(rule.len(), 120);
    assert!((rule.iter().map(|r| r.1).sum::<f64>() - 1.0).abs() < 1e-12);
    let x: Vec<f64> = X[..9].iter().map(|x| 0.4 * x).collect();
    let dot = |i: usize, j: usize| (0..3).map(|k| x[3 * i + k] * x[3 * j + k]).sum::<f64>();
    for activation in [Activation::Tanh, Activation::Sigmoid, Activation::Erf] {
        let slope = |z: f64| {
            let (mut value, mut slope) = ([0.0], [0.0]);
            activation.value_and_slope(&[z], &mut value, &mut slope);
            slope[0]
        };
        let (kernel, _) = one_layer(&x, 3, activation, 1e-12);
        for i in 0..3 {
            for j in 0..3 {
                let (s, t) = (dot(i, i).sqrt(), dot(j, j).sqrt());
                let r = (dot(i, j) / (s * t)).clamp(-1.0, 1.0);
                let q = (1.0 - r * r).max(0.0).sqrt();
                let mut sum = 0.0;
                for (z, a) in &rule {
                    for (y, b) in &rule {
                        sum += a * b * slope(s * z) * slope(t * (r * z + q * y));
                    }
                }
                let difference = (kernel[(i, j)] - dot(i, j) * sum).abs();
                assert!(difference < 1e-10, "{activation} {i} {j}: {difference:e}");
            }
        }
    }
}

/// Long rows need more nodes, not more error: two tolerances agree.
#[test]
fn the_estimate_bounds_the_change_on_long_rows() {
    let x = [9.0, 12.0, 0.5, -0.5];
    let (coarse, estimate) = one_layer(&x, 2, Activation::Tanh, 1e-6);
    let (fine, _) = one_layer(&x, 2, Activation::Tanh, 1e-13);
    for i in 0..2 {
        for j in 0..2 {
            let scale = (x[2 * i].hypot(x[2 * i + 1])) * (x[2 * j].hypot(x[2 * j + 1]));
            assert!((coarse[(i, j)] - fine[(i, j)]).abs() <= estimate * scale);
        }
    }
    assert!(estimate <= 1e-6);
}

/// Layers of these widths, each that feeds another one scaled by the root of its width.
fn scaled(widths: &[usize], activation: Activation) -> Vec<Layer> {
    let layer = |(l, &width): (usize, &usize)| {
        let layer = Layer::new(width, activation);
        if l + 1 < widths.len() { layer.scaled(Scale::InverseRootWidth) } else { layer }
    };
    widths.iter().enumerate().map(layer).collect()
}

/// erf: `E[erf u erf v] = (2/pi) asin(2 c / sqrt((1 + 2 a)(1 + 2 b)))`, and erf' as above, layer after layer; the second
/// layer has biases and c is trained.
#[test]
fn three_layers_of_the_error_function_have_a_closed_form() {
    let mut layers = scaled(&[1, 1, 1], Activation::Erf);
    layers[1].bias = true;
    let architecture = Architecture::new(layers).with_trained_output();
    let (kernel, estimate) = infinite_width_kernel(&X, 3, &architecture, 1e-12).unwrap();
    assert!(estimate < 1e-11);
    let pi = std::f64::consts::PI;
    let value = |(a, b, c): (f64, f64, f64)| {
        let quotient = 2.0 * c / ((1.0 + 2.0 * a) * (1.0 + 2.0 * b)).sqrt();
        2.0 / pi * quotient.asin()
    };
    let slope = |(a, b, c): (f64, f64, f64)| {
        4.0 / pi / ((1.0 + 2.0 * a) * (1.0 + 2.0 * b) - 4.0 * c * c).sqrt()
    };
    for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
        let mut covariances = (dot(i, i), dot(j, j), dot(i, j));
        let mut theta = 0.0;
        for bias in [1.0, 0.0, 0.0] {
            theta = slope(covariances) * (covariances.2 + theta);
            let (a, b, _) = covariances;
            let next = (value((a, a, a)), value((b, b, b)), value(covariances));
            covariances = (next.0 + bias, next.1 + bias, next.2 + bias);
        }
        let expected = theta + covariances.2;
        let gap = (kernel[(i, j)] - expected).abs();
        assert!(gap < 1e-10, "{i} {j}: {gap:e}");
    }
}

/// `K_0 / m` of wide deep networks tends to it, with an error that falls like the root of the width.
#[test]
fn wide_deep_networks_tend_to_the_limit() {
    let (n, d) = (4, 3);
    let limit = |widths: &[usize]| {
        let architecture = Architecture::new(scaled(widths, Activation::Tanh));
        infinite_width_kernel(&X, d, &architecture, 1e-10).unwrap().0
    };
    let mut errors = Vec::new();
    for width in [64, 1024] {
        let (mut squares, expected) = (0.0, limit(&[width, width]));
        for seed in 0..6 {
            let architecture = Architecture::new(scaled(&[width, width], Activation::Tanh));
            let kind = Initialization::Plain;
            let point = InitialPoint::draw_for(&architecture, kind, d, seed).unwrap();
            let network = Network::with_architecture(&X, d, architecture, &point.signs).unwrap();
            let (mut value, mut jacobian) = (vec![0.0; n], network.new_jacobian());
            network.linearize(&point.weights, &mut value, &mut jacobian).unwrap();
            let mut kernel = Mat::zeros(n, n);
            jacobian.kernel(kernel.as_mut(), &mut Vec::new());
            for (i, j) in (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))) {
                squares += (kernel[(i, j)] / width as f64 - expected[(i, j)]).powi(2);
            }
        }
        errors.push((squares / 6.0).sqrt() / expected.norm_l2());
    }
    let rate = (errors[0] / errors[1]).log2() / 4.0;
    assert!(errors[1] < 0.12 && (0.3..0.8).contains(&rate), "{errors:?}, rate {rate}");
}

/// Without the root of the width there is no limit.
#[test]
fn unscaled_layers_have_no_limit() {
    let layers = vec![Layer::new(4, Activation::Tanh), Layer::new(4, Activation::Tanh)];
    let found = infinite_width_kernel(&X, 3, &Architecture::new(layers), 1e-6);
    assert!(matches!(found, Err(NetworkError::NoInfiniteWidth { layer: 0 })));
}
