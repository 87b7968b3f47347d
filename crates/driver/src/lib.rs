//! The gaussflow command as a library: configuration, experiments, records, figures, claims and checks.
#![doc = include_str!("../README.md")]
#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a stream that ends would end the program; `console` prints"
)]

pub mod audit;
pub mod checkpoint;
pub mod command_line;
mod commands;
pub mod compare;
pub mod config;
pub mod console;
pub mod data;
mod error;
pub mod experiment;
pub mod figures;
pub mod fit;
pub mod geometry;
pub mod needs;
mod progress;
pub mod records;
pub mod remark;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod sweep;
pub mod threads;

pub use error::{BAD_INPUT, CHECK_FAILED, DriverError, INTERRUPTED, IO_FAILED};
