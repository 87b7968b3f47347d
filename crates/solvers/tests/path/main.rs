//! What is carried from point to point of a path must not change an answer: values tracked by
//! `SpectrumTracker` are those of a fresh dense computation, solves of `AmortizedFactor` satisfy
//! `((1 - rho) J^T J + rho I) v = J^T b` as a solve at one point does.

// Compared with what must be the same bits: a second run, a fresh computation.
#![allow(clippy::float_cmp)]

mod amortized;
mod amortized_losses;
mod amortized_refusals;
#[path = "../support/cases.rs"]
mod cases;
mod certificates;
#[path = "../support/draws.rs"]
mod draws;
mod paths;
mod tracker;
