//! Cholesky factor `A = L L^T` of a symmetric positive definite matrix, in reused buffers.

use dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{
    LltError, LltRegularization, cholesky_in_place, cholesky_in_place_scratch,
};
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::prelude::ReborrowMut;
use faer::{Mat, MatMut, Par};

/// Buffers and factor of one order.
pub(crate) struct Cholesky {
    factor: Mat<f64>,
    /// The diagonal of A: what a pivot is measured against.
    diagonal: Vec<f64>,
    scratch: MemBuffer,
}

impl Cholesky {
    /// Buffers for matrices of order `order`.
    pub(crate) fn new(order: usize) -> Self {
        let scratch = cholesky_in_place_scratch::<f64>(order, Par::Seq, faer::Spec::default());
        Self {
            factor: Mat::zeros(order, order),
            diagonal: vec![0.0; order],
            scratch: MemBuffer::new(scratch),
        }
    }

    /// The matrix to be factored: write its lower triangle before [`Self::factor`].
    pub(crate) fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        self.factor.as_mut()
    }

    /// Factors the matrix in place; `Err` holds the index of the first pivot that is not positive.
    ///
    /// A pivot is the difference of a diagonal entry and a sum of `order` squares, so that below
    /// `order eps` times this entry nothing of it is known, not even its sign: it counts as zero.
    pub(crate) fn factor(&mut self) -> Result<(), usize> {
        for (i, entry) in self.diagonal.iter_mut().enumerate() {
            *entry = self.factor[(i, i)];
        }
        let stack = MemStack::new(&mut self.scratch);
        let none = LltRegularization::default();
        match cholesky_in_place(self.factor.as_mut(), none, Par::Seq, stack, faer::Spec::default())
        {
            Ok(_) => {
                let noise = self.diagonal.len() as f64 * f64::EPSILON;
                // Squares near the smallest normal number have lost digits of their own.
                let least = f64::MIN_POSITIVE / f64::EPSILON;
                let lost = self.diagonal.iter().enumerate().position(|(i, entry)| {
                    let pivot = self.factor[(i, i)] * self.factor[(i, i)];
                    // faer lets a NaN pass, which is no positive pivot either.
                    !(pivot.is_finite() && pivot > noise * entry.max(least))
                });
                lost.map_or(Ok(()), Err)
            }
            Err(LltError::NonPositivePivot { index }) => Err(index),
        }
    }

    /// `x <- A^-1 x`.
    pub(crate) fn solve(&self, x: &mut [f64]) {
        let order = x.len();
        let mut x = MatMut::from_column_major_slice_mut(x, order, 1);
        solve_lower_triangular_in_place(self.factor.as_ref(), x.rb_mut(), Par::Seq);
        solve_upper_triangular_in_place(self.factor.transpose(), x, Par::Seq);
    }

    /// The largest diagonal entry of A: a lower bound of its largest eigenvalue, by no more than
    /// the order. (A pivot is none: after the first of a rank-one matrix all may be tiny.)
    pub(crate) fn largest_diagonal(&self) -> f64 {
        self.diagonal.iter().fold(0.0, |largest: f64, &entry| largest.max(entry))
    }

    /// Smallest and largest pivot, `L_ii^2`.
    pub(crate) fn pivots(&self) -> (f64, f64) {
        let mut range = (f64::INFINITY, 0.0_f64);
        for i in 0..self.factor.nrows() {
            let pivot = self.factor[(i, i)] * self.factor[(i, i)];
            range = (range.0.min(pivot), range.1.max(pivot));
        }
        range
    }
}
