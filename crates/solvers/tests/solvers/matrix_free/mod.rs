//! Matrix-free solves and spectra, judged by the defining equation and by dense factorizations.
//!
//! The residual `J^T b - (1-rho) J^T J v - rho v` is formed here from the dense J, entry by entry.

mod allocations;
mod random;
mod refusals;
mod solves;
mod spectrum;
