//! Networks read block by block against the same network in memory, and failures to read.

#![allow(
    clippy::float_cmp,
    reason = "one block takes the operations of the network in memory, in their order"
)]

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use gaussflow_network::{
    Activation, Architecture, InitialPoint, Initialization, InputBlocks, Layer, Network,
    NetworkBlocks, NetworkError, NetworkJacobian, Scale,
};
use gaussflow_objective::{
    BlockedJacobian, BlockedMap, LipschitzConstants, MapError, Residuals, SecondOrderMap, SmoothMap,
};
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{BlockDiagonal, JacobianOperator, norm};

const FEATURES: usize = 3;

/// Rows in memory, which cannot be read while `broken`.
struct Rows {
    inputs: Vec<f64>,
    broken: Rc<Cell<bool>>,
}

impl InputBlocks for Rows {
    fn rows(&self) -> usize {
        self.inputs.len() / FEATURES
    }

    fn read(&self, rows: Range<usize>, inputs: &mut Vec<f64>) -> Result<(), String> {
        if self.broken.get() {
            return Err("the disk is gone; mount it again".into());
        }
        inputs.clear();
        inputs.extend_from_slice(&self.inputs[rows.start * FEATURES..rows.end * FEATURES]);
        Ok(())
    }
}

/// Standard normal numbers from the library's own stream.
fn normal(count: usize, seed: u64) -> Vec<f64> {
    InitialPoint::draw(Initialization::Plain, count, 1, seed).unwrap().weights
}

/// One layer; a deep one with biases; trained outputs; several outputs, fixed and trained.
fn architectures() -> Vec<Architecture> {
    let layer = |width| Layer::new(width, Activation::Tanh);
    let deep = || {
        let first = layer(6).with_bias().scaled(Scale::InverseRootWidth);
        Architecture::new(vec![first, Layer::new(4, Activation::Sigmoid).with_bias()])
    };
    vec![
        Architecture::one_layer(4, Activation::Tanh),
        Architecture::one_layer(4, Activation::Tanh).with_outputs(2),
        deep(),
        deep().with_trained_output(),
        deep().with_trained_output().with_outputs(2),
    ]
}

type Blocked = BlockedMap<NetworkBlocks>;

/// The network in memory, the same in blocks of so many rows, a point away from the start, and the switch of the reader.
fn pair(
    architecture: &Architecture,
    kind: Initialization,
    (n, rows): (usize, usize),
) -> (Network, Blocked, Vec<f64>, Rc<Cell<bool>>) {
    let point = InitialPoint::draw_for(architecture, kind, FEATURES, 5).unwrap();
    let (inputs, broken) = (normal(n * FEATURES, 100), Rc::default());
    let network =
        Network::with_architecture(&inputs, FEATURES, architecture.clone(), &point.signs).unwrap();
    let network = network.started_as(kind, &point.weights).unwrap();
    let source = Box::new(Rows { inputs, broken: Rc::clone(&broken) });
    let blocks =
        NetworkBlocks::with_rows_of_block(source, FEATURES, architecture, &point.signs, rows);
    let blocks = blocks.unwrap().started_as(kind, &point.weights).unwrap();
    let moved = normal(point.weights.len(), 8);
    let w = point.weights.iter().zip(moved).map(|(a, b)| a + 0.3 * b).collect();
    (network, BlockedMap::new(blocks).unwrap(), w, broken)
}

/// Everything that an operator gives, one vector each.
fn products<J: JacobianOperator>(jacobian: &J, seed: u64) -> Vec<Vec<f64>> {
    let (n, p) = (jacobian.rows(), jacobian.columns());
    let (v, u) = (normal(p, seed), normal(n, seed + 1));
    let mut found = Vec::new();
    let (mut image, mut out) = (vec![f64::NAN; n], vec![f64::NAN; p]);
    jacobian.apply(&v, &mut image);
    jacobian.apply_transposed(&u, &mut out);
    found.extend([image.clone(), out.clone()]);
    jacobian.normal_apply(&v, &mut image, &mut out);
    found.extend([image.clone(), out.clone()]);
    jacobian.normal_residual((&u, 0.7), &v, &mut image, &mut out);
    found.extend([image.clone(), out]);
    jacobian.kernel_diagonal(&mut image);
    found.extend([image, vec![jacobian.squared_norm()]]);
    let lower = |matrix: &Mat<f64>| -> Vec<f64> {
        let entries = (0..matrix.ncols()).flat_map(|c| (c..matrix.nrows()).map(move |r| (r, c)));
        entries.map(|at| matrix[at]).collect()
    };
    let mut gram = Mat::full(p, p, f64::NAN);
    jacobian.gram(gram.as_mut(), &mut Vec::new());
    let mut kernel = Mat::full(n, n, f64::NAN);
    jacobian.kernel(kernel.as_mut(), &mut Vec::new());
    let mut dense = Mat::full(n, p, f64::NAN);
    jacobian.write_dense(dense.as_mut());
    let mut columns = Mat::full(n, 2, f64::NAN);
    jacobian.kernel_columns(&[n / 2, n - 1], columns.as_mut());
    found.extend([lower(&gram), lower(&kernel)]);
    found.extend([dense, columns].map(|matrix| {
        matrix.col_iter().flat_map(|column| column.iter().copied().collect::<Vec<_>>()).collect()
    }));
    let (mut blocks, mut orders) = (vec![f64::NAN], Vec::new());
    jacobian.gram_blocks(&mut blocks, &mut orders);
    found.extend([blocks, orders.into_iter().map(|order| order as f64).collect()]);
    found
}

/// The largest difference of two vectors relative to the length of one.
fn gap(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    norm(&difference) / norm(b).max(f64::MIN_POSITIVE)
}

fn linearized<M: SmoothMap>(map: &M, w: &[f64]) -> (Vec<f64>, M::Jacobian) {
    let (mut value, mut jacobian) = (vec![f64::NAN; map.outputs()], map.new_jacobian());
    map.linearize(w, &mut value, &mut jacobian).unwrap();
    (value, jacobian)
}

/// Value, operator, operator times `R^T`, and second derivatives, one vector each.
fn everything<M: SecondOrderMap>(map: &M, w: &[f64], order: usize) -> Vec<Vec<f64>> {
    let (n, p) = (map.outputs(), map.parameters());
    let (value, jacobian) = linearized(map, w);
    let mut alone = vec![f64::NAN; n];
    map.value(w, &mut alone).unwrap();
    let mut found = vec![value, alone];
    found.extend(products(&jacobian, 7));
    let (mut weighted, root) = (map.new_jacobian(), normal(n * order, 11));
    assert!(jacobian.write_weighted(BlockDiagonal::new(order, &root), &mut weighted));
    found.extend(products(&weighted, 7));
    let (u, v, weights) = (normal(p, 21), normal(p, 22), normal(n, 23));
    let (mut bent, mut product) = (vec![f64::NAN; n], vec![f64::NAN; p]);
    map.second_derivative(w, &jacobian, &u, &v, &mut bent).unwrap();
    map.weighted_hessian_apply(w, &jacobian, &weights, &v, &mut product).unwrap();
    let mut hessian = Mat::full(p, p, f64::NAN);
    map.weighted_hessian(w, &jacobian, &weights, hessian.as_mut()).unwrap();
    found.extend([bent, product]);
    found.push((0..p * p).map(|e| hessian[(e / p, e % p)]).collect());
    found
}

#[test]
fn every_quantity_is_that_of_the_network_in_memory() {
    let n = 289;
    for architecture in architectures() {
        for kind in Initialization::ALL {
            let order = architecture.outputs;
            for rows in [1, 7, 136, n, n + 1] {
                let (network, blocked, w, _) = pair(&architecture, kind, (n, rows));
                assert_eq!(blocked.outputs(), n * order);
                let (expected, found) =
                    (everything(&network, &w, order), everything(&blocked, &w, order));
                assert_eq!(expected.len(), found.len());
                for (k, (a, b)) in found.iter().zip(&expected).enumerate() {
                    let name = format!("{architecture:?} {} {rows}: {k}", kind.name());
                    assert!(b.iter().any(|x| *x != 0.0), "{name}");
                    // A kernel and its columns (of J and of R^T J) are made from J here: another order of sums.
                    let kernel = [11, 13, 25, 27].contains(&k);
                    if rows < n || kernel {
                        assert!(gap(a, b) < 1e-13, "{name}: {}", gap(a, b));
                    } else {
                        assert_eq!(a, b, "{name}");
                    }
                }
            }
        }
    }
}

/// A nullified network is exactly 0 at its start, in blocks too; and a step's value does not depend on what was asked before.
#[test]
fn the_start_is_zero_and_results_do_not_depend_on_what_was_asked_before() {
    for architecture in architectures() {
        let (_, blocked, w, _) = pair(&architecture, Initialization::Nullified, (50, 7));
        let start =
            InitialPoint::draw_for(&architecture, Initialization::Nullified, FEATURES, 5).unwrap();
        let (value, jacobian) = linearized(&blocked, &start.weights);
        assert!(value.iter().all(|x| *x == 0.0));
        let first = products(&jacobian, 3);
        // Another point in between, with a Jacobian of its own.
        let (_, other) = linearized(&blocked, &w);
        assert_ne!(products(&other, 3), first);
        assert_eq!(products(&jacobian, 3), first);
    }
}

#[test]
fn a_failed_read_makes_products_nan_and_is_reported_once_by_the_next_linearization() {
    let architecture = Architecture::one_layer(4, Activation::Tanh);
    let (_, blocked, w, broken) = pair(&architecture, Initialization::Plain, (50, 7));
    let (mut value, jacobian) = linearized(&blocked, &w);
    let squared = jacobian.squared_norm();
    broken.set(true);
    let all = products(&jacobian, 3);
    assert!(all.iter().flatten().filter(|x| x.is_nan()).count() > 1000);
    let (mut image, mut out) = ([0.0; 50], [0.0; 12]);
    jacobian.normal_apply(&w, &mut image, &mut out);
    assert!(image.iter().chain(&out).all(|x| x.is_nan()));
    assert!(jacobian.squared_norm().is_nan());
    broken.set(false);
    let mut again: BlockedJacobian<_> = blocked.new_jacobian();
    let reported = blocked.linearize(&w, &mut value, &mut again);
    let disk = |result| match result {
        Err(MapError::Undefined { reason }) => reason.starts_with("the disk is gone"),
        _ => false,
    };
    assert!(disk(reported));
    blocked.linearize(&w, &mut value, &mut again).unwrap();
    assert_eq!((again.squared_norm(), jacobian.squared_norm()), (squared, squared));
    // A value or a constant that cannot be computed says so at once, or with the next one.
    broken.set(true);
    assert!(disk(blocked.value(&w, &mut value)));
    assert!(disk(blocked.second_derivative(&w, &again, &w, &w, &mut value)));
    assert_eq!(blocked.lipschitz(), f64::INFINITY);
    broken.set(false);
    assert!(disk(blocked.value(&w, &mut value)));
    blocked.value(&w, &mut value).unwrap();
}

#[test]
fn inputs_that_no_network_has_are_refused() {
    let build = |inputs: Vec<f64>, broken: bool| {
        let source = Rows { inputs, broken: Rc::new(Cell::new(broken)) };
        let architecture = Architecture::one_layer(2, Activation::Tanh);
        NetworkBlocks::new(Box::new(source), FEATURES, &architecture, &[1.0, -1.0]).map(|_| ())
    };
    assert!(build(vec![1.0; 6], false).is_ok());
    assert!(matches!(build(vec![1.0; 6], true), Err(NetworkError::Unreadable { .. })));
    assert!(matches!(build(vec![], false), Err(NetworkError::Empty { .. })));
    assert!(matches!(build(vec![f64::NAN; 6], false), Err(NetworkError::Unreadable { .. })));
}

#[test]
fn constants_are_those_of_all_rows() {
    for architecture in architectures() {
        let (network, blocked, w, _) = pair(&architecture, Initialization::Plain, (50, 7));
        let constants = |map: &dyn LipschitzConstants| {
            let within = [map.jacobian_lipschitz_within(&w, 0.5), map.lipschitz_within(&w, 0.5)];
            [map.jacobian_lipschitz(), map.lipschitz(), within[0], within[1]]
        };
        for (a, b) in constants(&blocked).into_iter().zip(constants(&network)) {
            assert!(a == b || (a - b).abs() < 1e-13 * b, "{architecture:?}: {a} {b}");
        }
        let (a, b) = (blocked.source().rounding_error(&w), network.rounding_error(&w));
        assert!((a - b).abs() < 1e-13 * b, "{a} {b}");
    }
}

/// What a pass repeats is counted, so that iterations which repeat it are not taken for cheap.
#[test]
fn operations_count_what_every_pass_computes_anew() {
    for architecture in architectures() {
        let counts = |rows| {
            let (network, blocked, ..) = pair(&architecture, Initialization::Plain, (544, rows));
            let (inner, jacobian): (NetworkJacobian, _) =
                (network.new_jacobian(), blocked.new_jacobian());
            let (gram, products) = (inner.gram_operations(), inner.normal_operations());
            [jacobian.gram_operations() - gram, jacobian.normal_operations() - products]
        };
        assert_eq!(counts(544), [0.0, 0.0]);
        let units: usize = architecture.layers.iter().map(|layer| layer.width).sum();
        let least = 50.0 * (544 * units * architecture.outputs) as f64;
        assert!(counts(272)[1] > least, "{:?} {least}", counts(272));
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    // Large enough blocks for several threads to share them.
    let architecture = Architecture::one_layer(64, Activation::Tanh);
    let found = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (_, blocked, w, _) =
                pair(&architecture, Initialization::Nullified, (50_000, 24_000));
            let (value, jacobian) = linearized(&blocked, &w);
            let (mut image, mut out) = (vec![0.0; 50_000], vec![0.0; 192]);
            jacobian.normal_residual((&value, 0.7), &w, &mut image, &mut out);
            let mut gram = Mat::zeros(192, 192);
            jacobian.gram(gram.as_mut(), &mut Vec::new());
            (value, image, out, gram)
        })
    });
    assert!(found[0].0.iter().any(|x| *x != 0.0));
    assert!(found[0] == found[1]);
}

/// Rows in memory that count how often they are read.
struct Counted {
    rows: Rows,
    reads: Rc<Cell<usize>>,
}

impl InputBlocks for Counted {
    fn rows(&self) -> usize {
        self.rows.rows()
    }

    fn read(&self, rows: Range<usize>, inputs: &mut Vec<f64>) -> Result<(), String> {
        self.reads.set(self.reads.get() + 1);
        self.rows.read(rows, inputs)
    }
}

/// A Gram matrix that is made with the linearization, because the point before needed its own, saves a pass and no bit.
#[test]
fn a_gram_matrix_that_is_foreseen_is_the_same_and_saves_a_pass() {
    let architecture = Architecture::one_layer(4, Activation::Tanh);
    let point = InitialPoint::draw_for(&architecture, Initialization::Plain, FEATURES, 5).unwrap();
    let (inputs, reads) = (normal(70 * FEATURES, 100), Rc::new(Cell::new(0)));
    let source = Counted { rows: Rows { inputs, broken: Rc::default() }, reads: Rc::clone(&reads) };
    let (source, signs) = (Box::new(source), &point.signs);
    let blocks = NetworkBlocks::with_rows_of_block(source, FEATURES, &architecture, signs, 7);
    let map = BlockedMap::new(blocks.unwrap()).unwrap();
    let (mut value, p) = (vec![0.0; 70], map.parameters());
    let (mut jacobian, mut weighted) = (map.new_jacobian(), map.new_jacobian());
    let root = normal(70, 11);
    let gram = |jacobian: &BlockedJacobian<_>| {
        let mut gram = Mat::zeros(p, p);
        jacobian.gram(gram.as_mut(), &mut Vec::new());
        gram
    };
    let mut passes = Vec::new();
    for k in 0..5 {
        let w: Vec<f64> = point.weights.iter().map(|w| w + 0.1 * f64::from(k)).collect();
        let before = reads.get();
        map.linearize(&w, &mut value, &mut jacobian).unwrap();
        let found = gram(&jacobian);
        assert!(jacobian.write_weighted(BlockDiagonal::new(1, &root), &mut weighted));
        let found = [found, gram(&weighted)];
        passes.push((reads.get() - before) as f64 / 10.0);
        let (_, fresh) = linearized(&map, &w);
        let mut fresh_weighted = map.new_jacobian();
        assert!(fresh.write_weighted(BlockDiagonal::new(1, &root), &mut fresh_weighted));
        assert!(found == [gram(&fresh), gram(&fresh_weighted)]);
        assert!(jacobian.squared_norm() == fresh.squared_norm());
    }
    assert_eq!(passes, [3.9, 2.0, 2.0, 2.0, 2.0]);
}
