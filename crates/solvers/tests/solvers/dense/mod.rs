//! Factorizations and spectra of dense matrices.

mod extremes;
mod tiles;
