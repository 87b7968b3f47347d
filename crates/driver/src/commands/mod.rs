//! The subcommands that have a module of their own, and how commands print.

pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod sweep;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::DriverError;
use crate::records::{Event, RecordError, Status, StopReason};
use crate::remark::remark;
use crate::run::RunRecord;

/// Writes `text` to standard output; a reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// [`DriverError::Record`] where standard output cannot be written otherwise, as on a full disk.
pub(crate) fn print(text: &str) -> Result<(), DriverError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(RecordError::Write { path: PathBuf::from("standard output"), source }.into())
        }
        _ => Ok(()),
    }
}

/// Writes `answer` to standard output as indented JSON.
///
/// # Errors
/// As [`print`].
pub(crate) fn print_json<T: Serialize>(answer: &T) -> Result<(), DriverError> {
    let text = serde_json::to_string_pretty(answer)
        .map_err(|source| RecordError::Json { path: PathBuf::from("standard output"), source })?;
    print(&(text + "\n"))
}

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
