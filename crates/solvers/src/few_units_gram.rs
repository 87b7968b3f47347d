//! The Gram matrix of `J = S (.) X` for a few units of at most three features, with vectors along the rows.
//!
//! `(J^T J)[i d + k, i' d + l] = S_i^T (diag(S_i') (X_k * X_l))`: so few sums that each can be a vector until
//! all rows have been added; vectors along units or features would be mostly padding.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::MatMut;
use pulp::{Arch, Simd, WithSimd};

use crate::narrow_gram::{write_products, write_weighted};
use crate::pair_gram::scatter;
use crate::row_blocks::{Block, PADDING, ROW_BLOCK};
use crate::row_kronecker::RowKronecker;
use crate::tile::{Columns, balanced, groups, most_scalars, row_sums, with_tile};

/// Most units: the sums, a vector each, stay in the caches next to the processor.
const UNITS: usize = 24;

/// Rows to a unit at least: adding up the entries of the vectors at the end must not count.
const ROWS: usize = 8;

/// Whether this way is the faster one: measured against `narrow_gram` over n and m.
pub(crate) fn pays(rows: usize, units: usize) -> bool {
    units <= UNITS && rows >= ROWS * units
}

/// Writes the lower triangle of `J^T J` to `out` (p x p, column-major), for a few units of at most
/// [`crate::narrow_gram::FEATURES`] features.
pub(crate) fn few_units_gram(jacobian: &RowKronecker, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
    let (m, d) = (jacobian.hidden(), jacobian.features());
    let pairs = d * (d + 1) / 2;
    let count = pairs * m * (m + 1) / 2;
    let total = count * (1 + PADDING) + 2 * pairs * ROW_BLOCK;
    if work.len() < total {
        work.resize(total, 0.0);
    }
    let (sums, rest) = work.split_at_mut(count);
    let (vectors, rest) = rest.split_at_mut(count * PADDING);
    let (products, weighted) = rest.split_at_mut(pairs * ROW_BLOCK);
    vectors.fill(0.0);
    Arch::new().dispatch(FewUnits { jacobian, pairs, sums, vectors, products, weighted });
    scatter((sums, pairs), jacobian.pair_places(), out);
}

/// `sums[(i, i'), (k, l)] = S_i^T diag(S_i') (X_k * X_l)`, pairs of features the fastest.
struct FewUnits<'a> {
    jacobian: &'a RowKronecker,
    /// Pairs of features.
    pairs: usize,
    sums: &'a mut [f64],
    /// The same sums by the place of the row within a vector.
    vectors: &'a mut [f64],
    /// `X_k * X_l` on the rows of a block.
    products: &'a mut [f64],
    /// The same, weighted by one unit.
    weighted: &'a mut [f64],
}

impl WithSimd for FewUnits<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { jacobian, pairs, sums, vectors, products, weighted } = self;
        let m = jacobian.hidden();
        for b in 0..jacobian.left().blocks() {
            let (s, x) = (jacobian.left().block(b), jacobian.right().block(b));
            write_products(x, jacobian.features(), products);
            for other in 0..m {
                write_weighted(s, other, &products[..pairs * s.stride], weighted);
                add_sums(simd, s, (m, other), (&*weighted, pairs), vectors);
            }
        }
        let (vectors, _) = S::as_simd_f64s(vectors);
        for (sum, vector) in sums.iter_mut().zip(vectors) {
            *sum = simd.reduce_sum_f64s(*vector);
        }
    }
}

/// Adds one block's part of the sums of the units from `other` on with that unit.
#[inline(always)]
fn add_sums<S: Simd>(
    simd: S,
    s: Block<'_>,
    (m, other): (usize, usize),
    (weighted, pairs): (&[f64], usize),
    vectors: &mut [f64],
) {
    let (vectors, _) = S::as_mut_simd_f64s(vectors);
    for (q, width) in groups(pairs) {
        let right = Columns { data: &weighted[q * s.stride..], stride: s.stride };
        for (first, count) in balanced(m - other, most_scalars::<S>(width)) {
            let i = other + first;
            let left = Columns { data: &s.data[i * s.stride..], stride: s.stride };
            with_tile!(S, count, width, |C, K| {
                let tile = row_sums::<S, C, K>(simd, s.stride / S::F64_LANES, left, right);
                for (c, row) in tile.iter().enumerate() {
                    let place = (i + c) * (i + c + 1) / 2 + other;
                    for (sum, part) in vectors[place * pairs + q..].iter_mut().zip(row) {
                        *sum = simd.add_f64s(*sum, *part);
                    }
                }
            });
        }
    }
}
