//! Thin singular value decomposition `A = U diag(s) V^T`, in reused buffers.

use dyn_stack::MemBuffer;
use faer::diag::Diag;
use faer::{Mat, MatRef};
use gaussflow_faer::{svd, svd_scratch};

use crate::error::SolveError;
use crate::powers::binary_scale;

/// Buffers and factors of one shape.
pub(crate) struct ThinSvd {
    /// A divided by a power of two.
    scaled: Mat<f64>,
    left: Mat<f64>,
    values: Diag<f64>,
    right: Mat<f64>,
    scratch: MemBuffer,
}

impl ThinSvd {
    /// Buffers for `rows` x `columns` matrices.
    pub(crate) fn new(rows: usize, columns: usize) -> Self {
        let size = rows.min(columns);
        Self {
            scaled: Mat::zeros(rows, columns),
            left: Mat::zeros(rows, size),
            values: Diag::zeros(size),
            right: Mat::zeros(columns, size),
            scratch: svd_scratch(rows, columns),
        }
    }

    /// Decomposes `matrix`, whose entries must be finite.
    ///
    /// faer's iteration squares entries: at 1e-200 it returns wrong vectors without a word. It
    /// therefore sees a matrix of entries of at most 2, scaled without rounding.
    ///
    /// # Errors
    /// [`SolveError::NoConvergence`].
    pub(crate) fn factor(&mut self, matrix: MatRef<'_, f64>) -> Result<(), SolveError> {
        let scale = binary_scale(matrix.norm_max());
        let inverse = scale.recip();
        for (scaled, column) in self.scaled.col_iter_mut().zip(matrix.col_iter()) {
            scaled.iter_mut().zip(column.iter()).for_each(|(s, x)| *s = x * inverse);
        }
        svd(
            self.scaled.as_ref(),
            self.values.as_mut(),
            self.left.as_mut(),
            self.right.as_mut(),
            &mut self.scratch,
        )
        .map_err(|_| SolveError::NoConvergence { rows: matrix.nrows(), columns: matrix.ncols() })?;
        if !self.keeps_the_norm() {
            let (rows, columns) = (matrix.nrows(), matrix.ncols());
            return Err(SolveError::NoConvergence { rows, columns });
        }
        self.values.column_vector_mut().iter_mut().for_each(|s| *s *= scale);
        Ok(())
    }

    /// Whether `sum s_k^2 = norm(A)_F^2`: an invented or a lost singular value breaks it.
    ///
    /// Backward stability puts both within (n + p) eps of each other; 8 leaves room for the sums.
    fn keeps_the_norm(&self) -> bool {
        let (rows, columns) = self.scaled.shape();
        let matrix = self.scaled.norm_l2();
        let values = norm_of(self.values());
        let bound = 8.0 * (rows + columns) as f64 * f64::EPSILON;
        (values - matrix).abs() <= bound * matrix
    }

    /// The singular values, largest first.
    pub(crate) fn values(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.values.column_vector().iter().copied()
    }

    /// Number of singular values above `cutoff` times the larger of the largest and `scale`.
    pub(crate) fn rank(&self, cutoff: f64, scale: f64) -> usize {
        let largest = self.values().next().unwrap_or(0.0);
        self.values().take_while(|&s| s > cutoff * largest.max(scale) && s > 0.0).count()
    }

    /// Left singular vector `k`, of length `rows`.
    pub(crate) fn left(&self, k: usize) -> &[f64] {
        self.left.col_as_slice(k)
    }

    /// Right singular vector `k`, of length `columns`.
    pub(crate) fn right(&self, k: usize) -> &[f64] {
        self.right.col_as_slice(k)
    }
}

/// The 2-norm of values of at most moderate size.
fn norm_of(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|s| s * s).sum::<f64>().sqrt()
}
