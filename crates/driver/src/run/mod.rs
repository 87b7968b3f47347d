//! One run: its problem, its flow recorded step by step, its checkpoints, and where it lies on disk.
//!
//! `experiment.rs` makes a problem of a configuration and its data (`classes.rs`: outputs and classes); `execute.rs` follows the flow, and `record.rs` writes what it came to into the
//! run's folder (of rows that are read in parts: `part.rs`), with the columns of `geometry.rs` and the checkpoints of `checkpoint.rs`; `folder.rs` is the output
//! folder that may hold many runs; `into_folder.rs` does all of it
//! for one configuration; `error.rs` says why there is no run.

mod checkpoint;
mod classes;
mod error;
mod execute;
mod experiment;
mod folder;
mod geometry;
mod into_folder;
mod part;
mod record;

pub use self::checkpoint::{CHECKPOINTS, CheckpointFile, Start, remove_empty_folder};
pub use self::classes::Outputs;
pub use self::error::RunError;
pub(crate) use self::error::fails_as_a_run;
pub use self::execute::{INTERRUPT, Keeping, Over, execute, execute_on, execute_with};
pub use self::experiment::{Experiment, HeldOut, RunObjective, load};
pub use self::folder::{RunFolder, identity, new_manifest};
pub use self::geometry::LARGEST_HESSIAN;
pub use self::into_folder::{Extent, RunRequest, WrittenRun, run_into};
pub use self::part::{Part, PartConstants, PartMap, UnscaledPart};
pub(crate) use self::record::write_outcome;
pub use self::record::{RunRecord, failed_outcome, write};
