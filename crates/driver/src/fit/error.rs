//! Why a fit has no result.

use std::path::PathBuf;

use gaussflow::dynamics::FitError;
use gaussflow::network::NetworkError;
use gaussflow_data::DataError;
use gaussflow_figures::FigureError;
use gaussflow_records::RecordError;

use super::problem::ProblemError;
use crate::exit_status::{BAD_INPUT, IO_FAILED};

/// A fit that could not start or be written; one that does not converge is a result.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields hold")]
#[non_exhaustive]
pub enum FittingError {
    /// The problem file.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network that the problem asks for.
    #[error("[network]: {0}")]
    Network(#[from] NetworkError),
    /// The fit could not start.
    #[error("the fit: {0}")]
    Fit(#[from] FitError),
    /// The folder holds the fit of another problem.
    #[error(
        "{}: the fit of {problem} is there; name another folder, or replace it with --overwrite",
        path.display()
    )]
    OtherFit {
        path: PathBuf,
        /// The problem's file, relative to the folder.
        problem: String,
    },
    /// A file of the fit.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A picture.
    #[error(transparent)]
    Figure(#[from] FigureError),
}

impl FittingError {
    /// The exit status that belongs to it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Problem(ProblemError::Read { .. }) | Self::Figure(_) => IO_FAILED,
            Self::Problem(_) | Self::Network(_) | Self::Fit(_) | Self::OtherFit { .. } => BAD_INPUT,
            Self::Data(error) => error.exit_status(),
            Self::Record(error) => error.exit_status(),
        }
    }
}
