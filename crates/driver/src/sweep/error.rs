//! Why a sweep could not begin or did not end, and how to go on.

use std::path::PathBuf;

use crate::exit_status::{BAD_INPUT, INTERRUPTED, IO_FAILED};
use crate::run::{RunError, fails_as_a_run};
use crate::threads::ThreadError;

/// A sweep that is not finished. What is on disk stays there.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields hold")]
#[non_exhaustive]
pub enum SweepError {
    /// The number of runs at a time is 0.
    #[error("--jobs is 0; accepted: a whole number, at least 1")]
    NoJobs,
    /// A run, its configuration or data, or a file.
    #[error(transparent)]
    Run(RunError),
    /// The folder holds runs, and nothing says that they are to be kept.
    #[error(
        "{}: {runs} runs are there already; --resume goes on with them, --overwrite makes them again; or \
         name another folder",
        path.display()
    )]
    NotEmpty { path: PathBuf, runs: usize },
    /// A finished run of another configuration has the name of a planned one.
    #[error(
        "{}: a finished run whose config.toml is not the planned one; name another folder for the \
         changed sweep, or replace its runs with --overwrite",
        path.display()
    )]
    OtherConfiguration { path: PathBuf },
    /// The data are not those that the folder was begun with.
    #[error(
        "{}: begun on {before}, but the configuration now names {now}; name another folder",
        path.display()
    )]
    OtherData { path: PathBuf, before: String, now: String },
    /// Another sweep writes to the folder.
    #[error("{}: another sweep is writing here; wait for it, or end it", path.display())]
    Busy { path: PathBuf },
    /// Threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadError),
    /// The user interrupted it.
    #[error("interrupted; {done} of {all} runs are on disk. To go on: {command}")]
    Interrupted { done: usize, all: usize, command: String },
    /// A file could not be written.
    #[error("{reason}\n{done} of {all} runs are on disk. To go on: {command}")]
    Stopped { reason: String, done: usize, all: usize, command: String },
}

fails_as_a_run!(SweepError);

impl SweepError {
    /// The exit status that belongs to it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Run(error) => error.exit_status(),
            Self::NoJobs
            | Self::NotEmpty { .. }
            | Self::OtherConfiguration { .. }
            | Self::OtherData { .. } => BAD_INPUT,
            Self::Busy { .. } | Self::Threads(_) | Self::Stopped { .. } => IO_FAILED,
            Self::Interrupted { .. } => INTERRUPTED,
        }
    }
}
