//! The files of a run folder (schema 1): written whole or not at all, and read
//! back to the same 64-bit numbers.
//!
//! | file | written by | read by |
//! |---|---|---|
//! | trace.csv | [`write_trace`] | [`read_trace`] |
//! | problem.json | [`write_json`] of a [`Problem`] | [`Problem::read`] |
//! | outcome.json, manifest.json, claims.json, audit.json, timing.json | [`write_json`] | [`read_json`] |
//! | weights.npy, weights_steps.npy | [`write_npy`], [`write_npy_integers`] | [`read_npy`], `numpy.load` |
//! | config.toml, figures | [`write_bytes`] | |
//!
//! [`ownership`] decides which files this program wrote; it never replaces any other.
//!
#![doc = include_str!("../README.md")]
#![allow(clippy::missing_errors_doc, reason = "all fail with `RecordError`, which names the file")]

mod atomic;
mod audit;
mod checkpoint;
pub mod checksum;
mod error;
pub mod faults;
pub mod folder;
mod json;
mod layer;
mod manifest;
mod npy;
pub mod number;
pub mod ownership;
#[cfg(test)]
mod tests;
mod timing;
mod trace;
mod weights;

pub use self::atomic::{AtomicFile, create_folder, write_bytes};
pub use self::audit::{AuditAttack, AuditCorrection, AuditHypothesis, AuditRecord};
pub use self::checkpoint::CheckpointRecord;
pub use self::checksum::FileSum;
pub use self::error::{RecordError, open_file, read_text};
pub use self::json::{
    AllRows, Claim, ClassRecord, Confusion, DataIdentity, Event, EventKind, Manifest, Outcome,
    Problem, RunEntry, SCHEMA, SeedVerdict, Status, StopReason, read_json, rows_of, word,
    write_json,
};
pub use self::manifest::{read_manifest, run_folder};
pub use self::npy::{NpyArray, read_npy, write_npy, write_npy_integers};
pub use self::number::cell;
pub use self::ownership::Overwrite;
pub use self::timing::Timing;
pub use self::trace::{TRACE_COLUMNS, TraceRow, parse_trace, read_trace, trace_text, write_trace};
pub use self::weights::{LayerRecord, Numbers, OutputRecord};
