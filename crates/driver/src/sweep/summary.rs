//! summary.csv: one row a run, read back from the runs' own files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gaussflow_records::{
    AtomicFile, EventKind, Outcome, RecordError, Status, TraceRow, cell, read_json, read_trace,
    word,
};

use super::plan::Plan;
use crate::remark::remark;

/// The columns of summary.csv after the keys of the configuration and before the fallbacks' counters.
pub const SUMMARY_COLUMNS: [&str; 17] = [
    "status",
    "stop_reason",
    "error",
    "rows",
    "final_time",
    "initial_loss",
    "final_loss",
    "final_deviation",
    "initial_riemannian_gradient_norm",
    "final_riemannian_gradient_norm",
    "initial_gram_min_eigenvalue",
    "smallest_gram_min_eigenvalue",
    "final_held_out_loss",
    "exit_time",
    "rank_lost_time",
    "accepted_steps",
    "remark",
];

/// Shares of the rows whose most probable class is theirs, at the end.
const CLASS_COLUMNS: [&str; 2] = ["final_accuracy", "final_held_out_accuracy"];

/// The keys that every summary tells, by the names of their columns.
const KEYS: [(&str, &str); 5] = [
    ("dynamics.seed", "seed"),
    ("dynamics.preconditioner", "preconditioner"),
    ("dynamics.integrator", "integrator"),
    ("dynamics.damping", "damping"),
    ("dynamics.scaling", "scaling"),
];

/// What one run came to.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// Its name.
    pub id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Its trace; empty for a run that could not start.
    pub trace: Vec<TraceRow>,
}

impl RunSummary {
    /// Reads the run in `folder`.
    ///
    /// # Errors
    /// [`RecordError`] where outcome.json or trace.csv is missing or malformed.
    pub fn read(id: &str, folder: &Path) -> Result<Self, RecordError> {
        let outcome: Outcome = read_json(&folder.join("outcome.json"))?;
        let path = folder.join("trace.csv");
        let has_trace = outcome.status != Status::Failed || path.exists();
        let trace = if has_trace { read_trace(&path)? } else { Vec::new() };
        Ok(Self { id: id.to_owned(), outcome, trace })
    }

    /// Whether it has no answer.
    pub fn has_failed(&self) -> bool {
        self.outcome.status == Status::Failed
    }

    /// The sentence on a run that lost rank, fell back or rose in loss.
    pub fn remark(&self) -> Option<String> {
        remark(&self.outcome, &self.trace)
    }

    /// The cells under [`SUMMARY_COLUMNS`].
    fn cells(&self) -> [String; SUMMARY_COLUMNS.len()] {
        let outcome = &self.outcome;
        let first = |value: fn(&TraceRow) -> f64| self.trace.first().map_or(f64::NAN, value);
        let last = |value: fn(&TraceRow) -> f64| self.trace.last().map_or(f64::NAN, value);
        let smallest =
            self.trace.iter().map(|row| row.gram_min_eigenvalue).fold(f64::NAN, f64::min);
        let held_out = self.trace.iter().rev().find_map(|row| row.held_out_loss);
        let lost = outcome.events.iter().find(|event| event.kind == EventKind::RankLost);
        let or_empty = |value: Option<f64>| cell(value.unwrap_or(f64::NAN));
        [
            word(&outcome.status),
            word(&outcome.stop_reason),
            outcome.error.clone().unwrap_or_default(),
            self.trace.len().to_string(),
            cell(outcome.final_time),
            cell(first(|row| row.loss)),
            cell(outcome.final_loss),
            cell(last(|row| row.deviation)),
            cell(first(|row| row.riemannian_gradient_norm)),
            cell(last(|row| row.riemannian_gradient_norm)),
            cell(first(|row| row.gram_min_eigenvalue)),
            cell(smallest),
            or_empty(held_out),
            or_empty(outcome.exit_time),
            or_empty(lost.map(|event| event.time)),
            outcome.counters.get("accepted_steps").map(u64::to_string).unwrap_or_default(),
            self.remark().unwrap_or_default(),
        ]
    }
}

/// What summary.csv tells of a run: all that is kept of it while the others are read.
pub(super) struct Line {
    /// Whether it has no answer.
    pub(super) has_failed: bool,
    pub(super) remark: Option<String>,
    cells: [String; SUMMARY_COLUMNS.len()],
    fallbacks: BTreeMap<String, u64>,
    /// Of runs on classes: the cells under [`CLASS_COLUMNS`].
    classes: Option<[String; CLASS_COLUMNS.len()]>,
}

impl Line {
    /// Reads the run in `folder`, and forgets its trace.
    pub(super) fn read(id: &str, folder: &Path) -> Result<Self, RecordError> {
        let run = RunSummary::read(id, folder)?;
        let (has_failed, remark, cells) = (run.has_failed(), run.remark(), run.cells());
        let classes = run.outcome.classes.map(|found| {
            [Some(found.drawn), found.held_out]
                .map(|of| cell(of.map_or(f64::NAN, |confusion| confusion.accuracy())))
        });
        let mut fallbacks = run.outcome.counters;
        fallbacks.retain(|name, _| name.starts_with("fallback_"));
        Ok(Self { has_failed, remark, cells, fallbacks, classes })
    }
}

/// Writes summary.csv: `id,group,path`, keys, [`SUMMARY_COLUMNS`], one column a fallback, and where a run is on classes
/// [`CLASS_COLUMNS`].
pub(super) fn write(path: &Path, plan: &Plan, lines: &[Line]) -> Result<(), RecordError> {
    let others: Vec<_> =
        plan.keys.iter().filter(|key| KEYS.iter().all(|(path, _)| *path != key.path())).collect();
    let fallbacks: BTreeSet<&String> =
        lines.iter().flat_map(|line| line.fallbacks.keys()).collect();
    let mut table = Table::create(path)?;
    let mut header = vec!["id", "group", "path"];
    header.extend(KEYS.iter().map(|(_, column)| column));
    header.extend(others.iter().map(|key| key.path()));
    header.extend(SUMMARY_COLUMNS);
    header.extend(fallbacks.iter().map(|name| name.as_str()));
    let classes = lines.iter().any(|line| line.classes.is_some());
    if classes {
        header.extend(CLASS_COLUMNS);
    }
    table.row(&header)?;
    for (run, line) in plan.runs.iter().zip(lines) {
        let dynamics = &run.config.dynamics;
        let mut cells = vec![
            run.id.clone(),
            run.group.clone(),
            format!("runs/{}", run.id),
            dynamics.seed.to_string(),
            dynamics.preconditioner.to_string(),
            dynamics.integrator.to_string(),
            cell(dynamics.damping),
            cell(dynamics.scaling),
        ];
        cells.extend(others.iter().map(|key| {
            key.value(&run.config)
                .map(|value| value.trim_matches('"').to_owned())
                .unwrap_or_default()
        }));
        cells.extend_from_slice(&line.cells);
        cells.extend(
            fallbacks
                .iter()
                .map(|name| line.fallbacks.get(*name).map(u64::to_string).unwrap_or_default()),
        );
        if classes {
            cells.extend(line.classes.clone().unwrap_or_default());
        }
        table.row(&cells)?;
    }
    table.finish()
}

/// A table that goes to its file row by row, and appears there when it is complete.
pub(super) struct Table {
    writer: csv::Writer<AtomicFile>,
    path: PathBuf,
}

impl Table {
    /// Begins the table that will be at `path`.
    pub(super) fn create(path: &Path) -> Result<Self, RecordError> {
        let writer = csv::Writer::from_writer(AtomicFile::create(path)?);
        Ok(Self { writer, path: path.to_owned() })
    }

    pub(super) fn row<C: AsRef<[u8]>>(&mut self, cells: &[C]) -> Result<(), RecordError> {
        let (writer, path) = (&mut self.writer, &self.path);
        writer.write_record(cells).map_err(|error| unwritable(path, error.into()))
    }

    pub(super) fn finish(self) -> Result<(), RecordError> {
        let Self { writer, path } = self;
        writer.into_inner().map_err(|error| unwritable(&path, error.into_error()))?.finish()
    }
}

fn unwritable(path: &Path, source: std::io::Error) -> RecordError {
    RecordError::Write { path: path.to_owned(), source }
}
