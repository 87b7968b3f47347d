//! Why a reproduction has no result, or another one than the reference.

use gaussflow::solvers::SolveError;
use gaussflow_figures::FigureError;

use crate::audit::AuditError;
use crate::exit_status::{BAD_INPUT, CHECK_FAILED, IO_FAILED};
use crate::report::ReportError;
use crate::run::{RunError, fails_as_a_run};

/// A reproduction that did not come to its end, or moved from the committed reference.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields hold")]
#[non_exhaustive]
pub enum ReproduceError {
    /// The number of seeds is out of range.
    #[error("--seeds is {seeds}; accepted: a whole number from 1 to 1000000")]
    Seeds { seeds: u64 },
    /// A run, its data or a file.
    #[error(transparent)]
    Run(RunError),
    /// Linear regression, a baseline.
    #[error("linear regression on the drawn rows has no answer: {0}")]
    Regression(#[from] SolveError),
    /// The audit.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A figure.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Results moved from the committed reference.
    #[error("{count} of {compared} reference values moved")]
    Moved { count: usize, compared: usize },
}

fails_as_a_run!(ReproduceError);

impl ReproduceError {
    /// The exit status that belongs to it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Seeds { .. } | Self::Regression(_) => BAD_INPUT,
            Self::Run(error) => error.exit_status(),
            Self::Audit(error) => error.exit_status(),
            Self::Figure(_) => IO_FAILED,
            Self::Report(error) => error.exit_status(),
            Self::Moved { .. } => CHECK_FAILED,
        }
    }
}
