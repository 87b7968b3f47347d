//! The gaussflow command as a library: configuration, experiments, records, figures, claims and checks.
#![doc = include_str!("../README.md")]

pub mod command_line;
pub mod config;
pub mod data;
mod error;
pub mod experiment;
pub mod figures;
pub mod geometry;
pub mod records;
pub mod report;
pub mod reproduce;
pub mod run;

pub use error::{BAD_INPUT, CHECK_FAILED, DriverError, INTERRUPTED, IO_FAILED};
