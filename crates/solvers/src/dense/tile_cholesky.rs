//! Cholesky factor `A = L L^T` by tiles; `tile_solve` solves with it.
//!
//! The left-looking form: a tile of L is `A - sum over earlier columns of L L^T`, summed in registers,
//! then solved with the diagonal block, so that every entry is loaded and stored once.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use std::hint::black_box;

use pulp::{Simd, WithSimd};

use crate::dense::padded_square::stride_for;
use crate::dense::tile_solve::{BlockInverse, invert_blocks};
use crate::simd::column_kernels::Columns;
use crate::simd::tile::{
    Scalars, Vectors, balanced, has_many_registers, most_scalars, read_tile, subtract_product,
    with_tile, write_tile,
};

/// Numbers of the longest vectors.
const MOST_LANES: usize = 8;

/// Any column of the identity's diagonal block, its diagonal in the middle.
static UNIT: [f64; 2 * MOST_LANES] = {
    let mut unit = [0.0; 2 * MOST_LANES];
    unit[MOST_LANES] = 1.0;
    unit
};

/// Most columns of one step.
const STEP: usize = 8;

/// Vectors of a tile: where registers are few, two with more columns, so that there are fewer steps.
const fn most_vectors<S: Simd>() -> usize {
    if has_many_registers::<S>() { 3 } else { 2 }
}

/// Columns of one step: the scalars of a full tile, whose vectors must hold the diagonal block.
const fn step<S: Simd>() -> usize {
    let vectors = most_vectors::<S>();
    let (scalars, rows) = (most_scalars::<S>(vectors), vectors * S::F64_LANES);
    if scalars < rows { scalars } else { rows }
}

/// Whether a step has a tile of so many columns and vectors: any with the columns of a full step, and of fewer, which
/// are the matrix's last, the diagonal block alone.
const fn occurs<S: Simd>(columns: usize, vectors: usize) -> bool {
    vectors <= most_vectors::<S>()
        && (columns == step::<S>()
            || columns < step::<S>() && vectors == columns.div_ceil(S::F64_LANES))
}

/// Calls `$body` for the constants `$c` from 0 on below `$count`, at most [`STEP`]: a loop that surely
/// unrolls, so that columns stay in registers.
macro_rules! unrolled {
    ($count:expr, |$c:ident| $body:expr) => {
        unrolled!(@ $count, $c, $body, 0 1 2 3 4 5 6 7)
    };
    (@ $count:expr, $c:ident, $body:expr, $($k:literal)*) => {
        $({
            let $c: usize = $k;
            if $c < $count {
                $body
            }
        })*
    };
}

/// Factors `A = scale B + shift I + tau x x^T`, B given by its lower triangle.
pub(crate) struct Factor<'a> {
    /// Gets L, and has B where `source` has not; columns [`stride_for`] apart.
    pub(crate) matrix: &'a mut [f64],
    pub(crate) order: usize,
    /// B in the same layout: nothing needs to be copied for a factor.
    pub(crate) source: Option<&'a [f64]>,
    pub(crate) scale: f64,
    pub(crate) shift: f64,
    /// tau and x, which is as long as a column with its padding.
    pub(crate) rank_one: Option<(f64, &'a [f64])>,
    /// Get the inverses of the diagonal blocks, for solves; none are wanted where only pivots are.
    pub(crate) inverses: &'a mut [BlockInverse],
}

impl WithSimd for Factor<'_> {
    /// `Err` holds the index of the first pivot that is not above zero.
    type Output = Result<(), usize>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<(), usize> {
        let stride = stride_for(self.order);
        // Behind an unknown address: entries that are known to lie within an array are loaded as whole
        // vectors across two of those just stored, which waits for both to leave the store queue.
        let mut diagonal = Diagonal::default();
        let diagonal = black_box(&mut diagonal);
        for first in (0..self.order).step_by(step::<S>()) {
            let (done, rest) = self.matrix.split_at_mut(first * stride);
            let width = step::<S>().min(self.order - first);
            let factors = &done[first.min(done.len())..];
            let a = Scalars { data: factors, step: stride, stride: 1 };
            let total = (self.order - first).div_ceil(S::F64_LANES);
            // The first tile has the diagonal block, even where a vector is one number.
            let most = most_vectors::<S>();
            let lead = if S::F64_LANES < step::<S>() { most.min(total) } else { 0 };
            let others = balanced(total - lead, most).map(|(v, vectors)| (lead + v, vectors));
            for (v, vectors) in (lead > 0).then_some((0, lead)).into_iter().chain(others) {
                let row = v * S::F64_LANES;
                let b = Vectors { data: &factors[row.min(factors.len())..], step: stride };
                let tile = &mut rest[first + row..];
                let source = self.source.map(|source| &source[first * stride + first + row..]);
                with_tile!(S, width, vectors, |C, V| {
                    // Other tiles never occur; they are not even compiled.
                    if const { occurs::<S>(C, V) } {
                        let entries = Columns { data: source.unwrap_or(tile), stride };
                        let mut columns = read_tile::<S, C, V>(simd, entries, self.scale);
                        if let Some((tau, x)) = self.rank_one {
                            add_rank_one(simd, tau, (&x[first..], &x[first + row..]), &mut columns);
                        }
                        // The diagonal is in the first tile.
                        if row == 0 && self.shift != 0.0 {
                            add_identity(simd, self.shift, &mut columns);
                        }
                        subtract_product(simd, first, (a, b), &mut columns);
                        let mut outcome = Ok(());
                        if row == 0 {
                            outcome = diagonal.factor(simd, &mut columns);
                        } else if const { C == step::<S>() } {
                            // Below the last columns there is nothing.
                            diagonal.solve(simd, &mut columns);
                        }
                        // Where a pivot is missing, those before it are of use.
                        write_tile(simd, columns, (tile, stride));
                        outcome.map_err(|index| first + index)?;
                    }
                });
            }
        }
        invert_blocks(simd, self.matrix, self.order, self.inverses);
        Ok(())
    }
}

/// The factor of a diagonal block: `block[c][r]` for r >= c.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Diagonal {
    block: [[f64; STEP]; STEP],
    /// Of the pivots' roots.
    inverses: [f64; STEP],
}

impl Diagonal {
    /// Factors the block at the top of C columns, and solves what lies below it; `Err` holds the first
    /// index without positive pivot. What lies above the diagonal is left undefined.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "the loops unroll")]
    #[allow(unused_assignments, reason = "the last column has no next pivot")]
    fn factor<S: Simd, const C: usize, const V: usize>(
        &mut self,
        simd: S,
        columns: &mut [[S::f64s; V]; C],
    ) -> Result<(), usize> {
        self.keep(simd, 0, columns[0]);
        let mut pivot = self.block[0][0];
        unrolled!(C, |c| {
            if pivot.is_nan() || pivot <= 0.0 {
                return Err(c);
            }
            // What follows waits for the quotient, not for the root.
            let (this, quotient) = (pivot, pivot.recip());
            self.inverses[c] = this.sqrt() * quotient;
            if c + 1 < C {
                // The next quotient does not wait for the vectors.
                self.keep(simd, c + 1, columns[c + 1]);
                let entry = self.block[c][c + 1];
                // A quotient of its own: a square could leave the range of numbers, a third factor takes time.
                pivot = self.block[c + 1][c + 1] - entry / this * entry;
            }
            let mut scaled = columns[c];
            for v in 0..V {
                scaled[v] = simd.mul_f64s(simd.splat_f64s(quotient), columns[c][v]);
            }
            for s in c + 1..C {
                let factor = simd.splat_f64s(self.block[c][s]);
                for v in 0..V {
                    columns[s][v] = simd.negate_mul_add_e_f64s(factor, scaled[v], columns[s][v]);
                }
            }
            if c + 1 < C {
                self.keep(simd, c + 1, columns[c + 1]);
            }
            for v in 0..V {
                columns[c][v] = simd.mul_f64s(simd.splat_f64s(self.inverses[c]), columns[c][v]);
            }
            self.keep(simd, c, columns[c]);
        });
        Ok(())
    }

    /// Puts the top of column c into the block.
    #[inline(always)]
    fn keep<S: Simd, const V: usize>(&mut self, _: S, c: usize, column: [S::f64s; V]) {
        for (kept, x) in S::as_mut_simd_f64s(&mut self.block[c]).0.iter_mut().zip(column) {
            *kept = x;
        }
    }

    /// `columns <- columns block^-T`.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "the loops unroll")]
    fn solve<S: Simd, const C: usize, const V: usize>(
        &self,
        simd: S,
        columns: &mut [[S::f64s; V]; C],
    ) {
        unrolled!(C, |c| {
            for v in 0..V {
                let mut value = columns[c][v];
                for k in 0..c {
                    let factor = simd.splat_f64s(self.block[k][c]);
                    value = simd.negate_mul_add_e_f64s(factor, columns[k][v], value);
                }
                columns[c][v] = simd.mul_f64s(value, simd.splat_f64s(self.inverses[c]));
            }
        });
    }
}

/// `columns += shift I`.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the loops unroll")]
fn add_identity<S: Simd, const C: usize, const V: usize>(
    simd: S,
    shift: f64,
    columns: &mut [[S::f64s; V]; C],
) {
    let shift = simd.splat_f64s(shift);
    for c in 0..C {
        let first = MOST_LANES - c % S::F64_LANES;
        let unit = S::as_simd_f64s(&UNIT[first..first + S::F64_LANES]).0[0];
        // A tile that is too short for its diagonal never has one.
        if let Some(entries) = columns[c].get_mut(c / S::F64_LANES) {
            *entries = simd.mul_add_e_f64s(shift, unit, *entries);
        }
    }
}

/// `columns[c] += tau factors[c] x`.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the loops unroll")]
fn add_rank_one<S: Simd, const C: usize, const V: usize>(
    simd: S,
    tau: f64,
    (factors, x): (&[f64], &[f64]),
    columns: &mut [[S::f64s; V]; C],
) {
    let x = S::as_simd_f64s(&x[..V * S::F64_LANES]).0;
    for c in 0..C {
        let factor = simd.splat_f64s(tau * factors[c]);
        for v in 0..V {
            columns[c][v] = simd.mul_add_e_f64s(factor, x[v], columns[c][v]);
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;
    use crate::dense::tile_solve::{COLUMNS, Solve};
    use crate::simd::arch::arch;

    /// Processors without vectors of f64: no other test meets them.
    #[test]
    fn vectors_of_one_number_factor_and_solve() {
        for order in 1..30 {
            let stride = stride_for(order);
            let entry = |r: usize, c: usize| {
                let (r, c) = (r.max(c), r.min(c));
                if r == c { 4.0 + order as f64 } else { ((7 * r + 3 * c) % 5) as f64 - 2.0 }
            };
            let (tau, mut x) = (0.25, vec![0.0; stride]);
            x[..order].iter_mut().enumerate().for_each(|(k, x)| *x = (k as f64).sin());
            let mut half = vec![0.0; stride * order];
            for c in 0..order {
                for r in c..order {
                    let others = f64::from(u8::from(r == c)) + tau * x[r] * x[c];
                    half[c * stride + r] = 0.5 * (entry(r, c) - others);
                }
            }
            let mut matrix = vec![f64::NAN; stride * order];
            let source = Some(&half[..]);
            let mut inverses = vec![BlockInverse::default(); order.div_ceil(COLUMNS)];
            let factor = Factor {
                matrix: &mut matrix,
                order,
                source,
                scale: 2.0,
                shift: 1.0,
                rank_one: Some((tau, &x)),
                inverses: &mut inverses,
            };
            assert_eq!(factor.with_simd(Scalar::new()), Ok(()));
            let known: Vec<f64> = (0..order).map(|k| (k as f64).cos()).collect();
            let row = |r: usize| (0..order).map(|c| entry(r, c) * known[c]).sum();
            let mut x: Vec<f64> = (0..order).map(row).collect();
            Solve { factor: &matrix, inverses: &inverses, x: [&mut x] }.with_simd(Scalar::new());
            for (x, known) in x.iter().zip(&known) {
                assert!((x - known).abs() < 1e-13, "order {order}");
            }
        }
    }

    #[test]
    fn two_vectors_get_the_bits_of_one() {
        for order in [1, 7, 8, 9, 40, 61, 144] {
            let stride = stride_for(order);
            let mut matrix = vec![0.0; stride * order];
            for c in 0..order {
                for r in c..order {
                    matrix[c * stride + r] =
                        if r == c { order as f64 } else { (r * c) as f64 % 1.7 };
                }
            }
            let mut inverses = vec![BlockInverse::default(); order.div_ceil(COLUMNS)];
            let factor = Factor {
                matrix: &mut matrix,
                order,
                source: None,
                scale: 1.0,
                shift: 1.0,
                rank_one: None,
                inverses: &mut inverses,
            };
            assert_eq!(arch().dispatch(factor), Ok(()));
            let start: [Vec<f64>; 2] =
                [1.3, 0.4].map(|pace| (0..order).map(|k| (pace * k as f64).sin()).collect());
            let ([mut one, mut two], mut both) = (start.clone(), start);
            let (factor, inverses) = (&matrix[..], &inverses[..]);
            let [first, second] = &mut both;
            arch().dispatch(Solve { factor, inverses, x: [first, second] });
            for x in [&mut one, &mut two] {
                arch().dispatch(Solve { factor, inverses, x: [x] });
            }
            assert_eq!(both, [one, two], "order {order}");
        }
    }
}
