//! Cholesky factor `A = L L^T` of matrices that fit the cache, by tiles, and solves with it.
//!
//! The left-looking form: a tile of L is `A - sum over earlier columns of L L^T`, summed in registers,
//! then solved with the diagonal block, so that every entry is loaded and stored once.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use pulp::{Simd, WithSimd};

use crate::tile::{Scalars, VECTORS, Vectors, groups, product, scalars_for, with_tile};

/// Columns of one step: the scalars of a full tile.
const STEP: usize = scalars_for(VECTORS);

/// Distance from one column to the next in memory: room for a vector past the end, and an odd number
/// of cache lines, so that entries of one row do not fall on the same place of the cache.
pub(crate) fn stride_for(order: usize) -> usize {
    8 * ((order.div_ceil(8) + 3) | 1)
}

/// Factors the lower triangle of `matrix` (columns [`stride_for`] apart) in place.
pub(crate) struct Factor<'a> {
    pub(crate) matrix: &'a mut [f64],
    pub(crate) order: usize,
}

impl WithSimd for Factor<'_> {
    /// `Err` holds the index of the first pivot that is not above zero.
    type Output = Result<(), usize>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<(), usize> {
        let stride = stride_for(self.order);
        for first in (0..self.order).step_by(STEP) {
            let (done, rest) = self.matrix.split_at_mut(first * stride);
            let width = STEP.min(self.order - first);
            let factors = &done[first.min(done.len())..];
            let a = Scalars { data: factors, step: stride, stride: 1 };
            let mut diagonal = Diagonal::default();
            for (v, vectors) in groups((self.order - first).div_ceil(S::F64_LANES)) {
                let row = v * S::F64_LANES;
                let b = Vectors { data: &factors[row.min(factors.len())..], step: stride };
                let tile = &mut rest[first + row..];
                with_tile!(S, width, vectors, |C, V| {
                    let sums = product::<S, C, V>(simd, first, a, b);
                    subtract(simd, sums, tile, stride);
                    if row == 0 {
                        diagonal =
                            Diagonal::factor(tile, stride, width).map_err(|index| first + index)?;
                    }
                    solve_tile::<S, C, V>(simd, &diagonal, tile, stride);
                    if row == 0 {
                        diagonal.write(tile, stride, width);
                    }
                });
            }
        }
        Ok(())
    }
}

/// The factor of a diagonal block: `block[c][r]` for r >= c.
#[derive(Clone, Copy, Default)]
struct Diagonal {
    block: [[f64; STEP]; STEP],
    /// Of the pivots' roots.
    inverses: [f64; STEP],
}

impl Diagonal {
    /// Factors the block at the top of `tile`; `Err` holds the first index without positive pivot.
    #[inline(always)]
    fn factor(tile: &[f64], stride: usize, width: usize) -> Result<Self, usize> {
        let mut found = Self::default();
        for c in 0..width {
            for r in c..width {
                let earlier = (0..c).map(|k| found.block[k][r] * found.block[k][c]);
                found.block[c][r] = tile[c * stride + r] - earlier.sum::<f64>();
            }
            let pivot = found.block[c][c];
            if pivot.is_nan() || pivot <= 0.0 {
                return Err(c);
            }
            found.block[c][c] = pivot.sqrt();
            found.inverses[c] = found.block[c][c].recip();
            for r in c + 1..width {
                found.block[c][r] *= found.inverses[c];
            }
        }
        Ok(found)
    }

    /// Puts the block where it was taken from.
    #[inline(always)]
    fn write(&self, tile: &mut [f64], stride: usize, width: usize) {
        // Row by row: copies of a few numbers down a column would each become a call.
        for r in 0..width {
            for c in 0..=r {
                tile[c * stride + r] = self.block[c][r];
            }
        }
    }
}

/// `tile -= sums`, columns of the tile `stride` apart in memory.
#[inline(always)]
fn subtract<S: Simd, const C: usize, const V: usize>(
    simd: S,
    sums: [[S::f64s; V]; C],
    tile: &mut [f64],
    stride: usize,
) {
    for (c, sums) in sums.into_iter().enumerate() {
        let target = S::as_mut_simd_f64s(&mut tile[c * stride..c * stride + V * S::F64_LANES]).0;
        for (t, sum) in target.iter_mut().zip(sums) {
            *t = simd.sub_f64s(*t, sum);
        }
    }
}

/// `tile <- tile block^-T`.
#[inline(always)]
fn solve_tile<S: Simd, const C: usize, const V: usize>(
    simd: S,
    diagonal: &Diagonal,
    tile: &mut [f64],
    stride: usize,
) {
    let mut solved = [[simd.splat_f64s(0.0); V]; C];
    for c in 0..C {
        let target = S::as_mut_simd_f64s(&mut tile[c * stride..c * stride + V * S::F64_LANES]).0;
        for v in 0..V {
            let mut value = target[v];
            for (k, column) in solved.iter().enumerate().take(c) {
                let factor = simd.splat_f64s(diagonal.block[k][c]);
                value = simd.negate_mul_add_e_f64s(factor, column[v], value);
            }
            value = simd.mul_f64s(value, simd.splat_f64s(diagonal.inverses[c]));
            solved[c][v] = value;
            target[v] = value;
        }
    }
}

/// Columns that a solve takes together: x is then read and written once for all of them.
pub(crate) const COLUMNS: usize = 4;

/// The inverse of a diagonal block of L, `inverse[c][r]` in row r, column c; the identity past the end.
pub(crate) type BlockInverse = [[f64; COLUMNS]; COLUMNS];

/// The inverses of the diagonal blocks of the factor: a solve with a block is then a few independent
/// products, where divisions and substitutions would keep every following entry waiting.
pub(crate) fn invert_diagonal_blocks(factor: &[f64], order: usize, out: &mut [BlockInverse]) {
    let stride = stride_for(order);
    for (b, inverse) in out.iter_mut().enumerate() {
        let (first, width) = (b * COLUMNS, COLUMNS.min(order - b * COLUMNS));
        // The block, and the identity past the end.
        let mut block = [[0.0; COLUMNS]; COLUMNS];
        for (c, column) in block.iter_mut().enumerate() {
            column[c] = 1.0;
            if c < width {
                let source = &factor[(first + c) * stride + first..][..width];
                for (entry, x) in column.iter_mut().zip(source).skip(c) {
                    *entry = *x;
                }
            }
        }
        let inverses: [f64; COLUMNS] = std::array::from_fn(|c| block[c][c].recip());
        *inverse = [[0.0; COLUMNS]; COLUMNS];
        for (c, column) in inverse.iter_mut().enumerate() {
            column[c] = inverses[c];
            for r in c + 1..COLUMNS {
                let known: f64 = (c..r).map(|k| block[k][r] * column[k]).sum();
                column[r] = -known * inverses[r];
            }
        }
    }
}

/// `x <- A^-1 x = L^-T L^-1 x` with the factor that [`Factor`] wrote.
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
        let below = |c: usize, end: usize| &self.factor[c * stride + end..c * stride + n];
        let x = self.x;
        for (b, inverse) in self.inverses.iter().enumerate() {
            let (first, end) = (b * COLUMNS, n.min((b + 1) * COLUMNS));
            let (solved, rest) = x.split_at_mut(end);
            let mut block = [0.0; COLUMNS];
            for (block, x) in block.iter_mut().zip(&solved[first..]) {
                *block = *x;
            }
            let y: [f64; COLUMNS] =
                std::array::from_fn(|r| (0..=r).map(|c| inverse[c][r] * block[c]).sum());
            store(y, &mut solved[first..]);
            if end - first == COLUMNS {
                let columns: [&[f64]; COLUMNS] = std::array::from_fn(|k| below(first + k, end));
                subtract_columns(simd, columns, y, rest);
            }
        }
        for (b, inverse) in self.inverses.iter().enumerate().rev() {
            let (first, end) = (b * COLUMNS, n.min((b + 1) * COLUMNS));
            let (solving, solved) = x.split_at_mut(end);
            let mut block = [0.0; COLUMNS];
            if end - first == COLUMNS {
                let columns: [&[f64]; COLUMNS] = std::array::from_fn(|k| below(first + k, end));
                block = inner_products(simd, columns, solved);
            }
            for (block, x) in block.iter_mut().zip(&solving[first..]) {
                *block = x - *block;
            }
            let y: [f64; COLUMNS] =
                std::array::from_fn(|c| (c..COLUMNS).map(|r| inverse[c][r] * block[r]).sum());
            store(y, &mut solving[first..]);
        }
    }
}

/// Writes as many numbers as `out` has.
#[inline(always)]
fn store(block: [f64; COLUMNS], out: &mut [f64]) {
    match out.as_chunks_mut::<COLUMNS>().0 {
        [whole, ..] => *whole = block,
        [] => out.iter_mut().zip(block).for_each(|(out, x)| *out = x),
    }
}

/// `x -= sum_k factors_k columns_k`.
#[inline(always)]
fn subtract_columns<S: Simd>(
    simd: S,
    columns: [&[f64]; COLUMNS],
    factors: [f64; COLUMNS],
    x: &mut [f64],
) {
    let (x, tail) = S::as_mut_simd_f64s(x);
    let columns = columns.map(S::as_simd_f64s);
    let splats = factors.map(|f| simd.splat_f64s(f));
    let [c0, c1, c2, c3] = columns.map(|(whole, _)| &whole[..x.len()]);
    for ((((x, c0), c1), c2), c3) in x.iter_mut().zip(c0).zip(c1).zip(c2).zip(c3) {
        for (factor, column) in splats.iter().zip([c0, c1, c2, c3]) {
            *x = simd.negate_mul_add_e_f64s(*factor, *column, *x);
        }
    }
    for (r, x) in tail.iter_mut().enumerate() {
        for k in 0..COLUMNS {
            *x -= factors[k] * columns[k].1[r];
        }
    }
}

/// The inner products of four columns with x, each in the same fixed order.
#[inline(always)]
fn inner_products<S: Simd>(simd: S, columns: [&[f64]; COLUMNS], x: &[f64]) -> [f64; COLUMNS] {
    let (x, tail) = S::as_simd_f64s(x);
    let columns = columns.map(S::as_simd_f64s);
    let mut sums = [simd.splat_f64s(0.0); COLUMNS];
    let [c0, c1, c2, c3] = columns.map(|(whole, _)| &whole[..x.len()]);
    for ((((x, c0), c1), c2), c3) in x.iter().zip(c0).zip(c1).zip(c2).zip(c3) {
        for (sum, column) in sums.iter_mut().zip([c0, c1, c2, c3]) {
            *sum = simd.mul_add_e_f64s(*column, *x, *sum);
        }
    }
    std::array::from_fn(|k| {
        let rest: f64 = columns[k].1.iter().zip(tail).map(|(l, x)| l * x).sum();
        simd.reduce_sum_f64s(sums[k]) + rest
    })
}
