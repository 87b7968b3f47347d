//! `gaussflow run CONFIG.toml [--out DIR] [--set KEY=VALUE] [--resume]`, and what it says of the run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use gaussflow_records::{Event, Status, StopReason, word};
use serde::Serialize;

use super::{Replacement, Settings, default_folder};
use crate::console;
use crate::error::DriverError;
use crate::remark::{digits, fallback_in_words, remark};
use crate::run::{self, Extent, RunError, RunRecord, RunRequest, Start, WrittenRun};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gaussflow config > my.toml\n  \
                        gaussflow run my.toml                            (writes out/my)\n  \
                        gaussflow run my.toml --set dynamics.scaling=16 --set dynamics.integrator=rk4\n  \
                        gaussflow run my.toml --out results --resume\n\n\
                        The run is written to DIR/runs/ID: its resolved configuration, its problem, one row a\n\
                        recorded step in trace.csv, and how it ended in outcome.json. The last lines say what to\n\
                        open, and then what did not go as the flow does.")]
pub(crate) struct Arguments {
    /// The configuration (TOML).
    config: PathBuf,
    /// The folder to write. It may be new, empty, or written by an earlier run, whose runs stay
    /// [default: out/CONFIG, as out/my for my.toml]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Go on from the last checkpoint (record.checkpoint_every), if there is one.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    replacement: Replacement,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
    /// Print the folder and the outcome as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
}

impl Arguments {
    /// Runs the configuration, and says how it went.
    pub(crate) fn execute(&self) -> Result<(), DriverError> {
        let source = self.settings.of(&self.config)?;
        let config = source.config()?;
        let default = || default_folder(&self.config);
        let out = self.out.clone().unwrap_or_else(default);
        let request = RunRequest {
            out: &out,
            start: if self.resume { Start::LastCheckpoint } else { Start::Fresh },
            overwrite: self.replacement.choice(),
        };
        let WrittenRun { record, folder, extent } = run::run_into(config, request, |said| {
            if !self.quiet {
                console::note(said);
            }
        })?;
        if self.json {
            let answer = RunAnswer::new(&record, &folder);
            console::json(&answer);
        } else if !self.quiet {
            console::print(&describe(&record, &folder));
        }
        match extent {
            Extent::Whole => Ok(()),
            Extent::Partial => Err(RunError::Interrupted.into()),
            Extent::Resumable => {
                let command = format!("gaussflow run {source} --out {} --resume", out.display());
                Err(DriverError::InterruptedRun { command })
            }
        }
    }
}

/// What `gaussflow run --json` prints: outcome.json without the weights, and where the run lies.
#[derive(Serialize)]
struct RunAnswer<'r> {
    id: &'r str,
    folder: &'r Path,
    status: Status,
    stop_reason: StopReason,
    error: Option<&'r str>,
    final_time: f64,
    final_loss: f64,
    events: &'r [Event],
    counters: &'r BTreeMap<String, u64>,
    /// What a reader should know; null where all went well.
    remark: Option<String>,
    seconds: f64,
}

impl<'r> RunAnswer<'r> {
    fn new(record: &'r RunRecord, folder: &'r Path) -> Self {
        let outcome = &record.outcome;
        Self {
            id: &record.id,
            folder,
            status: outcome.status,
            stop_reason: outcome.stop_reason,
            error: outcome.error.as_deref(),
            final_time: outcome.final_time,
            final_loss: outcome.final_loss,
            events: &outcome.events,
            counters: &outcome.counters,
            remark: remark(outcome, &record.trace),
            seconds: record.seconds,
        }
    }
}

/// A number of the console: four significant digits. The files have all of them.
fn shown(value: f64) -> String {
    digits(value, 4)
}

/// Why and when a run ended.
fn ending(reason: StopReason, time: f64) -> String {
    let why = match reason {
        StopReason::Horizon => "ran to its horizon",
        StopReason::RankLost => "ended where the Jacobian lost rank",
        StopReason::LeftBall => "ended where the weights left the ball",
        StopReason::NonFinite => "ended where a number was no longer finite",
        StopReason::Stationary => "ended at a stationary point",
        StopReason::Interrupted => "was interrupted",
        StopReason::Failed => "failed",
    };
    format!("{why} at t = {}", shown(time))
}

/// A few lines on how a run went.
fn describe(record: &RunRecord, folder: &Path) -> String {
    // Writing to a String cannot fail.
    let outcome = &record.outcome;
    let mut text = format!("{}: {}\n", record.id, ending(outcome.stop_reason, outcome.final_time));
    if let (Some(first), Some(last)) = (record.trace.first(), record.trace.last()) {
        let _ = writeln!(
            text,
            "  loss {} -> {}, distance of the weights from the start {}, Riemannian gradient {} -> {}",
            shown(first.loss),
            shown(outcome.final_loss),
            shown(last.deviation),
            shown(first.riemannian_gradient_norm),
            shown(last.riemannian_gradient_norm)
        );
    }
    if let Some(classes) = &outcome.classes {
        let _ = write!(text, "  {:.2} % of the rows drawn", 100.0 * classes.drawn.accuracy());
        if let Some(held_out) = &classes.held_out {
            let _ = write!(text, " and {:.2} % of the others", 100.0 * held_out.accuracy());
        }
        text.push_str(" are taken for their own class\n");
    }
    for event in &outcome.events {
        let _ = writeln!(
            text,
            "  event {} at t = {} (step {}): {} against the threshold {}",
            word(&event.kind),
            shown(event.time),
            event.step,
            shown(event.value),
            shown(event.threshold)
        );
    }
    for (name, count) in &outcome.counters {
        if name.starts_with("fallback") && *count > 0 {
            let _ = writeln!(text, "  {} ({name})", fallback_in_words(name, *count));
        }
    }
    let _ = writeln!(text, "  {:.2} s; written to {}", record.seconds, folder.display());
    let _ = writeln!(text, "  {}", console::what_next(folder));
    if let Some(remark) = remark(outcome, &record.trace) {
        let _ = writeln!(text, "{remark}");
    }
    text
}
