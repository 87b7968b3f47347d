//! Factorizations and spectra of dense matrices, which know nothing of a Jacobian.
//!
//! `cholesky` (by tiles below some order), `householder_qr`, `thin_svd`, `symmetric` and `extreme_eigenpairs`, `extreme`
//! (singular values by Sturm counts over `bidiagonal` and `tridiagonal`), `condition`.
//!
//! Uses `simd`, `vector`, `powers` and `error`.

pub(crate) mod bidiagonal;
pub(crate) mod cholesky;
pub(crate) mod condition;
pub(crate) mod extreme;
pub(crate) mod extreme_eigenpairs;
pub(crate) mod householder_qr;
pub(crate) mod padded_square;
pub(crate) mod plain_reflections;
pub(crate) mod symmetric;
pub(crate) mod thin_svd;
pub(crate) mod tile_cholesky;
pub(crate) mod tile_solve;
pub(crate) mod tridiagonal;
