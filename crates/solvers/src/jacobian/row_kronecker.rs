//! The row-wise Kronecker Jacobian `J[j, i d + k] = S[j, i] X[j, k]` of a one-hidden-layer network.
//!
//! `J v = rowsum((S V) * X)` and `J^T u = S^T diag(u) X` with `v` read as V (m x d, row-major), so
//! that products cost O(n m d) and J is never formed; `K = (S S^T) * (X X^T)` entrywise, and
//! `J^T J` from products of pairs of columns.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use std::sync::OnceLock;

use faer::prelude::ReborrowMut;
use faer::{ColMut, Mat, MatMut};
use gaussflow_faer::lower_of_product;

use crate::jacobian::entrywise_kernel::{KernelColumns, kernel_matrix};
use crate::jacobian::feature_pairs::feature_pairs;
use crate::jacobian::few_units_gram::{self, few_units_gram};
use crate::jacobian::gram_choice::{keeps_feature_pairs, pairs_pay};
use crate::jacobian::narrow_gram::{self, narrow_gram};
use crate::jacobian::operator::{JacobianOperator, dense_in};
use crate::jacobian::pair_gram::pair_gram;
use crate::jacobian::row_blocks::{PADDING, ROW_BLOCK, RowBlocks};
use crate::jacobian::row_gram::{self, row_gram};
use crate::jacobian::row_products::{Apply, ApplyTransposed, apply_normal, with_weighted};
use crate::simd::arch::arch;
use crate::simd::parallel;
use crate::vector::{inner_product, inner_product_inlined, subtract_scaled};

/// Blocks of rows that one thread takes at a time, in `J v`.
const PIECE: usize = 4;

/// Hidden units that one thread takes at a time, in `J^T u`.
const UNITS: usize = 24;

/// The operator `S (.) X`, row-wise Kronecker product of S (n x m) and X (n x d).
///
/// Parameter `i d + k` is the weight of hidden unit i on feature k.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{JacobianOperator, RowKronecker};
///
/// let inputs = [1.0, 2.0, 3.0, 4.0]; // two rows of two features
/// let mut jacobian = RowKronecker::new(&inputs, 2, 1);
/// jacobian.left_mut()[(0, 0)] = 10.0;
/// jacobian.left_mut()[(1, 0)] = 100.0;
/// let mut out = [0.0; 2];
/// jacobian.apply(&[1.0, -1.0], &mut out);
/// assert_eq!(out, [-10.0, -100.0]);
/// ```
#[derive(Clone, Debug)]
pub struct RowKronecker {
    left: RowBlocks,
    /// `norm(s_j)^2` of the rows of S, where whoever wrote S wrote them too.
    left_squares: Vec<f64>,
    left_squares_known: bool,
    right: RowBlocks,
    /// X once more, row after row, each padded with zeros.
    by_row: Mat<f64>,
    /// `norm(x_j)^2`, row by row.
    input_squares: Vec<f64>,
    /// Position of the pair of features (k, l) among all pairs, at `l d + k`; beyond [`FEW_FEATURES`] made for the first
    /// Gram matrix, as it would be larger than all else.
    pair_places: OnceLock<Vec<u32>>,
    /// The products of the pairs of features, row after row, where `pair_gram` asks for them and they are few.
    feature_pairs: Option<Mat<f64>>,
}

impl RowKronecker {
    /// An operator with S = 0 (n x `hidden`) over `inputs`, row-major n x `features`.
    ///
    /// A trailing incomplete row of `inputs` is ignored; `features` of 0 gives an empty operator.
    pub fn new(inputs: &[f64], features: usize, hidden: usize) -> Self {
        let rows = inputs.len().checked_div(features).unwrap_or(0);
        let mut right = RowBlocks::zeros(rows, features);
        let padded = features.next_multiple_of(PADDING);
        // One more vector, so that whole vectors can be read from any entry on.
        let mut by_row = Mat::zeros(padded * rows + PADDING, 1);
        for j in 0..rows {
            for k in 0..features {
                right[(j, k)] = inputs[j * features + k];
                by_row[(j * padded + k, 0)] = inputs[j * features + k];
            }
        }
        let squares = |x: &[f64]| inner_product(x, x);
        let input_squares = inputs.chunks_exact(features.max(1)).take(rows).map(squares).collect();
        let left = RowBlocks::zeros(rows, hidden);
        let kept = features > narrow_gram::FEATURES
            && keeps_feature_pairs(rows, features)
            && pairs_pay(rows, hidden, features);
        let feature_pairs =
            kept.then(|| feature_pairs(by_row.col_as_slice(0), padded, rows, features));
        Self {
            left,
            left_squares: vec![0.0; rows],
            left_squares_known: true,
            right,
            by_row,
            input_squares,
            pair_places: if features <= FEW_FEATURES {
                OnceLock::from(pair_places(features))
            } else {
                OnceLock::new()
            },
            feature_pairs,
        }
    }

    /// S, n x m, one column a hidden unit.
    pub fn left(&self) -> &RowBlocks {
        &self.left
    }

    /// S, to be written.
    pub fn left_mut(&mut self) -> &mut RowBlocks {
        self.left_squares_known = false;
        &mut self.left
    }

    /// S and the sums of squares of its rows (length n), both to be written: S is in the cache when it is made, and
    /// the norm of J then takes no pass over it.
    pub fn left_and_squares_mut(&mut self) -> (&mut RowBlocks, &mut [f64]) {
        self.left_squares_known = true;
        (&mut self.left, &mut self.left_squares)
    }

    /// X, n x d, one column a feature.
    pub fn right(&self) -> &RowBlocks {
        &self.right
    }

    /// Number of hidden units m.
    pub fn hidden(&self) -> usize {
        self.left.columns()
    }

    /// Number of features d.
    pub fn features(&self) -> usize {
        self.right.columns()
    }

    /// Length of a row of [`Self::inputs_by_row`]: d, padded.
    pub(crate) fn padded_features(&self) -> usize {
        self.features().next_multiple_of(PADDING)
    }

    /// Row j of X, with what follows it: at least a vector more than d entries.
    pub(crate) fn input_from(&self, j: usize) -> &[f64] {
        &self.by_row.col_as_slice(0)[j * self.padded_features()..]
    }

    /// Multiply-adds of a product with a vector.
    fn multiply_adds(&self) -> f64 {
        self.rows() as f64 * self.columns() as f64
    }

    /// The products of the pairs of features, row after row, if they are kept.
    pub(crate) fn feature_pairs(&self) -> Option<&[f64]> {
        self.feature_pairs.as_ref().map(|pairs| pairs.col_as_slice(0))
    }

    /// Position of the pair of features (k, l) among all pairs, at `l d + k`.
    pub(crate) fn pair_places(&self) -> &[u32] {
        self.pair_places.get_or_init(|| pair_places(self.features()))
    }

    /// The rows of X in block `b`, one after the other, each padded with zeros.
    pub(crate) fn inputs_by_row(&self, b: usize) -> &[f64] {
        let (rows, padded) = (self.right.block_rows(b), self.padded_features());
        &self.by_row.col_as_slice(0)[rows.start * padded..rows.end * padded]
    }
}

impl JacobianOperator for RowKronecker {
    fn rows(&self) -> usize {
        self.left.rows()
    }

    fn columns(&self) -> usize {
        self.hidden() * self.features()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        let product = |first: usize, out: &mut [f64]| {
            arch().dispatch(Apply { jacobian: self, first, v, out });
        };
        if parallel::is_worthwhile(self.multiply_adds()) {
            let piece = PIECE * ROW_BLOCK;
            parallel::for_pieces(out, piece, |k, out| product(k * PIECE, out));
        } else {
            product(0, out);
        }
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        let d = self.features();
        let product = |first: usize, out: &mut [f64]| {
            let units = first..first + out.len().checked_div(d).unwrap_or(0);
            with_weighted(|weighted| {
                let (jacobian, first) = (self, 0);
                arch().dispatch(ApplyTransposed { jacobian, first, units, u, weighted, out });
            });
        };
        if parallel::is_worthwhile(self.multiply_adds()) {
            parallel::for_pieces(out, UNITS * d, |k, out| product(k * UNITS, out));
        } else {
            product(0, out);
        }
    }

    fn normal_apply(&self, v: &[f64], image: &mut [f64], out: &mut [f64]) {
        if parallel::is_worthwhile(self.multiply_adds()) {
            self.apply(v, image);
            self.apply_transposed(image, out);
        } else {
            apply_normal(self, v, None, image, out);
        }
    }

    fn normal_residual(
        &self,
        (b, scale): (&[f64], f64),
        v: &[f64],
        image: &mut [f64],
        out: &mut [f64],
    ) {
        if parallel::is_worthwhile(self.multiply_adds()) {
            self.apply(v, image);
            subtract_scaled(b, scale, image);
            self.apply_transposed(image, out);
        } else {
            apply_normal(self, v, Some((b, scale)), image, out);
        }
    }

    fn write_dense(&self, mut out: MatMut<'_, f64>) {
        arch().dispatch(
            #[inline(always)]
            || {
                for b in 0..self.left.blocks() {
                    let rows = self.left.block_rows(b);
                    let mut columns =
                        out.rb_mut().subrows_mut(rows.start, rows.len()).col_iter_mut();
                    for i in 0..self.hidden() {
                        let s = self.left.column(b, i);
                        for (k, column) in columns.by_ref().take(self.features()).enumerate() {
                            write_product(column, s, self.right.column(b, k));
                        }
                    }
                }
            },
        );
    }

    fn gram(&self, mut out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        if self.columns() == 0 {
            return;
        }
        if self.rows() == 0 {
            out.fill(0.0);
            return;
        }
        let narrow = self.features() <= narrow_gram::FEATURES;
        let by_pairs = narrow || pairs_pay(self.rows(), self.hidden(), self.features());
        if !by_pairs && self.columns() > row_gram::PARAMETERS {
            let dense = dense_in(self, work);
            lower_of_product(out, dense.transpose(), dense);
        } else if out.row_stride() == 1 {
            let gram = match (narrow, by_pairs) {
                (true, _) if few_units_gram::pays(self.rows(), self.hidden()) => few_units_gram,
                (true, _) => narrow_gram,
                (false, true) => pair_gram,
                (false, false) => row_gram,
            };
            gram(self, out, work);
        } else {
            let mut columns = Mat::zeros(out.nrows(), out.ncols());
            self.gram(columns.as_mut(), work);
            out.copy_from_triangular_lower(columns);
        }
    }

    fn kernel(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        kernel_matrix(self, out, work);
    }

    fn kernel_diagonal(&self, out: &mut [f64]) {
        if self.left_squares_known {
            let squares = self.left_squares.iter().zip(&self.input_squares);
            out.iter_mut().zip(squares).for_each(|(o, (s, x))| *o = s * x);
            return;
        }
        arch().dispatch(
            #[inline(always)]
            || {
                for (b, out) in out.chunks_mut(ROW_BLOCK).enumerate() {
                    write_squared_rows(&self.left, b, out);
                }
                for (o, x) in out.iter_mut().zip(&self.input_squares) {
                    *o *= x;
                }
            },
        );
    }

    fn kernel_columns(&self, selected: &[usize], out: MatMut<'_, f64>) {
        arch().dispatch(KernelColumns { jacobian: self, selected, out });
    }

    /// `sum_j S[j, i]^2 x_j x_j^T`, one block a hidden unit.
    fn gram_blocks(&self, out: &mut Vec<f64>) -> usize {
        let d = self.features();
        out.clear();
        out.resize(self.hidden() * d * d, 0.0);
        arch().dispatch(
            #[inline(always)]
            || {
                let mut weighted = [0.0; ROW_BLOCK];
                for b in 0..self.left.blocks() {
                    let weighted = &mut weighted[..self.left.block_rows(b).len()];
                    for (i, block) in out.chunks_exact_mut((d * d).max(1)).enumerate() {
                        let slopes = self.left.column(b, i);
                        for k in 0..d {
                            let inputs = slopes.iter().zip(self.right.column(b, k));
                            for (w, (s, x)) in weighted.iter_mut().zip(inputs) {
                                *w = s * s * x;
                            }
                            for l in 0..=k {
                                block[k * d + l] +=
                                    inner_product_inlined(weighted, self.right.column(b, l));
                            }
                        }
                    }
                }
            },
        );
        for block in out.chunks_exact_mut((d * d).max(1)) {
            for k in 0..d {
                for l in 0..k {
                    block[l * d + k] = block[k * d + l];
                }
            }
        }
        d
    }

    fn gram_operations(&self) -> f64 {
        let (n, m, d) = (self.rows() as f64, self.hidden() as f64, self.features() as f64);
        let narrow = self.features() <= narrow_gram::FEATURES;
        if narrow || pairs_pay(self.rows(), self.hidden(), self.features()) {
            0.5 * n * m * (m + 1.0) * d * (d + 1.0)
        } else {
            n * m * d * (m * d + 1.0)
        }
    }

    fn kernel_operations(&self) -> f64 {
        let n = self.rows() as f64;
        n * n * (self.hidden() + self.features()) as f64
    }

    fn squared_norm(&self) -> f64 {
        if self.left_squares_known {
            return inner_product(&self.input_squares, &self.left_squares);
        }
        let mut sum = 0.0;
        arch().dispatch(
            #[inline(always)]
            || {
                let mut slopes = [0.0; ROW_BLOCK];
                for (b, inputs) in self.input_squares.chunks(ROW_BLOCK).enumerate() {
                    let slopes = &mut slopes[..inputs.len()];
                    write_squared_rows(&self.left, b, slopes);
                    sum += inner_product_inlined(inputs, slopes);
                }
            },
        );
        sum
    }
}

/// Features up to which the places of their pairs (4 MiB) are made with the operator, so that no step allocates them.
const FEW_FEATURES: usize = 1024;

/// Position of the pair of features (k, l) among all pairs, at `l d + k`.
fn pair_places(features: usize) -> Vec<u32> {
    let place = |e: usize| {
        let (k, l) = ((e / features).min(e % features), (e / features).max(e % features));
        // The pairs of 0 with all, then of 1 with the others, and so on.
        u32::try_from(k * features - k * (k + 1) / 2 + l).unwrap_or(u32::MAX)
    };
    (0..features * features).map(place).collect()
}

/// `out = s * x`, entry by entry.
#[inline(always)]
fn write_product(mut out: ColMut<'_, f64>, s: &[f64], x: &[f64]) {
    let factors = s.iter().zip(x);
    if let Some(out) = out.rb_mut().try_as_col_major_mut() {
        for (o, (s, x)) in out.as_slice_mut().iter_mut().zip(factors) {
            *o = s * x;
        }
    } else {
        for (o, (s, x)) in out.iter_mut().zip(factors) {
            *o = s * x;
        }
    }
}

/// `out_j = sum_i A[j, i]^2` for the rows j of block `b`.
#[inline(always)]
fn write_squared_rows(a: &RowBlocks, b: usize, out: &mut [f64]) {
    let block = a.block(b);
    if block.data.is_empty() {
        out.fill(0.0);
    }
    // Four columns at a time: the sums are loaded and stored once for all of them.
    let fours = block.data.chunks(4 * block.stride);
    for (k, columns) in fours.enumerate() {
        if columns.len() == 4 * block.stride {
            let (low, high) = columns.split_at(2 * block.stride);
            let (p, q) = low.split_at(block.stride);
            let (r, s) = high.split_at(block.stride);
            for ((((o, p), q), r), s) in out.iter_mut().zip(p).zip(q).zip(r).zip(s) {
                let before = if k == 0 { 0.0 } else { *o };
                *o = before + ((p * p + q * q) + (r * r + s * s));
            }
            continue;
        }
        if k == 0 {
            out.fill(0.0);
        }
        for column in columns.chunks_exact(block.stride) {
            for (o, x) in out.iter_mut().zip(column) {
                *o += x * x;
            }
        }
    }
}
