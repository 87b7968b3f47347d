//! The infinite-width kernel against erf's closed form, Gauss-Hermite quadrature and finite sums.

use gaussflow_network::{Activation, ActivationFunction, infinite_width_kernel};

const X: [f64; 12] = [0.3, -0.7, 1.1, 2.0, 0.4, -1.5, -0.2, 0.9, 0.6, 4.0, -3.0, 5.0];

fn dot(i: usize, j: usize) -> f64 {
    (0..3).map(|k| X[3 * i + k] * X[3 * j + k]).sum()
}

/// erf: `E = (4/pi) / sqrt((1 + 2 a)(1 + 2 b) - 4 c^2)`, a, b, c the entries of the covariance.
#[test]
fn the_error_function_has_a_closed_form() {
    let (kernel, estimate) = infinite_width_kernel(&X, 3, &Activation::Erf, 1e-12);
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
        let (kernel, _) = infinite_width_kernel(&x, 3, &activation, 1e-12);
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
    let (coarse, estimate) = infinite_width_kernel(&x, 2, &Activation::Tanh, 1e-6);
    let (fine, _) = infinite_width_kernel(&x, 2, &Activation::Tanh, 1e-13);
    for i in 0..2 {
        for j in 0..2 {
            let scale = (x[2 * i].hypot(x[2 * i + 1])) * (x[2 * j].hypot(x[2 * j + 1]));
            assert!((coarse[(i, j)] - fine[(i, j)]).abs() <= estimate * scale);
        }
    }
    assert!(estimate <= 1e-6);
}
