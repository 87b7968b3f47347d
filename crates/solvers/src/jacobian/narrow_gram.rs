//! The Gram matrix of `J = S (.) X` for at most three features, with vectors along the units.
//!
//! `(J^T J)[i d + k, i' d + l] = sum_j (S_ji' X_jk X_jl) S_ji`: each unit i' and pair of features is a column
//! of scalars, which the rows of S meet for all units i >= i'. Vectors along the features, as `pair_gram`
//! has them, would be mostly padding.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::prelude::ReborrowMut;
use faer::{Accum, MatMut};
use pulp::{Simd, WithSimd};

use crate::jacobian::kronecker_piece::KroneckerPiece;
use crate::jacobian::pair_gram::aligned;
use crate::jacobian::row_blocks::{Block, PADDING, ROW_BLOCK};
use crate::simd::arch::arch;
use crate::simd::tile::{Scalars, Vectors, put_products};

/// Most features.
pub(crate) const FEATURES: usize = 3;

/// Pairs of them.
const PAIRS: usize = FEATURES * (FEATURES + 1) / 2;

/// Units i' of a panel: the units that their columns meet begin at a whole vector.
const PANEL: usize = PADDING;

/// Writes the lower triangle of `J^T J` to `out` (p x p, column-major), for at most [`FEATURES`] features.
pub(crate) fn narrow_gram(jacobian: &KroneckerPiece, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
    let panels = Panels::of(jacobian);
    let total = panels.sums() + ROW_BLOCK * (panels.width + PAIRS + PANEL * PAIRS) + PADDING;
    if work.len() < total {
        work.resize(total, 0.0);
    }
    let (sums, scratch) = aligned(work, panels.sums());
    arch().dispatch(NarrowProducts { jacobian, panels, sums, scratch });
    panels.scatter(sums, jacobian, out);
}

/// Where the sums are: panel after panel, in each of them unit i' after unit i', pair after pair of
/// features, and there a number for each unit i from the panel's first on.
#[derive(Clone, Copy)]
struct Panels {
    units: usize,
    /// Units, padded to whole vectors.
    width: usize,
    /// Pairs of features.
    pairs: usize,
}

impl Panels {
    fn of(jacobian: &KroneckerPiece) -> Self {
        let (units, d) = (jacobian.hidden(), jacobian.features());
        Self { units, width: units.next_multiple_of(PANEL), pairs: d * (d + 1) / 2 }
    }

    /// Numbers in all panels.
    fn sums(self) -> usize {
        self.start(self.width / PANEL)
    }

    /// Numbers in the panels before this one.
    fn start(self, panel: usize) -> usize {
        // `PANEL pairs` columns each, PANEL shorter from panel to panel.
        PANEL * self.pairs * (panel * self.width - PANEL * panel * panel.saturating_sub(1) / 2)
    }

    /// Copies the sums to their places on and below the diagonal.
    fn scatter(self, sums: &[f64], jacobian: &KroneckerPiece, mut out: MatMut<'_, f64>) {
        let d = jacobian.features();
        for other in 0..self.units {
            let (panel, within) = (other / PANEL, other % PANEL);
            let length = self.width - panel * PANEL;
            let columns = &sums[self.start(panel) + within * self.pairs * length..];
            for (l, places) in jacobian.pair_places().chunks_exact(d).enumerate() {
                let column = out.rb_mut().col_mut(other * d + l).try_as_col_major_mut();
                // `out` is column-major.
                let Some(column) = column else { continue };
                let entries = &mut column.as_slice_mut()[other * d..];
                for (k, &place) in places.iter().enumerate() {
                    let found = &columns[place as usize * length + within..];
                    // Of the blocks on the diagonal only what lies below it.
                    let above = usize::from(k < l);
                    for (entries, sum) in entries.chunks_exact_mut(d).zip(found).skip(above) {
                        entries[k] = *sum;
                    }
                }
            }
        }
    }
}

/// Sums over all rows.
struct NarrowProducts<'a> {
    jacobian: &'a KroneckerPiece,
    panels: Panels,
    sums: &'a mut [f64],
    scratch: &'a mut [f64],
}

impl WithSimd for NarrowProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { jacobian, panels, sums, scratch } = self;
        let Panels { units, width, pairs } = panels;
        let (rows, rest) = scratch.split_at_mut(ROW_BLOCK * width);
        let (products, weighted) = rest.split_at_mut(ROW_BLOCK * PAIRS);
        for b in 0..jacobian.left().blocks() {
            let (s, x) = (jacobian.left().block(b), jacobian.right().block(b));
            let accum = if b == 0 { Accum::Replace } else { Accum::Add };
            write_products(simd, x, jacobian.features(), products);
            write_rows(s, rows, width);
            for first in (0..units).step_by(PANEL) {
                let others = PANEL.min(units - first);
                for other in 0..others {
                    let weighted = &mut weighted[other * pairs * s.stride..];
                    write_weighted(s, first + other, &products[..pairs * s.stride], weighted);
                }
                let length = width - first;
                let sums = &mut sums[panels.start(first / PANEL)..];
                let a = Scalars { data: weighted, step: 1, stride: s.stride };
                let b = Vectors { data: &rows[first..], step: width };
                let tiles = (|_| others * pairs, length / S::F64_LANES);
                put_products(simd, tiles, s.rows, (a, b), (sums, length, accum));
            }
        }
    }
}

/// `X_k * X_l` for l >= k, k = 0, 1, .., padding included.
#[inline(always)]
pub(crate) fn write_products<S: Simd>(simd: S, x: Block<'_>, d: usize, out: &mut [f64]) {
    let column = |k: usize| S::as_simd_f64s(&x.data[k * x.stride..][..x.stride]).0;
    let mut out = out.chunks_exact_mut(x.stride);
    for k in 0..d {
        for (l, out) in (k..d).zip(&mut out) {
            let out = S::as_mut_simd_f64s(out).0.iter_mut();
            for ((out, a), b) in out.zip(column(k)).zip(column(l)) {
                *out = simd.mul_f64s(*a, *b);
            }
        }
    }
}

/// Each of `products` weighted by unit `i`.
#[inline(always)]
pub(crate) fn write_weighted(s: Block<'_>, i: usize, products: &[f64], out: &mut [f64]) {
    let slope = &s.data[i * s.stride..][..s.stride];
    let columns = out.chunks_exact_mut(s.stride).zip(products.chunks_exact(s.stride));
    for (out, product) in columns {
        for ((out, s), x) in out.iter_mut().zip(slope).zip(product) {
            *out = s * x;
        }
    }
}

/// The block of S row after row, `width` numbers a row, zeros past the units.
///
/// Eight by eight: what is read and what is written are then whole cache lines.
#[inline(always)]
fn write_rows(s: Block<'_>, out: &mut [f64], width: usize) {
    for (u, columns) in s.data.chunks(PANEL * s.stride).enumerate() {
        for (r, rows) in out.chunks_mut(PANEL * width).take(s.stride / PANEL).enumerate() {
            let mut tile = [[0.0; PANEL]; PANEL];
            for (i, column) in columns.chunks_exact(s.stride).enumerate() {
                for (tile, x) in tile.iter_mut().zip(&column[r * PANEL..][..PANEL]) {
                    tile[i] = *x;
                }
            }
            for (row, tile) in rows.chunks_exact_mut(width).zip(&tile) {
                row[u * PANEL..][..PANEL].copy_from_slice(tile);
            }
        }
    }
}
