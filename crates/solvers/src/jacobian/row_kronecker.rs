//! The Jacobian of a network: pieces `S_l (.) X_l` side by side, each a row-wise Kronecker product.
//!
//! `J[j, i d + k] = S[j, i] X[j, k]` in each piece. `J v = rowsum((S V) * X)` and `J^T u = S^T diag(u) X` with `v` read
//! as V (m x d, row-major), so that products cost O(n m d) and J is never formed; `K = (S S^T) * (X X^T)` entrywise,
//! and `J^T J` from products of pairs of columns. Over pieces, `J v` and K add up, `J^T u` is their parts one after
//! the other, and `J^T J` has a block for every two.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::prelude::ReborrowMut;
use faer::{ColMut, Mat, MatMut};

use crate::jacobian::block_diagonal::BlockDiagonal;
use crate::jacobian::entrywise_kernel::{KernelColumns, kernel_matrix};
use crate::jacobian::kernel_of_others::{kernel_with_rows, write_rows_of_factors};
use crate::jacobian::kronecker_piece::KroneckerPiece;
use crate::jacobian::operator::JacobianOperator;
use crate::jacobian::piece_gram::{gram, gram_operations};
use crate::jacobian::row_blocks::{ROW_BLOCK, RowBlocks};
use crate::jacobian::row_products::{Apply, ApplyTransposed, apply_normal, with_weighted};
use crate::simd::arch::arch;
use crate::simd::parallel;
use crate::vector::{inner_product, inner_product_inlined, subtract_scaled};

/// Blocks of rows that one thread takes at a time, in `J v`.
const PIECE: usize = 4;

/// Hidden units that one thread takes at a time, in `J^T u`.
const UNITS: usize = 24;

/// Represents a Jacobian `[S_1 (.) X_1 | S_2 (.) X_2 | ..]`, row-wise Kronecker products of S (n x m) and X (n x d) side by
/// side, without forming it.
///
/// Column `i d + k` of a piece has the entries `S[j, i] X[j, k]`: the derivative with respect to the weight of unit i on
/// feature k, as in a neural network.
///
/// # Cost
/// A product with J or `J^T` takes about `n m d` multiply-adds per piece, and the memory of S and X, `n (m + d)` numbers.
///
/// # Source
/// Section 2.1 of the paper (one hidden layer, one piece).
///
/// # Examples
/// ```
/// use gaussflow_solvers::{JacobianOperator, RowKronecker};
///
/// let inputs = [1.0, 2.0, 3.0, 4.0]; // two rows of two features
/// let mut jacobian = RowKronecker::new(&inputs, 2, 1);
/// let left = jacobian.pieces_mut()[0].left_mut();
/// (left[(0, 0)], left[(1, 0)]) = (10.0, 100.0);
/// let mut out = [0.0; 2];
/// jacobian.apply(&[1.0, -1.0], &mut out);
/// assert_eq!(out, [-10.0, -100.0]);
/// ```
#[derive(Clone, Debug)]
pub struct RowKronecker {
    /// At least one, all of the same number of rows.
    pieces: Vec<KroneckerPiece>,
}

impl RowKronecker {
    /// Creates one piece with S = 0 (n x `hidden`) over `inputs` (row-major, n x `features`), as [`KroneckerPiece::new`]
    /// does.
    pub fn new(inputs: &[f64], features: usize, hidden: usize) -> Self {
        Self::of_piece(KroneckerPiece::new(inputs, features, hidden))
    }

    /// Creates the operator of this piece alone.
    pub fn of_piece(piece: KroneckerPiece) -> Self {
        Self { pieces: vec![piece] }
    }

    /// Adds one more piece on the right.
    ///
    /// # Panics
    /// Where the piece has another number of rows.
    #[must_use]
    pub fn with_piece(mut self, piece: KroneckerPiece) -> Self {
        assert_eq!(piece.left().rows(), self.rows(), "all pieces of a row have its rows");
        self.pieces.push(piece);
        self
    }

    /// Returns the pieces from left to right.
    pub fn pieces(&self) -> &[KroneckerPiece] {
        &self.pieces
    }

    /// Returns the pieces, to be written.
    pub fn pieces_mut(&mut self) -> &mut [KroneckerPiece] {
        &mut self.pieces
    }

    /// Multiply-adds of a product with a vector.
    fn multiply_adds(&self) -> f64 {
        self.rows() as f64 * self.columns() as f64
    }
}

impl JacobianOperator for RowKronecker {
    fn rows(&self) -> usize {
        self.pieces[0].left().rows()
    }

    fn columns(&self) -> usize {
        self.pieces.iter().map(KroneckerPiece::columns).sum()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        let product = |first: usize, out: &mut [f64]| {
            arch().dispatch(Apply { pieces: &self.pieces, first, v, out });
        };
        if parallel::is_worthwhile(self.multiply_adds()) {
            let piece = PIECE * ROW_BLOCK;
            parallel::for_pieces(out, piece, |k, out| product(k * PIECE, out));
        } else {
            product(0, out);
        }
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        let several = parallel::is_worthwhile(self.multiply_adds());
        let mut rest = out;
        for jacobian in &self.pieces {
            let (out, later) = rest.split_at_mut(jacobian.columns());
            let d = jacobian.features();
            let product = |first: usize, out: &mut [f64]| {
                let units = first..first + out.len().checked_div(d).unwrap_or(0);
                with_weighted(|weighted| {
                    let first = 0;
                    arch().dispatch(ApplyTransposed { jacobian, first, units, u, weighted, out });
                });
            };
            if several {
                parallel::for_pieces(out, UNITS * d, |k, out| product(k * UNITS, out));
            } else {
                product(0, out);
            }
            rest = later;
        }
    }

    fn normal_apply(&self, v: &[f64], image: &mut [f64], out: &mut [f64]) {
        if parallel::is_worthwhile(self.multiply_adds()) {
            self.apply(v, image);
            self.apply_transposed(image, out);
        } else {
            apply_normal(&self.pieces, v, None, image, out);
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
            apply_normal(&self.pieces, v, Some((b, scale)), image, out);
        }
    }

    fn write_dense(&self, out: MatMut<'_, f64>) {
        write_rows_of(&self.pieces, 0..self.pieces[0].left().blocks(), out);
    }

    fn gram(&self, mut out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        if out.row_stride() == 1 {
            gram(&self.pieces, out, work);
        } else {
            let mut columns = Mat::zeros(out.nrows(), out.ncols());
            gram(&self.pieces, columns.as_mut(), work);
            out.copy_from_triangular_lower(columns);
        }
    }

    fn write_weighted(&self, root: BlockDiagonal<'_>, out: &mut Self) -> bool {
        let mut pieces = self.pieces.iter().zip(&mut out.pieces);
        pieces.all(|(piece, out)| piece.write_weighted(root, out))
    }

    fn kernel(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        kernel_matrix(&self.pieces, out, work);
    }

    fn kernel_diagonal(&self, out: &mut [f64]) {
        out.fill(0.0);
        for piece in &self.pieces {
            for_squared_rows(piece, |first, slopes, inputs| {
                for (o, (s, x)) in out[first..].iter_mut().zip(slopes.iter().zip(inputs)) {
                    *o += s * x;
                }
            });
        }
    }

    fn kernel_columns(&self, selected: &[usize], out: MatMut<'_, f64>) {
        arch().dispatch(KernelColumns { pieces: &self.pieces, selected, out });
    }

    fn write_kernel_rows(&self, out: &mut Vec<f64>) {
        write_rows_of_factors(&self.pieces, out);
    }

    fn kernel_with(&self, others: &[f64], out: MatMut<'_, f64>) {
        kernel_with_rows(&self.pieces, others, out);
    }

    /// `sum_j S[j, i]^2 x_j x_j^T`, one block a hidden unit.
    fn gram_blocks(&self, out: &mut Vec<f64>, orders: &mut Vec<usize>) {
        out.clear();
        orders.clear();
        for piece in &self.pieces {
            let begin = out.len();
            out.resize(begin + piece.columns() * piece.features(), 0.0);
            write_unit_blocks(piece, &mut out[begin..]);
            orders.extend(std::iter::repeat_n(piece.features(), piece.hidden()));
        }
    }

    fn gram_operations(&self) -> f64 {
        gram_operations(&self.pieces)
    }

    fn kernel_operations(&self) -> f64 {
        let n = self.rows() as f64;
        let depth: usize = self.pieces.iter().map(|piece| piece.hidden() + piece.features()).sum();
        n * n * depth as f64
    }

    fn squared_norm(&self) -> f64 {
        let mut sum = 0.0;
        for piece in &self.pieces {
            for_squared_rows(piece, |_, slopes, inputs| sum += inner_product(inputs, slopes));
        }
        sum
    }
}

/// Writes the rows of J in `blocks`, the first at the top of `out`.
pub(crate) fn write_rows_of(
    pieces: &[KroneckerPiece],
    blocks: std::ops::Range<usize>,
    mut out: MatMut<'_, f64>,
) {
    let first = blocks.start * ROW_BLOCK;
    arch().dispatch(
        #[inline(always)]
        || {
            for b in blocks {
                let rows = pieces[0].left().block_rows(b);
                let mut columns =
                    out.rb_mut().subrows_mut(rows.start - first, rows.len()).col_iter_mut();
                for piece in pieces {
                    for i in 0..piece.hidden() {
                        let s = piece.left().column(b, i);
                        for (k, column) in columns.by_ref().take(piece.features()).enumerate() {
                            write_product(column, s, piece.right().column(b, k));
                        }
                    }
                }
            }
        },
    );
}

/// Shows `visit` `norm(s_j)^2` and `norm(x_j)^2` of the rows of a piece from a first one on, until all were shown.
fn for_squared_rows(piece: &KroneckerPiece, mut visit: impl FnMut(usize, &[f64], &[f64])) {
    if let Some(slopes) = piece.left_squares() {
        return visit(0, slopes, piece.input_squares());
    }
    let mut slopes = [0.0; ROW_BLOCK];
    for (b, inputs) in piece.input_squares().chunks(ROW_BLOCK).enumerate() {
        let slopes = &mut slopes[..inputs.len()];
        arch().dispatch(
            #[inline(always)]
            || write_squared_rows(piece.left(), b, slopes),
        );
        visit(b * ROW_BLOCK, slopes, inputs);
    }
}

/// `sum_j S[j, i]^2 x_j x_j^T` for every unit i, one after the other, added to `out`.
fn write_unit_blocks(piece: &KroneckerPiece, out: &mut [f64]) {
    let d = piece.features();
    arch().dispatch(
        #[inline(always)]
        || {
            let mut weighted = [0.0; ROW_BLOCK];
            for b in 0..piece.left().blocks() {
                let weighted = &mut weighted[..piece.left().block_rows(b).len()];
                for (i, block) in out.chunks_exact_mut((d * d).max(1)).enumerate() {
                    let slopes = piece.left().column(b, i);
                    for k in 0..d {
                        let inputs = slopes.iter().zip(piece.right().column(b, k));
                        for (w, (s, x)) in weighted.iter_mut().zip(inputs) {
                            *w = s * s * x;
                        }
                        for l in 0..=k {
                            block[k * d + l] +=
                                inner_product_inlined(weighted, piece.right().column(b, l));
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
