//! The subcommands that have a module of their own, and what `gaussflow run --json` answers.

pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod sweep;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::records::{Event, Status, StopReason};
use crate::remark::remark;
use crate::run::RunRecord;

/// The word that a serializable choice has in the files.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).map(|text| text.trim_matches('"').to_owned()).unwrap_or_default()
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
