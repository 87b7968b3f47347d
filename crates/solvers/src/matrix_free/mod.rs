//! Solves and spectra that use only the products `J v` and `J^T u`.
//!
//! `solve` is the door, `iterate` and `passes` the loop, over `conjugate_gradients` and `lsmr`; `pivoted_cholesky` and
//! `block_jacobi` precondition; `lanczos` finds extreme singular values.
//!
//! Uses `dense`, `jacobian` and what lies below; not `secular`.

pub(crate) mod block_jacobi;
pub(crate) mod conjugate_gradients;
pub(crate) mod iterate;
pub(crate) mod iterative;
pub(crate) mod lanczos;
pub(crate) mod lsmr;
pub(crate) mod passes;
pub(crate) mod pivoted_cholesky;
pub(crate) mod solve;
