//! The Gram matrix of `J = S (.) X` for a few units of at most three features, with vectors along the rows.
//!
//! `(J^T J)[i d + k, i' d + l] = S_i^T (diag(S_i') (X_k * X_l))`: so few sums that each can be a vector until
//! all rows have been added; vectors along units or features would be mostly padding.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::prelude::ReborrowMut;
use faer::{ColMut, MatMut};
use pulp::{Simd, WithSimd};

use crate::jacobian::kronecker_piece::KroneckerPiece;
use crate::jacobian::narrow_gram::write_products;
use crate::jacobian::pair_gram::aligned;
use crate::jacobian::row_blocks::{PADDING, ROW_BLOCK};
use crate::simd::arch::arch;
use crate::simd::column_kernels::{Columns, weighted_row_sums, with_scalars};
use crate::simd::tile::{balanced, has_many_registers, most_scalars};

/// Most units: the sums, a vector each, stay in the caches next to the processor.
const UNITS: usize = 24;

/// Rows to a unit at least: adding up the entries of the vectors at the end must not count.
const ROWS: usize = 8;

/// Whether this way is the faster one: measured against `narrow_gram` over n and m.
pub(crate) fn pays(rows: usize, units: usize) -> bool {
    units <= UNITS && rows >= ROWS * units
}

/// So many last units are taken two at a time, where there are registers for their sums with all of them.
const LAST: usize = 4;

/// Writes the lower triangle of `J^T J` to `out` (p x p, column-major), for a few units of at most
/// [`crate::jacobian::narrow_gram::FEATURES`] features.
pub(crate) fn few_units_gram(jacobian: &KroneckerPiece, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
    let (m, d) = (jacobian.hidden(), jacobian.features());
    let pairs = d * (d + 1) / 2;
    let sums = pairs * m * (m + 1) / 2;
    let rows = jacobian.left().rows().min(ROW_BLOCK).next_multiple_of(PADDING);
    let total = sums * PADDING + pairs * rows + PADDING;
    if work.len() < total {
        work.resize(total, 0.0);
    }
    let (vectors, products) = aligned(work, sums * PADDING);
    let products = &mut products[..pairs * rows];
    arch().dispatch(FewUnits { jacobian, pairs, vectors, products, out });
}

/// `out[i d + k, i' d + l] = S_i^T diag(S_i') (X_k * X_l)`, on and below the diagonal.
struct FewUnits<'a> {
    jacobian: &'a KroneckerPiece,
    /// Pairs of features.
    pairs: usize,
    /// The sums [(i', i), (k, l)] for i >= i' by the place of the row within a vector, pairs of features the
    /// fastest, then i.
    vectors: &'a mut [f64],
    /// `X_k * X_l` on the rows of a block.
    products: &'a mut [f64],
    out: MatMut<'a, f64>,
}

impl WithSimd for FewUnits<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { jacobian, pairs, vectors, products, out } = self;
        // Pairs that go through one tile: all of one feature or two, half of those of three.
        if pairs == 1 {
            add_blocks::<S, 1>(simd, jacobian, pairs, products, vectors);
        } else {
            add_blocks::<S, 3>(simd, jacobian, pairs, products, vectors);
        }
        let vectors = S::as_simd_f64s(vectors).0;
        match jacobian.features() {
            1 => add_up::<S, 1>(simd, vectors, out),
            2 => add_up::<S, 2>(simd, vectors, out),
            _ => add_up::<S, 3>(simd, vectors, out),
        }
    }
}

/// `out[i D + l, i' D + k]`, on and below the diagonal, from the vectors [(i', i), (k, l)] for D features.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the loops unroll")]
fn add_up<S: Simd, const D: usize>(simd: S, vectors: &[S::f64s], mut out: MatMut<'_, f64>) {
    let pairs = D * (D + 1) / 2;
    let units = out.ncols() / D;
    let mut blocks = vectors.chunks_exact(pairs);
    for other in 0..units {
        let mut next = out.rb_mut().subcols_mut(other * D, D).col_iter_mut();
        // `out` is column-major.
        let columns: [&mut [[f64; D]]; D] = std::array::from_fn(|_| {
            let column = next.next().and_then(ColMut::try_as_col_major_mut);
            column.map_or(&mut [][..], |column| column.as_slice_mut().as_chunks_mut::<D>().0)
        });
        for (i, block) in (other..units).zip(&mut blocks) {
            for q in 0..pairs {
                let (k, l) = feature_pair::<D>(q);
                let sum = simd.reduce_sum_f64s(block[q]);
                columns[k][i][l] = sum;
                if i > other {
                    columns[l][i][k] = sum;
                }
            }
        }
    }
}

/// The q-th pair (k, l) of D features, at most three: of 0 with all, then of 1 with the others, and so on.
const fn feature_pair<const D: usize>(q: usize) -> (usize, usize) {
    if q < D {
        (0, q)
    } else if q < 2 * D - 1 {
        (1, q + 1 - D)
    } else {
        (2, 2)
    }
}

/// The sums over all blocks of rows, K of the `pairs` pairs at a time.
#[inline(always)]
fn add_blocks<S: Simd, const K: usize>(
    simd: S,
    jacobian: &KroneckerPiece,
    pairs: usize,
    products: &mut [f64],
    vectors: &mut [f64],
) {
    let (vectors, _) = S::as_mut_simd_f64s(vectors);
    let m = jacobian.hidden();
    for b in 0..jacobian.left().blocks() {
        let (s, x) = (jacobian.left().block(b), jacobian.right().block(b));
        write_products(simd, x, jacobian.features(), products);
        let length = s.stride / S::F64_LANES;
        let column = |i: usize| Columns { data: &s.data[i * s.stride..], stride: s.stride };
        let mut first = 0;
        while first < m {
            // The last units have few sums each: two of them keep the processor's adders at work.
            let two = has_many_registers::<S>() && (2..=LAST).contains(&(m - first));
            for q in (0..pairs).step_by(K) {
                let right = Columns { data: &products[q * s.stride..], stride: s.stride };
                let mut add = Sums { m, b, pairs, q, vectors };
                if two {
                    with_scalars!(m - first, LAST, |C| {
                        let sides = (column(first), column(first), right);
                        let [this, next] = weighted_row_sums::<S, C, K, 2>(simd, length, sides);
                        add.tile(simd, this, (first, first));
                        add.tile(simd, next, (first, first + 1));
                    });
                    continue;
                }
                for (i, count) in balanced(m - first, most_scalars::<S>(K)) {
                    let i = first + i;
                    let sides = (column(i), column(first), right);
                    with_scalars!(count, most_scalars::<S>(K), |C| {
                        let [this] = weighted_row_sums::<S, C, K, 1>(simd, length, sides);
                        add.tile(simd, this, (i, first));
                    });
                }
            }
            first += if two { 2 } else { 1 };
        }
    }
}

/// Where the sums of the b-th block for the pairs q, q + 1, .. belong.
struct Sums<'a, V> {
    /// Units.
    m: usize,
    b: usize,
    /// Pairs of features.
    pairs: usize,
    q: usize,
    vectors: &'a mut [V],
}

impl<V: Copy> Sums<'_, V> {
    /// Adds the sums of the units i, i + 1, .. with unit `other`, those from the diagonal on; the first block
    /// begins them.
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "the loops unroll, and the tile stays in registers"
    )]
    fn tile<S: Simd<f64s = V>, const C: usize, const K: usize>(
        &mut self,
        simd: S,
        tile: [[V; K]; C],
        (i, other): (usize, usize),
    ) {
        // Of each unit i' before `other` there are `m - i'` blocks.
        let first = (other * (2 * self.m - other - 1) / 2 + i) * self.pairs + self.q;
        for c in 0..C {
            if i + c >= other {
                let sums = &mut self.vectors[first + c * self.pairs..][..K];
                for k in 0..K {
                    let part = tile[c][k];
                    sums[k] = if self.b == 0 { part } else { simd.add_f64s(sums[k], part) };
                }
            }
        }
    }
}
