//! The subcommands that have a module of their own, a flag and a last line that several have, and what `gaussflow run --json` answers.

pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod sweep;

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use gaussflow_records::{Event, Overwrite, Status, StopReason};
use serde::Serialize;

use crate::remark::remark;
use crate::run::RunRecord;

/// Whether results of ours that this command would not write again may be replaced.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Replacement {
    /// Replace other results of gaussflow that are there; files of others are never replaced.
    #[arg(long)]
    overwrite: bool,
}

impl Replacement {
    /// As the library wants it.
    pub(crate) fn choice(self) -> Overwrite {
        if self.overwrite { Overwrite::Yes } else { Overwrite::No }
    }
}

/// How to see what lies in a folder of runs.
pub(crate) fn what_next(folder: &Path) -> String {
    format!("for a page with charts: gaussflow report {}", folder.display())
}

/// What `gaussflow run --json` prints: outcome.json without the weights, and where the run lies.
#[derive(Serialize)]
pub(crate) struct RunAnswer<'r> {
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
    pub(crate) fn new(record: &'r RunRecord, folder: &'r Path) -> Self {
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
