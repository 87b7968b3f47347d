//! Two runs, or two folders of runs, side by side: configurations, outcomes, events, counters, traces.
//!
//! The relative difference of two numbers is |a - b| / max(|a|, |b|).

mod conclusion;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gaussflow_records::{
    Event, RecordError, Status, StopReason, TRACE_COLUMNS, TraceRow, read_manifest, run_folder,
};
use serde::Serialize;

pub use self::conclusion::conclusion;
pub use self::table::table;
use crate::exit_status::BAD_INPUT;
use crate::sweep::RunSummary;

/// Why two folders cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// Neither a run nor a folder of runs.
    #[error(
        "{}: neither outcome.json nor manifest.json is here; name a run's folder or one that \
         run, sweep or reproduce wrote",
        path.display()
    )]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// No run of one folder is in the other.
    #[error("{} and {} have no run of the same name", a.display(), b.display())]
    NothingInCommon {
        /// The first.
        a: PathBuf,
        /// The second.
        b: PathBuf,
    },
    /// A file of a run.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl CompareError {
    /// The exit status that belongs to it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::NotARun { .. } | Self::NothingInCommon { .. } => BAD_INPUT,
            Self::Record(error) => error.exit_status(),
        }
    }
}

/// Everything that two folders have to say of each other.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The first folder.
    pub a: PathBuf,
    /// The second.
    pub b: PathBuf,
    /// The runs that both have.
    pub runs: Vec<Pair>,
    /// Names of the runs that only the first has.
    pub only_a: Vec<String>,
    /// Names of the runs that only the second has.
    pub only_b: Vec<String>,
}

/// Two runs.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    /// The name that both have, or both names.
    pub id: String,
    /// The first.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// Keys of the configuration that differ, as `section.key`, with both values in TOML; null where one has no such
    /// key, or no config.toml that can be read.
    pub configuration: BTreeMap<String, [Option<String>; 2]>,
    /// Counters that differ, with both values; null where one has no such counter.
    pub counters: BTreeMap<String, [Option<u64>; 2]>,
    /// Steps that both recorded.
    pub common_steps: usize,
    /// For each column that any of them has, how far the two are apart.
    pub columns: Vec<ColumnDifference>,
}

/// One run of a pair.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// Completed, stopped or failed.
    pub status: Status,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// Rows of its trace.
    pub rows: usize,
    /// Where it ended.
    pub final_time: f64,
    /// g there.
    pub final_loss: f64,
    /// norm(w - w_0) in the last row.
    pub final_deviation: Option<f64>,
    /// norm(P grad g) in the last row.
    pub final_riemannian_gradient_norm: Option<f64>,
    /// What happened.
    pub events: Vec<Event>,
}

/// How far a column of two traces is apart.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnDifference {
    /// The column.
    pub column: &'static str,
    /// The largest relative difference where both have a number; 0 where they never have.
    pub worst: f64,
    /// The step where it is found.
    pub step: Option<u64>,
    /// Common steps at which only one has a number.
    pub one_sided: usize,
}

impl Pair {
    /// Whether outcomes, counters and all recorded rows are bitwise equal.
    pub fn is_equal(&self) -> bool {
        let same = |x: f64, y: f64| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan());
        self.counters.is_empty()
            && self.a.rows == self.b.rows
            && self.a.rows == self.common_steps
            && self.a.stop_reason == self.b.stop_reason
            && same(self.a.final_loss, self.b.final_loss)
            && self.columns.iter().all(|found| found.worst == 0.0 && found.one_sided == 0)
    }

    /// The column that is furthest apart.
    pub fn worst(&self) -> Option<&ColumnDifference> {
        self.columns.iter().max_by(|x, y| x.worst.total_cmp(&y.worst))
    }
}

impl Comparison {
    /// Compares the folders `a` and `b`: two runs, or two folders with manifests by the runs' names.
    pub fn of(a: &Path, b: &Path) -> Result<Self, CompareError> {
        let (of_a, of_b) = (runs_of(a)?, runs_of(b)?);
        let mut runs = Vec::new();
        if let (Contents::Run(name_a), Contents::Run(name_b)) = (&of_a, &of_b) {
            let id = if name_a == name_b { name_a.clone() } else { format!("{name_a} | {name_b}") };
            runs.push(pair(id, a, b)?);
        }
        let (of_a, of_b) = (of_a.by_name(a), of_b.by_name(b));
        if runs.is_empty() {
            for (id, a) in &of_a {
                if let Some(b) = of_b.get(id) {
                    runs.push(pair(id.clone(), a, b)?);
                }
            }
            if runs.is_empty() {
                return Err(CompareError::NothingInCommon { a: a.into(), b: b.into() });
            }
        }
        let is_matched = |id: &String| of_a.contains_key(id) && of_b.contains_key(id);
        let only = |runs: &BTreeMap<String, PathBuf>| -> Vec<String> {
            runs.keys().filter(|id| !is_matched(id)).cloned().collect()
        };
        let both_runs = of_a.len() == 1 && of_b.len() == 1;
        let (only_a, only_b) =
            if both_runs { (Vec::new(), Vec::new()) } else { (only(&of_a), only(&of_b)) };
        Ok(Self { a: a.into(), b: b.into(), runs, only_a, only_b })
    }
}

/// What a folder is.
enum Contents {
    /// A run of this name.
    Run(String),
    /// Runs by name.
    Runs(BTreeMap<String, PathBuf>),
}

impl Contents {
    fn by_name(self, path: &Path) -> BTreeMap<String, PathBuf> {
        match self {
            Self::Run(name) => BTreeMap::from([(name, path.to_owned())]),
            Self::Runs(runs) => runs,
        }
    }
}

fn runs_of(path: &Path) -> Result<Contents, CompareError> {
    if path.join("outcome.json").exists() {
        let name = path.canonicalize().ok();
        let name = name.as_deref().and_then(Path::file_name).unwrap_or(path.as_os_str());
        return Ok(Contents::Run(name.to_string_lossy().into_owned()));
    }
    if !path.join("manifest.json").exists() {
        return Err(CompareError::NotARun { path: path.to_owned() });
    }
    let manifest = read_manifest(path)?;
    let runs = manifest.runs.into_iter().map(|run| Ok((run.id.clone(), run_folder(path, &run)?)));
    Ok(Contents::Runs(runs.collect::<Result<_, RecordError>>()?))
}

/// The keys of config.toml in the folder of a run, as `section.key`, with their values; none where it cannot be read.
fn configuration(folder: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder.join("config.toml")).unwrap_or_default();
    let sections = text.parse::<toml::Table>().unwrap_or_default();
    let keys = sections.into_iter().flat_map(|(section, value)| match value {
        toml::Value::Table(keys) => keys
            .into_iter()
            .map(|(key, value)| (format!("{section}.{key}"), value.to_string()))
            .collect(),
        other => vec![(section, other.to_string())],
    });
    keys.collect()
}

/// The entries of `a` and `b` that differ, with both values.
fn differing<V: PartialEq + Clone>(
    a: &BTreeMap<String, V>,
    b: &BTreeMap<String, V>,
) -> BTreeMap<String, [Option<V>; 2]> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    names
        .into_iter()
        .map(|name| (name.clone(), [a, b].map(|all| all.get(name).cloned())))
        .filter(|(_, [of_a, of_b])| of_a != of_b)
        .collect()
}

fn pair(id: String, a: &Path, b: &Path) -> Result<Pair, RecordError> {
    let configuration = differing(&configuration(a), &configuration(b));
    let (a, b) = (RunSummary::read(&id, a)?, RunSummary::read(&id, b)?);
    let counters = differing(&a.outcome.counters, &b.outcome.counters);
    let rows: BTreeMap<u64, &TraceRow> = b.trace.iter().map(|row| (row.step, row)).collect();
    let common: Vec<(&TraceRow, &TraceRow)> =
        a.trace.iter().filter_map(|row| Some((row, *rows.get(&row.step)?))).collect();
    let columns = columns(&common);
    let common_steps = common.len();
    Ok(Pair { id, configuration, a: side(a), b: side(b), counters, common_steps, columns })
}

fn side(run: RunSummary) -> Side {
    let last = run.trace.last();
    Side {
        status: run.outcome.status,
        stop_reason: run.outcome.stop_reason,
        rows: run.trace.len(),
        final_time: run.outcome.final_time,
        final_loss: run.outcome.final_loss,
        final_deviation: last.map(|row| row.deviation),
        final_riemannian_gradient_norm: last.map(|row| row.riemannian_gradient_norm),
        events: run.outcome.events,
    }
}

/// The differences of every column of which either side has a number.
fn columns(common: &[(&TraceRow, &TraceRow)]) -> Vec<ColumnDifference> {
    let names = TRACE_COLUMNS.iter().skip(1);
    let mut found: Vec<(ColumnDifference, bool)> = names
        .map(|&column| (ColumnDifference { column, worst: 0.0, step: None, one_sided: 0 }, false))
        .collect();
    for (a, b) in common {
        for ((difference, is_used), (x, y)) in
            found.iter_mut().zip(a.numbers().into_iter().zip(b.numbers()))
        {
            *is_used |= x.is_finite() || y.is_finite();
            if x.is_finite() != y.is_finite() {
                difference.one_sided += 1;
            } else if x.is_finite() && x.to_bits() != y.to_bits() {
                // Halves, so that no difference of two finite numbers overflows.
                let relative = (x / 2.0 - y / 2.0).abs() / (x.abs().max(y.abs()) / 2.0);
                if relative > difference.worst {
                    (difference.worst, difference.step) = (relative, Some(a.step));
                }
            }
        }
    }
    found.into_iter().filter(|(_, is_used)| *is_used).map(|(difference, _)| difference).collect()
}
