//! Every way in which a command can fail, with its exit status.

use crate::audit::AuditError;
use crate::compare::CompareError;
use crate::exit_status::{INTERRUPTED, IO_FAILED};
use crate::fit::FittingError;
use crate::report::ReportError;
use crate::reproduce::ReproduceError;
use crate::run::{RunError, fails_as_a_run};
use crate::sweep::SweepError;
use crate::threads::ThreadError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields hold")]
#[non_exhaustive]
pub enum DriverError {
    /// A run, or what it is made of: configuration, data, files, folder.
    #[error(transparent)]
    Run(RunError),
    /// The user interrupted a run that has a checkpoint.
    #[error("interrupted; the run up to here is on disk. To go on: {command}")]
    InterruptedRun { command: String },
    /// A sweep that could not begin or did not end.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A reproduction of section 5.
    #[error(transparent)]
    Reproduce(#[from] ReproduceError),
    /// An audit.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Folders that cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// A fit.
    #[error(transparent)]
    Fit(#[from] FittingError),
    /// Threads that the system refuses.
    #[error(transparent)]
    Threads(#[from] ThreadError),
}

fails_as_a_run!(DriverError);

impl DriverError {
    /// The exit status that belongs to it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Run(error) => error.exit_status(),
            Self::InterruptedRun { .. } => INTERRUPTED,
            Self::Sweep(error) => error.exit_status(),
            Self::Reproduce(error) => error.exit_status(),
            Self::Audit(error) => error.exit_status(),
            Self::Report(error) => error.exit_status(),
            Self::Compare(error) => error.exit_status(),
            Self::Fit(error) => error.exit_status(),
            Self::Threads(_) => IO_FAILED,
        }
    }
}
