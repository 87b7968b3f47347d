//! The reproduction of section 5.
pub mod folder;
use std::path::PathBuf;
use crate::error::DriverError;
/// Mode.
#[derive(Clone, Copy)]
pub enum Mode { /// q
 Quick, /// f
 Full }
/// Request.
pub struct Request { /// o
 pub out: PathBuf, /// s
 pub seeds: Option<u64>, /// m
 pub mode: Mode, /// c
 pub check: bool, /// w
 pub write_reference: Option<PathBuf>, /// q
 pub quiet: bool }
/// r
pub fn reproduce(_r: &Request) -> Result<(), DriverError> { Ok(()) }
