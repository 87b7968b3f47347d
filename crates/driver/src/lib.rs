//! The gaussflow command as a library: configuration, runs, sweeps, fits, claims, checks and reports.
#![doc = include_str!("../README.md")]
#![allow(clippy::missing_errors_doc, reason = "each module has one error, whose variants say when")]
#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a stream that ends would end the program; `console` prints"
)]

pub mod audit;
pub mod command_line;
mod commands;
pub mod compare;
pub mod conclusions;
pub mod config;
pub mod console;
mod error;
mod exit_status;
pub mod fit;
mod grouped;
mod house_style;
pub mod needs;
mod progress;
mod quantile;
pub mod remark;
pub mod report;
pub mod reproduce;
mod reproduction_mode;
pub mod run;
pub mod sweep;
pub mod threads;

pub use error::DriverError;
pub use exit_status::{BAD_INPUT, CHECK_FAILED, INTERRUPTED, IO_FAILED};
