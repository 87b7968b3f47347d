//! The tangent kernel of `J = S (.) X` by entries, `K = J J^T = (S S^T) * (X X^T)`: O(n^2 (m + d)).
//!
//! Where J is a row of such pieces, K is the sum of theirs. Tiles of both products meet in registers, so that K alone
//! is written.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::prelude::ReborrowMut;
use faer::{Accum, MatMut};
use pulp::{Simd, WithSimd, bytemuck};
use rayon::prelude::*;

use crate::jacobian::kronecker_piece::KroneckerPiece;
use crate::jacobian::pair_gram::aligned;
use crate::jacobian::row_blocks::{PADDING, ROW_BLOCK, RowBlocks};
use crate::simd::arch::arch;
use crate::simd::column_kernels::Columns;
use crate::simd::parallel;
use crate::simd::tile::{
    Scalars, VECTORS, Vectors, add_tile, balanced, has_many_registers, most_scalars, product, put_product, with_tile,
};

/// Columns of S or X of one pass: a few vectors of rows of them stay in the first-level cache.
const DEPTH: usize = 128;

/// Numbers that wait for the last pass over S or X: a few vectors of rows, in a block of columns.
const WAITING: usize = VECTORS * PADDING * ROW_BLOCK;

/// Vectors of a tile: two of four numbers are one cache line of each column, and take twelve sums with six scalars.
const fn most_vectors<S: Simd>() -> usize {
    if has_many_registers::<S>() { VECTORS } else { 2 }
}

/// Writes the lower triangle of K to `out`, a block of columns after the other or several at a time.
pub(crate) fn kernel_matrix(pieces: &[KroneckerPiece], out: MatMut<'_, f64>, work: &mut Vec<f64>) {
    let mut out = out;
    let Some(all) = pieces.first().map(KroneckerPiece::left) else { return };
    let (rows, blocks) = (all.rows(), all.blocks());
    let units: usize = pieces.iter().map(KroneckerPiece::hidden).sum();
    let several = parallel::is_worthwhile(0.5 * (rows * rows) as f64 * units as f64);
    work.resize(if several { blocks } else { 1 } * (2 * WAITING + PADDING), 0.0);
    let columns = |c: usize, out: MatMut<'_, f64>, work: &mut [f64]| {
        arch().dispatch(KernelBlock { pieces, c, out, work });
    };
    if several {
        out.par_col_chunks_mut(ROW_BLOCK)
            .zip(work.par_chunks_mut(2 * WAITING + PADDING))
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
    /// `2 WAITING` numbers.
    work: &'a mut [f64],
}

impl WithSimd for KernelBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pieces, c, mut out, work } = self;
        let scalars = |piece: usize| {
            [pieces[piece].left(), pieces[piece].right()].map(|matrix| {
                let block = matrix.block(c);
                Scalars { data: block.data, step: block.stride, stride: 1 }
            })
        };
        for r in c..pieces[0].left().blocks() {
            put_block(simd, (pieces, &scalars), (r, c == r), work, out.rb_mut());
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
        let mut work = vec![0.0; 2 * WAITING + PADDING];
        for (part, selected) in selected.chunks(ROW_BLOCK).enumerate() {
            // The selected rows of S and of X, each once, as the scalars of the sums.
            let gather = |matrix: &RowBlocks| -> Vec<f64> {
                let columns = 0..matrix.columns();
                columns.flat_map(|i| selected.iter().map(move |&j| matrix[(j, i)])).collect()
            };
            let gathered: Vec<_> =
                pieces.iter().map(|piece| [piece.left(), piece.right()].map(gather)).collect();
            let scalars = |piece: usize| {
                [0, 1].map(|factor: usize| {
                    let data = &gathered[piece][factor][..];
                    Scalars { data, step: selected.len(), stride: 1 }
                })
            };
            let mut out = out.rb_mut().subcols_mut(part * ROW_BLOCK, selected.len());
            for r in 0..pieces[0].left().blocks() {
                put_block(simd, (pieces, &scalars), (r, false), &mut work, out.rb_mut());
            }
        }
    }
}

/// Writes K in the rows of block `r` to `out`, which has all rows and at most [`ROW_BLOCK`] columns; `scalars` are the
/// columns' rows of S and X of a piece. Where `diagonal`, the columns are those of the rows, and the lower triangle is
/// written.
#[inline(always)]
fn put_block<'a, S: Simd>(
    simd: S,
    (pieces, scalars): (&'a [KroneckerPiece], &dyn Fn(usize) -> [Scalars<'a>; 2]),
    (r, diagonal): (usize, bool),
    work: &mut [f64],
    out: MatMut<'_, f64>,
) {
    let rows = pieces[0].left().block_rows(r);
    let mut out = out.subrows_mut(rows.start, rows.len());
    for (v, width) in balanced(rows.len().div_ceil(S::F64_LANES), most_vectors::<S>()) {
        let (row, height) = (v * S::F64_LANES, width * S::F64_LANES);
        let count = if diagonal { out.ncols().min(row + height) } else { out.ncols() };
        for (k, piece) in pieces.iter().enumerate() {
            let [s, x] = scalars(k);
            let (before_s, before_x) = aligned(work, WAITING);
            let at = (r, row, width, count);
            let factors = [
                all_but_last_pass(simd, piece.left(), s, at, before_s, piece.hidden() + piece.features() > DEPTH),
                all_but_last_pass(simd, piece.right(), x, at, before_x, false),
            ];
            let out = out.rb_mut();
            put_tiles(simd, Tiles { factors, row, width, count, diagonal, begins: k == 0, out });
        }
    }
}

/// What is left of a sum over the columns of S or X.
struct LastPass<'a> {
    a: Scalars<'a>,
    b: Vectors<'a>,
    length: usize,
    /// What was summed before.
    before: Option<Columns<'a>>,
}

/// Sums over the columns of `matrix` but the last [`DEPTH`], at `row` of block `r`.
#[inline(always)]
fn all_but_last_pass<'a, S: Simd>(
    simd: S,
    matrix: &'a RowBlocks,
    a: Scalars<'a>,
    (r, row, width, count): (usize, usize, usize, usize),
    before: &'a mut [f64],
    all: bool,
) -> LastPass<'a> {
    let (block, height) = (matrix.block(r), width * S::F64_LANES);
    let from = |first: usize, c: usize| {
        let data = a.data.get(first * a.step + c * a.stride..).unwrap_or_default();
        let vectors = block.data.get(first * block.stride + row..).unwrap_or_default();
        (Scalars { data, ..a }, Vectors { data: vectors, step: block.stride })
    };
    let last = if all { matrix.columns() } else { matrix.columns().saturating_sub(1) / DEPTH * DEPTH };
    for first in (0..last).step_by(DEPTH) {
        let depth = DEPTH.min(last - first);
        let accum = if first == 0 { Accum::Replace } else { Accum::Add };
        for c in (0..count).step_by(most_scalars::<S>(most_vectors::<S>())) {
            let shape = (most_scalars::<S>(most_vectors::<S>()).min(count - c), width);
            let target = (&mut before[c * height..], height, accum);
            put_product(simd, shape, depth, from(first, c), target);
        }
    }
    let (a, b) = from(last, 0);
    let before = (last > 0).then_some(Columns { data: before, stride: height });
    LastPass { a, b, length: matrix.columns() - last, before }
}

/// The last passes of a piece and what follows them, for `width` vectors of rows from `row` on and the first `count`
/// columns of `out`.
struct Tiles<'a> {
    factors: [LastPass<'a>; 2],
    row: usize,
    width: usize,
    count: usize,
    diagonal: bool,
    /// Whether this is the first piece.
    begins: bool,
    out: MatMut<'a, f64>,
}

/// One function an instruction set: its tiles are most of what there is to compile.
#[inline(never)]
fn put_tiles<S: Simd>(simd: S, tiles: Tiles<'_>) {
    simd.vectorize(tiles);
}

impl WithSimd for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { factors: [s, x], row, width, count, diagonal, begins, mut out } = self;
        let end = out.nrows().min(row + width * S::F64_LANES);
        for c in (0..count).step_by(most_scalars::<S>(most_vectors::<S>())) {
            with_tile!(S, most_scalars::<S>(most_vectors::<S>()).min(count - c), width, |C, V| {
                let s = s.tile::<S, C, V>(simd, c);
                let x = x.tile::<S, C, V>(simd, c);
                for i in 0..C {
                    let column = out.rb_mut().col_mut(c + i);
                    let first = if diagonal { row.max(c + i) } else { row };
                    let mut sums = [simd.splat_f64s(0.0); V];
                    for v in 0..V {
                        sums[v] = simd.mul_f64s(s[i][v], x[i][v]);
                    }
                    if end - first == V * S::F64_LANES
                        && let Some(column) = column.try_as_col_major_mut()
                    {
                        let out = S::as_mut_simd_f64s(&mut column.as_slice_mut()[first..end]).0;
                        for v in 0..V {
                            out[v] = if begins { sums[v] } else { simd.add_f64s(out[v], sums[v]) };
                        }
                        continue;
                    }
                    let column = out.rb_mut().col_mut(c + i);
                    let sums: &[f64] = bytemuck::cast_slice(&sums);
                    for (o, sum) in
                        column.subrows_mut(first, end - first).iter_mut().zip(&sums[first - row..])
                    {
                        *o = if begins { *sum } else { *o + sum };
                    }
                }
            });
        }
    }
}

impl LastPass<'_> {
    /// The sums of `C` columns from `c` on.
    #[inline(always)]
    fn tile<S: Simd, const C: usize, const V: usize>(
        &self,
        simd: S,
        c: usize,
    ) -> [[S::f64s; V]; C] {
        let data = self.a.data.get(c * self.a.stride..).unwrap_or_default();
        let mut tile = product::<S, C, V>(simd, self.length, Scalars { data, ..self.a }, self.b);
        if let Some(Columns { data, stride }) = self.before {
            add_tile(simd, Columns { data: &data[c * stride..], stride }, &mut tile);
        }
        tile
    }
}
