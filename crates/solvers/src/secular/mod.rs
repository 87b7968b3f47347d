//! Steps for every damping from one factorization of J, for fits.
//!
//! `factor` is the door; `factorization`, `reduced` and `bidiagonal` hold dense J, `sparse` and `sparse_cholesky` sparse
//! ones; `jacobi` and `reflections` serve small orders; `equation` solves for the radius.
//!
//! Uses `dense`, `jacobian` and what lies below; not `matrix_free`.

pub(crate) mod bidiagonal;
pub(crate) mod equation;
pub(crate) mod factor;
pub(crate) mod factorization;
pub(crate) mod jacobi;
pub(crate) mod reduced;
pub(crate) mod reflections;
pub(crate) mod sparse;
pub(crate) mod sparse_cholesky;
