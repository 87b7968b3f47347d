//! Damped Gauss-Newton solves `((1 - rho) J^T J + rho I) v = J^T b`, Jacobian operators and spectra.
//!
//! | I want to | I use |
//! |---|---|
//! | solve `((1 - rho) J^T J + rho I) v = J^T b` once, and know how good the answer is | [`Factors::solve`] with a [`SolveRequest`]; its [`SolveReport`] says the kernel, residual, rank and condition |
//! | give a Jacobian | a [`DenseJacobian`], a [`SparseJacobian`], a [`RowKronecker`] (`S (.) X`, never formed), or your own [`JacobianOperator`] |
//! | know which kernel would be taken, and why | [`choose`], which gives a [`Choice`] |
//! | solve many systems whose Jacobian changes little | an [`AmortizedFactor`] |
//! | solve one system for many values of rho | a [`SecularFactor`] |
//! | use only products `J v` and `J^T u` | [`MatrixFree`] with [`IterativeSettings`] |
//! | know the smallest and largest singular value | [`Factors::extreme_singular_values`]; along a trajectory a [`SpectrumTracker`] |
//! | project a vector on the range of `J` | a [`RangeBasis`] |
//!
#![doc = include_str!("../README.md")]

mod damped;
mod dense;
mod error;
mod jacobian;
mod matrix_free;
mod path;
mod point;
mod powers;
mod secular;
mod simd;
mod vector;

pub use damped::{Choice, DampedSolver, SolveReport, SolveRequest, UNDAMPED_CONDITION, choose};
pub use dense::extreme::ExtremeSingularValues;
pub use dense::extreme_eigenpairs::Eigenpair;
pub use dense::householder_qr::HouseholderQr;
pub use dense::symmetric::SymmetricEigen;
pub use error::SolveError;
pub use faer;
pub use jacobian::block_diagonal::BlockDiagonal;
pub use jacobian::block_product::{rows_times, rows_times_transposed};
pub use jacobian::kronecker_piece::KroneckerPiece;
pub use jacobian::operator::{DenseJacobian, JacobianOperator};
pub use jacobian::right_side::{Known, RightSide};
pub use jacobian::row_blocks::RowBlocks;
pub use jacobian::row_kronecker::RowKronecker;
pub use jacobian::sparse_jacobian::{SparseJacobian, SparsityPattern};
pub use matrix_free::iterative::{Attained, IterativeReport, IterativeSettings};
pub use matrix_free::lanczos::{Coverage, SpectrumBounds};
pub use matrix_free::solve::MatrixFree;
pub use path::amortized::{AmortizedCounts, AmortizedFactor};
pub use path::spectrum_tracker::{SpectrumTracker, TrackerCounts};
pub use point::factors::{FactorCounts, Factors};
pub use point::range_basis::RangeBasis;
pub use secular::factor::{SecularFactor, SecularMethod};
pub use secular::sparse::SparseInverse;
#[doc(hidden)]
pub use simd::arch::force_instruction_set;
pub use vector::{all_finite, inner_product, norm, squared_distance};
