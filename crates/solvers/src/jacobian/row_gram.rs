//! The Gram matrix of `J = S (.) X`, or of a row of such pieces, for few parameters: the rows of J, some at a time,
//! and a product of them.
//!
//! Where there are few rows or few units, the pairs of `pair_gram` cost more than they save.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::prelude::ReborrowMut;
use faer::{Accum, MatMut};
use pulp::{Simd, WithSimd};

use crate::jacobian::kronecker_piece::KroneckerPiece;
use crate::jacobian::pair_gram::aligned;
use crate::jacobian::row_blocks::{PADDING, ROW_BLOCK};
use crate::simd::arch::arch;
use crate::simd::tile::{Scalars, Vectors, put_products};

/// Most parameters: beyond, a general product is as fast.
pub(crate) const PARAMETERS: usize = 128;

/// Numbers of the rows of a pass, in the first-level cache.
const PASS: usize = 3 * 1024;

/// Writes the lower triangle of `J^T J` to `out` (p x p, column-major).
pub(crate) fn row_gram(pieces: &[KroneckerPiece], mut out: MatMut<'_, f64>, work: &mut Vec<f64>) {
    let order = out.ncols();
    let width = order.next_multiple_of(PADDING);
    let rows = (PASS / width).clamp(PADDING, ROW_BLOCK);
    // A unit's features are stored whole vectors at a time, past the end of the last row.
    let scratch = rows * width + PADDING;
    let total = order * width + scratch + PADDING;
    if work.len() < total {
        work.resize(total, 0.0);
    }
    let (sums, scratch) = aligned(work, order * width);
    arch().dispatch(RowProducts { pieces, width, rows, sums: &mut *sums, scratch });
    for (c, sums) in sums.chunks_exact(width).enumerate() {
        // `out` is column-major.
        let column = out.rb_mut().col_mut(c).try_as_col_major_mut();
        let Some(column) = column else { continue };
        column.as_slice_mut()[c..].copy_from_slice(&sums[c..order]);
    }
}

/// Sums over all rows, column after column, `width` numbers each.
struct RowProducts<'a> {
    /// At least one.
    pieces: &'a [KroneckerPiece],
    /// Parameters, padded to whole vectors.
    width: usize,
    /// Rows of a pass.
    rows: usize,
    sums: &'a mut [f64],
    scratch: &'a mut [f64],
}

impl WithSimd for RowProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pieces, width, rows, sums, scratch } = self;
        let order: usize = pieces.iter().map(KroneckerPiece::columns).sum();
        let all = pieces[0].left();
        for b in 0..all.blocks() {
            let count = all.block(b).rows;
            for first in (0..count).step_by(rows) {
                let count = rows.min(count - first);
                write_rows(simd, pieces, (b, first, count), scratch, width);
                let a = Scalars { data: scratch, step: width, stride: 1 };
                let rows = Vectors { data: scratch, step: width };
                // No column whose diagonal lies below a group's rows.
                let tiles = (|end| order.min(end), width / S::F64_LANES);
                let accum = if b + first == 0 { Accum::Replace } else { Accum::Add };
                put_products(simd, tiles, count, (a, rows), (&mut *sums, width, accum));
            }
        }
    }
}

/// Rows of J, `width` numbers each: those of block `b` from `first` on.
///
/// The last vector of a unit's features may reach beyond them: there the next unit, or the next row, puts what
/// belongs there.
#[inline(always)]
fn write_rows<S: Simd>(
    simd: S,
    pieces: &[KroneckerPiece],
    (b, first, count): (usize, usize, usize),
    out: &mut [f64],
    width: usize,
) {
    for r in 0..count {
        let mut begin = r * width;
        for jacobian in pieces {
            let (s, d) = (jacobian.left().block(b), jacobian.features());
            let x = &jacobian.inputs_by_row(b)[(first + r) * jacobian.padded_features()..];
            for i in 0..jacobian.hidden() {
                let slope = simd.splat_f64s(s.data[i * s.stride + first + r]);
                for k in (0..d).step_by(S::F64_LANES) {
                    let x = S::as_simd_f64s(&x[k..k + S::F64_LANES]).0[0];
                    let out = &mut out[begin + k..begin + k + S::F64_LANES];
                    S::as_mut_simd_f64s(out).0[0] = simd.mul_f64s(slope, x);
                }
                begin += d;
            }
        }
    }
}
