//! Products of a block of rows with weights: the pre-activations `Z = A W^T`, and backward `A W`.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use std::cell::Cell;

use faer::Accum;
use pulp::{Simd, WithSimd};

use crate::jacobian::row_blocks::RowBlocks;
use crate::simd::arch::arch;
use crate::simd::tile::{
    Scalars, VECTORS, Vectors, groups, most_scalars, put_product, put_short_product,
};

/// Columns of A of one pass: a few vectors of rows of them stay in the second-level cache.
const DEPTH: usize = 256;

/// The same backward: in the first-level cache.
const DEPTH_BACKWARD: usize = 128;

/// Columns up to which a product's set-up would show.
const SHORT: usize = 32;

impl RowBlocks {
    /// Multiplies block `b` of a matrix A (n x c) by vectors: `out[i s + j] = sum_k A[j, k] weights[i c + k]`, for the rows j
    /// of the block, counted from its first row, and the vectors i of `weights` (row-major, length c each).
    ///
    /// s is [`Self::block_stride`]. Vectors for which `out` has no room are left out, and entries past the rows of the block
    /// become 0.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_solvers::RowBlocks;
    /// let mut inputs = RowBlocks::zeros(2, 2);
    /// (inputs[(0, 0)], inputs[(1, 1)]) = (1.0, 2.0);
    /// let mut out = [0.0; RowBlocks::ROWS];
    /// inputs.block_product(0, &[10.0, 100.0], &mut out);
    /// assert_eq!(out[..2], [10.0, 200.0]);
    /// ```
    pub fn block_product(&self, b: usize, weights: &[f64], out: &mut [f64]) {
        let stride = self.block_stride(b);
        if self.columns() == 0 {
            out.fill(0.0);
            return;
        }
        let count = (weights.len() / self.columns()).min(out.len() / stride);
        rows_times_transposed(self.block_data(b), stride, (weights, self.columns()), {
            &mut out[..count * stride]
        });
    }
}

/// Computes `out = A W^T`: column i is the sum of the columns of A with the weights in row i of W.
///
/// A and `out` hold columns `stride` numbers apart, a multiple of the longest SIMD vector (as [`RowBlocks::block_data`]
/// does), as many as fit. The rows of W are `length` numbers apart; entries beyond the number of columns of A are ignored.
///
/// # Panics
/// Where W has fewer rows or entries than that takes.
pub fn rows_times_transposed(
    a: &[f64],
    stride: usize,
    (w, length): (&[f64], usize),
    out: &mut [f64],
) {
    let weights = Scalars { data: w, step: 1, stride: length };
    arch().dispatch(BlockProduct { a, stride, weights, out });
}

/// Computes `out = A W`: column k is the sum of the columns i of A with the weights `W[i, k]`, in the layout of
/// [`rows_times_transposed`].
///
/// # Panics
/// As [`rows_times_transposed`].
pub fn rows_times(a: &[f64], stride: usize, (w, length): (&[f64], usize), out: &mut [f64]) {
    let weights = Scalars { data: w, step: length, stride: 1 };
    arch().dispatch(BlockProduct { a, stride, weights, out });
}

struct BlockProduct<'a> {
    a: &'a [f64],
    stride: usize,
    weights: Scalars<'a>,
    out: &'a mut [f64],
}

impl WithSimd for BlockProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, stride, weights, out } = self;
        if a.is_empty() || stride == 0 {
            out.fill(0.0);
            return;
        }
        let (columns, count) = (a.len() / stride, out.len() / stride);
        let step = most_scalars::<S>(VECTORS);
        // Rows of W far apart share few places of the first-level cache: where several vectors of rows come to them, a
        // copy that they are close in pays.
        let packs = weights.step > 1 && columns > SHORT && count >= step;
        let mut packed = if packs { PACKED.take() } else { Vec::new() };
        let most = if weights.step > 1 { DEPTH_BACKWARD } else { DEPTH };
        for depth in (0..columns).step_by(most) {
            let length = most.min(columns - depth);
            let accum = if depth == 0 { Accum::Replace } else { Accum::Add };
            let mut weights = Scalars { data: &weights.data[depth * weights.step..], ..weights };
            let mut between = weights.stride;
            if packs {
                pack(weights, (length, count, step), &mut packed);
                weights = Scalars { data: &packed, step, stride: 1 };
                between = length;
            }
            for (v, vectors) in groups(stride / S::F64_LANES) {
                let row = v * S::F64_LANES;
                let b = Vectors { data: &a[depth * stride + row..], step: stride };
                for first in (0..count).step_by(step) {
                    let scalars = step.min(count - first);
                    let factors =
                        (Scalars { data: &weights.data[first * between..], ..weights }, b);
                    let target = (&mut out[first * stride + row..], stride, accum);
                    if length <= SHORT {
                        put_short_product(simd, (scalars, vectors), length, factors, target);
                    } else {
                        put_product(simd, (scalars, vectors), length, factors, target);
                    }
                }
            }
        }
        if packs {
            PACKED.set(packed);
        }
    }
}

thread_local! {
    static PACKED: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
}

/// The scalars of a product, `step` of its columns after the other, each such panel row after row.
fn pack(w: Scalars<'_>, (length, count, step): (usize, usize, usize), out: &mut Vec<f64>) {
    out.resize(length * count.next_multiple_of(step), 0.0);
    for l in 0..length {
        let row = &w.data[l * w.step..][..count];
        for (panel, scalars) in row.chunks(step).enumerate() {
            let at = (panel * length + l) * step;
            out[at..at + scalars.len()].copy_from_slice(scalars);
        }
    }
}
