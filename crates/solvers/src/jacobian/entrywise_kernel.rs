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
    Scalars, VECTORS, Vectors, add_tile, groups, most_scalars, product, put_product, with_tile,
};

/// Columns of S or X of one pass: a few vectors of rows of them stay in the first-level cache.
const DEPTH: usize = 128;

/// Numbers that sums over S or X take until their last pass: a few vectors of rows, in a block of columns.
const SUMS: usize = VECTORS * PADDING * ROW_BLOCK;

/// Numbers that a block of columns is computed in.
const SCRATCH: usize = 2 * SUMS + PADDING;

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
        let mut work = vec![0.0; SCRATCH];
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

/// Writes K in the rows of block `r` to `out`, which has all rows and at most [`ROW_BLOCK`] columns, of whose rows
/// `scalars` gives S and X by piece. Of a `diagonal` block, the columns are the rows, and the lower triangle is written.
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
    let (sums_s, sums_x) = aligned(work, SUMS);
    for (v, width) in groups(rows.len().div_ceil(S::F64_LANES)) {
        let (row, end) = (v * S::F64_LANES, (v + width) * S::F64_LANES);
        let count = if diagonal { out.ncols().min(end) } else { out.ncols() };
        for (k, piece) in pieces.iter().enumerate() {
            let [s, x] = scalars(k);
            let sum = |matrix: &'a RowBlocks, scalars| {
                let block = matrix.block(r);
                let vectors = &block.data[row.min(block.data.len())..];
                let vectors = Vectors { data: vectors, step: block.stride };
                Sum { scalars, vectors, length: matrix.columns(), before: None }
            };
            let (s, x) = (sum(piece.left(), s), sum(piece.right(), x));
            // Both last passes share the cache.
            let kept = if s.length + x.length > DEPTH { 0 } else { DEPTH };
            let factors = [
                s.all_but(kept, simd, (count, width), sums_s),
                x.all_but(DEPTH, simd, (count, width), sums_x),
            ];
            let out = out.rb_mut();
            put_tiles(simd, Tiles { factors, row, width, count, diagonal, begins: k == 0, out });
        }
    }
}

/// A sum over columns of S or X, of scalars by vectors, and what was summed before.
struct Sum<'a> {
    scalars: Scalars<'a>,
    vectors: Vectors<'a>,
    length: usize,
    before: Option<Columns<'a>>,
}

impl<'a> Sum<'a> {
    /// What is left of it after all passes, or with `kept` of [`DEPTH`] all but the last, for `count` scalars and `width`
    /// vectors, of which `sums` holds the results.
    #[inline(always)]
    fn all_but<S: Simd>(
        mut self,
        kept: usize,
        simd: S,
        (count, width): (usize, usize),
        sums: &'a mut [f64],
    ) -> Self {
        let (most, stride) = (most_scalars::<S>(VECTORS), width * S::F64_LANES);
        let mut accum = Accum::Replace;
        while self.length > kept {
            let depth = self.length.min(DEPTH);
            for c in (0..count).step_by(most) {
                let a = Scalars { data: &self.scalars.data[c..], ..self.scalars };
                let target = (&mut sums[c * stride..], stride, accum);
                put_product(simd, (most.min(count - c), width), depth, (a, self.vectors), target);
            }
            let after = |data: &'a [f64], step: usize| data.get(depth * step..).unwrap_or_default();
            self.scalars.data = after(self.scalars.data, self.scalars.step);
            self.vectors.data = after(self.vectors.data, self.vectors.step);
            self.length -= depth;
            accum = Accum::Add;
        }
        if let Accum::Add = accum {
            self.before = Some(Columns { data: sums, stride });
        }
        self
    }

    /// Its tile of `C` scalars from `c` on.
    #[inline(always)]
    fn tile<S: Simd, const C: usize, const V: usize>(
        &self,
        simd: S,
        c: usize,
    ) -> [[S::f64s; V]; C] {
        // One apart, as a constant, scalars need no addresses of their own in the innermost loop.
        let data = self.scalars.data.get(c..).unwrap_or_default();
        let scalars = Scalars { data, stride: 1, ..self.scalars };
        let mut tile = product::<S, C, V>(simd, self.length, scalars, self.vectors);
        if let Some(Columns { data, stride }) = self.before {
            add_tile(simd, Columns { data: &data[c * stride..], stride }, &mut tile);
        }
        tile
    }
}

/// What the sums of a piece give K in `width` vectors of rows from `row` on and the first `count` columns of `out`.
struct Tiles<'a> {
    factors: [Sum<'a>; 2],
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
    #[allow(clippy::needless_range_loop, reason = "iterators here cost the compiler its registers")]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { factors: [s, x], row, width, count, diagonal, begins, mut out } = self;
        let end = out.nrows().min(row + width * S::F64_LANES);
        for c in (0..count).step_by(most_scalars::<S>(VECTORS)) {
            with_tile!(S, most_scalars::<S>(VECTORS).min(count - c), width, |C, V| {
                let mut tile = s.tile::<S, C, V>(simd, c);
                let inputs = x.tile::<S, C, V>(simd, c);
                for i in 0..C {
                    for v in 0..V {
                        tile[i][v] = simd.mul_f64s(tile[i][v], inputs[i][v]);
                    }
                }
                let height = V * S::F64_LANES;
                let whole = end - row == height && !(diagonal && c + C > row + 1);
                if whole
                    && let Some(place) =
                        out.rb_mut().get_mut(row..row + height, c..c + C).try_as_col_major_mut()
                {
                    for (column, sums) in place.col_iter_mut().zip(&tile) {
                        let out = S::as_mut_simd_f64s(column.as_slice_mut()).0;
                        for (o, sum) in out.iter_mut().zip(sums) {
                            *o = if begins { *sum } else { simd.add_f64s(*o, *sum) };
                        }
                    }
                } else {
                    for (i, sums) in tile.iter().enumerate() {
                        let first = if diagonal { row.max(c + i) } else { row };
                        let column = out.rb_mut().col_mut(c + i).subrows_mut(first, end - first);
                        let sums: &[f64] = &bytemuck::cast_slice(sums)[first - row..];
                        for (o, sum) in column.iter_mut().zip(sums) {
                            *o = if begins { *sum } else { *o + sum };
                        }
                    }
                }
            });
        }
    }
}
