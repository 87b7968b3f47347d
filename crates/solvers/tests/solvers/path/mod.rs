//! What is carried from point to point of a path must not change an answer: values tracked by
//! `SpectrumTracker` are those of a fresh dense computation, solves of `AmortizedFactor` satisfy
//! `((1 - rho) J^T J + rho I) v = J^T b` as a solve at one point does.

mod amortized;
mod amortized_losses;
mod amortized_refusals;
mod certificates;
mod paths;
mod tracker;
