//! Damped Gauss-Newton solves `((1 - rho) J^T J + rho I) v = J^T b`, Jacobian operators and spectra.
#![doc = include_str!("../README.md")]

mod amortized;
mod bidiagonal;

mod block_product;
mod cholesky;
mod condition;
mod conjugate_gradients;
mod damped;
mod dense_form;
mod entrywise_kernel;
mod error;
mod extreme;
mod factors;
mod householder_qr;
mod inverse;
mod iterative;
mod kernels;
mod lanczos;
mod lanczos_path;
mod lsmr;
mod matrix_free;
mod matrix_free_passes;
mod operator;
mod pair_gram;
mod parallel;
mod pivoted_cholesky;
mod plain_reflections;
mod projection;
mod row_blocks;
mod row_kronecker;
mod row_products;
mod solve;
mod spectrum_tracker;
mod thin_svd;
mod tile;
mod tile_cholesky;
mod tridiagonal;
mod vector;

pub use amortized::{AmortizedCounts, AmortizedFactor};
pub use damped::{Choice, DampedSolver, SolveReport, SolveRequest, UNDAMPED_CONDITION, choose};
pub use error::SolveError;
pub use extreme::ExtremeSingularValues;
pub use factors::{FactorCounts, Factors};
pub use faer;
pub use iterative::{Attained, IterativeReport, IterativeSettings};
pub use lanczos::{Coverage, SpectrumBounds};
pub use matrix_free::MatrixFree;
pub use operator::{DenseJacobian, JacobianOperator};
pub use row_blocks::RowBlocks;
pub use row_kronecker::RowKronecker;
pub use spectrum_tracker::{SpectrumTracker, TrackerCounts};
pub use vector::{inner_product, norm};
