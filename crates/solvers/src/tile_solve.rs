//! Solves with a Cholesky factor that `tile_cholesky` wrote, a block of columns at a time.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use pulp::{Simd, WithSimd};

use crate::tile::{Columns, column_products, subtract_columns};
use crate::tile_cholesky::stride_for;

/// Columns that a solve takes together: x is then read and written once for all of them. Whole vectors.
pub(crate) const COLUMNS: usize = 8;

/// A diagonal block's worth of numbers.
type Block = [[f64; COLUMNS]; COLUMNS];

/// The inverse of a diagonal block of L; the identity past the end.
#[derive(Clone, Copy, Default)]
pub(crate) struct BlockInverse {
    /// Entry (r, c) at `columns[c][r]`.
    columns: Block,
    /// Entry (r, c) at `rows[r][c]`.
    rows: Block,
}

/// Inverts the diagonal blocks of the factor: a solve with a block is then a few independent products,
/// where divisions and substitutions would keep every following entry waiting.
pub(crate) struct InvertBlocks<'a> {
    pub(crate) factor: &'a [f64],
    pub(crate) order: usize,
    pub(crate) out: &'a mut [BlockInverse],
}

impl WithSimd for InvertBlocks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let stride = stride_for(self.order);
        for (b, inverse) in self.out.iter_mut().enumerate() {
            let (first, width) = (b * COLUMNS, COLUMNS.min(self.order - b * COLUMNS));
            let block = &self.factor[first * stride + first..];
            if width == COLUMNS {
                invert(simd, |c: usize, r: usize| block[c * stride + r], inverse);
            } else {
                let entry = |c: usize, r: usize| {
                    if r < width { block[c * stride + r] } else { IDENTITY[c][r] }
                };
                invert(simd, entry, inverse);
            }
        }
    }
}

/// Inverts the lower triangle that has `entry(c, r)` in column c, row r.
#[inline(always)]
#[allow(
    clippy::needless_range_loop,
    reason = "the loops unroll, and the inverse stays in registers"
)]
fn invert<S: Simd>(simd: S, entry: impl Fn(usize, usize) -> f64, inverse: &mut BlockInverse) {
    let mut pivots = [0.0; COLUMNS];
    for (c, pivot) in pivots.iter_mut().enumerate() {
        *pivot = entry(c, c).recip();
    }
    for v in 0..COLUMNS / S::F64_LANES {
        // Row after row of `L L^-1 = I`.
        let mut rows = [simd.splat_f64s(0.0); COLUMNS];
        for r in 0..COLUMNS {
            let mut row = S::as_simd_f64s(&IDENTITY[r]).0[v];
            for k in 0..r {
                row = simd.negate_mul_add_e_f64s(simd.splat_f64s(entry(k, r)), rows[k], row);
            }
            rows[r] = simd.mul_f64s(row, simd.splat_f64s(pivots[r]));
            S::as_mut_simd_f64s(&mut inverse.rows[r]).0[v] = rows[r];
        }
        // From the last column on of `L^-1 L = I`.
        let mut columns = [simd.splat_f64s(0.0); COLUMNS];
        for c in (0..COLUMNS).rev() {
            let mut column = S::as_simd_f64s(&IDENTITY[c]).0[v];
            for k in c + 1..COLUMNS {
                column =
                    simd.negate_mul_add_e_f64s(simd.splat_f64s(entry(c, k)), columns[k], column);
            }
            columns[c] = simd.mul_f64s(column, simd.splat_f64s(pivots[c]));
            S::as_mut_simd_f64s(&mut inverse.columns[c]).0[v] = columns[c];
        }
    }
}

/// The identity.
const IDENTITY: Block = {
    let mut block = [[0.0; COLUMNS]; COLUMNS];
    let mut c = 0;
    while c < COLUMNS {
        block[c][c] = 1.0;
        c += 1;
    }
    block
};

/// `x <- A^-1 x = L^-T L^-1 x` with the factor that [`crate::tile_cholesky::Factor`] wrote.
pub(crate) struct Solve<'a> {
    pub(crate) factor: &'a [f64],
    pub(crate) inverses: &'a [BlockInverse],
    pub(crate) x: &'a mut [f64],
}

impl WithSimd for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let n = self.x.len();
        let stride = stride_for(n);
        let below = |first: usize, end: usize| Columns {
            data: &self.factor[first * stride + end..],
            stride,
        };
        let x = self.x;
        for (b, inverse) in self.inverses.iter().enumerate() {
            let (first, end) = (b * COLUMNS, n.min((b + 1) * COLUMNS));
            let (solving, rest) = x.split_at_mut(end);
            let solving = &mut solving[first..];
            let y = combine(simd, &inverse.columns, load(solving));
            store(y, solving);
            if !rest.is_empty() {
                subtract_columns::<S, COLUMNS>(simd, below(first, end), y, rest);
            }
        }
        for (b, inverse) in self.inverses.iter().enumerate().rev() {
            let (first, end) = (b * COLUMNS, n.min((b + 1) * COLUMNS));
            let (solving, solved) = x.split_at_mut(end);
            let solving = &mut solving[first..];
            let mut block = load(solving);
            if !solved.is_empty() {
                let known = column_products::<S, COLUMNS>(simd, below(first, end), solved);
                block.iter_mut().zip(known).for_each(|(x, known)| *x -= known);
            }
            store(combine(simd, &inverse.rows, block), solving);
        }
    }
}

/// `sum_k factors_k block[k]`.
#[inline(always)]
fn combine<S: Simd>(simd: S, block: &Block, factors: [f64; COLUMNS]) -> [f64; COLUMNS] {
    let mut out = [0.0; COLUMNS];
    for (v, out) in S::as_mut_simd_f64s(&mut out).0.iter_mut().enumerate() {
        // Two sums: half as long to wait.
        let mut sums = [simd.splat_f64s(0.0); 2];
        for k in 0..COLUMNS {
            let column = S::as_simd_f64s(&block[k]).0[v];
            sums[k % 2] = simd.mul_add_e_f64s(simd.splat_f64s(factors[k]), column, sums[k % 2]);
        }
        *out = simd.add_f64s(sums[0], sums[1]);
    }
    out
}

/// The numbers of a block, zeros past the end.
#[inline(always)]
fn load(x: &[f64]) -> [f64; COLUMNS] {
    let mut block = [0.0; COLUMNS];
    match x.as_chunks::<COLUMNS>().0 {
        [whole, ..] => block = *whole,
        [] => block.iter_mut().zip(x).for_each(|(block, x)| *block = *x),
    }
    block
}

/// Writes as many numbers as `out` has.
#[inline(always)]
fn store(block: [f64; COLUMNS], out: &mut [f64]) {
    match out.as_chunks_mut::<COLUMNS>().0 {
        [whole, ..] => *whole = block,
        [] => out.iter_mut().zip(block).for_each(|(out, x)| *out = x),
    }
}
