//! The products of pairs of features, `x_k x_l` for k <= l, row by row of X, as `pair_gram` multiplies with them.
//!
//! Vectors run along the pairs. Where these leave half of the last vector or more empty, it holds what is left of them
//! for two rows at a time (the 36 pairs of d = 8 take 4 1/2 vectors of eight a row, not 5).

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::Mat;
use pulp::{Simd, WithSimd};

use crate::jacobian::row_blocks::{PADDING, ROW_BLOCK};
use crate::simd::arch::arch;
use crate::simd::column_kernels::write_multiple;

/// Pairs of features, padded to whole vectors, up to which half a vector a row counts.
const HALVED: usize = 17 * PADDING;

/// How the pairs of features of a row lie in vectors.
#[derive(Clone, Copy)]
pub(crate) struct Widths {
    /// All pairs, padded to whole vectors.
    pub(crate) width: usize,
    /// Those in the vectors of one row; the others, if any, share one with the next row's.
    pub(crate) whole: usize,
    /// The others.
    pub(crate) shared: usize,
}

impl Widths {
    /// Numbers that the pairs of so many rows take.
    pub(crate) fn numbers(self, rows: usize) -> usize {
        rows * self.whole + rows.div_ceil(2) * (self.width - self.whole)
    }
}

/// The widths for d features.
pub(crate) struct WidthsFor {
    pub(crate) d: usize,
}

impl WithSimd for WidthsFor {
    type Output = Widths;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Widths {
        let (pairs, lanes) = (self.d * (self.d + 1) / 2, S::F64_LANES);
        let (width, left) = (pairs.next_multiple_of(lanes), pairs % lanes);
        // Less than four numbers are no two of a pair of rows.
        let shares = lanes >= 4 && left > 0 && 2 * left <= lanes && width <= HALVED;
        let (whole, shared) = if shares { (width - lanes, left) } else { (width, 0) };
        Widths { width, whole, shared }
    }
}

/// `x_k x_l` block of rows after block, each as [`write_block_pairs`] has it.
///
/// `by_row` holds the rows of X, `padded` numbers each, and a vector more.
pub(crate) fn feature_pairs(by_row: &[f64], padded: usize, rows: usize, d: usize) -> Mat<f64> {
    let widths = arch().dispatch(WidthsFor { d });
    // The last row's products are stored whole vectors at a time, past its end.
    let mut pairs = Mat::zeros(rows.next_multiple_of(2) * widths.width + PADDING, 1);
    arch().dispatch(WritePairs { by_row, padded, d, out: pairs.col_as_slice_mut(0), widths });
    pairs
}

/// Writes the pairs of features of all rows of X.
struct WritePairs<'a> {
    by_row: &'a [f64],
    padded: usize,
    d: usize,
    out: &'a mut [f64],
    widths: Widths,
}

impl WithSimd for WritePairs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { by_row, padded, d, out, widths } = self;
        let rows = (by_row.len() - PADDING) / padded.max(1);
        for first in (0..rows).step_by(ROW_BLOCK) {
            let count = ROW_BLOCK.min(rows - first);
            let row = |r: usize| &by_row[(first + r) * padded..];
            write_block_pairs(simd, (count, row), d, widths, &mut out[widths.numbers(first)..]);
        }
    }
}

/// The pairs of features of `count` rows, those in whole vectors row after row; then for two rows at a time what
/// is left of them: of the first and of the second row in turns, as many as fill a vector.
#[inline(always)]
pub(crate) fn write_block_pairs<'a, S: Simd>(
    simd: S,
    (count, row): (usize, impl Fn(usize) -> &'a [f64]),
    d: usize,
    Widths { width, whole, shared }: Widths,
    out: &mut [f64],
) {
    if shared == 0 {
        for r in 0..count {
            write_feature_pairs(simd, row(r), d, &mut out[r * width..]);
        }
        return;
    }
    let (rows, halves) = out.split_at_mut(count * whole);
    let mut pairs = [0.0; HALVED + PADDING];
    for (two, halves) in
        halves[..count.div_ceil(2) * S::F64_LANES].chunks_exact_mut(S::F64_LANES).enumerate()
    {
        halves.fill(0.0);
        for r in 2 * two..count.min(2 * two + 2) {
            write_feature_pairs(simd, row(r), d, &mut pairs);
            rows[r * whole..(r + 1) * whole].copy_from_slice(&pairs[..whole]);
            for (k, pair) in pairs[whole..whole + shared].iter().enumerate() {
                halves[2 * k + r % 2] = *pair;
            }
        }
    }
}

/// `x_k x_l` for l >= k, k = 0, 1, ..
///
/// A vector that starts within x may end beyond it, and its products beyond the row: there the next
/// k, or the next row, puts what belongs there; what stays in the padding of a row is never used.
#[inline(always)]
fn write_feature_pairs<S: Simd>(simd: S, x: &[f64], d: usize, out: &mut [f64]) {
    let mut at = 0;
    for k in 0..d {
        write_multiple(simd, (d - k).div_ceil(S::F64_LANES), (x[k], &x[k..]), &mut out[at..]);
        at += d - k;
    }
}
