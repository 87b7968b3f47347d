//! Networks of several layers: derivatives against differences and closed forms, and what one layer shares with them.

#![allow(clippy::float_cmp, reason = "a nullified network is exactly zero at its point")]

use gaussflow_network::{
    Activation, Architecture, InitialPoint, Initialization, Layer, Network, NetworkError,
    NetworkJacobian, Scale,
};
use gaussflow_objective::{
    Residuals, SecondOrderMap, SmoothMap, adjoint_defect, check_jacobian, check_second_derivative,
};
use gaussflow_solvers::JacobianOperator;
use gaussflow_solvers::faer::Mat;

use crate::allocation_counter::allocations;

/// Standard normal numbers from the library's own stream.
fn normal(count: usize, seed: u64) -> Vec<f64> {
    InitialPoint::draw(Initialization::Plain, count, 1, seed).unwrap().weights
}

/// Layers of these widths, the activations in turns, every second one with biases, scaled where another follows.
fn mixed(widths: &[usize]) -> Architecture {
    let layers = widths.iter().enumerate().map(|(l, &width)| {
        let layer = Layer::new(width, Activation::ALL[l % 4]);
        let layer = if l % 2 == 0 { layer.with_bias() } else { layer };
        if l + 1 < widths.len() { layer.scaled(Scale::InverseRootWidth) } else { layer }
    });
    Architecture::new(layers.collect())
}

fn build(
    architecture: &Architecture,
    kind: Initialization,
    (n, d): (usize, usize),
) -> (Network, Vec<f64>) {
    let point = InitialPoint::draw_for(architecture, kind, d, 5).unwrap();
    let inputs = normal(n * d, 100);
    let network =
        Network::with_architecture(&inputs, d, architecture.clone(), &point.signs).unwrap();
    (network.started_as(kind, &point.weights).unwrap(), point.weights)
}

fn linearize(network: &Network, w: &[f64]) -> (Vec<f64>, NetworkJacobian) {
    let (mut value, mut jacobian) = (vec![f64::NAN; network.outputs()], network.new_jacobian());
    network.linearize(w, &mut value, &mut jacobian).unwrap();
    (value, jacobian)
}

fn dense(jacobian: &NetworkJacobian) -> Mat<f64> {
    let mut dense = Mat::full(jacobian.rows(), jacobian.columns(), f64::NAN);
    jacobian.write_dense(dense.as_mut());
    dense
}

/// Depths 1 to 4, with and without trained outputs; the last has layers wide enough for the larger groups.
fn architectures() -> Vec<Architecture> {
    let widths: [&[usize]; 6] = [&[4], &[6, 4], &[2, 6, 4], &[4, 2, 4, 6], &[40, 70], &[8, 36, 4]];
    let fixed = widths.iter().map(|widths| mixed(widths));
    fixed.flat_map(|one| [one.clone(), one.with_trained_output()]).collect()
}

#[test]
fn every_depth_passes_the_checkers() {
    for architecture in architectures() {
        for kind in Initialization::ALL {
            for shape in [(1, 1), (7, 2), (137, 3), (273, 2)] {
                let (network, start) = build(&architecture, kind, shape);
                let p = start.len();
                assert_eq!(p, architecture.parameters(shape.1));
                let v: Vec<f64> =
                    normal(p, 7).iter().map(|v| 0.3 * v / (p as f64).sqrt()).collect();
                let away: Vec<f64> =
                    start.iter().zip(normal(p, 8)).map(|(a, b)| a + 0.3 * b).collect();
                for w in [&start, &away] {
                    let name = format!("{architecture:?} {} {shape:?}", kind.name());
                    let check = check_jacobian(&network, w, &v).unwrap();
                    assert!(check.passed(), "{name}: {check}");
                    let check = check_second_derivative(&network, w, &v).unwrap();
                    assert!(check.passed(), "{name}: {check}");
                    let (value, jacobian) = linearize(&network, w);
                    let defect = adjoint_defect(&jacobian, &v, &normal(shape.0, 9)).unwrap();
                    assert!(defect < 1e-14, "{name}: {defect:e}");
                    let mut alone = vec![f64::NAN; shape.0];
                    network.value(w, &mut alone).unwrap();
                    let gap = value.iter().zip(&alone).map(|(a, b)| (a - b).abs());
                    let size = alone.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
                    assert!(gap.fold(0.0, f64::max) <= 1e-14 * size, "{name}");
                }
            }
        }
    }
}

/// `D2f[u, v]` is bilinear and symmetric; `B(r)` is its adjoint: `r . D2f[u, v] = u . B(r) v`, product and matrix.
#[test]
fn second_derivatives_agree_with_each_other() {
    for architecture in architectures() {
        let (n, d) = (150, 3);
        let (network, w) = build(&architecture, Initialization::Plain, (n, d));
        let p = w.len();
        let (_, jacobian) = linearize(&network, &w);
        let (u, v, r) = (normal(p, 1), normal(p, 2), normal(n, 3));
        let second = |u: &[f64], v: &[f64]| {
            let mut out = vec![f64::NAN; n];
            network.second_derivative(&w, &jacobian, u, v, &mut out).unwrap();
            out
        };
        let (uv, vu) = (second(&u, &v), second(&v, &u));
        let size = uv.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
        assert!(uv.iter().zip(&vu).all(|(a, b)| (a - b).abs() <= 1e-13 * size), "{architecture:?}");
        let sum: Vec<f64> = u.iter().zip(&v).map(|(a, b)| a + b).collect();
        let parts = second(&u, &u).into_iter().zip(second(&v, &v)).zip(&uv);
        for (whole, ((uu, vv), uv)) in second(&sum, &sum).into_iter().zip(parts) {
            assert!((whole - uu - vv - 2.0 * uv).abs() <= 1e-12 * size, "{architecture:?}");
        }
        let mut product = vec![f64::NAN; p];
        network.weighted_hessian_apply(&w, &jacobian, &r, &v, &mut product).unwrap();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (left, right) = (dot(&r, &uv), dot(&u, &product));
        let scale: f64 = r.iter().zip(&uv).map(|(a, b)| (a * b).abs()).sum();
        assert!((left - right).abs() <= 1e-12 * scale, "{architecture:?}: {left} {right}");
        if p < 200 {
            let mut matrix = Mat::full(p, p, f64::NAN);
            network.weighted_hessian(&w, &jacobian, &r, matrix.as_mut()).unwrap();
            let size = matrix.norm_max();
            for (i, found) in product.iter().enumerate() {
                let row: f64 = (0..p).map(|k| matrix[(i, k)] * v[k]).sum();
                assert!((row - found).abs() <= 1e-12 * size * p as f64, "{architecture:?}");
            }
        }
    }
}

/// Two layers written out: `f = sum_i c_i sigma(sum_k W_ik s sigma(V_k . x + b_k))`, differentiated by hand.
#[test]
fn two_layers_are_their_formula() {
    let (n, d, m, q) = (9, 2, 4, 3);
    let first = Layer::new(m, Activation::Arctan).with_bias().scaled(Scale::InverseRootWidth);
    let architecture = Architecture::new(vec![first, Layer::new(q, Activation::Tanh)]);
    let (network, w) = build(&architecture.with_trained_output(), Initialization::Plain, (n, d));
    let x = normal(n * d, 100);
    let (value, jacobian) = linearize(&network, &w);
    let (inner, rest) = w.split_at(m * (d + 1));
    let (outer, c) = rest.split_at(q * m);
    let jacobian = dense(&jacobian);
    for j in 0..n {
        let x = [x[j * d], x[j * d + 1], 1.0];
        let z: Vec<f64> =
            inner.chunks(3).map(|v| v.iter().zip(x).map(|(v, x)| v * x).sum()).collect();
        let h: Vec<f64> = z.iter().map(|z| 0.5 * z.atan()).collect();
        let y: Vec<f64> =
            outer.chunks(m).map(|w| w.iter().zip(&h).map(|(w, h)| w * h).sum()).collect();
        let f: f64 = c.iter().zip(&y).map(|(c, y): (&f64, &f64)| c * y.tanh()).sum();
        let mut expected = vec![f];
        for k in 0..m {
            let by_h: f64 =
                (0..q).map(|i| c[i] * (1.0 - y[i].tanh().powi(2)) * outer[i * m + k]).sum();
            expected.extend(x.map(|x| by_h * 0.5 / (1.0 + z[k] * z[k]) * x));
        }
        for i in 0..q {
            expected.extend(h.iter().map(|h| c[i] * (1.0 - y[i].tanh().powi(2)) * h));
        }
        expected.extend(y.iter().map(|y| y.tanh()));
        let found = std::iter::once(value[j]).chain((0..w.len()).map(|k| jacobian[(j, k)]));
        for (k, (found, expected)) in found.zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-14, "row {j}, {k}: {found} {expected}");
        }
    }
}

/// An antisymmetric start is zero at any depth, and every layer still moves it.
#[test]
fn an_antisymmetric_start_is_zero_and_moves() {
    for architecture in architectures().into_iter().step_by(2) {
        let (network, w) = build(&architecture, Initialization::Antisymmetric, (20, 3));
        let (value, jacobian) = linearize(&network, &w);
        assert!(value.iter().all(|f| f.abs() < 1e-14), "{architecture:?}");
        for piece in jacobian.row_kronecker().pieces() {
            let mut squares = 0.0;
            for (j, i) in (0..20).flat_map(|j| (0..piece.hidden()).map(move |i| (j, i))) {
                squares += piece.left()[(j, i)].powi(2);
            }
            assert!(squares > 1e-3, "{architecture:?}: a layer does not move");
        }
    }
}

/// Large networks are shared by threads; their bits are those of one.
#[test]
fn threads_do_not_change_the_bits() {
    let architecture = mixed(&[120, 90, 40]).with_trained_output();
    let (network, w) = build(&architecture, Initialization::Nullified, (700, 5));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (value, jacobian) = linearize(&network, &w);
            let mut alone = vec![f64::NAN; 700];
            network.value(&w, &mut alone).unwrap();
            (value, dense(&jacobian), alone)
        })
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one.0, three.0);
    assert_eq!(one.1, three.1);
    assert_eq!(one.2, three.2);
}

#[test]
fn shapes_that_no_network_has_are_refused() {
    let none = Architecture::<Activation>::new(Vec::new());
    assert!(matches!(
        InitialPoint::draw_for(&none, Initialization::Plain, 2, 0),
        Err(NetworkError::Empty { hidden: 0, .. })
    ));
    let odd = mixed(&[4, 3]);
    assert_eq!(
        InitialPoint::draw_for(&odd, Initialization::Antisymmetric, 2, 0),
        Err(NetworkError::OddWidth { hidden: 3 })
    );
    let signs = Network::with_architecture(&[1.0, 2.0], 2, odd, &[1.0; 4]);
    assert!(matches!(signs, Err(NetworkError::SignCount { expected: 3, found: 4 })));
    let (network, _) = build(&mixed(&[4, 2]), Initialization::Plain, (3, 2));
    let error = network.nullified_at(&[0.0; 5]).unwrap_err().to_string();
    assert!(error.contains("hidden layers of 4, 2 units"), "{error}");
}

/// At a second point value, Jacobian, second derivatives and products work in the rooms of the first.
#[test]
fn a_second_point_allocates_nothing() {
    for architecture in architectures() {
        let (n, d) = (150, 3);
        let (network, start) = build(&architecture, Initialization::Nullified, (n, d));
        let (mut value, mut jacobian) = (vec![0.0; n], network.new_jacobian());
        let (u, weights) = (normal(start.len(), 1), normal(n, 2));
        let (mut bent, mut product) = (vec![0.0; n], vec![0.0; start.len()]);
        let mut point = |w: &[f64]| {
            network.value(w, &mut value).unwrap();
            network.linearize(w, &mut value, &mut jacobian).unwrap();
            network.second_derivative(w, &jacobian, &u, w, &mut bent).unwrap();
            network.weighted_hessian_apply(w, &jacobian, &weights, &u, &mut product).unwrap();
            jacobian.normal_apply(&u, &mut bent, &mut product);
        };
        point(&start);
        let moved: Vec<f64> = start.iter().map(|w| 0.9 * w).collect();
        assert_eq!(allocations(|| point(&moved)), 0, "{architecture:?}");
    }
}
