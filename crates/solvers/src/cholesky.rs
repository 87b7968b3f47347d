//! Cholesky factor `A = L L^T` of a symmetric positive definite matrix, in reused buffers.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{
    LltError, LltRegularization, cholesky_in_place, cholesky_in_place_scratch,
};
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::prelude::ReborrowMut;
use faer::{Mat, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};

use crate::condition::inverse_norm;
use crate::tile::has_many_registers;
use crate::tile_cholesky::{Factor, stride_for};
use crate::tile_solve::{BlockInverse, COLUMNS, InvertBlocks, Solve};

/// The order up to which the tiles of `tile_cholesky` are faster than faer's recursion, as measured: what fits
/// the second-level cache, or more where tiles have registers for eight columns.
struct LargestTiled;

impl WithSimd for LargestTiled {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        if has_many_registers::<S>() { 1024 } else { 288 }
    }
}

/// Numbers that the longest vectors hold.
const ALIGNED: usize = 8;

/// `scale A + tau x x^T + shift I`, as [`Cholesky::decompose_shifted`] takes it; (tau, x) or none.
pub(crate) struct Shifted<'a> {
    pub(crate) scale: f64,
    pub(crate) shift: f64,
    pub(crate) rank_one: Option<(f64, &'a [f64])>,
}

/// Buffers and factor of one order.
pub(crate) struct Cholesky {
    /// Columns [`stride_for`] apart.
    factor: Mat<f64>,
    order: usize,
    /// The diagonal of A: what a pivot is measured against.
    diagonal: Vec<f64>,
    /// Inverses of the diagonal blocks of L, for the solves; none for large orders.
    inverses: Vec<BlockInverse>,
    /// Where the inverse is largest, as far as is known: from the last factor, a start for this one.
    weak: Vec<f64>,
    /// Smallest and largest pivot of the present factor.
    pivots: (f64, f64),
    /// The condition of the present factor, once it was asked for.
    condition: Option<f64>,
    /// For faer's factorization, which only large orders take.
    scratch: Option<MemBuffer>,
}

impl Cholesky {
    /// Buffers for matrices of order `order`.
    pub(crate) fn new(order: usize) -> Self {
        let recursive = order > Arch::new().dispatch(LargestTiled);
        let scratch = recursive.then(|| {
            let size = cholesky_in_place_scratch::<f64>(order, Par::Seq, faer::Spec::default());
            MemBuffer::new(size)
        });
        let factor = Mat::zeros(stride_for(order) * order, 1);
        let blocks = if recursive { 0 } else { order.div_ceil(COLUMNS) };
        let inverses = vec![BlockInverse::default(); blocks];
        let (diagonal, weak) = (vec![0.0; order], vec![0.0; order]);
        let pivots = (1.0, 1.0);
        Self { factor, order, diagonal, inverses, weak, pivots, condition: None, scratch }
    }

    /// The matrix to be factored: write its lower triangle before [`Self::factor`].
    pub(crate) fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        let (order, stride) = (self.order, stride_for(self.order));
        let data = self.factor.col_as_slice_mut(0);
        MatMut::from_column_major_slice_with_stride_mut(data, order, order, stride)
    }

    /// The factor in the lower triangle.
    fn matrix(&self) -> MatRef<'_, f64> {
        let (order, stride) = (self.order, stride_for(self.order));
        let data = self.factor.col_as_slice(0);
        MatRef::from_column_major_slice_with_stride(data, order, order, stride)
    }

    /// Factors `(1-rho) A + rho I`, A given by its lower triangle; `Err` as [`Self::decompose`].
    pub(crate) fn factor_damped(&mut self, a: MatRef<'_, f64>, rho: f64) -> Result<(), usize> {
        self.decompose_shifted(a, Shifted { scale: 1.0 - rho, shift: rho, rank_one: None })?;
        self.prepare_solves();
        Ok(())
    }

    /// Decomposes A, given by its lower triangle, scaled and shifted; `Err` as [`Self::decompose`].
    pub(crate) fn decompose_shifted(
        &mut self,
        a: MatRef<'_, f64>,
        Shifted { scale, shift, rank_one }: Shifted<'_>,
    ) -> Result<(), usize> {
        let (order, stride) = (self.order, stride_for(self.order));
        let columns = self.factor.col_as_slice_mut(0).chunks_exact_mut(stride);
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (c, (target, source)) in columns.zip(a.col_iter()).enumerate() {
                    // From a whole vector on: what is above the diagonal is not read.
                    let first = c & !(ALIGNED - 1);
                    let target = &mut target[first..order];
                    if let Some(source) = source.try_as_col_major() {
                        for (t, x) in target.iter_mut().zip(&source.as_slice()[first..]) {
                            *t = scale * x;
                        }
                    } else {
                        let source = source.iter().skip(first);
                        target.iter_mut().zip(source).for_each(|(t, x)| *t = scale * x);
                    }
                    if let Some((tau, x)) = rank_one {
                        let factor = tau * x[c];
                        for (t, x) in target.iter_mut().zip(&x[first..]) {
                            *t += factor * x;
                        }
                    }
                    target[c - first] += shift;
                }
            },
        );
        self.decompose()
    }

    /// `A <- (1-rho) A + rho I` for the matrix that was written, then its factor.
    pub(crate) fn damp_and_factor(&mut self, rho: f64) -> Result<(), usize> {
        let stride = stride_for(self.order);
        let columns = self.factor.col_as_slice_mut(0).chunks_exact_mut(stride);
        for (c, column) in columns.enumerate() {
            for entry in &mut column[c..self.order] {
                *entry *= 1.0 - rho;
            }
            column[c] += rho;
        }
        self.factor()
    }

    /// Decomposes the matrix that was written, for solves; `Err` as [`Self::decompose`].
    pub(crate) fn factor(&mut self) -> Result<(), usize> {
        self.decompose()?;
        self.prepare_solves();
        Ok(())
    }

    /// Makes what solves with the present factor need.
    pub(crate) fn prepare_solves(&mut self) {
        let (factor, out) = (self.factor.col_as_slice(0), &mut self.inverses[..]);
        Arch::new().dispatch(InvertBlocks { factor, order: self.order, out });
    }

    /// Decomposes the matrix in place, `A = L L^T`; `Err` holds the index of the first pivot that is not positive.
    ///
    /// A pivot is the difference of a diagonal entry and a sum of `order` squares, so that below
    /// `order eps` times this entry nothing of it is known, not even its sign: it counts as zero.
    fn decompose(&mut self) -> Result<(), usize> {
        self.condition = None;
        // From one entry of the diagonal to the next.
        let step = stride_for(self.order) + 1;
        let entries = self.factor.col_as_slice(0).iter().step_by(step);
        self.diagonal.iter_mut().zip(entries).for_each(|(known, entry)| *known = *entry);
        // The index of the first pivot that broke the factorization down, or the order.
        let broken = if let Some(mut scratch) = self.scratch.take() {
            let (none, spec) = (LltRegularization::default(), faer::Spec::default());
            let stack = MemStack::new(&mut scratch);
            let outcome = cholesky_in_place(self.matrix_mut(), none, Par::Seq, stack, spec);
            self.scratch = Some(scratch);
            match outcome {
                Ok(_) => self.order,
                Err(LltError::NonPositivePivot { index }) => index,
            }
        } else {
            let (order, matrix) = (self.order, self.factor.col_as_slice_mut(0));
            Arch::new().dispatch(Factor { matrix, order }).err().unwrap_or(order)
        };
        let noise = self.order as f64 * f64::EPSILON;
        // Squares near the smallest normal number have lost digits of their own.
        let least = f64::MIN_POSITIVE / f64::EPSILON;
        let (mut lost, mut range) = (None, (f64::INFINITY, 0.0_f64));
        let roots = self.factor.col_as_slice(0).iter().step_by(step);
        for (i, (entry, root)) in self.diagonal[..broken].iter().zip(roots).enumerate() {
            let pivot = root * root;
            // A NaN may have passed, which is no positive pivot either.
            if !(pivot.is_finite() && pivot > noise * entry.max(least)) {
                lost = Some(i);
                break;
            }
            range = (range.0.min(pivot), range.1.max(pivot));
        }
        self.pivots = range;
        match lost {
            Some(index) => Err(index),
            None if broken < self.order => Err(broken),
            None => Ok(()),
        }
    }

    /// `x <- A^-1 x`.
    pub(crate) fn solve(&self, x: &mut [f64]) {
        if self.scratch.is_none() {
            let (factor, inverses) = (self.factor.col_as_slice(0), &self.inverses[..]);
            Arch::new().dispatch(Solve { factor, inverses, x });
            return;
        }
        let order = x.len();
        let mut x = MatMut::from_column_major_slice_mut(x, order, 1);
        solve_lower_triangular_in_place(self.matrix(), x.rb_mut(), Par::Seq);
        solve_upper_triangular_in_place(self.matrix().transpose(), x, Par::Seq);
    }

    /// A lower estimate of the condition of A: its largest diagonal entry (below its largest
    /// eigenvalue by no more than the order) times what power iterations on the inverse find.
    ///
    /// Three iterations from a fixed start; one where the factor before has left a direction.
    pub(crate) fn condition(&mut self) -> f64 {
        if let Some(known) = self.condition {
            return known;
        }
        let mut x = std::mem::take(&mut self.weak);
        let inverse = inverse_norm(&mut x, |x| self.solve(x));
        if !inverse.is_finite() {
            x.fill(0.0);
        }
        self.weak = x;
        let largest = self.diagonal.iter().fold(0.0, |largest: f64, &entry| largest.max(entry));
        let found = largest * inverse;
        self.condition = Some(found);
        found
    }

    /// Smallest and largest pivot, `L_ii^2`.
    pub(crate) fn pivots(&self) -> (f64, f64) {
        self.pivots
    }
}
