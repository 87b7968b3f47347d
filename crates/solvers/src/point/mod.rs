//! The damped system at one point: which kernel solves it, and what its factors give besides.
//!
//! `solve` is the loop, `kernels` one function a kernel, `factors` every factorization of this J, `memory` what J is too
//! large for; `inverse`, `projection` and `range_basis` use the factors for the geometry.
//!
//! Uses `matrix_free`, `dense`, `jacobian` and what lies below.

pub(crate) mod dense_form;
pub(crate) mod factors;
pub(crate) mod inverse;
pub(crate) mod kernels;
pub(crate) mod memory;
pub(crate) mod projection;
pub(crate) mod range_basis;
pub(crate) mod slot;
pub(crate) mod solve;
