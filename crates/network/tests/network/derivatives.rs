//! The network's derivatives against its own values, and its structured products against each other.
//!
//! `D2f[u,v]_j = sum_i c_i sigma''(z_ji)(x_j . u_i)(x_j . v_i)`, `B(r) = sum_j r_j Hess f_j`.

#![allow(clippy::float_cmp, reason = "a nullified network is exactly zero at its point")]

use gaussflow_network::activation::{ActivationBounds, ActivationFunction};
use gaussflow_network::{Activation, InitialPoint, Initialization, Network, NetworkError};
use gaussflow_objective::{
    MapError, Residuals, SecondOrderMap, SmoothMap, adjoint_defect, check_jacobian,
    check_second_derivative,
};
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{Factors, JacobianOperator};

/// Standard normal numbers from the library's own stream.
fn normal(count: usize, seed: u64) -> Vec<f64> {
    InitialPoint::draw(Initialization::Plain, count, 1, seed).unwrap().weights
}

/// Rows, features, hidden units; 256 rows make a block.
const SHAPES: [(usize, usize, usize); 7] =
    [(1, 1, 2), (1, 3, 4), (7, 1, 2), (5, 4, 6), (256, 2, 2), (257, 2, 2), (300, 3, 4)];

fn build(
    kind: Initialization,
    (n, d, m): (usize, usize, usize),
    activation: Activation,
) -> (Network, Vec<f64>) {
    let point = InitialPoint::draw(kind, m, d, 5).unwrap();
    let inputs = normal(n * d, 100);
    let network = Network::from_initial_point(kind, &inputs, d, &point, activation).unwrap();
    (network, point.weights)
}

fn linearize<A: ActivationFunction>(
    network: &Network<A>,
    w: &[f64],
) -> (Vec<f64>, gaussflow_network::NetworkJacobian) {
    let (mut value, mut jacobian) = (vec![f64::NAN; network.outputs()], network.new_jacobian());
    network.linearize(w, &mut value, &mut jacobian).unwrap();
    (value, jacobian)
}

#[test]
fn every_activation_initialization_and_shape_passes_the_checkers() {
    for activation in Activation::ALL {
        for kind in Initialization::ALL {
            for shape in SHAPES {
                let (network, start) = build(kind, shape, activation);
                let p = start.len();
                // A direction of length 1/2, so that the expansion converges at h = 1 already.
                let v: Vec<f64> =
                    normal(p, 7).iter().map(|v| 0.5 * v / (p as f64).sqrt()).collect();
                let away: Vec<f64> = start.iter().zip(normal(p, 8)).map(|(a, b)| a + b).collect();
                for w in [&start, &away] {
                    let name = format!("{} {} {shape:?}", activation.name(), kind.name());
                    let check = check_jacobian(&network, w, &v).unwrap();
                    assert!(check.passed(), "{name}: {check}");
                    let check = check_second_derivative(&network, w, &v).unwrap();
                    assert!(check.passed(), "{name}: {check}");
                    let (value, jacobian) = linearize(&network, w);
                    let u = normal(shape.0, 9);
                    let defect = adjoint_defect(&jacobian, &v, &u).unwrap();
                    assert!(defect < 1e-14, "{name}: {defect:e}");
                    let mut alone = vec![f64::NAN; shape.0];
                    network.value(w, &mut alone).unwrap();
                    assert_eq!(value, alone, "{name}");
                }
            }
        }
    }
}

/// The forward pass sums the squares of S while it writes it; here against the entries, where one thread and where
/// several do it, at a second point as well.
#[test]
fn the_norm_from_the_forward_pass_is_that_of_the_entries() {
    for shape in SHAPES.into_iter().chain([(300, 2, 500)]) {
        let (network, start) = build(Initialization::Plain, shape, Activation::Tanh);
        let (mut value, mut jacobian) = (vec![f64::NAN; shape.0], network.new_jacobian());
        let away: Vec<f64> = start.iter().map(|w| 0.5 * w).collect();
        for w in [&start, &away] {
            network.linearize(w, &mut value, &mut jacobian).unwrap();
            let mut dense = Mat::zeros(shape.0, start.len());
            jacobian.write_dense(dense.as_mut());
            let expected = dense.squared_norm_l2();
            let bound = 1e-14 * expected;
            assert!((jacobian.squared_norm() - expected).abs() < bound, "{shape:?}");
            let mut diagonal = vec![f64::NAN; shape.0];
            jacobian.kernel_diagonal(&mut diagonal);
            for (j, found) in diagonal.iter().enumerate() {
                let row = dense.row(j).squared_norm_l2();
                assert!((found - row).abs() < 1e-14 * row, "{shape:?}, row {j}");
            }
            // Whoever writes S without them is not believed.
            let mut other = jacobian.row_kronecker().clone();
            other.pieces_mut()[0].left_mut()[(0, 0)] += 1.0;
            other.write_dense(dense.as_mut());
            let expected = dense.squared_norm_l2();
            assert!((other.squared_norm() - expected).abs() < 1e-14 * expected, "{shape:?}");
        }
    }
}

#[test]
fn values_are_those_of_the_formula() {
    let (n, d, m) = (260, 3, 5);
    let (network, w) = build(Initialization::Plain, (n, d, m), Activation::Tanh);
    let inputs = normal(n * d, 100);
    let (value, jacobian) = linearize(&network, &w);
    let mut dense = Mat::zeros(n, m * d);
    jacobian.write_dense(dense.as_mut());
    for j in 0..n {
        let x = &inputs[j * d..(j + 1) * d];
        let mut expected = 0.0;
        for i in 0..m {
            let z: f64 = x.iter().zip(&w[i * d..(i + 1) * d]).map(|(x, w)| x * w).sum();
            let c = network.signs()[i];
            expected += c * z.tanh();
            for k in 0..d {
                let entry = c * x[k] / z.cosh().powi(2);
                // Relative error of sech^2 is that of z times 2 |z|.
                let room = 16.0 * f64::EPSILON * (1.0 + z.abs()) * entry.abs();
                assert!((dense[(j, i * d + k)] - entry).abs() <= room, "{j} {i} {k}");
            }
        }
        assert!((value[j] - expected).abs() <= 1e-14, "{j}");
    }
}

#[test]
fn the_second_derivative_is_symmetric_bilinear_and_what_the_weighted_hessian_sums() {
    for shape in SHAPES {
        let (network, w) = build(Initialization::Nullified, shape, Activation::Erf);
        let (n, p) = (shape.0, w.len());
        let (_, jacobian) = linearize(&network, &w);
        let bend = |u: &[f64], v: &[f64]| {
            let mut out = vec![f64::NAN; n];
            network.second_derivative(&w, &jacobian, u, v, &mut out).unwrap();
            out
        };
        let (u, v, weights) = (normal(p, 1), normal(p, 2), normal(n, 3));
        let combined: Vec<f64> = u.iter().zip(&v).map(|(u, v)| 2.0 * u - 3.0 * v).collect();
        let (uv, vu, uu) = (bend(&u, &v), bend(&v, &u), bend(&u, &u));
        let mixed = bend(&u, &combined);
        let inputs = network.inputs();
        for j in 0..n {
            let row: f64 = (0..shape.1).map(|k| inputs[(j, k)].powi(2)).sum();
            let room = 1e-13 * (1.0 + row) * (p as f64) * 10.0;
            assert!((uv[j] - vu[j]).abs() <= room);
            assert!((mixed[j] - (2.0 * uu[j] - 3.0 * uv[j])).abs() <= room, "{shape:?} {j}");
        }
        let mut matrix = Mat::zeros(p, p);
        network.weighted_hessian(&w, &jacobian, &weights, matrix.as_mut()).unwrap();
        let size = (0..p).map(|k| matrix[(k, k)].abs()).fold(1.0, f64::max) * (n * p) as f64;
        for k in 0..p {
            let mut unit = vec![0.0; p];
            unit[k] = 1.0;
            let mut column = vec![f64::NAN; p];
            network.weighted_hessian_apply(&w, &jacobian, &weights, &unit, &mut column).unwrap();
            for l in 0..p {
                let mut other = vec![0.0; p];
                other[l] = 1.0;
                let terms = bend(&unit, &other);
                let sum: f64 = terms.iter().zip(&weights).map(|(t, w)| t * w).sum();
                let room = 8.0 * f64::EPSILON * size;
                assert!((matrix[(l, k)] - column[l]).abs() <= room, "{shape:?} {k} {l}");
                assert!((matrix[(l, k)] - sum).abs() <= room, "{shape:?} {k} {l}");
                assert_eq!(matrix[(l, k)], matrix[(k, l)]);
                // Units do not interact.
                assert!(k / shape.1 == l / shape.1 || matrix[(l, k)] == 0.0);
            }
        }
    }
}

#[test]
fn a_nullified_network_starts_at_zero_to_the_last_bit() {
    for activation in Activation::ALL {
        for shape in SHAPES {
            let (network, w) = build(Initialization::Nullified, shape, activation);
            let (value, _) = linearize(&network, &w);
            assert!(value.iter().all(|x| x.to_bits() == 0), "{activation:?} {shape:?}");
            // Nullified again at another point it is zero there, and only there.
            let other = normal(w.len(), 77);
            let network = network.nullified_at(&other).unwrap();
            assert!(linearize(&network, &other).0.iter().all(|x| x.to_bits() == 0));
            assert!(linearize(&network, &w).0.iter().any(|x| *x != 0.0));
        }
    }
}

#[test]
fn an_antisymmetric_network_starts_at_zero_with_half_the_rank() {
    for activation in Activation::ALL {
        let (network, w) = build(Initialization::Antisymmetric, (30, 3, 6), activation);
        let (value, jacobian) = linearize(&network, &w);
        let largest = value.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        assert!(largest <= 6.0 * f64::EPSILON, "{activation:?} {largest:e}");
        let mut factors = Factors::new(30, 18).unwrap();
        let rank =
            factors.project_on_range(&jacobian, 1e-12, &normal(30, 4), &mut [0.0; 30]).unwrap();
        assert_eq!(rank, 9, "{activation:?}");
    }
}

/// `sigma(z) = z^2 / 2`: every derivative of the network in closed form.
struct HalfSquare;

impl ActivationFunction for HalfSquare {
    fn bounds(&self) -> ActivationBounds {
        ActivationBounds { value: f64::INFINITY, first: f64::INFINITY, second: 1.0 }
    }
    fn evaluate(&self, z: &[f64], value: &mut [f64], first: &mut [f64], second: &mut [f64]) {
        self.value(z, value);
        first.copy_from_slice(z);
        second.fill(1.0);
    }
    fn value(&self, z: &[f64], value: &mut [f64]) {
        for (z, value) in z.iter().zip(value) {
            *value = 0.5 * z * z;
        }
    }
}

#[test]
fn an_activation_of_the_users_own_drives_every_derivative() {
    // f = (x . a)^2 / 2 - (x . b)^2 / 2 on the rows (1, 2) and (0, -1), w = (a, b).
    let network = Network::new(&[1.0, 2.0, 0.0, -1.0], 2, &[1.0, -1.0], HalfSquare).unwrap();
    let w = [1.0, 1.0, 2.0, 0.5];
    let (value, jacobian) = linearize(&network, &w);
    assert_eq!(value, [0.0, 0.375]);
    let mut dense = Mat::zeros(2, 4);
    jacobian.write_dense(dense.as_mut());
    let expected = [[3.0, 6.0, -3.0, -6.0], [0.0, 1.0, 0.0, -0.5]];
    assert!((0..8).all(|e| dense[(e / 4, e % 4)] == expected[e / 4][e % 4]));
    let mut bend = [0.0; 2];
    let (u, v) = ([1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0]);
    network.second_derivative(&w, &jacobian, &u, &v, &mut bend).unwrap();
    assert_eq!(bend, [1.0 * 3.0 - 2.0 * 1.0, 0.0]);
    assert!(check_jacobian(&network, &w, &u).unwrap().passed());
}

#[test]
fn what_is_no_network_is_refused_with_its_numbers() {
    let network = |inputs: &[f64], features, signs: &[f64]| {
        Network::new(inputs, features, signs, Activation::Tanh).err()
    };
    assert!(matches!(network(&[], 2, &[1.0]), Some(NetworkError::Empty { rows: 0, .. })));
    assert!(matches!(network(&[1.0], 0, &[1.0]), Some(NetworkError::Empty { features: 0, .. })));
    assert!(matches!(network(&[1.0], 1, &[]), Some(NetworkError::Empty { hidden: 0, .. })));
    assert_eq!(
        network(&[1.0; 5], 2, &[1.0]),
        Some(NetworkError::RaggedInputs { entries: 5, features: 2 })
    );
    assert!(matches!(
        network(&[1.0, f64::NAN], 1, &[1.0]),
        Some(NetworkError::NonFinite { index: 1, .. })
    ));
    assert!(matches!(
        network(&[1.0], 1, &[f64::INFINITY]),
        Some(NetworkError::NonFinite { index: 0, .. })
    ));
    let fine = Network::new(&[1.0; 4], 2, &[1.0; 3], Activation::Tanh).unwrap();
    assert_eq!(
        fine.clone().nullified_at(&[0.0; 5]).err(),
        Some(NetworkError::WeightCount { expected: 6, found: 5, hidden: vec![3], features: 2 })
    );
    assert!(matches!(
        fine.clone().nullified_at(&[f64::NAN; 6]),
        Err(NetworkError::NonFinite { index: 0, .. })
    ));
    for (w, n) in [(5, 2), (7, 2), (6, 1), (6, 3)] {
        let refused = fine.value(&vec![0.0; w], &mut vec![0.0; n]);
        assert!(matches!(refused, Err(MapError::ShapeMismatch { .. })), "{w} {n}");
        let refused = fine.linearize(&vec![0.0; w], &mut vec![0.0; n], &mut fine.new_jacobian());
        assert!(matches!(refused, Err(MapError::ShapeMismatch { .. })), "{w} {n}");
    }
}
