//! checkpoints/ID.json: where a long run stands, with everything it has recorded so far.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, number};

/// Holds the checkpoint of a run: its state, records and counts of work up to one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointRecord {
    /// [`super::SCHEMA`].
    pub schema: u32,
    /// The version of the program; another version may compute different last bits.
    pub version: String,
    /// The resolved configuration as TOML.
    pub config: String,
    /// The checksum of the data.
    pub data_sha256: String,
    /// The number of the step.
    pub step: usize,
    /// The weights w at that step `[m d]`.
    #[serde(with = "number::list")]
    pub weights: Vec<f64>,
    /// The largest singular value of the initial Jacobian.
    #[serde(with = "number::scalar")]
    pub rank_scale: f64,
    /// The initial norm of the Riemannian gradient, where the run stops at a fraction of it; else null.
    #[serde(with = "number::optional")]
    pub stationary_reference: Option<f64>,
    /// The events so far.
    pub events: Vec<Event>,
    /// The text of trace.csv up to that step.
    pub trace: String,
    /// Snapshots of the weights so far `[k m d]`.
    #[serde(with = "number::list")]
    pub snapshots: Vec<f64>,
    /// Their steps `[k]`.
    pub snapshot_steps: Vec<i64>,
    /// The counts of work and fallbacks so far, by name.
    pub counters: BTreeMap<String, u64>,
    /// The number of machines over which the rows were split, whose sums decide the last bits; missing for 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub machines: usize,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_one(count: &usize) -> bool {
    *count == 1
}
