//! `gaussflow audit RUN_DIR`: reads a run's folder, integrates it again, compares, and audits what applies.

use std::path::{Path, PathBuf};

use gaussflow::theory::papers::gauss_newton;
use gaussflow::theory::referee::Measurements;
use gaussflow::theory::{Comparison, Record, Statement, Verdict};
use gaussflow_records::{
    self as records, AuditRecord, NpyArray, Outcome, Problem, RecordError, TRACE_COLUMNS, TraceRow,
    ownership, read_json, read_manifest, read_npy, read_trace, write_json,
};

use super::{AuditError, FILES, report, user_run, write_report};
use crate::conclusions::Conclusions;
use crate::config::{Config, DataSource, Integrator};
use crate::console;
use crate::run::{self, Experiment, RunError, load};

/// What a run's folder holds, read back.
struct Folder {
    config: Config,
    problem: Problem,
    trace: Vec<TraceRow>,
    snapshots: NpyArray,
    snapshot_steps: NpyArray,
    outcome: Outcome,
}

/// Audits the run at `root`, or each run of the reproduction at `root`; prints a summary unless quiet.
///
/// # Errors
/// [`AuditError`] with exit status 2 for a file that is missing or damaged, which it names.
pub fn audit_folder(root: &Path, quiet: Quiet) -> Result<(), AuditError> {
    let manifest = root.join("manifest.json");
    if !root.join("config.toml").exists() && manifest.exists() {
        let runs = read_manifest(root)?.runs;
        let folders = runs.iter().map(|run| match records::run_folder(root, run) {
            // What is missing there is for the reader of the run to say.
            Err(RecordError::Read { .. }) => Ok(root.join(&run.path)),
            found => found,
        });
        let folders = folders.collect::<Result<Vec<_>, _>>()?;
        for folder in &folders {
            ownership::all_replaceable(folder, FILES)?;
        }
        return folders.iter().try_for_each(|folder| audit_run(folder, quiet));
    }
    audit_run(root, quiet)
}

/// Whether a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// A few lines.
    No,
    /// Errors only.
    Yes,
}

fn audit_run(root: &Path, quiet: Quiet) -> Result<(), AuditError> {
    let folder = Folder::read(root)?;
    ownership::all_replaceable(root, FILES)?;
    let data = load(&folder.config)?;
    let experiment = Experiment::new(folder.config.clone(), &data)?;
    let again = run::execute(&experiment)?;
    let mut findings = Measurements::default();
    findings.records.push(folder.compare(&again));
    let reproduced = findings.records[0].clone();
    user_run::rows(&experiment, &mut findings)?;
    let subject = report::Subject::Run(&again.id);
    let records = write_report(root, &gauss_newton::PAPER, &findings, &[], subject)?;
    write_json(&root.join("audit.json"), &records)?;
    if quiet == Quiet::No {
        tell(&again.id, &reproduced, &records, root);
    }
    Ok(())
}

/// A few lines on an audit.
fn tell(id: &str, reproduced: &Record, records: &[AuditRecord], root: &Path) {
    console::say(format_args!("{id}:"));
    match reproduced.verdict {
        Verdict::Holds => console::say("  the folder agrees with the run integrated again"),
        _ => console::say(format_args!(
            "  THE FOLDER DOES NOT AGREE with the run integrated again: {}; {}",
            reproduced.comparison.at,
            reproduced.note.trim()
        )),
    }
    let conclusions = Conclusions::of(records);
    console::say(format_args!("  {}", conclusions.in_words()));
    for finding in conclusions.findings.iter().filter(|finding| finding.violations() > 0) {
        let grade = finding.grade.name();
        console::say(format_args!("  violated ({grade}): {}, {}", finding.id, finding.place));
    }
    console::say(format_args!("  see {}", root.join("audit.md").display()));
}

/// A missing file is bad input here: whoever names a folder says that it is a run's.
fn required(root: &Path, name: &str) -> Result<PathBuf, RecordError> {
    let path = root.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let detail = "the file is missing; a run's folder holds config.toml, problem.json, trace.csv, \
                  weights.npy, weights_steps.npy and outcome.json"
        .to_owned();
    Err(RecordError::Damaged { path, detail })
}

impl Folder {
    fn read(root: &Path) -> Result<Self, RunError> {
        let config = Config::read(&required(root, "config.toml")?)?;
        let problem = Problem::read(&required(root, "problem.json")?)?;
        let trace_path = required(root, "trace.csv")?;
        let trace = read_trace(&trace_path)?;
        let snapshot_path = required(root, "weights.npy")?;
        let snapshots = read_npy(&snapshot_path)?;
        let snapshot_steps = read_npy(&required(root, "weights_steps.npy")?)?;
        let outcome = read_json(&required(root, "outcome.json")?)?;
        if trace.is_empty() {
            let detail = "the trace has no rows".to_owned();
            return Err(RecordError::Damaged { path: trace_path, detail }.into());
        }
        let mut expected = vec![snapshot_steps.values.len()];
        expected.extend(problem.initial_weights.shape());
        if snapshots.shape != expected {
            let detail = format!("shape {:?}; expected {expected:?}", snapshots.shape);
            return Err(RecordError::Damaged { path: snapshot_path, detail }.into());
        }
        Ok(Self { config, problem, trace, snapshots, snapshot_steps, outcome })
    }

    /// Every number of the folder against the run integrated again.
    fn compare(&self, again: &run::RunRecord) -> Record {
        let row = Statement {
            id: "run/reproduced",
            place: "this folder",
            text: "largest relative difference of trace, snapshots, outcome and problem from the run integrated again <= what rounding may do",
        };
        let mut places = self.compare_trace(again);
        places.extend(self.compare_snapshots(again));
        places.extend(self.compare_outcome(again));
        places.extend(self.compare_problem(again));
        let differing = places.iter().filter(|place| !place.holds()).count();
        let record = row.judge(&again.id, vec![], places);
        let note = if differing == 0 {
            String::new()
        } else {
            format!(
                "{differing} numbers differ. Where a run has lost rank or its step is unstable, another \
                 processor's rounding alone can do that; on the processor that wrote it, someone changed it."
            )
        };
        match self.config.data.source {
            DataSource::Bundled(_) => record.with_note(&note),
            DataSource::File { .. } => record
                .with_note(&note)
                .with_note(" The rows were drawn again from the file that config.toml names."),
        }
    }

    /// What rounding may do by `time`.
    fn allowed(&self, time: f64) -> f64 {
        tolerance(self.config.dynamics.integrator, time)
    }

    fn compare_trace(&self, again: &run::RunRecord) -> Vec<Comparison> {
        let mut places = vec![lengths("trace.csv", self.trace.len(), again.trace.len())];
        for (column, name) in TRACE_COLUMNS.iter().enumerate().skip(1) {
            let read = |row: &TraceRow| row.numbers()[column - 1];
            let largest = again.trace.iter().map(|row| read(row).abs()).fold(0.0, f64::max);
            for (found, expected) in self.trace.iter().zip(&again.trace) {
                // A column that an older version did not write is not compared.
                if read(found).is_nan() {
                    continue;
                }
                let at = format!("trace.csv: {name}, step {}", expected.step);
                let allowed = self.allowed(expected.time);
                places.push(relative(read(found), read(expected), largest, allowed, at));
            }
        }
        places
    }

    fn compare_snapshots(&self, again: &run::RunRecord) -> Vec<Comparison> {
        let found = &self.snapshots.values;
        let mut places = vec![lengths("weights.npy", found.len(), again.snapshots.len())];
        let width = self.snapshots.shape[1..].iter().product::<usize>().max(1);
        let size = largest(&again.snapshots);
        for (k, (found, expected)) in found.iter().zip(&again.snapshots).enumerate() {
            let step = self.snapshot_steps.values.get(k / width).copied().unwrap_or(f64::NAN);
            let allowed = self.allowed(step * self.config.dynamics.step);
            let at = format!("weights.npy: snapshot of step {step}, entry {}", k % width);
            places.push(relative(*found, *expected, size, allowed, at));
        }
        let expected: Vec<f64> = again.snapshot_steps.iter().map(|step| *step as f64).collect();
        places.extend(entries("weights_steps.npy", &self.snapshot_steps.values, &expected, 0.0));
        places
    }

    fn compare_outcome(&self, again: &run::RunRecord) -> Vec<Comparison> {
        let allowed = self.allowed(again.outcome.final_time);
        let (found, expected) =
            (self.outcome.final_weights.to_vec(), again.outcome.final_weights.to_vec());
        let mut places = entries("outcome.json: final_weights", &found, &expected, allowed);
        let (found, expected) = ([self.outcome.final_loss], [again.outcome.final_loss]);
        places.extend(entries("outcome.json: final_loss", &found, &expected, allowed));
        if let Some(found) = &self.outcome.classes {
            let differs =
                if Some(found) == again.outcome.classes.as_ref() { 0.0 } else { f64::INFINITY };
            places.push(Comparison::new(differs, 0.0, 0.0, "outcome.json: classes"));
        }
        places
    }

    fn compare_problem(&self, again: &run::RunRecord) -> Vec<Comparison> {
        let (found, expected) = (&self.problem, &again.problem);
        let weights = (found.initial_weights.to_vec(), expected.initial_weights.to_vec());
        let compare = |name: &str, found: &[f64], expected: &[f64]| {
            entries(&format!("problem.json: {name}"), found, expected, 1e-12)
        };
        // The rows of a file that was read in parts are in the file alone: the trace tells whether they are the same.
        let rows = if found.all_rows.is_some() {
            Vec::new()
        } else {
            let inputs = compare("inputs", &found.inputs.concat(), &expected.inputs.concat());
            [inputs, compare("targets", &found.targets.to_vec(), &expected.targets.to_vec())]
                .concat()
        };
        [
            rows,
            compare("output_signs", &found.output_signs.to_vec(), &expected.output_signs.to_vec()),
            compare("initial_weights", &weights.0, &weights.1),
            same_network(found, expected),
        ]
        .concat()
    }
}

/// Layers and output of problem.json.
fn same_network(found: &Problem, expected: &Problem) -> Vec<Comparison> {
    let of = |problem: &Problem| (problem.layers.clone(), problem.output, problem.outputs);
    let same = of(found) == of(expected);
    let differs = if same { 0.0 } else { f64::INFINITY };
    vec![Comparison::new(differs, 0.0, 0.0, "problem.json: layers and output")]
}

/// A difference of lengths is as large as a difference can be.
fn lengths(what: &str, found: usize, expected: usize) -> Comparison {
    let differs = if found == expected { 0.0 } else { f64::INFINITY };
    Comparison::new(differs, 0.0, 0.0, format!("{what}: {found} entries against {expected}"))
}

/// Lengths, and entry by entry.
fn entries(what: &str, found: &[f64], expected: &[f64], allowed: f64) -> Vec<Comparison> {
    let size = largest(expected);
    let pairs = found.iter().zip(expected).enumerate();
    let each = pairs.map(|(k, (found, expected))| {
        relative(*found, *expected, size, allowed, format!("{what}, entry {k}"))
    });
    std::iter::once(lengths(what, found.len(), expected.len())).chain(each).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0_f64, |size, x| size.max(x.abs()))
}

/// Relative to the value, or to a 1e-10 of the largest where it is smaller.
fn relative(found: f64, expected: f64, largest: f64, allowed: f64, at: String) -> Comparison {
    let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
    let difference = if same {
        0.0
    } else {
        let difference = (found - expected).abs() / expected.abs().max(1e-10 * largest);
        // One side that is no number is a difference, too.
        if difference.is_nan() { f64::INFINITY } else { difference }
    };
    Comparison::new(difference, allowed, 0.0, at)
}

/// What rounding on another processor may change a run's numbers by, relative: two decades above what was
/// measured (ARCHITECTURE.md, "The check").
fn tolerance(integrator: Integrator, time: f64) -> f64 {
    let early = time <= 2.0;
    match (integrator, early) {
        (Integrator::Stiff, _) => 1e-5,
        (Integrator::Adaptive, true) => 1e-8,
        (Integrator::Adaptive, false) => 1e-6,
        (_, true) => 1e-9,
        (_, false) => 1e-7,
    }
}
