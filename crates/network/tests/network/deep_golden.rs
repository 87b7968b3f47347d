//! Networks of one to four layers against JAX: value, J, `D2f[u, v]`, `B(r) v` and K, tests/golden/deep_networks.csv.
//!
//! The table's networks have biases, scaled layers, trained outputs and every activation; its numbers come from
//! forward-mode differentiation, without any formula of this library (generate_deep_golden.py beside it).

use gaussflow_network::{
    Activation, Architecture, Layer, Network, NetworkJacobian, OutputWeights, Scale,
};
use gaussflow_objective::{Residuals, SecondOrderMap, SmoothMap};
use gaussflow_solvers::JacobianOperator;
use gaussflow_solvers::faer::Mat;

const TABLE: &str = include_str!("../golden/deep_networks.csv");

/// Of the largest entry: some hundred roundings, through four layers and two derivatives.
const TOLERANCE: f64 = 1e-12;

/// The cells of an array of the table.
fn cells(network: &str, what: &str) -> impl Iterator<Item = &'static str> {
    let prefix = format!("{network},{what},");
    let line = TABLE.lines().find_map(|line| line.strip_prefix(&prefix));
    line.unwrap_or_else(|| panic!("the table has no {prefix}")).split(',')
}

/// The same as numbers.
fn numbers(network: &str, what: &str) -> Vec<f64> {
    cells(network, what).map(|cell| cell.parse().unwrap()).collect()
}

/// A network of the table.
fn build(name: &str) -> Network {
    let words: Vec<&str> = cells(name, "layers").collect();
    let layers = words.chunks_exact(4).map(|layer| {
        let activation: Activation = layer[0].parse().unwrap();
        let scale = if layer[3] == "1" { Scale::InverseRootWidth } else { Scale::Unit };
        Layer { width: layer[1].parse().unwrap(), bias: layer[2] == "1", scale, activation }
    });
    let mut architecture = Architecture::new(layers.collect());
    if cells(name, "trained").eq(["1.0"]) {
        architecture.output = OutputWeights::Trained;
    }
    let (inputs, signs) = (numbers(name, "inputs"), numbers(name, "signs"));
    let features = inputs.len() / numbers(name, "value").len();
    Network::with_architecture(&inputs, features, architecture, &signs).unwrap()
}

/// The largest difference from the table, relative to its largest entry.
fn assert_close(name: &str, what: &str, found: &[f64]) {
    let expected = numbers(name, what);
    assert_eq!(found.len(), expected.len(), "{name}: {what}");
    let size = expected.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
    for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let gap = (found - expected).abs();
        assert!(gap <= TOLERANCE * size, "{name}: {what}, entry {k}: {found} {expected}");
    }
}

/// The entries of a matrix, row after row.
fn rows_of(matrix: &Mat<f64>) -> Vec<f64> {
    (0..matrix.nrows()).flat_map(|r| (0..matrix.ncols()).map(move |c| matrix[(r, c)])).collect()
}

/// J and `B(r) v` by every method that gives them.
fn check_matrices(name: &str, network: &Network, w: &[f64], jacobian: &NetworkJacobian) {
    let (n, p) = (network.outputs(), w.len());
    let mut dense = Mat::full(n, p, f64::NAN);
    jacobian.write_dense(dense.as_mut());
    assert_close(name, "jacobian", &rows_of(&dense));
    let mut kernel = Mat::full(n, n, f64::NAN);
    jacobian.kernel(kernel.as_mut(), &mut Vec::new());
    for r in 0..n {
        for c in r + 1..n {
            // The library writes the lower triangle.
            kernel[(r, c)] = kernel[(c, r)];
        }
    }
    assert_close(name, "kernel", &rows_of(&kernel));
    let (r, v) = (numbers(name, "r"), numbers(name, "v"));
    let mut matrix = Mat::full(p, p, f64::NAN);
    network.weighted_hessian(w, jacobian, &r, matrix.as_mut()).unwrap();
    let product: Vec<f64> = (0..p).map(|i| (0..p).map(|k| matrix[(i, k)] * v[k]).sum()).collect();
    assert_close(name, "weighted hessian", &product);
}

#[test]
fn networks_are_those_of_the_table() {
    let names = ["one", "two", "three", "four"];
    for (depth, name) in names.iter().enumerate() {
        let network = build(name);
        assert_eq!(network.hidden_widths().count(), depth + 1);
        let w = numbers(name, "weights");
        let (n, p) = (network.outputs(), network.parameters());
        assert_eq!(w.len(), p, "{name}");
        let (mut value, mut jacobian) = (vec![f64::NAN; n], network.new_jacobian());
        network.value(&w, &mut value).unwrap();
        assert_close(name, "value", &value);
        network.linearize(&w, &mut value, &mut jacobian).unwrap();
        assert_close(name, "value", &value);
        let [u, v, r] = ["u", "v", "r"].map(|what| numbers(name, what));
        let mut second = vec![f64::NAN; n];
        network.second_derivative(&w, &jacobian, &u, &v, &mut second).unwrap();
        assert_close(name, "second derivative", &second);
        let mut product = vec![f64::NAN; p];
        network.weighted_hessian_apply(&w, &jacobian, &r, &v, &mut product).unwrap();
        assert_close(name, "weighted hessian", &product);
        check_matrices(name, &network, &w, &jacobian);
    }
}
