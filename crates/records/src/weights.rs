//! Numbers in the JSON records that are a list or a matrix, and what a network is made of.

use serde::{Deserialize, Serialize};

use super::{json, number};

/// A list of numbers, or the rows of a matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Numbers {
    /// Row by row: weights of one hidden layer `[m][d]`, several targets `[n][t]`, the signs of several outputs `[o][m]`.
    Rows(#[serde(with = "number::matrix")] Vec<Vec<f64>>),
    /// One after the other. Weights of the layers that problem.json names: `[p]`, layer after layer, each row-major with
    /// a unit's bias after its other weights; a trained output layer last.
    List(#[serde(with = "number::list")] Vec<f64>),
}

impl Numbers {
    /// `numbers` by rows of so many columns, or as one list where there are none.
    pub fn new(numbers: &[f64], columns: Option<usize>) -> Self {
        match columns {
            Some(columns) => Self::Rows(json::rows_of(numbers, columns)),
            None => Self::List(numbers.to_vec()),
        }
    }

    /// All of them in their order.
    pub fn to_vec(&self) -> Vec<f64> {
        match self {
            Self::Rows(rows) => rows.concat(),
            Self::List(numbers) => numbers.clone(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.iter().map(Vec::len).sum(),
            Self::List(numbers) => numbers.len(),
        }
    }

    /// Their shape; of weights that in weights.npy, without the number of snapshots.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Rows(rows) => vec![rows.len(), rows.first().map_or(0, Vec::len)],
            Self::List(numbers) => vec![numbers.len()],
        }
    }
}

/// A hidden layer `h = scale sigma(W h_before + b)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// Units.
    pub width: usize,
    /// Whether each has a bias, the last of its weights.
    pub bias: bool,
    /// What its activations are multiplied by.
    #[serde(with = "number::scalar")]
    pub scale: f64,
    /// sigma, by its name in config.toml.
    pub activation: String,
}

/// Whether the weights of the output are trained.
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
