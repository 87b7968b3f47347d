//! `J v = rowsum((S V) * X)` and `J^T u = S^T diag(u) X` for `J = S (.) X`, in blocks of rows.
//!
//! V is v read as m x d; where J is a row of such pieces, their products add up, and each has its part of v. Each block of S is read once from memory a product, O(n m d) operations. `J v` goes
//! through S forward and `J^T u` backward, so that each finds in the cache what the one before it read last.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use std::cell::RefCell;
use std::ops::Range;

use faer::Accum;
use pulp::{Simd, WithSimd};

use crate::jacobian::kronecker_piece::KroneckerPiece;
use crate::jacobian::row_blocks::{Block, PADDING, ROW_BLOCK};
use crate::simd::arch::arch;
use crate::simd::column_kernels::{Columns, weighted_row_sums, with_scalars};
use crate::simd::tile::{
    Scalars, VECTORS, Vectors, balanced, groups, most_scalars, product, put_short_product,
    scalars_for, with_tile,
};
use crate::vector::subtract_scaled;

/// Units whose columns of S stay in the first-level cache while a block's rows pass over them.
const UNITS: usize = 64;

/// Features of one pass of `J^T u` at most: three vectors of four.
const FEATURES: usize = 12;

/// `out = J v`, J the pieces side by side, on as many rows as `out` has, from block `first` on.
pub(crate) struct Apply<'a> {
    pub(crate) pieces: &'a [KroneckerPiece],
    pub(crate) first: usize,
    pub(crate) v: &'a [f64],
    pub(crate) out: &'a mut [f64],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (b, out) in self.out.chunks_mut(ROW_BLOCK).enumerate() {
            apply_block(simd, self.pieces, self.first + b, self.v, out);
        }
    }
}

/// `out = J^T u` from block `first` on, for the parameters of the hidden units `units` (`out` begins at the first
/// of them); without the last block, `out += J^T u`.
pub(crate) struct ApplyTransposed<'a> {
    pub(crate) jacobian: &'a KroneckerPiece,
    pub(crate) first: usize,
    pub(crate) units: Range<usize>,
    pub(crate) u: &'a [f64],
    /// From [`with_weighted`].
    pub(crate) weighted: &'a mut [f64],
    pub(crate) out: &'a mut [f64],
}

impl WithSimd for ApplyTransposed<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { jacobian, first, units, u, weighted, out } = self;
        if u.is_empty() {
            out.fill(0.0);
        }
        for (b, u) in u.chunks(ROW_BLOCK).enumerate().rev() {
            transposed_block(simd, jacobian, (first + b, units.clone()), u, weighted, out);
        }
    }
}

/// `image = J v`, or with (b, scale) `image = b - scale J v`, and `out = J^T image`, block by block: S is read
/// from memory once for both.
pub(crate) fn apply_normal(
    pieces: &[KroneckerPiece],
    v: &[f64],
    known: Option<(&[f64], f64)>,
    image: &mut [f64],
    out: &mut [f64],
) {
    let best = arch();
    if image.is_empty() {
        out.fill(0.0);
    }
    with_weighted(|weighted| {
        for (first, image) in image.chunks_mut(ROW_BLOCK).enumerate().rev() {
            best.dispatch(Apply { pieces, first, v, out: image });
            if let Some((b, scale)) = known {
                subtract_scaled(&b[first * ROW_BLOCK..][..image.len()], scale, image);
            }
            let mut rest = &mut *out;
            for jacobian in pieces {
                let (out, later) = rest.split_at_mut(jacobian.columns());
                let (units, u) = (0..jacobian.hidden(), &*image);
                best.dispatch(ApplyTransposed { jacobian, first, units, u, weighted, out });
                rest = later;
            }
        }
    });
}

/// Room for `diag(u) X` on the rows of a block.
#[repr(align(64))]
struct Weighted([f64; ROW_BLOCK * FEATURES]);

thread_local! {
    // Zeros anew for each product would show in small ones.
    static WEIGHTED: RefCell<Weighted> = const { RefCell::new(Weighted([0.0; ROW_BLOCK * FEATURES])) };
}

/// Gives `work` this thread's room for `diag(u) X`; no product makes another one on its thread.
pub(crate) fn with_weighted(work: impl FnOnce(&mut [f64])) {
    WEIGHTED.with_borrow_mut(|weighted| work(&mut weighted.0));
}

/// `J v` on the rows of block `b`.
#[inline(always)]
fn apply_block<S: Simd>(simd: S, pieces: &[KroneckerPiece], b: usize, v: &[f64], out: &mut [f64]) {
    if out.len().is_multiple_of(S::F64_LANES) {
        write_apply(simd, pieces, b, v, out);
    } else {
        // Padded rows have a place here, and none in `out`.
        let mut sums = [0.0; ROW_BLOCK];
        let padded = out.len().next_multiple_of(S::F64_LANES);
        write_apply(simd, pieces, b, v, &mut sums[..padded]);
        out.copy_from_slice(&sums[..out.len()]);
    }
}

/// The same with room for whole vectors.
#[inline(always)]
fn write_apply<S: Simd>(simd: S, pieces: &[KroneckerPiece], b: usize, v: &[f64], out: &mut [f64]) {
    let (mut rest, mut begins) = (v, true);
    for jacobian in pieces.iter().filter(|piece| piece.columns() > 0) {
        let (block, d) =
            ((jacobian.left().block(b), jacobian.right().block(b)), jacobian.features());
        let (v, later) = rest.split_at(jacobian.columns());
        for first in (0..jacobian.hidden()).step_by(UNITS) {
            let units = first..jacobian.hidden().min(first + UNITS);
            match d {
                1 => write_narrow_apply::<S, 1>(simd, block, (units, begins), v, out),
                2 => write_narrow_apply::<S, 2>(simd, block, (units, begins), v, out),
                3 => write_narrow_apply::<S, 3>(simd, block, (units, begins), v, out),
                _ => write_wide_apply(simd, block, (units, begins), (v, d), out),
            }
            begins = false;
        }
        rest = later;
    }
    if begins {
        out.fill(0.0);
    }
}

/// `out = rowsum((S V) * X)` of the units' part of S and V, added to `out` unless they begin it.
#[inline(always)]
fn write_wide_apply<S: Simd>(
    simd: S,
    block: (Block<'_>, Block<'_>),
    (units, begins): (Range<usize>, bool),
    (v, d): (&[f64], usize),
    out: &mut [f64],
) {
    for (r, width) in groups(out.len() / S::F64_LANES) {
        let row = r * S::F64_LANES;
        let sums = &mut out[row..row + width * S::F64_LANES];
        let most = most_scalars::<S>(width);
        for k in (0..d).step_by(most) {
            let place = (row, units.clone(), k);
            with_tile!(S, most.min(d - k), width, |C, V| {
                let begins = begins && k == 0;
                write_apply_tile::<S, C, V>(simd, block, place, (v, d), (sums, begins));
            });
        }
    }
}

/// The same for a known number of features, all of which go through one tile.
#[inline(always)]
fn write_narrow_apply<S: Simd, const D: usize>(
    simd: S,
    block: (Block<'_>, Block<'_>),
    (units, begins): (Range<usize>, bool),
    v: &[f64],
    out: &mut [f64],
) {
    for (r, width) in groups(out.len() / S::F64_LANES) {
        let row = r * S::F64_LANES;
        let sums = (&mut out[row..row + width * S::F64_LANES], begins);
        let place = (row, units.clone(), 0);
        match width {
            1 => write_apply_tile::<S, D, 1>(simd, block, place, (v, D), sums),
            2 => write_apply_tile::<S, D, 2>(simd, block, place, (v, D), sums),
            _ => write_apply_tile::<S, D, 3>(simd, block, place, (v, D), sums),
        }
    }
}

/// The sums over the units and the C features from k on, for the V vectors of rows from `row` on: they begin the
/// sums, or add to them.
#[inline(always)]
fn write_apply_tile<S: Simd, const C: usize, const V: usize>(
    simd: S,
    (s, x): (Block<'_>, Block<'_>),
    (row, units, k): (usize, Range<usize>, usize),
    (v, d): (&[f64], usize),
    (sums, begins): (&mut [f64], bool),
) {
    let rows = Vectors { data: &s.data[units.start * s.stride + row..], step: s.stride };
    let weights = Scalars { data: &v[units.start * d + k..], step: d, stride: 1 };
    let inputs = Vectors { data: &x.data[k * x.stride + row..], step: x.stride };
    let tile = product::<S, C, V>(simd, units.len(), weights, rows);
    let mut earlier = [simd.splat_f64s(0.0); V];
    if !begins {
        earlier.copy_from_slice(&S::as_simd_f64s(sums).0[..V]);
    }
    add_weighted(simd, tile, inputs, earlier, sums);
}

/// `sums[v] = earlier[v] + sum_c tile[c][v] x[c, v]`.
#[inline(always)]
fn add_weighted<S: Simd, const C: usize, const V: usize>(
    simd: S,
    tile: [[S::f64s; V]; C],
    x: Vectors<'_>,
    mut earlier: [S::f64s; V],
    sums: &mut [f64],
) {
    for (c, row) in tile.into_iter().enumerate() {
        let (x, _) = S::as_simd_f64s(&x.data[c * x.step..c * x.step + V * S::F64_LANES]);
        for ((sum, product), x) in earlier.iter_mut().zip(row).zip(x) {
            *sum = simd.mul_add_e_f64s(product, *x, *sum);
        }
    }
    for (sum, found) in S::as_mut_simd_f64s(sums).0.iter_mut().zip(earlier) {
        *sum = found;
    }
}

/// `out = J_b^T u` for the rows of the last block, `out += J_b^T u` for those of another, and the hidden units
/// `units`, the last ones first; `diag(u) X` goes to `weighted`.
#[inline(always)]
fn transposed_block<S: Simd>(
    simd: S,
    jacobian: &KroneckerPiece,
    (b, units): (usize, Range<usize>),
    u: &[f64],
    weighted: &mut [f64],
    out: &mut [f64],
) {
    match jacobian.features() {
        1 => return narrow_transposed_block::<S, 1>(simd, jacobian, (b, units), u, out),
        2 => return narrow_transposed_block::<S, 2>(simd, jacobian, (b, units), u, out),
        3 => return narrow_transposed_block::<S, 3>(simd, jacobian, (b, units), u, out),
        _ => {}
    }
    let (s, d) = (jacobian.left().block(b), jacobian.features());
    let (inputs, padded) = (jacobian.inputs_by_row(b), jacobian.padded_features());
    let most = VECTORS.min(FEATURES / S::F64_LANES);
    let begins = b + 1 == jacobian.left().blocks();
    let accum = if begins { Accum::Replace } else { Accum::Add };
    let mut tile = [0.0; scalars_for(1) * FEATURES];
    for k in (0..d).step_by(most * S::F64_LANES) {
        let vectors = most.min((d - k).div_ceil(S::F64_LANES));
        let width = vectors * S::F64_LANES;
        let rows = inputs.chunks_exact(padded).zip(weighted.chunks_exact_mut(width));
        for (u, (x, out)) in u.iter().zip(rows) {
            let (factor, x) = (simd.splat_f64s(*u), S::as_simd_f64s(&x[k..k + width]).0);
            for (o, x) in S::as_mut_simd_f64s(out).0.iter_mut().zip(x) {
                *o = simd.mul_f64s(factor, *x);
            }
        }
        let weighted = Vectors { data: &*weighted, step: width };
        let features = width.min(d - k);
        for (left, count) in balanced(units.len(), most_scalars::<S>(vectors)) {
            let first = units.len() - left - count;
            let i = units.start + first;
            let slopes = column_scalars(s, i);
            // Where features fill whole vectors, nothing is written past the unit's last.
            let fits = features == width;
            let target = if fits {
                (&mut out[first * d + k..], d, accum)
            } else {
                (&mut tile[..], width, Accum::Replace)
            };
            put_short_product(simd, (count, vectors), u.len(), (slopes, weighted), target);
            if fits {
                continue;
            }
            for (c, tile) in tile.chunks(width).take(count).enumerate() {
                let at = (first + c) * d + k;
                for (o, t) in out[at..at + features].iter_mut().zip(tile) {
                    *o = if begins { *t } else { *o + t };
                }
            }
        }
    }
}

/// Units whose sums along the rows go through the registers together, with D features.
const fn few_scalars<S: Simd>(features: usize) -> usize {
    let (most, any) = (most_scalars::<S>(features), scalars_for(features));
    if most < any { most } else { any }
}

/// The same for so few features that a vector of them would be mostly padding: sums along the rows.
#[inline(always)]
fn narrow_transposed_block<S: Simd, const D: usize>(
    simd: S,
    jacobian: &KroneckerPiece,
    (b, units): (usize, Range<usize>),
    u: &[f64],
    out: &mut [f64],
) {
    let (s, x) = (jacobian.left().block(b), jacobian.right().block(b));
    // Rows that do not fill a vector are padded; S and X are zero there.
    let (whole, rest) = u.split_at(u.len() / S::F64_LANES * S::F64_LANES);
    let mut last = [0.0; PADDING];
    last.iter_mut().zip(rest).for_each(|(last, u)| *last = *u);
    let last = &last[..if rest.is_empty() { 0 } else { S::F64_LANES }];
    let mut begins = b + 1 == jacobian.left().blocks();
    for (row, u) in [(0, whole), (whole.len(), last)] {
        if u.is_empty() {
            continue;
        }
        let length = u.len() / S::F64_LANES;
        let (u, right) = (Columns { data: u, stride: 0 }, columns_from(x, 0, row));
        for (first, count) in balanced(units.len(), few_scalars::<S>(D)) {
            let left = columns_from(s, units.start + first, row);
            with_scalars!(count, few_scalars::<S>(D), |C| {
                let [sums] = weighted_row_sums::<S, C, D, 1>(simd, length, (left, u, right));
                let out = &mut out[first * D..][..C * D];
                for (o, sum) in out.iter_mut().zip(sums.as_flattened()) {
                    let sum = simd.reduce_sum_f64s(*sum);
                    *o = if begins { sum } else { *o + sum };
                }
            });
        }
        begins = false;
    }
}

/// Columns i, i + 1, .. of a block from a row on.
#[inline(always)]
fn columns_from(block: Block<'_>, i: usize, row: usize) -> Columns<'_> {
    Columns { data: &block.data[i * block.stride + row..], stride: block.stride }
}

/// Columns i, i + 1, .. of a block as the scalars of a sum over its rows.
pub(crate) fn column_scalars(block: Block<'_>, i: usize) -> Scalars<'_> {
    Scalars { data: &block.data[i * block.stride..], step: 1, stride: block.stride }
}
