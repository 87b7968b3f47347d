//! Solves at the ends of the range of numbers: what they report of their residual is true, or says that it is unknown.
//!
//! The oracle recomputes the residual with double-double mantissas and exponents of 64 bits.

mod draws;
mod settings;
mod solves;
mod spectra;
mod wide;
