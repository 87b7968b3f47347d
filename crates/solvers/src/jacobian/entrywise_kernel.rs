//! The tangent kernel of `J = S (.) X` by entries, `K = J J^T = (S S^T) * (X X^T)`: O(n^2 (m + d)).
//!
//! Where J is a row of such pieces, K is the sum of theirs.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::prelude::ReborrowMut;
use faer::{Accum, ColMut, MatMut};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::jacobian::kronecker_piece::KroneckerPiece;
use crate::jacobian::row_blocks::{Block, ROW_BLOCK, RowBlocks};
use crate::simd::arch::arch;
use crate::simd::parallel;
use crate::simd::tile::{Scalars, VECTORS, Vectors, groups, most_scalars, put_product};

/// Columns of S of one pass: a block's rows of them stay in the second-level cache.
const DEPTH: usize = 128;

/// Numbers that a block of columns is computed in.
const SCRATCH: usize = 2 * ROW_BLOCK * ROW_BLOCK;

/// Writes the lower triangle of K to `out`, a block of columns after the other or several at a time.
pub(crate) fn kernel_matrix(pieces: &[KroneckerPiece], out: MatMut<'_, f64>, work: &mut Vec<f64>) {
    let mut out = out;
    let Some(all) = pieces.first().map(KroneckerPiece::left) else { return };
    let (rows, blocks) = (all.rows(), all.blocks());
    let units: usize = pieces.iter().map(KroneckerPiece::hidden).sum();
    let several = parallel::is_worthwhile(0.5 * (rows * rows) as f64 * units as f64);
    work.resize(if several { blocks * SCRATCH } else { SCRATCH }, 0.0);
    let columns = |c: usize, out: MatMut<'_, f64>, work: &mut [f64]| {
        arch().dispatch(KernelBlock { pieces, c, out, work });
    };
    if several {
        out.par_col_chunks_mut(ROW_BLOCK)
            .zip(work.par_chunks_mut(SCRATCH))
            .enumerate()
            .for_each(|(c, (out, work))| columns(c, out, work));
    } else {
        for c in 0..blocks {
            let range = all.block_rows(c);
            columns(c, out.rb_mut().subcols_mut(range.start, range.len()), work);
        }
    }
}

/// Writes the lower triangle of K in the columns of block `c` to `out`, which holds these columns.
struct KernelBlock<'a> {
    /// At least one.
    pieces: &'a [KroneckerPiece],
    c: usize,
    out: MatMut<'a, f64>,
    /// [`SCRATCH`] numbers.
    work: &'a mut [f64],
}

impl WithSimd for KernelBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pieces, c, mut out, work } = self;
        let (slopes, inputs) = work.split_at_mut(ROW_BLOCK * ROW_BLOCK);
        let all = pieces[0].left();
        for (r, (k, jacobian)) in
            (c..all.blocks()).flat_map(|r| pieces.iter().enumerate().map(move |piece| (r, piece)))
        {
            for (matrix, out) in [(jacobian.left(), &mut *slopes), (jacobian.right(), &mut *inputs)]
            {
                put_block_products(simd, matrix, r, (scalars_of(matrix.block(c)), c == r), out);
            }
            let rows = all.block_rows(r);
            let products = slopes.chunks(ROW_BLOCK).zip(inputs.chunks(ROW_BLOCK));
            for (column, (s, x)) in products.take(out.ncols()).enumerate() {
                let first = rows.start.max(c * ROW_BLOCK + column);
                let out = out.rb_mut().col_mut(column).subrows_mut(first, rows.end - first);
                let at = first - rows.start..rows.len();
                write_or_add(out, &s[at.clone()], &x[at], k == 0);
            }
        }
    }
}

/// `out = s * x`, entry by entry, or that added to it.
#[inline(always)]
fn write_or_add(out: ColMut<'_, f64>, s: &[f64], x: &[f64], begins: bool) {
    let products = s.iter().zip(x).map(|(s, x)| s * x);
    if begins {
        out.iter_mut().zip(products).for_each(|(o, product)| *o = product);
    } else {
        out.iter_mut().zip(products).for_each(|(o, product)| *o += product);
    }
}

/// The rows of a block as scalars of a sum over columns.
fn scalars_of(block: Block<'_>) -> (Scalars<'_>, usize) {
    (Scalars { data: block.data, step: block.stride, stride: 1 }, block.rows)
}

/// `out[c 136 + r] = sum_i A[row r of block, i] columns[i, c]`; of a diagonal block only tiles that
/// reach the lower triangle.
#[inline(always)]
fn put_block_products<S: Simd>(
    simd: S,
    matrix: &RowBlocks,
    block: usize,
    ((columns, count), diagonal): ((Scalars<'_>, usize), bool),
    out: &mut [f64],
) {
    let rows = matrix.block(block);
    let vectors = rows.rows.div_ceil(S::F64_LANES);
    if matrix.columns() == 0 {
        out.fill(0.0);
    }
    for first in (0..matrix.columns()).step_by(DEPTH) {
        let depth = DEPTH.min(matrix.columns() - first);
        let accum = if first == 0 { Accum::Replace } else { Accum::Add };
        for c in (0..count).step_by(most_scalars::<S>(VECTORS)) {
            let scalars = most_scalars::<S>(VECTORS).min(count - c);
            let data = &columns.data[first * columns.step + c * columns.stride..];
            let a = Scalars { data, ..columns };
            for (v, width) in groups(vectors) {
                let row = v * S::F64_LANES;
                if diagonal && row + width * S::F64_LANES <= c {
                    continue;
                }
                let b =
                    Vectors { data: &rows.data[first * rows.stride + row..], step: rows.stride };
                let target = (&mut out[c * ROW_BLOCK + row..], ROW_BLOCK, accum);
                put_product(simd, (scalars, width), depth, (a, b), target);
            }
        }
    }
}

/// Writes the columns `selected` of K to `out` (n x number selected).
pub(crate) struct KernelColumns<'a> {
    pub(crate) pieces: &'a [KroneckerPiece],
    pub(crate) selected: &'a [usize],
    pub(crate) out: MatMut<'a, f64>,
}

impl WithSimd for KernelColumns<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pieces, selected, mut out } = self;
        // The selected rows of S and of X, each once, as the scalars of the sums.
        let gather = |matrix: &RowBlocks| -> Vec<f64> {
            let entries = (0..matrix.columns()).flat_map(|i| selected.iter().map(move |&j| (j, i)));
            entries.map(|at| matrix[at]).collect()
        };
        let mut work = vec![0.0; 2 * ROW_BLOCK * ROW_BLOCK];
        let (slopes, inputs) = work.split_at_mut(ROW_BLOCK * ROW_BLOCK);
        for (k, jacobian) in pieces.iter().enumerate() {
            let (s, x) = (gather(jacobian.left()), gather(jacobian.right()));
            for (part, chosen) in selected.chunks(ROW_BLOCK).enumerate() {
                let first = part * ROW_BLOCK;
                for b in 0..jacobian.left().blocks() {
                    for (matrix, data, out) in
                        [(jacobian.left(), &s, &mut *slopes), (jacobian.right(), &x, &mut *inputs)]
                    {
                        let scalars = Scalars {
                            data: &data[first.min(data.len())..],
                            step: selected.len(),
                            stride: 1,
                        };
                        let columns = ((scalars, chosen.len()), false);
                        put_block_products(simd, matrix, b, columns, out);
                    }
                    let rows = jacobian.left().block_rows(b);
                    let products = slopes.chunks(ROW_BLOCK).zip(inputs.chunks(ROW_BLOCK));
                    for (c, (s, x)) in products.take(chosen.len()).enumerate() {
                        let column = out.rb_mut().col_mut(first + c);
                        let out = column.subrows_mut(rows.start, rows.len());
                        write_or_add(out, s, x, k == 0);
                    }
                }
            }
        }
    }
}
