//! checkpoints/ID.json: where a long run stands, with everything it has recorded so far.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, number};

/// A run's checkpoint: state, records and work up to a grid point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointRecord {
    /// [`super::SCHEMA`].
    pub schema: u32,
    /// Version of the program: another one may compute other bits.
    pub version: String,
    /// The resolved configuration as TOML.
    pub config: String,
    /// Checksum of the data.
    pub data_sha256: String,
    /// The grid point.
    pub step: usize,
    /// w there `[m d]`.
    #[serde(with = "number::list")]
    pub weights: Vec<f64>,
    /// The largest singular value of the initial Jacobian.
    #[serde(with = "number::scalar")]
    pub rank_scale: f64,
    /// The initial norm of the Riemannian gradient, where standstill is watched for.
    #[serde(with = "number::optional")]
    pub stationary_reference: Option<f64>,
    /// What has happened so far.
    pub events: Vec<Event>,
    /// trace.csv up to the grid point, as text.
    pub trace: String,
    /// Snapshots of the weights so far `[k m d]`.
    #[serde(with = "number::list")]
    pub snapshots: Vec<f64>,
    /// Their steps `[k]`.
    pub snapshot_steps: Vec<i64>,
    /// Work and fallbacks so far, by name.
    pub counters: BTreeMap<String, u64>,
}
