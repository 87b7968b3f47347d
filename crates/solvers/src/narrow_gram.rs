//! The Gram matrix of `J = S (.) X` for at most three features, as sums along the rows.
//!
//! `(J^T J)[i d + k, i' d + l] = S_i^T (diag(S_i') (X_k * X_l))`: the few products `X_k * X_l` are weighted
//! once a unit i', and every unit i >= i' meets them all. Vectors along the features, as `pair_gram` has
//! them, would be mostly padding.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::MatMut;
use pulp::{Arch, Simd, WithSimd};

use crate::pair_gram::scatter;
use crate::row_blocks::{Block, ROW_BLOCK};
use crate::row_kronecker::RowKronecker;
use crate::tile::{Columns, groups, inner_products, scalars_for, with_tile};

/// Most features.
pub(crate) const FEATURES: usize = 3;

/// Units whose columns of S stay in the first-level cache while all others meet them.
const UNITS: usize = 24;

/// Writes the lower triangle of `J^T J` to `out` (p x p, column-major), for at most [`FEATURES`] features.
pub(crate) fn narrow_gram(jacobian: &RowKronecker, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
    let (m, d) = (jacobian.hidden(), jacobian.features());
    let (unit_pairs, pairs) = (m * (m + 1) / 2, d * (d + 1) / 2);
    let total = unit_pairs * pairs + 2 * pairs * ROW_BLOCK;
    if work.len() < total {
        work.resize(total, 0.0);
    }
    let (sums, rest) = work.split_at_mut(unit_pairs * pairs);
    let (products, weighted) = rest.split_at_mut(pairs * ROW_BLOCK);
    sums.fill(0.0);
    Arch::new().dispatch(NarrowProducts { jacobian, sums, products, weighted });
    scatter((sums, pairs), jacobian.pair_places(), out);
}

/// `sums[(i, i'), (k, l)] += S_i^T diag(S_i') (X_k * X_l)`, pairs of features the fastest.
struct NarrowProducts<'a> {
    jacobian: &'a RowKronecker,
    sums: &'a mut [f64],
    /// `X_k * X_l` on the rows of a block.
    products: &'a mut [f64],
    /// The same, weighted by one unit.
    weighted: &'a mut [f64],
}

impl WithSimd for NarrowProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { jacobian, sums, products, weighted } = self;
        let m = jacobian.hidden();
        for b in 0..jacobian.left().blocks() {
            let (s, x) = (jacobian.left().block(b), jacobian.right().block(b));
            let pairs = write_products(x, jacobian.features(), products);
            for first in (0..m).step_by(UNITS) {
                let end = m.min(first + UNITS);
                for other in 0..end {
                    let slope = &s.data[other * s.stride..][..s.stride];
                    let products = products.chunks_exact(s.stride).take(pairs);
                    for (weighted, product) in weighted.chunks_exact_mut(s.stride).zip(products) {
                        for ((w, s), x) in weighted.iter_mut().zip(slope).zip(product) {
                            *w = s * x;
                        }
                    }
                    let units = first.max(other)..end;
                    add_sums(simd, s, (units, other), (&*weighted, pairs), sums);
                }
            }
        }
    }
}

/// `X_k * X_l` for l >= k, k = 0, 1, .., padding included; returns how many.
#[inline(always)]
fn write_products(x: Block<'_>, d: usize, out: &mut [f64]) -> usize {
    let column = |k: usize| &x.data[k * x.stride..][..x.stride];
    let pairs = (0..d).flat_map(|k| (k..d).map(move |l| (k, l)));
    let mut count = 0;
    for ((k, l), out) in pairs.zip(out.chunks_exact_mut(x.stride)) {
        for ((out, a), b) in out.iter_mut().zip(column(k)).zip(column(l)) {
            *out = a * b;
        }
        count += 1;
    }
    count
}

/// Adds one block's part of the sums of `units` with the unit `other` that the products are weighted by.
#[inline(always)]
fn add_sums<S: Simd>(
    simd: S,
    s: Block<'_>,
    (units, other): (std::ops::Range<usize>, usize),
    (weighted, pairs): (&[f64], usize),
    sums: &mut [f64],
) {
    let vectors = s.stride / S::F64_LANES;
    for (q, width) in groups(pairs) {
        let right = Columns { data: &weighted[q * s.stride..], stride: s.stride };
        for i in units.clone().step_by(scalars_for(width)) {
            let count = scalars_for(width).min(units.end - i);
            let left = Columns { data: &s.data[i * s.stride..], stride: s.stride };
            with_tile!(count, width, |C, K| {
                let tile = inner_products::<S, C, K>(simd, vectors, left, right);
                for (c, row) in tile.iter().enumerate() {
                    let place = (i + c) * (i + c + 1) / 2 + other;
                    for (sum, part) in sums[place * pairs + q..].iter_mut().zip(row) {
                        *sum += part;
                    }
                }
            });
        }
    }
}
