//! The Gram matrix of `J = S (.) X` as one product of symmetric pairs, never forming J.
//!
//! `(J^T J)[i d + k, i' d + k'] = sum_j (S_ji S_ji') (X_jk X_jk')` is symmetric in (i, i') and in
//! (k, k') separately, so that `m(m+1)/2` by `d(d+1)/2` sums give all `(m d)^2` entries:
//! `2 (m d + 1) / ((m+1)(d+1))` times fewer operations than a symmetric rank-n update.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::prelude::ReborrowMut;
use faer::{Accum, ColMut, MatMut};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::jacobian::feature_pairs::{Widths, WidthsFor, write_block_pairs};
use crate::jacobian::kronecker_piece::KroneckerPiece;
use crate::jacobian::row_blocks::{Block, ROW_BLOCK};
use crate::simd::arch::arch;
use crate::simd::column_kernels::{Columns, write_products};
use crate::simd::parallel;
use crate::simd::tile::{
    Scalars, VECTORS, Vectors, most_scalars, put_products, put_two_row_products,
};

/// Numbers that the pairs of features of one block of rows may take: a third of the usual second-level cache.
const FEATURE_PAIRS: usize = 20 * 1024;

/// Numbers that the pairs of units may take which are multiplied at a time: half a first-level cache, where
/// they are written and read again at once.
const UNIT_PAIRS: usize = 2 * 1024 + 128;

/// Numbers of a cache line, and of the longest vector.
const ALIGNMENT: usize = 8;

/// Pairs of units that one thread takes at a time.
const PIECE: usize = 96;

/// Writes the lower triangle of `J^T J` to `out` (p x p, column-major).
pub(crate) fn pair_gram(jacobian: &KroneckerPiece, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
    let (m, d) = (jacobian.hidden(), jacobian.features());
    let unit_pairs = m * (m + 1) / 2;
    let widths = arch().dispatch(WidthsFor { d });
    let width = widths.width;
    let several =
        parallel::is_worthwhile((jacobian.left().rows() * unit_pairs) as f64 * width as f64);
    let piece = if several { PIECE } else { unit_pairs.max(1) };
    let pass = arch().dispatch(PassFor { widths, pairs: piece });
    let pieces = unit_pairs.div_ceil(piece);
    let total = unit_pairs * width + pieces * pass.scratch() + 2 * ALIGNMENT;
    if work.len() < total {
        work.resize(total, 0.0);
    }
    let (sums, scratch) = aligned(work, unit_pairs * width);
    let product = |k: usize, sums: &mut [f64], scratch: &mut [f64]| {
        let first = k * piece;
        arch().dispatch(PairProducts { jacobian, pass, first, sums, scratch });
    };
    if several {
        sums.par_chunks_mut(piece * width)
            .zip(scratch.par_chunks_mut(pass.scratch()))
            .enumerate()
            .for_each(|(k, (sums, scratch))| product(k, sums, scratch));
    } else {
        product(0, sums, scratch);
    }
    arch().dispatch(Scatter { sums, width, places: jacobian.pair_places(), out });
}

/// How much of a product one pass over the rows takes.
#[derive(Clone, Copy)]
struct Pass {
    widths: Widths,
    /// Rows: their pairs of features fit the cache.
    rows: usize,
    /// Pairs of units.
    chunk: usize,
}

/// The pass for so wide pairs of features, over at most so many pairs of units.
struct PassFor {
    widths: Widths,
    pairs: usize,
}

impl WithSimd for PassFor {
    type Output = Pass;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Pass {
        let Self { widths, pairs } = self;
        let rows =
            (FEATURE_PAIRS / widths.width.max(1)).clamp(ALIGNMENT, ROW_BLOCK) & !(ALIGNMENT - 1);
        // Full tiles.
        let scalars = most_scalars::<S>(VECTORS);
        let chunk = (UNIT_PAIRS / rows / scalars * scalars).clamp(scalars, pairs.max(scalars));
        Pass { widths, rows, chunk }
    }
}

impl Pass {
    /// Numbers that a pass works in. The last row's products are stored whole vectors at a time, past
    /// its end.
    fn scratch(self) -> usize {
        self.rows * self.widths.width + self.chunk * self.rows + 4 * ALIGNMENT
    }
}

/// `sums[(i, i'), .] = sum over all rows of S_ji S_ji' X_jk X_jl`, for the pairs of units from `first` on.
struct PairProducts<'a> {
    jacobian: &'a KroneckerPiece,
    pass: Pass,
    first: usize,
    sums: &'a mut [f64],
    scratch: &'a mut [f64],
}

impl WithSimd for PairProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { jacobian, pass: Pass { widths, rows, chunk }, first, sums, scratch } = self;
        let (d, Widths { width, whole, shared }) = (jacobian.features(), widths);
        let (features, rest) = aligned(scratch, rows * width + 2 * ALIGNMENT);
        let (units, _) = aligned(rest, chunk * rows);
        for b in 0..jacobian.left().blocks() {
            let s = jacobian.left().block(b);
            for row in (0..s.rows).step_by(rows) {
                let (count, j) = (rows.min(s.rows - row), b * ROW_BLOCK + row);
                let features = if let Some(kept) = jacobian.feature_pairs() {
                    // Where rows share vectors, a pass takes a whole block.
                    &kept[widths.numbers(j)..][..widths.numbers(count)]
                } else {
                    let input = |r: usize| jacobian.input_from(j + r);
                    write_block_pairs(simd, (count, input), d, widths, features);
                    &*features
                };
                let accum = if j == 0 { Accum::Replace } else { Accum::Add };
                let mut place = place_of(first);
                for sums in sums.chunks_mut(chunk * width) {
                    let pairs = sums.len() / width;
                    place =
                        write_unit_pairs(simd, s, (place, row), &mut units[..pairs * rows], rows);
                    // `sums[pair, .]` and the sum over count rows of units[row, pair] features[row, .]`.
                    let a = Scalars { data: &*units, step: 1, stride: rows };
                    let b = Vectors { data: features, step: whole };
                    let tiles = (|_| pairs, whole / S::F64_LANES);
                    put_products(simd, tiles, count, (a, b), (&mut *sums, width, accum));
                    if shared > 0 {
                        let b = Vectors { data: &features[count * whole..], step: S::F64_LANES };
                        let target = (&mut sums[whole..], width, accum);
                        put_two_row_products(simd, pairs, count.div_ceil(2), (a, b), target);
                    }
                }
            }
        }
        if shared > 0 {
            for sums in sums.chunks_exact_mut(width) {
                for k in 0..shared {
                    sums[whole + k] = sums[whole + 2 * k] + sums[whole + 2 * k + 1];
                }
            }
        }
    }
}

/// The units (i, i') of a pair: pairs are numbered (0, 0), (1, 0), (1, 1), (2, 0), ..
fn place_of(pair: usize) -> (usize, usize) {
    let mut i = 0;
    while (i + 1) * (i + 2) / 2 <= pair {
        i += 1;
    }
    (i, pair - i * (i + 1) / 2)
}

/// The first `length` entries of `work` from an address that whole cache lines start at.
pub(crate) fn aligned(work: &mut [f64], length: usize) -> (&mut [f64], &mut [f64]) {
    let offset = work.as_ptr().align_offset(64).min(ALIGNMENT);
    work[offset..].split_at_mut(length)
}

/// `S_ji S_ji'` for the pairs (i, i') from `place` on and the rows from `first`, `rows` numbers a pair; rows of
/// padding give zeros. Returns the next pair.
#[inline(always)]
fn write_unit_pairs<S: Simd>(
    simd: S,
    s: Block<'_>,
    (mut place, first): ((usize, usize), usize),
    mut out: &mut [f64],
    rows: usize,
) -> (usize, usize) {
    let vectors = rows.min(s.stride - first) / S::F64_LANES;
    let column = |i: usize| &s.data[i * s.stride + first..];
    while !out.is_empty() {
        let (i, other) = place;
        // Pairs with the same i together: its column is loaded once for all.
        let count = (i + 1 - other).min(3).min(out.len() / rows);
        let (now, later) = out.split_at_mut(count * rows);
        let factors = (column(i), Columns { data: column(other), stride: s.stride });
        match count {
            1 => write_products::<S, 1>(simd, vectors, factors, (now, rows)),
            2 => write_products::<S, 2>(simd, vectors, factors, (now, rows)),
            _ => write_products::<S, 3>(simd, vectors, factors, (now, rows)),
        }
        place = if i < other + count { (i + 1, 0) } else { (i, other + count) };
        out = later;
    }
    place
}

/// `out[i d + k, i' d + l] = sums[(i, i'), (k, l)]` for the entries on and below the diagonal.
struct Scatter<'a> {
    sums: &'a [f64],
    /// Numbers of a pair of units.
    width: usize,
    /// `places[l d + k]` is where the pair of k and l stands.
    places: &'a [u32],
    out: MatMut<'a, f64>,
}

impl WithSimd for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.places.len() {
            16 => self.unrolled::<4>(),
            25 => self.unrolled::<5>(),
            36 => self.unrolled::<6>(),
            49 => self.unrolled::<7>(),
            64 => self.unrolled::<8>(),
            _ => self.by_places(simd),
        }
    }
}

impl Scatter<'_> {
    /// For a known number of features: no place needs to be looked up.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "the loops unroll")]
    fn unrolled<const D: usize>(self) {
        let Self { sums, width, mut out, .. } = self;
        let m = out.ncols() / D;
        for other in 0..m {
            let mut parts = out.rb_mut().subcols_mut(other * D, D).col_iter_mut();
            // `out` is column-major, and a unit has D columns.
            let columns: [&mut [f64]; D] = std::array::from_fn(|_| {
                let column = parts.next().and_then(ColMut::try_as_col_major_mut);
                column.map_or(&mut [][..], |column| column.as_slice_mut())
            });
            for i in other..m {
                let found = &sums[(i * (i + 1) / 2 + other) * width..][..D * (D + 1) / 2];
                for l in 0..D {
                    let entries = &mut columns[l][i * D..(i + 1) * D];
                    // Of the blocks on the diagonal only what lies below it.
                    if i > other {
                        for k in 0..l {
                            entries[k] = found[k * D - k * (k + 1) / 2 + l];
                        }
                    }
                    for k in l..D {
                        entries[k] = found[l * D - l * (l + 1) / 2 + k];
                    }
                }
            }
        }
    }

    /// For any number of features.
    #[inline(always)]
    fn by_places<S: Simd>(self, simd: S) {
        let Self { sums, width, places, mut out } = self;
        let d = places.len().isqrt();
        let m = out.ncols() / d;
        for other in 0..m {
            for (l, places) in places.chunks_exact(d).enumerate() {
                let column = out.rb_mut().col_mut(other * d + l).try_as_col_major_mut();
                // `out` is column-major.
                let Some(column) = column else { continue };
                let column = column.as_slice_mut();
                // The pairs (l, l), (l, l + 1), .. stand side by side; those with k < l do not.
                let (apart, together) = (&places[..l], places[l] as usize);
                for i in other..m {
                    let found = &sums[(i * (i + 1) / 2 + other) * width..];
                    // Of the blocks on the diagonal only what lies below it.
                    if i > other {
                        for (entry, &at) in column[i * d..i * d + l].iter_mut().zip(apart) {
                            *entry = found[at as usize];
                        }
                    }
                    copy_run(simd, &found[together..], &mut column[i * d + l..], d - l);
                }
            }
        }
    }
}

/// `to[.. length] = from[.. length]` by whole vectors: what follows in `to` gets anything, if there is room.
#[inline(always)]
fn copy_run<S: Simd>(_: S, from: &[f64], to: &mut [f64], length: usize) {
    let padded = length.next_multiple_of(S::F64_LANES);
    if padded <= from.len() && padded <= to.len() {
        let vectors = S::as_simd_f64s(&from[..padded]).0;
        for (to, from) in S::as_mut_simd_f64s(&mut to[..padded]).0.iter_mut().zip(vectors) {
            *to = *from;
        }
    } else {
        to[..length].copy_from_slice(&from[..length]);
    }
}
