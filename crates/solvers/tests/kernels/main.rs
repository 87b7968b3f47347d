//! Accuracy, refusals and bookkeeping of the solve kernels, judged by the defining equations.
//!
//! The oracle of a solve is the residual of `((1 - rho) J^T J + rho I) v = J^T b` in double-double
//! arithmetic, and the solution that the prescribed singular value decomposition of J gives.

// Compared with what was put in: zeros, ones, identical bits.
#![allow(clippy::float_cmp)]

mod cache;
#[path = "../support/cases.rs"]
mod cases;
mod double_double;
#[path = "../support/draws.rs"]
mod draws;
mod extremes;
mod inverse;
mod memory;
mod mirrored;
mod projection;
mod refusals;
mod secular;
mod solves;
mod sparse;
mod structured;
mod systems;
mod threads;
mod tiles;
