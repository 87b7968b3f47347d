//! The JSON records of a run folder (schema 1), fields in their fixed order.
//!
//! Readers accept fields that a later version adds. Symbols are those of section 2 of the paper:
//! n rows, d features, m hidden units, signs c, weights w.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::read_bytes;
use super::weights::{LayerRecord, Numbers, OutputRecord, parameters};
use super::{FileSum, RecordError, number, write_bytes};

/// The schema that this version writes.
pub const SCHEMA: u32 = 1;

/// Holds problem.json: all that an independent program needs, besides config.toml, to repeat a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// The drawn rows of the data `[n]`, counted from 0.
    pub rows: Vec<usize>,
    /// Scaled features `[n][d]`.
    #[serde(with = "number::matrix")]
    pub inputs: Vec<Vec<f64>>,
    /// Scaled targets `[n]`, or of several columns `[n][t]`.
    pub targets: Numbers,
    /// Signs c of the output layer `[m]`, or of several outputs `[o][m]`.
    pub output_signs: Numbers,
    /// The initial weights `w_0` `[m][d]`, or of a deep network `[p]`.
    pub initial_weights: Numbers,
    /// The hidden layers, the first on the inputs; missing for the paper's network (one layer without biases, fixed signs).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<LayerRecord>>,
    /// Whether the weights of the output are trained; missing for the paper's network, which stands for `signs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputRecord>,
    /// The number of outputs o for each row of inputs, where it is not 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<usize>,
    /// Where the file was read in parts: how many rows it has and how they were scaled; `rows`, `inputs` and `targets` are
    /// then empty, as all rows of the file are taken in its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_rows: Option<AllRows>,
}

/// Tells what became of the rows of a file that was read in parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AllRows {
    /// N, the number of rows.
    pub count: usize,
    /// What was subtracted from the features `[d]`, and what they were divided by.
    #[serde(with = "number::list")]
    pub means: Vec<f64>,
    /// The population deviations of the features `[d]`.
    #[serde(with = "number::list")]
    pub deviations: Vec<f64>,
    /// The same of the targets `[t]`.
    #[serde(with = "number::list")]
    pub target_means: Vec<f64>,
    /// The population deviations of the targets `[t]`.
    #[serde(with = "number::list")]
    pub target_deviations: Vec<f64>,
}

impl Problem {
    /// Returns n, the number of rows that the run learned from.
    pub fn count(&self) -> usize {
        self.all_rows.as_ref().map_or(self.rows.len(), |all| all.count)
    }

    /// Reads problem.json and checks that its sizes agree.
    ///
    /// # Errors
    /// [`RecordError::Read`], [`RecordError::Json`], [`RecordError::Shape`].
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let problem: Self = read_json(path)?;
        let same = |what, found: usize, expected: usize| {
            if found == expected {
                return Ok(());
            }
            Err(RecordError::Shape { path: path.to_owned(), what, expected, found })
        };
        let n = problem.rows.len();
        same("inputs", problem.inputs.len(), n)?;
        same("targets", problem.targets.shape()[0], n)?;
        if let Numbers::Rows(rows) = &problem.targets {
            let columns = rows.first().map_or(0, Vec::len);
            rows.iter().try_for_each(|row| same("a row of targets", row.len(), columns))?;
        }
        let scaled = problem.all_rows.as_ref().map_or(0, |all| all.means.len());
        let d = problem.inputs.first().map_or(scaled, Vec::len);
        for row in &problem.inputs {
            same("a row of inputs", row.len(), d)?;
        }
        let (weights, signs) = (&problem.initial_weights, problem.output_signs.count());
        let outputs = problem.outputs.unwrap_or(1);
        if let Some(layers) = &problem.layers {
            let output = problem.output.unwrap_or(OutputRecord::Signs);
            let last = layers.last().map_or(0, |layer| layer.width);
            same("output_signs", signs, last.saturating_mul(outputs))?;
            same("initial_weights", weights.count(), parameters(layers, (output, outputs), d))?;
            return Ok(problem);
        }
        match weights {
            Numbers::Rows(units) => {
                same("initial_weights", units.len(), signs)?;
                for unit in units {
                    same("a row of initial_weights", unit.len(), d)?;
                }
            }
            Numbers::List(weights) => same("initial_weights", weights.len(), signs * d)?,
        }
        Ok(problem)
    }
}

/// Splits a row-major matrix with `columns` columns into its rows, the form of the JSON files.
///
/// Entries after the last whole row are left out; 0 columns give no rows.
pub fn rows_of(matrix: &[f64], columns: usize) -> Vec<Vec<f64>> {
    if columns == 0 {
        return Vec::new();
    }
    matrix.chunks_exact(columns).map(<[f64]>::to_vec).collect()
}

/// Says how a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It reached its horizon.
    Completed,
    /// It stopped before, for its stop reason, which is a result.
    Stopped,
    /// It gave no answer.
    Failed,
}

/// Says why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// The horizon was reached.
    Horizon,
    /// The Jacobian lost rank.
    RankLost,
    /// The ball around `w_0` was left.
    LeftBall,
    /// A number overflowed or was undefined.
    NonFinite,
    /// The Riemannian gradient fell to the fraction of its initial norm at which the run was to stop.
    Stationary,
    /// Someone interrupted it.
    Interrupted,
    /// It could not start or go on; the status is then failed, and the error stands beside it.
    Failed,
}

/// Names what can happen along a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The ball around `w_0` was left: value is norm(w - `w_0`), threshold the radius.
    LeftBall,
    /// The Jacobian lost rank: value is `sigma_min / sigma_max`, threshold its bound.
    RankLost,
    /// A number overflowed or was undefined: value is null.
    NonFinite,
}

/// Records something that happened along a run, located in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When, in the time of the trace.
    #[serde(with = "number::scalar")]
    pub time: f64,
    /// The number of steps taken until then.
    pub step: u64,
    /// The watched quantity.
    #[serde(with = "number::scalar")]
    pub value: f64,
    /// What it was compared with.
    #[serde(with = "number::scalar")]
    pub threshold: f64,
}

/// Counts which classes were predicted for which rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Numbers of rows by true class (first index) and predicted class (second index).
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// Returns the share of the rows whose class was predicted correctly; NaN without rows.
    pub fn accuracy(&self) -> f64 {
        let sum = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0, u64::saturating_add);
        let all = sum(&mut self.counts.iter().flatten().copied());
        let diagonal = self.counts.iter().enumerate();
        let own = sum(&mut diagonal.filter_map(|(class, row)| row.get(class).copied()));
        own as f64 / all as f64
    }
}

/// Holds the predicted classes at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassRecord {
    /// Those of the drawn rows.
    pub drawn: Confusion,
    /// Those of the other rows; null where all rows were drawn.
    pub held_out: Option<Confusion>,
}

/// Holds outcome.json: how a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Completed, stopped or failed.
    pub status: Status,
    /// The reason.
    pub stop_reason: StopReason,
    /// The events in the order of their times.
    pub events: Vec<Event>,
    /// Time of the first left-ball event; null when no radius is set or it was never left.
    #[serde(with = "number::optional", default)]
    pub exit_time: Option<f64>,
    /// Time of the final weights.
    #[serde(with = "number::scalar")]
    pub final_time: f64,
    /// The final weights w `[m][d]`, or of a deep network `[p]`.
    pub final_weights: Numbers,
    /// The loss g(alpha f(w)) at the end.
    #[serde(with = "number::scalar")]
    pub final_loss: f64,
    /// The counts of work and fallbacks, by name.
    pub counters: BTreeMap<String, u64>,
    /// The predicted classes at the end; missing for runs that are not on classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<ClassRecord>,
    /// Why there is no answer, where the status is failed; missing otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The other files of the run except timing.json, as they were written; empty before that.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileSum>,
}

/// Holds manifest.json: what a folder contains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of the program.
    pub version: String,
    /// The commit that the program was built from; null where unknown.
    pub commit: Option<String>,
    /// The first seed.
    pub seed: u64,
    /// The data.
    pub data: DataIdentity,
    /// The runs, each with its folder.
    pub runs: Vec<RunEntry>,
    /// The files of the figures, relative to the manifest.
    pub figures: Vec<String>,
}

/// Identifies the data of a folder's runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataIdentity {
    /// Name of the data set.
    pub name: String,
    /// The number of rows N.
    pub rows: usize,
    /// The SHA-256 checksum of the uncompressed file.
    pub sha256: String,
}

/// Names one run of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEntry {
    /// Its name.
    pub id: String,
    /// Its folder, relative to the manifest, with forward slashes.
    pub path: String,
}

/// Holds one entry of claims.json: a claim of section 5 of the paper, tested on every seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The id of the claim, `experiment/...`.
    pub id: String,
    /// What is tested, in words.
    pub predicate: String,
    /// The threshold of the test; null where measured numbers are compared with each other.
    #[serde(with = "number::optional", default)]
    pub threshold: Option<f64>,
    /// The share of the seeds on which it holds, 0 to 1.
    #[serde(with = "number::scalar")]
    pub holds_fraction: f64,
    /// The results in the order of the seeds.
    pub per_seed: Vec<SeedVerdict>,
    /// What a reader should know.
    #[serde(default)]
    pub note: String,
}

/// Holds the result of a claim on one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedVerdict {
    /// The seed.
    pub seed: u64,
    /// Whether the predicate is true.
    pub holds: bool,
    /// The measured numbers by name.
    #[serde(with = "number::map")]
    pub values: BTreeMap<String, f64>,
}

/// Writes `record` to `path` as indented JSON, at once or not at all; equal records give equal bytes.
///
/// # Errors
/// [`RecordError::Write`]; [`RecordError::Json`] for a type that JSON cannot hold (none in this crate).
pub fn write_json<T: Serialize>(path: &Path, record: &T) -> Result<(), RecordError> {
    let mut text = serde_json::to_vec_pretty(record)
        .map_err(|source| RecordError::Json { path: path.to_owned(), source })?;
    text.push(b'\n');
    write_bytes(path, &text)
}

/// Reads a record from a JSON file.
///
/// # Errors
/// [`RecordError::Read`]; [`RecordError::Json`] with line and column where the content is wrong.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RecordError> {
    let text = read_bytes(path)?;
    serde_json::from_slice(&text)
        .map_err(|source| RecordError::Json { path: path.to_owned(), source })
}

/// Returns the word that a serializable choice has in the files; empty for a value that is not a single word.
pub fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).map(|text| text.trim_matches('"').to_owned()).unwrap_or_default()
}
