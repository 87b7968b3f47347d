//! Weights in the JSON records: unit by unit for one hidden layer, one list for deep networks.

use serde::{Deserialize, Serialize};

use super::{json, number};

/// The weights of a network at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Weights {
    /// Of one hidden layer: `[m][d]`.
    ByUnit(#[serde(with = "number::matrix")] Vec<Vec<f64>>),
    /// Of the layers that problem.json names: `[p]`, layer after layer, each row-major with a unit's bias after its
    /// other weights; a trained output layer last.
    Flat(#[serde(with = "number::list")] Vec<f64>),
}

impl Weights {
    /// `weights` by units of `features` weights, or as one list where there is none.
    pub fn new(weights: &[f64], features: Option<usize>) -> Self {
        match features {
            Some(features) => Self::ByUnit(json::rows_of(weights, features)),
            None => Self::Flat(weights.to_vec()),
        }
    }

    /// All of them in their order.
    pub fn to_vec(&self) -> Vec<f64> {
        match self {
            Self::ByUnit(units) => units.concat(),
            Self::Flat(weights) => weights.clone(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::ByUnit(units) => units.iter().map(Vec::len).sum(),
            Self::Flat(weights) => weights.len(),
        }
    }

    /// Their shape in weights.npy, without the number of snapshots.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::ByUnit(units) => vec![units.len(), units.first().map_or(0, Vec::len)],
            Self::Flat(weights) => vec![weights.len()],
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

/// Weights of these layers on `features` inputs, those of a trained output included.
pub(crate) fn parameters(layers: &[LayerRecord], output: OutputRecord, features: usize) -> usize {
    let (mut count, mut before) = (0, features);
    for layer in layers {
        count += layer.width * (before + usize::from(layer.bias));
        before = layer.width;
    }
    match output {
        OutputRecord::Signs => count,
        OutputRecord::Trained => count + before,
    }
}
