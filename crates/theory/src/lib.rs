//! Constants and thresholds of the paper's theorems, section 4, each with its provenance.
#![doc = include_str!("../README.md")]

mod constants;

pub use constants::Constants;
