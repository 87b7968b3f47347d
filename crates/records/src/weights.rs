//! Numbers in the JSON records that are a list or a matrix, and what a network is made of.

use serde::{Deserialize, Serialize};

use super::{json, number};

/// Holds a list of numbers, or the rows of a matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Numbers {
    /// Row by row: weights of one hidden layer `[m][d]`, several targets `[n][t]`, or the signs of several outputs `[o][m]`.
    Rows(#[serde(with = "number::matrix")] Vec<Vec<f64>>),
    /// One after the other: the weights of the layers that problem.json names `[p]`, layer after layer, each row-major with
    /// the bias of a unit after its other weights, and a trained output layer last.
    List(#[serde(with = "number::list")] Vec<f64>),
}

impl Numbers {
    /// Splits `numbers` into rows of `columns` numbers, or keeps them as one list where it is `None`.
    pub fn new(numbers: &[f64], columns: Option<usize>) -> Self {
        match columns {
            Some(columns) => Self::Rows(json::rows_of(numbers, columns)),
            None => Self::List(numbers.to_vec()),
        }
    }

    /// Returns all numbers in their order.
    pub fn to_vec(&self) -> Vec<f64> {
        match self {
            Self::Rows(rows) => rows.concat(),
            Self::List(numbers) => numbers.clone(),
        }
    }

    /// Returns how many numbers there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.iter().map(Vec::len).sum(),
            Self::List(numbers) => numbers.len(),
        }
    }

    /// Returns the shape; for weights it is that of weights.npy without the number of snapshots.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Rows(rows) => vec![rows.len(), rows.first().map_or(0, Vec::len)],
            Self::List(numbers) => vec![numbers.len()],
        }
    }
}

/// Describes a hidden layer `h = scale sigma(W h_before + b)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// The number of units.
    pub width: usize,
    /// Whether each unit has a bias, the last of its weights.
    pub bias: bool,
    /// The factor of its activations.
    #[serde(with = "number::scalar")]
    pub scale: f64,
    /// The activation sigma, by its name in config.toml.
    pub activation: String,
}

/// Says whether the weights of the output are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputRecord {
    /// They are `output_signs`.
    Signs,
    /// They are the last of the weights, and start at `output_signs`.
    Trained,
}

/// Weights of these layers on `features` inputs, those of so many trained outputs included.
pub(crate) fn parameters(
    layers: &[LayerRecord],
    (output, outputs): (OutputRecord, usize),
    features: usize,
) -> usize {
    let (mut count, mut before) = (0, features);
    for layer in layers {
        count += layer.width * (before + usize::from(layer.bias));
        before = layer.width;
    }
    match output {
        OutputRecord::Signs => count,
        OutputRecord::Trained => count + before * outputs,
    }
}
