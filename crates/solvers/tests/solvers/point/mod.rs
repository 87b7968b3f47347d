//! Accuracy, refusals and bookkeeping of the solve kernels, judged by the defining equations.
//!
//! The oracle of a solve is the residual of `((1 - rho) J^T J + rho I) v = J^T b` in double-double
//! arithmetic, and the solution that the prescribed singular value decomposition of J gives.

mod cache;
mod inverse;
mod memory;
mod mirrored;
mod projection;
mod refusals;
mod solves;
