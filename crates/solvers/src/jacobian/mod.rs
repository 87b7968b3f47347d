//! What a Jacobian is, and how its structure makes products cheap.
//!
//! `operator` is the trait, with the dense J; `row_kronecker` is a row of pieces `S (.) X` (`kronecker_piece`)
//! over the kernels around it, of which `gram_choice` takes one (`kernel_of_others`: K between rows here and elsewhere); `sparse_jacobian` holds nonzero entries; `scaling` and `norm` keep products in range; `right_side` is what J^T multiplies; `block_diagonal`
//! is what a metric multiplies rows by.
//!
//! Uses `simd`, `vector`, `powers`, `damped` and `error`.

pub(crate) mod block_diagonal;
pub(crate) mod block_product;
pub(crate) mod entrywise_kernel;
pub(crate) mod feature_pairs;
pub(crate) mod few_units_gram;
pub(crate) mod gram_choice;
pub(crate) mod kernel_of_others;
pub(crate) mod kronecker_piece;
pub(crate) mod narrow_gram;
pub(crate) mod norm;
pub(crate) mod operator;
pub(crate) mod pair_gram;
pub(crate) mod piece_gram;
pub(crate) mod right_side;
pub(crate) mod row_blocks;
pub(crate) mod row_gram;
pub(crate) mod row_kronecker;
pub(crate) mod row_products;
pub(crate) mod scaling;
pub(crate) mod shared_gram;
pub(crate) mod sparse_jacobian;
