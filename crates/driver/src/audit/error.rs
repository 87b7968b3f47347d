//! Why an audit has no result.

use gaussflow::theory::TheoryError;
use gaussflow_figures::FigureError;

use crate::exit_status::{BAD_INPUT, IO_FAILED};
use crate::run::{RunError, fails_as_a_run};

/// An audit that could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The run that is audited, or a file.
    #[error(transparent)]
    Run(RunError),
    /// A run of the audit could not be made.
    #[error("audit: {0}")]
    Theory(#[source] Box<TheoryError>),
    /// A figure.
    #[error(transparent)]
    Figure(#[from] FigureError),
}

impl From<TheoryError> for AuditError {
    fn from(error: TheoryError) -> Self {
        Self::Theory(Box::new(error))
    }
}

fails_as_a_run!(AuditError);

impl AuditError {
    /// The exit status that belongs to it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Run(error) => error.exit_status(),
            Self::Theory(_) => BAD_INPUT,
            Self::Figure(_) => IO_FAILED,
        }
    }
}
