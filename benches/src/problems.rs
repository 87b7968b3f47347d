//! Problems of prescribed shape or condition, the same on every machine.

use std::fs;
use std::path::Path;

use gaussflow::network::{Architecture, Layer, Scale};
use gaussflow::prelude::*;
use gaussflow_data::{Sample, Standardize, TargetScale, california_housing};
use serde_json::json;

use crate::case::{Fallible, Shape};

/// The time step of the paper's Euler method.
pub const STEP: f64 = 0.01;
/// The seed of every problem.
const SEED: u64 = 0;
/// The seed of drawn inputs: another one than that of the weights, which come from the same stream.
const INPUT_SEED: u64 = 1;

/// A nullified tanh network with data and initial weights.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The sizes.
    pub shape: Shape,
    /// The hidden layers; the weights of the output are fixed signs.
    pub architecture: Architecture,
    /// X, row-major n x d, standardized.
    pub inputs: Vec<f64>,
    /// y, length n.
    pub targets: Vec<f64>,
    /// Output signs and initial weights.
    pub point: InitialPoint,
}

impl Problem {
    /// California Housing, `n` drawn rows, with `m` hidden units.
    pub fn california(n: usize, m: usize) -> Fallible<Self> {
        Self::california_deep(n, &[m])
    }

    /// The same with hidden layers of these widths: [`hidden_layers`].
    pub fn california_deep(n: usize, widths: &[usize]) -> Fallible<Self> {
        let data = california_housing()?;
        let sample = Sample::draw(&data, n, Standardize::Subset, TargetScale::Raw, SEED)?;
        Self::new(widths, sample.dimension, sample.inputs, sample.targets)
    }

    /// `n` rows of `d` independent normal features, targets between 0 and 4 like those of
    /// California Housing, `m` hidden units.
    pub fn synthetic(n: usize, d: usize, m: usize) -> Fallible<Self> {
        Self::synthetic_deep(n, d, &[m])
    }

    /// The same with hidden layers of these widths: [`hidden_layers`].
    pub fn synthetic_deep(n: usize, d: usize, widths: &[usize]) -> Fallible<Self> {
        // The weights of a network with n units on d features are n x d independent normals.
        let inputs = InitialPoint::draw(Initialization::Plain, n, d, INPUT_SEED)?.weights;
        let targets = inputs.chunks_exact(d).map(|x| 2.0 + x[0].tanh() + x[d - 1].sin()).collect();
        Self::new(widths, d, inputs, targets)
    }

    /// A network of these widths on rows of `d` features.
    fn new(widths: &[usize], d: usize, inputs: Vec<f64>, targets: Vec<f64>) -> Fallible<Self> {
        let architecture = hidden_layers(widths);
        let point = InitialPoint::draw_for(&architecture, Initialization::Nullified, d, SEED)?;
        let shape = shape_of(targets.len(), d, &architecture);
        Ok(Self { shape, architecture, inputs, targets, point })
    }

    /// The widths of the hidden layers in one word, like `32x32`.
    pub fn widths(&self) -> String {
        let widths = self.architecture.layers.iter().map(|layer| layer.width.to_string());
        widths.collect::<Vec<_>>().join("x")
    }

    /// The pieces that J is a row of: one a hidden layer, of its width and of as many features as it gets.
    pub fn pieces(&self) -> Vec<Shape> {
        let mut before = self.shape.d;
        let piece = |layer: &Layer| {
            let features = std::mem::replace(&mut before, layer.width);
            Shape::network(self.shape.n, features, layer.width)
        };
        self.architecture.layers.iter().map(piece).collect()
    }

    /// `w -> norm(alpha f(w) - y)^2`.
    pub fn objective(&self, scaling: f64) -> Fallible<Objective<Network, Squared>> {
        let network = self.plain()?.nullified_at(&self.point.weights)?;
        Ok(Objective::new(network, Squared::new(self.targets.clone())?, scaling)?)
    }

    /// phi itself, not nullified.
    fn plain(&self) -> Fallible<Network> {
        let architecture = self.architecture.clone();
        let (inputs, signs) = (&self.inputs, &self.point.signs);
        Ok(Network::with_architecture(inputs, self.shape.d, architecture, signs)?)
    }

    /// By how much `weights` differ from the initial ones.
    pub fn change(&self, weights: &[f64]) -> Vec<f64> {
        weights.iter().zip(&self.point.weights).map(|(w, start)| w - start).collect()
    }

    /// Writes the problem for a peer: `problem.json` and raw little-endian doubles.
    pub fn write(&self, folder: &Path, scaling: f64, damping: f64) -> Fallible<()> {
        fs::create_dir_all(folder)?;
        let Shape { n, d, .. } = self.shape;
        let layers = &self.architecture.layers;
        let widths: Vec<usize> = layers.iter().map(|layer| layer.width).collect();
        let factors: Vec<f64> =
            layers.iter().map(|layer| layer.scale.factor(layer.width)).collect();
        let facts = json!({
            "n": n, "d": d, "widths": widths, "factors": factors,
            "scaling": scaling, "damping": damping, "step": STEP,
        });
        fs::write(folder.join("problem.json"), facts.to_string())?;
        let mut offset = vec![0.0; n];
        self.plain()?.value(&self.point.weights, &mut offset)?;
        let columns = [
            ("inputs", &self.inputs),
            ("targets", &self.targets),
            ("signs", &self.point.signs),
            ("weights", &self.point.weights),
            ("offset", &offset),
        ];
        write_doubles(folder, &columns)
    }
}

/// Writes raw little-endian doubles, each list to a file of its name.
pub fn write_doubles(folder: &Path, columns: &[(&str, &Vec<f64>)]) -> Fallible<()> {
    for (name, values) in columns {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(folder.join(format!("{name}.f64")), bytes)?;
    }
    Ok(())
}

/// The sizes of a network on `n` rows of `d` features.
pub fn shape_of(n: usize, d: usize, architecture: &Architecture) -> Shape {
    match architecture.layers.as_slice() {
        [layer] => Shape::network(n, d, layer.width),
        _ => Shape::deep_network(n, d, architecture.parameters(d)),
    }
}

/// Hidden layers of tanh, without biases; each that another one follows is scaled by `1 / sqrt(width)`.
pub fn hidden_layers(widths: &[usize]) -> Architecture {
    let layer = |(l, width): (usize, &usize)| {
        let followed = l + 1 < widths.len();
        let scale = if followed { Scale::InverseRootWidth } else { Scale::Unit };
        Layer::new(*width, Activation::Tanh).scaled(scale)
    };
    Architecture::new(widths.iter().enumerate().map(layer).collect())
}

/// Reads raw little-endian doubles.
pub fn read_doubles(path: &Path) -> Fallible<Vec<f64>> {
    let bytes = fs::read(path)?;
    let words = bytes.as_chunks::<8>().0;
    Ok(words.iter().map(|word| f64::from_le_bytes(*word)).collect())
}

/// A dense n x p Jacobian whose columns fall from 1 to `smallest`, made of seeded sines.
///
/// It needs no generator: sines of incommensurable frequencies are as good as random numbers for a
/// timing, and the same everywhere.
pub fn graded_jacobian(rows: usize, columns: usize, smallest: f64) -> DenseJacobian {
    let mut jacobian = DenseJacobian::zeros(rows, columns);
    let mut matrix = jacobian.matrix_mut();
    for c in 0..columns {
        let share = c as f64 / columns.max(2).saturating_sub(1) as f64;
        let scale = smallest.powf(share) / (rows as f64).sqrt();
        for r in 0..rows {
            let (r_, c_) = (r as f64 + 1.0, c as f64 + 1.0);
            matrix[(r, c)] = scale * (r_ * c_ * 1.234_567 + r_ * r_ * 0.618_034).sin();
        }
    }
    jacobian
}

/// A row-wise Kronecker Jacobian of the given shape, filled with multiples of the golden ratio
/// modulo 1: cheap enough for arrays of a gigabyte.
pub fn row_kronecker(shape: Shape) -> RowKronecker {
    let Shape { n, d, m, .. } = shape;
    let inputs: Vec<f64> = (0..n * d).map(fraction).collect();
    let mut jacobian = RowKronecker::new(&inputs, d, m);
    let left = jacobian.pieces_mut()[0].left_mut();
    for i in 0..m {
        for j in 0..n {
            left[(j, i)] = fraction(i * n + j + 17);
        }
    }
    jacobian
}

/// A vector of length `length`, likewise.
pub fn vector(length: usize) -> Vec<f64> {
    (0..length).map(|index| fraction(index + 1)).collect()
}

/// `index` times the golden ratio, modulo 1, between -1/2 and 1/2.
pub fn fraction(index: usize) -> f64 {
    (index as f64 * 0.618_033_988_749_894_9).fract() - 0.5
}
