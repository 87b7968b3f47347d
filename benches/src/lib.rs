//! What the benchmarks measure: problems, steps, questions, peers, tables and instruction counts.
#![doc = include_str!("../README.md")]
#![allow(clippy::missing_errors_doc, reason = "all fail where a side or a peer fails")]

pub mod case;
pub mod classes_step;
pub mod deep;
pub mod dense_step;
pub mod euler;
pub mod grid;
pub mod headline;
pub mod instructions;
pub mod interleave;
pub mod large_step;
pub mod operations;
pub mod peer;
pub mod plots;
pub mod problems;
pub mod questions;
pub mod report;
pub mod small_manifold;
pub mod targets;
