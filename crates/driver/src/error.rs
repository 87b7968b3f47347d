//! Every way in which a command can fail, with its exit status.

use std::path::PathBuf;

use gaussflow::dynamics::{FitError, SimulationError};
use gaussflow::network::NetworkError;
use gaussflow::objective::{LossError, ObjectiveError};

use gaussflow::theory::TheoryError;

use crate::compare::CompareError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::figures::FigureError;
use crate::fit::ProblemError;
use crate::needs::TooLarge;
use crate::records::RecordError;
use crate::sweep::SweepError;

/// Exit status of a failed `--check`.
pub const CHECK_FAILED: u8 = 1;
/// Exit status of bad usage, configuration or data.
pub const BAD_INPUT: u8 = 2;
/// Exit status of a failed read or write.
pub const IO_FAILED: u8 = 3;
/// Exit status after an interrupt.
pub const INTERRUPTED: u8 = 130;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// The configuration.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A run that needs more memory than it may take.
    #[error(transparent)]
    TooLarge(#[from] Box<TooLarge>),
    /// A file of a run.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A figure.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The network that the configuration asks for.
    #[error("[network]: {0}")]
    Network(#[from] NetworkError),
    /// The loss that the configuration asks for.
    #[error("[loss]: {0}")]
    Loss(#[from] LossError),
    /// Loss, map and scaling do not fit.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// The problem file of a fit.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// The fit could not start.
    #[error("the fit: {0}")]
    Fit(#[from] FitError),
    /// The run could not start.
    #[error("[dynamics]: {0}")]
    Simulation(SimulationError),
    /// A run of the audit could not be made.
    #[error("audit: {0}")]
    Theory(#[source] Box<TheoryError>),
    /// The output folder holds something else.
    #[error(
        "{}: the folder holds files but no manifest.json of ours; \
         name an empty or new folder, or one that an earlier run wrote",
        path.display()
    )]
    ForeignFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The run's folder holds another run.
    #[error(
        "{}: a run of another configuration is there ({what}); name another folder, or replace it with \
         --overwrite",
        path.display()
    )]
    OtherRun {
        /// The run's folder.
        path: PathBuf,
        /// A difference.
        what: String,
    },
    /// The folder's manifest tells of runs that the command does not make.
    #[error(
        "{}: its manifest.json lists {count} other runs, the first {first}; name another folder, or let \
         --overwrite drop them from the manifest",
        path.display()
    )]
    OtherRuns {
        /// The folder.
        path: PathBuf,
        /// The first of them.
        first: String,
        /// How many there are.
        count: usize,
    },
    /// The folder holds the fit of another problem.
    #[error(
        "{}: the fit of {problem} is there; name another folder, or replace it with --overwrite",
        path.display()
    )]
    OtherFit {
        /// The fit.json.
        path: PathBuf,
        /// The problem's file, relative to the folder.
        problem: String,
    },
    /// A folder to report on that no command of ours wrote.
    #[error(
        "{}: neither a manifest.json nor a run that gaussflow wrote is there; \
         name a folder that gaussflow run, sweep or reproduce wrote, or one run's folder",
        path.display()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// A number of the command line is out of range.
    #[error("{flag} is {value}; accepted: {accepted}")]
    Usage {
        /// The flag.
        flag: &'static str,
        /// Its value.
        value: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// Results moved from the committed reference.
    #[error("{count} of {compared} reference values moved")]
    Moved {
        /// How many.
        count: usize,
        /// Of how many.
        compared: usize,
    },
    /// A sweep that could not begin or did not end.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// Folders that cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// The user interrupted the command.
    #[error("interrupted; what was finished is on disk")]
    Interrupted,
    /// The user interrupted a run that has a checkpoint.
    #[error("interrupted; the run up to here is on disk. To go on: {command}")]
    InterruptedRun {
        /// The command that resumes.
        command: String,
    },
}

impl From<ConfigError> for DriverError {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

impl From<SimulationError> for DriverError {
    fn from(error: SimulationError) -> Self {
        match error {
            // What recorders return is that a file of the run cannot be written.
            SimulationError::Observer(error) => match error.downcast::<RecordError>() {
                Ok(error) => Self::Record(*error),
                Err(error) => Self::Simulation(SimulationError::Observer(error)),
            },
            other => Self::Simulation(other),
        }
    }
}

impl DriverError {
    /// The exit status that belongs to it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Config(error) => error.exit_status(),
            Self::Data(error) => error.exit_status(),
            Self::Record(error) => error.exit_status(),
            Self::Sweep(error) => error.exit_status(),
            Self::Figure(_) | Self::Problem(ProblemError::Read { .. }) => IO_FAILED,
            Self::Problem(_)
            | Self::TooLarge(_)
            | Self::Network(_)
            | Self::Loss(_)
            | Self::Objective(_)
            | Self::Simulation(_)
            | Self::Theory(_)
            | Self::Compare(_)
            | Self::Fit(_)
            | Self::ForeignFolder { .. }
            | Self::OtherRun { .. }
            | Self::OtherRuns { .. }
            | Self::OtherFit { .. }
            | Self::NotOurs { .. }
            | Self::Usage { .. } => BAD_INPUT,
            Self::Moved { .. } => CHECK_FAILED,
            Self::Interrupted | Self::InterruptedRun { .. } => INTERRUPTED,
        }
    }
}
