//! faer's routines for matrices of `f64` on one thread, each compiled once.
//!
//! Every function panics where the shapes of its arguments do not fit, or the work space is too small for them.
#![doc = include_str!("../README.md")]
#![allow(
    clippy::missing_errors_doc,
    reason = "iterations end with `NoConvergence`, Cholesky with a pivot"
)]

mod cholesky;
mod qr;
mod spectral;
mod triangular;

pub use cholesky::{cholesky, cholesky_scratch, sparse_ldlt, sparse_ldlt_solve};
pub use faer;
pub use qr::{apply_q, apply_q_transposed, qr, qr_scratch};
pub use spectral::{
    NoConvergence, evd, evd_scratch, self_adjoint_eigen, self_adjoint_eigenvalues, singular_values,
    svd, svd_scratch, thin_svd,
};
pub use triangular::{invert_upper, lower_of_product, matmul, product, solve_lower, solve_upper};
