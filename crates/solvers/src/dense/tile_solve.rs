//! Solves with a Cholesky factor that `tile_cholesky` wrote, a block of columns at a time.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use pulp::{Simd, WithSimd};

use crate::dense::padded_square::stride_for;
use crate::simd::column_kernels::{Columns, column_products, subtract_columns};

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

/// Inverts as many diagonal blocks of the factor as `out` has room for: a solve with a block is then a few
/// independent products, where divisions and substitutions would keep every following entry waiting.
#[inline(always)]
pub(crate) fn invert_blocks<S: Simd>(
    simd: S,
    factor: &[f64],
    order: usize,
    out: &mut [BlockInverse],
) {
    let stride = stride_for(order);
    for (b, inverse) in out.iter_mut().enumerate() {
        let (first, width) = (b * COLUMNS, COLUMNS.min(order - b * COLUMNS));
        let block = &factor[first * stride + first..];
        if width == COLUMNS {
            invert(simd, |c: usize, r: usize| block[c * stride + r], inverse);
        } else {
            let entry =
                |c: usize, r: usize| if r < width { block[c * stride + r] } else { IDENTITY[c][r] };
            invert(simd, entry, inverse);
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

/// `x <- A^-1 x = L^-T L^-1 x` for R vectors of one length, with the factor that
/// [`crate::dense::tile_cholesky::Factor`] wrote: it is read once for all of them, and each gets the bits that it
/// would get alone.
pub(crate) struct Solve<'a, const R: usize> {
    pub(crate) factor: &'a [f64],
    pub(crate) inverses: &'a [BlockInverse],
    pub(crate) x: [&'a mut [f64]; R],
}

impl<const R: usize> WithSimd for Solve<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { factor, inverses, x } = self;
        solve(simd, factor, inverses, x);
    }
}

/// The same.
#[inline(always)]
fn solve<S: Simd, const R: usize>(
    simd: S,
    factor: &[f64],
    inverses: &[BlockInverse],
    mut x: [&mut [f64]; R],
) {
    let n = x.first().map_or(0, |x| x.len());
    let stride = stride_for(n);
    let below =
        |first: usize, end: usize| Columns { data: &factor[first * stride + end..], stride };
    for (b, inverse) in inverses.iter().enumerate() {
        let (first, end) = (b * COLUMNS, n.min((b + 1) * COLUMNS));
        let mut solved = [[0.0; COLUMNS]; R];
        for (x, solved) in x.iter_mut().zip(&mut solved) {
            *solved = combine(simd, &inverse.columns, load(&x[first..end]));
            store(*solved, &mut x[first..end]);
        }
        if end < n {
            let rest = x.each_mut().map(|x| &mut x[end..]);
            subtract_columns::<S, COLUMNS, R>(simd, below(first, end), solved, rest);
        }
    }
    for (b, inverse) in inverses.iter().enumerate().rev() {
        let (first, end) = (b * COLUMNS, n.min((b + 1) * COLUMNS));
        let mut known = [[0.0; COLUMNS]; R];
        if end < n {
            let solved = x.each_ref().map(|x| &x[end..]);
            known = column_products::<S, COLUMNS, R>(simd, below(first, end), solved);
        }
        for (x, known) in x.iter_mut().zip(known) {
            let mut block = load(&x[first..end]);
            block.iter_mut().zip(known).for_each(|(x, known)| *x -= known);
            store(combine(simd, &inverse.rows, block), &mut x[first..end]);
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
