//! Eigenvalues and eigenvectors of a symmetric matrix, `A = U diag(theta) U^T`, in reused buffers.

use dyn_stack::MemBuffer;
use faer::diag::Diag;
use faer::{Mat, MatRef};
use gaussflow_faer::{evd, evd_scratch};

use crate::error::SolveError;
use crate::error::require_entries;
use crate::powers::binary_scale;

/// Computes the eigenvalues and eigenvectors of symmetric matrices of one order, in buffers that are allocated once.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{SymmetricEigen, faer::mat};
/// let mut eigen = SymmetricEigen::new(2)?;
/// eigen.factor(mat![[2.0, 1.0], [1.0, 2.0]].as_ref())?;
/// assert!((eigen.value(0) - 1.0).abs() < 1e-15 && (eigen.value(1) - 3.0).abs() < 1e-15);
/// assert!((eigen.vector(1)[0] - eigen.vector(1)[1]).abs() < 1e-15);
/// # Ok::<(), gaussflow_solvers::SolveError>(())
/// ```
pub struct SymmetricEigen {
    /// A divided by a power of two.
    scaled: Mat<f64>,
    values: Diag<f64>,
    vectors: Mat<f64>,
    scratch: MemBuffer,
}

/// What a decomposition is to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Eigenvalues alone.
    Values,
    /// Eigenvectors as well.
    Vectors,
}

impl SymmetricEigen {
    /// Allocates for matrices of order `order`.
    ///
    /// # Errors
    /// [`SolveError::EmptySystem`] for order 0.
    pub fn new(order: usize) -> Result<Self, SolveError> {
        require_entries(order, order)?;
        Ok(Self {
            scaled: Mat::zeros(order, order),
            values: Diag::zeros(order),
            vectors: Mat::zeros(order, order),
            scratch: evd_scratch(order),
        })
    }

    /// Decomposes the symmetric matrix whose lower triangle is that of `matrix` (p x p).
    ///
    /// # Cost
    /// `O(p^3)` operations.
    ///
    /// # Errors
    /// [`SolveError::ShapeMismatch`]; [`SolveError::NonFinite`], which is tested first because the iteration may run for
    /// minutes on NaN; [`SolveError::NoConvergence`], also where the eigenvalues do not reproduce the Frobenius norm of the
    /// matrix.
    pub fn factor(&mut self, matrix: MatRef<'_, f64>) -> Result<(), SolveError> {
        let scale = self.load(matrix)?;
        self.decompose(Wanted::Vectors)?;
        self.values.column_vector_mut().iter_mut().for_each(|theta| *theta *= scale);
        Ok(())
    }

    /// Copies the matrix over the power of two that is returned, checked as [`Self::factor`] says.
    pub(crate) fn load(&mut self, matrix: MatRef<'_, f64>) -> Result<f64, SolveError> {
        let order = self.scaled.nrows();
        for (what, found) in
            [("the matrix's row count", matrix.nrows()), ("its column count", matrix.ncols())]
        {
            if found != order {
                return Err(SolveError::ShapeMismatch { what, expected: order, found });
            }
        }
        let mut size = 0.0_f64;
        for c in 0..order {
            for r in c..order {
                let value = matrix[(r, c)];
                if !value.is_finite() {
                    let (what, index) = ("the symmetric matrix", c * order + r);
                    return Err(SolveError::NonFinite { what, index, value });
                }
                size = size.max(value.abs());
            }
        }
        let scale = binary_scale(size);
        for c in 0..order {
            for r in c..order {
                let entry = matrix[(r, c)] / scale;
                self.scaled[(r, c)] = entry;
                self.scaled[(c, r)] = entry;
            }
        }
        Ok(scale)
    }

    /// The matrix that was loaded (p x p, both triangles).
    pub(crate) fn loaded(&self) -> MatRef<'_, f64> {
        self.scaled.as_ref()
    }

    /// Eigenvalues of the loaded matrix, and eigenvectors where they are wanted.
    pub(crate) fn decompose(&mut self, wanted: Wanted) -> Result<(), SolveError> {
        let order = self.order();
        let outcome = evd(
            self.scaled.as_ref(),
            self.values.as_mut(),
            (wanted == Wanted::Vectors).then(|| self.vectors.as_mut()),
            &mut self.scratch,
        );
        if outcome.is_err() || !self.keeps_the_norm() {
            return Err(SolveError::NoConvergence { rows: order, columns: order });
        }
        Ok(())
    }

    /// Whether `sum theta_k^2 = norm(A)_F^2`: an invented or a lost eigenvalue breaks it.
    fn keeps_the_norm(&self) -> bool {
        let matrix = self.scaled.norm_l2();
        let values = self.values.column_vector().norm_l2();
        (values - matrix).abs() <= 16.0 * self.scaled.nrows() as f64 * f64::EPSILON * matrix
    }

    /// Returns the order p.
    pub fn order(&self) -> usize {
        self.scaled.nrows()
    }

    /// Returns eigenvalue `k`, counted from 0, smallest first.
    ///
    /// # Panics
    /// Where k is not below the order.
    pub fn value(&self, k: usize) -> f64 {
        self.values.column_vector()[k]
    }

    /// Returns the unit eigenvector of eigenvalue `k` (length p).
    ///
    /// # Panics
    /// Where k is not below the order.
    pub fn vector(&self, k: usize) -> &[f64] {
        self.vectors.col_as_slice(k)
    }
}
