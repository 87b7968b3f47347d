//! Square matrices with room past the end of each column, so that tiles read and write whole vectors.

use faer::{Mat, MatMut, MatRef};

use crate::vector::{add_scaled, inner_product};

/// Distance from one column to the next in memory: room for a vector past the end, and an odd number
/// of cache lines, so that entries of one row do not fall on the same place of the cache.
pub(crate) fn stride_for(order: usize) -> usize {
    8 * ((order.div_ceil(8) + 3) | 1)
}

/// A square matrix, column-major, its columns [`stride_for`] apart; what lies past their ends is of no meaning.
pub(crate) struct PaddedSquare {
    /// One column, for the alignment of its first entry.
    data: Mat<f64>,
    order: usize,
}

impl PaddedSquare {
    /// Zeros.
    pub(crate) fn zeros(order: usize) -> Self {
        Self { data: Mat::zeros(stride_for(order) * order, 1), order }
    }

    /// Rows and columns.
    pub(crate) fn order(&self) -> usize {
        self.order
    }

    /// All columns with what lies past their ends.
    pub(crate) fn padded(&self) -> &[f64] {
        self.data.col_as_slice(0)
    }

    /// The same, to be written.
    pub(crate) fn padded_mut(&mut self) -> &mut [f64] {
        self.data.col_as_slice_mut(0)
    }

    /// The matrix.
    pub(crate) fn as_ref(&self) -> MatRef<'_, f64> {
        let (order, stride) = (self.order, stride_for(self.order));
        MatRef::from_column_major_slice_with_stride(self.padded(), order, order, stride)
    }

    /// The matrix, to be written.
    pub(crate) fn as_mut(&mut self) -> MatMut<'_, f64> {
        let (order, stride) = (self.order, stride_for(self.order));
        MatMut::from_column_major_slice_with_stride_mut(self.padded_mut(), order, order, stride)
    }

    /// `out = A x` for a symmetric A of which the lower triangle is here.
    pub(crate) fn symmetric_product(&self, x: &[f64], out: &mut [f64]) {
        let (padded, stride) = (self.padded(), stride_for(self.order));
        out.fill(0.0);
        for (c, x_c) in x.iter().enumerate() {
            let below = &padded[c * stride + c..][..self.order - c];
            add_scaled(&mut out[c..], *x_c, below);
            out[c] += inner_product(&below[1..], &x[c + 1..]);
        }
    }

    /// The diagonal.
    pub(crate) fn diagonal(&self) -> impl Iterator<Item = f64> {
        let (padded, step) = (self.padded(), stride_for(self.order) + 1);
        (0..self.order).map(move |c| padded[c * step])
    }
}
