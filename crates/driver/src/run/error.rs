//! Why there is no run, or no place for it.

use std::path::PathBuf;

use gaussflow::dynamics::SimulationError;
use gaussflow::network::NetworkError;
use gaussflow::objective::{LossError, MapError, ObjectiveError};
use gaussflow_data::DataError;
use gaussflow_records::RecordError;

use crate::config::ConfigError;
use crate::exit_status::{BAD_INPUT, INTERRUPTED};
use crate::needs::TooLarge;

/// Why a run could not be set up, made, written or read.
///
/// The errors of whatever makes runs hold it as their variant `Run`; `?` turns the errors in it into theirs.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields hold")]
#[non_exhaustive]
pub enum RunError {
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
    /// The network that the configuration asks for.
    #[error("[network]: {0}")]
    Network(#[from] NetworkError),
    /// The network has no value on the rows.
    #[error("[network]: {0}")]
    Map(#[from] MapError),
    /// The loss that the configuration asks for.
    #[error("[loss]: {0}")]
    Loss(#[from] LossError),
    /// A target that is no class.
    #[error(
        "[loss]: softmax takes the column {column:?} for classes, and row {row} (from 0) has {value}; accepted: whole \
         numbers from 0 on (below 10000), or one column a class with probabilities"
    )]
    Label { column: String, row: usize, value: f64 },
    /// Loss, map and scaling do not fit.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// The run could not start.
    #[error("[dynamics]: {0}")]
    Simulation(SimulationError),
    /// The output folder holds something else.
    #[error(
        "{}: the folder holds files but no manifest.json of ours; \
         name an empty or new folder, or one that an earlier run wrote",
        path.display()
    )]
    ForeignFolder { path: PathBuf },
    /// The run's folder holds another run.
    #[error(
        "{}: a run of another configuration is there ({what}); name another folder, or replace it with \
         --overwrite",
        path.display()
    )]
    OtherRun { path: PathBuf, what: String },
    /// The folder's manifest tells of runs that the command does not make.
    #[error(
        "{}: its manifest.json lists {count} other runs, the first {first}; name another folder, or let \
         --overwrite drop them from the manifest",
        path.display()
    )]
    OtherRuns { path: PathBuf, first: String, count: usize },
    /// The user interrupted the command.
    #[error("interrupted; what was finished is on disk")]
    Interrupted,
}

impl From<ConfigError> for RunError {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

impl From<SimulationError> for RunError {
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

impl RunError {
    /// The exit status that belongs to it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Config(error) => error.exit_status(),
            Self::Data(error) => error.exit_status(),
            Self::Record(error) => error.exit_status(),
            Self::Interrupted => INTERRUPTED,
            _ => BAD_INPUT,
        }
    }
}

/// What a run may fail with becomes the variant `Run` of a command's error.
macro_rules! fails_as_a_run {
    ($error:ty) => {
        impl<E> From<E> for $error
        where
            RunError: From<E>,
        {
            fn from(error: E) -> Self {
                Self::Run(error.into())
            }
        }
    };
}
pub(crate) use fails_as_a_run;
