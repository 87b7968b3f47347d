//! `gaussflow audit RUN_DIR`: reads a run's folder, integrates it again, compares, and audits what applies.

use std::path::{Path, PathBuf};

use gaussflow::theory::audit::plan::Findings;
use gaussflow::theory::{Comparison, Record, Statement, Verdict};

use super::{report, user_run, write};
use crate::config::{Config, DataSource, Integrator};
use crate::error::DriverError;
use crate::experiment::{Experiment, load};
use crate::records::{
    Manifest, NpyArray, Outcome, Problem, RecordError, TRACE_COLUMNS, TraceRow, read_json, read_npy,
    read_trace,
};
use crate::run;

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
/// [`DriverError`] with exit status 2 for a file that is missing or damaged, which it names.
pub fn audit_folder(root: &Path, quiet: Quiet) -> Result<(), DriverError> {
    let manifest = root.join("manifest.json");
    if !root.join("config.toml").exists() && manifest.exists() {
        for entry in read_json::<Manifest>(&manifest)?.runs {
            audit_run(&root.join(&entry.path), quiet)?;
        }
        return Ok(());
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

fn audit_run(root: &Path, quiet: Quiet) -> Result<(), DriverError> {
    let folder = Folder::read(root)?;
    let data = load(&folder.config)?;
    let experiment = Experiment::new(folder.config.clone(), &data)?;
    let again = run::execute(&experiment)?;
    let mut findings = Findings::default();
    findings.records.push(folder.compare(&again));
    let reproduced = findings.records[0].clone();
    user_run::rows(&experiment, &mut findings)?;
    write(root, &findings, &[], report::Subject::Run(&again.id))?;
    if quiet == Quiet::No {
        tell(&again.id, &reproduced, &findings, root);
    }
    Ok(())
}

/// A few lines on an audit.
fn tell(id: &str, reproduced: &Record, findings: &Findings, root: &Path) {
    println!("{id}:");
    match reproduced.verdict {
        Verdict::Holds => println!("  the folder agrees with the run integrated again"),
        _ => println!(
            "  THE FOLDER DOES NOT AGREE with the run integrated again: {}; {}",
            reproduced.comparison.at,
            reproduced.note.trim()
        ),
    }
    for verdict in Verdict::ALL {
        let count = findings.records.iter().filter(|r| r.verdict == verdict).count();
        if count > 0 {
            println!("  {count:>3} records: {}", verdict.name());
        }
    }
    println!("  see {}", root.join("audit.md").display());
}

/// A missing file is bad input here: whoever names a folder says that it is a run's.
fn required(root: &Path, name: &str) -> Result<PathBuf, DriverError> {
    let path = root.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let detail = "the file is missing; a run's folder holds config.toml, problem.json, trace.csv, \
                  weights.npy, weights_steps.npy and outcome.json"
        .to_owned();
    Err(RecordError::Damaged { path, detail }.into())
}

impl Folder {
    fn read(root: &Path) -> Result<Self, DriverError> {
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
        if snapshots.shape.len() != 3 || snapshots.shape[0] != snapshot_steps.values.len() {
            let detail = format!(
                "shape {:?} for {} steps; expected [k, m, d]",
                snapshots.shape,
                snapshot_steps.values.len()
            );
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
        let mut places = Vec::new();
        let lengths = |what: &str, found: usize, expected: usize| {
            let differs = if found == expected { 0.0 } else { f64::INFINITY };
            Comparison::new(differs, 0.0, 0.0, format!("{what}: {found} entries against {expected}"))
        };
        places.push(lengths("trace.csv", self.trace.len(), again.trace.len()));
        for (column, name) in TRACE_COLUMNS.iter().enumerate().skip(1) {
            let pairs = || self.trace.iter().zip(&again.trace).map(|(a, b)| (a.numbers()[column - 1], b));
            let largest =
                again.trace.iter().map(|r| r.numbers()[column - 1].abs()).fold(0.0, f64::max);
            for (found, expected) in pairs() {
                let target = expected.numbers()[column - 1];
                // A column that an older version did not write is not compared.
                if found.is_nan() {
                    continue;
                }
                let allowed = tolerance(self.config.dynamics.integrator, expected.time);
                let at = format!("trace.csv: {name}, step {}", expected.step);
                places.push(relative(found, target, largest, allowed, at));
            }
        }
        places.push(lengths("weights.npy", self.snapshots.values.len(), again.snapshots.len()));
        let size = again.snapshots.iter().fold(0.0_f64, |s, x| s.max(x.abs()));
        let width: usize = self.snapshots.shape[1..].iter().product();
        for (k, (found, expected)) in
            self.snapshots.values.iter().zip(&again.snapshots).enumerate()
        {
            let snapshot = k / width.max(1);
            let step = self.snapshot_steps.values.get(snapshot).copied().unwrap_or(f64::NAN);
            let time = step * self.config.dynamics.step;
            let allowed = tolerance(self.config.dynamics.integrator, time);
            let at = format!("weights.npy: snapshot of step {step}, entry {}", k % width.max(1));
            places.push(relative(*found, *expected, size, allowed, at));
        }
        let last = again.outcome.final_time;
        let allowed = tolerance(self.config.dynamics.integrator, last);
        let (found, expected) = (self.outcome.final_loss, again.outcome.final_loss);
        places.push(relative(found, expected, expected.abs(), allowed, "outcome.json: final_loss".into()));
        let flat = |rows: &[Vec<f64>]| rows.concat();
        let weights = flat(&again.outcome.final_weights);
        let size = weights.iter().fold(0.0_f64, |s, x| s.max(x.abs()));
        places.push(lengths(
            "outcome.json: final_weights",
            flat(&self.outcome.final_weights).len(),
            weights.len(),
        ));
        for (k, (found, expected)) in
            flat(&self.outcome.final_weights).iter().zip(&weights).enumerate()
        {
            let at = format!("outcome.json: final_weights, entry {k}");
            places.push(relative(*found, *expected, size, allowed, at));
        }
        let drawn = [
            ("inputs", flat(&self.problem.inputs), flat(&again.problem.inputs)),
            ("targets", self.problem.targets.clone(), again.problem.targets.clone()),
            ("output_signs", self.problem.output_signs.clone(), again.problem.output_signs.clone()),
            (
                "initial_weights",
                flat(&self.problem.initial_weights),
                flat(&again.problem.initial_weights),
            ),
        ];
        for (name, found, expected) in drawn {
            places.push(lengths(&format!("problem.json: {name}"), found.len(), expected.len()));
            let size = expected.iter().fold(0.0_f64, |s, x| s.max(x.abs()));
            for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let at = format!("problem.json: {name}, entry {k}");
                places.push(relative(*found, *expected, size, 1e-12, at));
            }
        }
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
        let bundled = matches!(self.config.data.source, DataSource::Bundled(_));
        let record = record.with_note(&note);
        if bundled {
            record
        } else {
            record.with_note(" The rows were drawn again from the file that config.toml names.")
        }
    }
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
