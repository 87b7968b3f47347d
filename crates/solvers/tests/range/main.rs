//! Solves at the ends of the range of numbers: what they report of their residual is true, or says that it is unknown.
//!
//! The oracle recomputes the residual with double-double mantissas and exponents of 64 bits.

// Exact powers of two are compared.
#![allow(clippy::float_cmp)]

#[path = "../kernels/double_double.rs"]
#[allow(dead_code, reason = "vectors here are of wider numbers")]
mod double_double;
mod draws;
#[path = "../support/draws.rs"]
mod random;
mod settings;
mod solves;
mod spectra;
mod wide;
