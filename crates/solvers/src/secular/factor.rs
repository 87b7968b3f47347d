//! Steps for every damping from one factorization: `d(lambda) = -V diag(s/(s^2 + lambda)) U^T b`.
//!
//! With `A = J D^-1 = U diag(s) V^T` this is the minimizer of `norm(b + A d)^2 + lambda norm(d)^2`; the
//! lambda at which `norm(d(lambda))` equals a radius solves the secular equation of the trust region
//! (J. J. More, The Levenberg-Marquardt algorithm, 1978). J is factored once a point, by QR and the SVD of
//! R, beyond order 64 by QR and a bidiagonal form of R, or where the caller allows it by the eigenvalues of
//! `A^T A`; a step for another lambda, radius or right-hand side then costs O(p^2). With fewer rows than columns
//! `A^T` is factored: the dual solve. A sparse J is factored anew for each lambda, in time of its own fill.

use faer::{Mat, MatMut};

use crate::dense::extreme::ExtremeSingularValues;
use crate::dense::householder_qr::HouseholderQr;
use crate::error::SolveError;
use crate::jacobian::operator::JacobianOperator;
use crate::jacobian::sparse_jacobian::SparseJacobian;
use crate::secular::reduced::Reduced;
use crate::secular::reflections;
use crate::secular::sparse::{SparseInverse, SparseNormal};
use crate::vector::{inner_product, norm};

/// Order up to which the small kernels of this folder factor; beyond it faer's blocked ones do.
pub(crate) const SMALL: usize = 32;
/// Order up to which singular vectors are made at each point.
pub(crate) const DECOMPOSED: usize = 64;

/// Chooses how [`SecularFactor`] factors its matrix A.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SecularMethod {
    /// The Cholesky factor of `A^T A + lambda I` for a sparse J of more than 64 columns; `Eigenvalues` where there
    /// are no row factors, QR would take more than 2e9 operations, and `A^T A` with its eigenvalues (counted as
    /// 20 p^3) fewer: for a dense J where n is above 20 p; else `SingularValues`.
    #[default]
    Auto,
    /// QR of A (of `A^T` for p > n), then the singular values of R: those of A + E with
    /// `norm(E) <= c eps norm(A)`, and steps to eps cond(A). Beyond order 64 steps come from R and its bidiagonal
    /// form, and singular vectors are made by [`SecularFactor::decompose`] alone.
    SingularValues,
    /// Eigenvalues of `A^T A`, which a structured J gives without being formed. Only for n >= p without row
    /// factors; otherwise as `SingularValues`.
    ///
    /// Steps are those of `A^T A + E` with `norm(E) <= c (sqrt(n) + p) eps norm(A)^2`, whatever the sizes of
    /// the columns of A: they meet their equation as well as those of `SingularValues`, but lie
    /// eps cond(A)^2 off. No singular value comes out below `sqrt((sqrt(n) + p) eps)` of the largest, so that
    /// an undamped step in a kernel of A is not 0 but up to `norm(b) / norm(A)`: see
    /// [`SecularFactor::resolution`].
    Eigenvalues,
}

/// Operations of a QR above which [`SecularMethod::Auto`] takes the eigenvalues of the Gram matrix.
const DIRECT_OPERATIONS: f64 = 2e9;

/// What the factorization at the present point came from.
pub(crate) enum Source {
    /// J with its row factors, n x p by columns.
    Dense(Vec<f64>),
    /// `J^T J`, p x p, lower triangle.
    Gram(Mat<f64>),
    /// J with its row factors, by its nonzero entries.
    Sparse(SparseJacobian),
}

/// Operations of the eigenvalues and -vectors of a matrix of order p, in units of p^3 of a QR.
const EIGEN_OPERATIONS: f64 = 20.0;

/// Solves `(A^T A + lambda I) d = -A^T b` for many values of lambda after one factorization, with `A = diag(t) J D^-1` of
/// some columns of a Jacobian J (n x p).
///
/// t are row factors, and D scales the columns. The order of calls is [`Self::load`], [`Self::factor`], [`Self::project`],
/// and then any number of steps. Fits use it to find the damping of their trust region.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{DenseJacobian, SecularFactor, SecularMethod};
/// let mut jacobian = DenseJacobian::zeros(3, 2);
/// for (j, x) in [1.0, 2.0, 3.0].into_iter().enumerate() {
///     jacobian.matrix_mut()[(j, 0)] = 1.0;
///     jacobian.matrix_mut()[(j, 1)] = x;
/// }
/// let mut factor = SecularFactor::new(3, 2);
/// factor.load(&jacobian, None, SecularMethod::Auto)?;
/// factor.factor(&[1.0, 1.0], &[0, 1])?;
/// factor.project(&[-3.0, -5.0, -7.0]);
/// let mut line = [0.0; 2];
/// factor.step(0.0, &mut line);
/// assert!((line[0] - 1.0).abs() < 1e-13 && (line[1] - 2.0).abs() < 1e-13);
/// # Ok::<(), gaussflow_solvers::SolveError>(())
/// ```
pub struct SecularFactor {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) source: Source,
    pub(crate) column_norms: Vec<f64>,
    /// A or `A^T`, whichever is tall, by columns; then its reflectors.
    pub(crate) tall: Vec<f64>,
    pub(crate) coefficients: Vec<f64>,
    /// R, then `X diag(s)` of `R = X diag(s) Y^T` (k x k by columns).
    pub(crate) triangle: Vec<f64>,
    /// Y (k x k by columns).
    pub(crate) rotation: Vec<f64>,
    /// s, in no order (k).
    pub(crate) values: Vec<f64>,
    /// V (columns x k, by columns).
    pub(crate) right: Vec<f64>,
    /// The QR factors of orders beyond [`SMALL`].
    pub(crate) blocked: Option<HouseholderQr>,
    /// What takes the steps of dense orders beyond [`DECOMPOSED`], and of sparse ones.
    pub(crate) reduced: Option<Reduced>,
    pub(crate) sparse: Option<SparseNormal>,
    /// How often the iteration of faer did not converge.
    pub(crate) fallbacks: u64,
    pub(crate) free: Vec<usize>,
    pub(crate) shape: Shape,
    /// The error of Jacobians, relative to their columns.
    pub(crate) cutoff: f64,
    /// The norms of A's columns (f).
    pub(crate) shares: Vec<f64>,
    /// The singular value up to which each direction is left out of steps (k).
    pub(crate) floors: Vec<f64>,
    /// `U^T b` of the last [`Self::project`] (k), and work of length n or p.
    pub(crate) coordinates: Vec<f64>,
    pub(crate) work: Vec<f64>,
    pub(crate) weights: Vec<f64>,
}

/// Which factorization is current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Nothing,
    Tall,
    Wide,
    Normal,
}

impl SecularFactor {
    /// Allocates for Jacobians of `rows` n and `columns` p.
    pub fn new(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            source: Source::Dense(Vec::new()),
            column_norms: vec![0.0; columns],
            tall: Vec::new(),
            coefficients: Vec::new(),
            triangle: Vec::new(),
            rotation: Vec::new(),
            values: Vec::new(),
            right: Vec::new(),
            blocked: None,
            reduced: None,
            sparse: None,
            fallbacks: 0,
            free: Vec::new(),
            shape: Shape::Nothing,
            cutoff: 4.0 * f64::EPSILON,
            shares: Vec::new(),
            floors: Vec::new(),
            coordinates: Vec::new(),
            work: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// Sets the error of Jacobians relative to their columns; default, and least, 4 eps, eps = 2.2e-16.
    ///
    /// Steps leave out directions whose image this error may explain, and singular values within 4 eps of the largest. For
    /// orders beyond 64, where the directions are not computed, they leave out all singular values up to this multiple of the
    /// largest.
    pub fn set_cutoff(&mut self, error: f64) {
        self.cutoff = error.max(4.0 * f64::EPSILON);
    }

    /// Loads a Jacobian (n x p) with its rows multiplied by `row_factors` (length n), and computes the norms of its columns.
    ///
    /// # Errors
    /// [`SolveError::EmptySystem`]; [`SolveError::ShapeMismatch`]; [`SolveError::NonFinite`] with the first column that is
    /// not finite.
    pub fn load<J: JacobianOperator>(
        &mut self,
        jacobian: &J,
        row_factors: Option<&[f64]>,
        method: SecularMethod,
    ) -> Result<(), SolveError> {
        crate::error::require_entries(self.rows, self.columns)?;
        crate::jacobian::operator::require_shape(jacobian, self.rows, self.columns)?;
        self.shape = Shape::Nothing;
        let operations = 2.0 * self.rows as f64 * (self.columns as f64).powi(2);
        let by_gram = row_factors.is_none()
            && self.rows >= self.columns
            && match method {
                SecularMethod::Auto => {
                    let cube = (self.columns as f64).powi(3);
                    let by_gram = jacobian.gram_operations() + EIGEN_OPERATIONS * cube;
                    operations > DIRECT_OPERATIONS.max(by_gram)
                }
                SecularMethod::SingularValues => false,
                SecularMethod::Eigenvalues => true,
            };
        let nonzero = jacobian
            .sparse()
            .filter(|_| method == SecularMethod::Auto && self.columns > DECOMPOSED);
        if let Some(nonzero) = nonzero {
            // The same pattern keeps what was found out about it.
            let mut held = match std::mem::replace(&mut self.source, Source::Dense(Vec::new())) {
                Source::Sparse(held) if held.pattern() == nonzero.pattern() => held,
                _ => {
                    self.sparse = None;
                    nonzero.clone()
                }
            };
            held.values_mut().copy_from_slice(nonzero.values());
            if let Some(factors) = row_factors {
                held.scale_rows(factors);
            }
            for (k, size) in self.column_norms.iter_mut().enumerate() {
                *size = norm(held.column(k).1);
            }
            self.source = Source::Sparse(held);
        } else if by_gram {
            let mut gram = Mat::zeros(self.columns, self.columns);
            jacobian.gram(gram.as_mut(), &mut self.work);
            for (k, size) in self.column_norms.iter_mut().enumerate() {
                *size = gram[(k, k)].sqrt();
            }
            self.source = Source::Gram(gram);
        } else {
            let mut dense = match std::mem::replace(&mut self.source, Source::Dense(Vec::new())) {
                Source::Dense(buffer) => buffer,
                Source::Gram(_) | Source::Sparse(_) => Vec::new(),
            };
            dense.resize(self.rows * self.columns, 0.0);
            let view = MatMut::from_column_major_slice_mut(&mut dense, self.rows, self.columns);
            jacobian.write_dense(view);
            for (column, size) in dense.chunks_exact_mut(self.rows).zip(&mut self.column_norms) {
                if let Some(factors) = row_factors {
                    column.iter_mut().zip(factors).for_each(|(x, t)| *x *= t);
                }
                *size = norm(column);
            }
            self.source = Source::Dense(dense);
        }
        match self.column_norms.iter().enumerate().find(|(_, size)| !size.is_finite()) {
            Some((index, &value)) => {
                Err(SolveError::NonFinite { what: "the norm of a Jacobian column", index, value })
            }
            None => Ok(()),
        }
    }

    /// Returns the 2-norms of the columns of `diag(t) J` (length p).
    pub fn column_norms(&self) -> &[f64] {
        &self.column_norms
    }

    /// Factors the columns `free` (increasing indices), each divided by its entry of `scales` (length p, positive).
    ///
    /// # Errors
    /// [`SolveError::NoConvergence`] of the iteration for eigenvalues; singular values have a second method.
    pub fn factor(&mut self, scales: &[f64], free: &[usize]) -> Result<(), SolveError> {
        self.free.clear();
        self.free.extend_from_slice(free);
        self.reduced = None;
        self.shares.clear();
        self.shares.extend(free.iter().map(|&k| self.column_norms[k] / scales[k]));
        match &self.source {
            Source::Gram(_) => {
                self.sparse = None;
                self.factor_gram(scales)?;
                self.find_floors();
                Ok(())
            }
            Source::Dense(_) => {
                self.sparse = None;
                self.factor_dense(scales);
                self.find_floors();
                Ok(())
            }
            Source::Sparse(held) => {
                let known = self.sparse.take();
                let sparse = SparseNormal::new(held, free, scales, known)?;
                self.sparse = Some(sparse);
                self.values.clear();
                self.right.clear();
                Ok(())
            }
        }
    }

    /// Sets the right-hand side b (length n) of [`Self::step`].
    ///
    /// A factor of the Gram matrix ([`Self::takes_gradient`]) needs [`Self::project_gradient`] instead.
    pub fn project(&mut self, b: &[f64]) {
        if let Some(large) = self.large() {
            return large.project(b);
        }
        self.work.clear();
        self.work.extend_from_slice(b);
        if self.shape == Shape::Tall {
            match &mut self.blocked {
                Some(qr) => qr.apply_q_transposed(&mut self.work),
                None => reflections::apply_q_transposed(
                    &self.tall,
                    self.rows,
                    &self.coefficients,
                    &mut self.work,
                ),
            }
        }
        self.project_head();
    }

    /// [`Self::project`] from the first entries of `Q^T b` (wide: from b) in `work`.
    fn project_head(&mut self) {
        let k = self.values.len();
        self.coordinates.resize(k, 0.0);
        let (left, offset_rows): (&[f64], usize) = match self.shape {
            Shape::Wide => (&self.rotation, k),
            _ => (&self.triangle, k),
        };
        for (i, coordinate) in self.coordinates.iter_mut().enumerate() {
            let product = inner_product(&left[i * offset_rows..][..k], &self.work[..k]);
            let s = self.values[i];
            *coordinate = match self.shape {
                Shape::Tall if s > 0.0 => product / s,
                Shape::Wide => product,
                _ => 0.0,
            };
        }
    }

    /// Sets the right-hand side from the gradient `J^T b` (length p, row factors included) and the `scales` of
    /// [`Self::factor`], for a factor of the Gram matrix.
    pub fn project_gradient(&mut self, gradient: &[f64], scales: &[f64]) {
        let f = self.free.len();
        self.coordinates.resize(self.values.len(), 0.0);
        self.work.clear();
        self.work.extend(self.free.iter().map(|&k| gradient[k] / scales[k]));
        for (i, coordinate) in self.coordinates.iter_mut().enumerate() {
            let s = self.values[i];
            let product = inner_product(&self.right[i * f..][..f], &self.work);
            *coordinate = if s > 0.0 { product / s } else { 0.0 };
        }
    }

    /// The error of the eigenvalues of `A^T A` relative to the largest: `sqrt(n) eps` is what rounding adds up
    /// to in inner products of length n, p eps the backward error of the eigen-solve.
    pub(crate) fn gram_error(&self) -> f64 {
        ((self.rows as f64).sqrt() + self.free.len() as f64) * f64::EPSILON
    }

    /// Returns the resolution of singular values: those up to this multiple of the largest may be 0. It is 4 eps, or
    /// `2 sqrt((sqrt(n) + p) eps)` after [`SecularMethod::Eigenvalues`], eps = 2.2e-16.
    pub fn resolution(&self) -> f64 {
        match self.source {
            Source::Dense(_) | Source::Sparse(_) => 4.0 * f64::EPSILON,
            Source::Gram(_) => 2.0 * self.gram_error().sqrt(),
        }
    }

    /// Returns whether the current factor is one of the Gram matrix, whose right-hand side is `J^T b`.
    pub fn takes_gradient(&self) -> bool {
        matches!(self.source, Source::Gram(_))
    }

    /// Returns `U^T b` of the last projection, in the order of [`Self::singular_values`].
    pub fn coordinates(&self) -> &[f64] {
        &self.coordinates
    }

    /// Returns the singular values of A, in no particular order; for orders beyond 64 (a sparse J: more than 64 columns) they
    /// are empty before [`Self::decompose`].
    pub fn singular_values(&self) -> &[f64] {
        &self.values
    }

    /// Computes the smallest and the largest singular value of A. For a sparse A they are estimates: a lower bound of the
    /// largest, and an upper bound of the smallest.
    pub fn extreme_singular_values(&mut self) -> ExtremeSingularValues {
        if let Some(large) = self.large() {
            return large.extremes();
        }
        let values = self.values.iter().copied();
        let (smallest, largest) =
            (values.clone().fold(f64::INFINITY, f64::min), values.fold(0.0, f64::max));
        ExtremeSingularValues { smallest, largest }
    }

    /// Computes all singular values and right singular vectors of a dense A of any order; for a sparse A it does nothing.
    ///
    /// # Cost
    /// `O(k^3)` operations for k columns, several times the cost of [`Self::factor`].
    pub fn decompose(&mut self) {
        if let Some(reduced) = self.reduced.take() {
            let (qr, unit, target) = reduced.into_factors();
            self.decompose_triangle(qr, unit);
            self.find_floors();
            self.work = target;
            self.project_head();
        }
    }

    /// Returns whether J is stored by its nonzero entries.
    pub fn is_sparse(&self) -> bool {
        matches!(self.source, Source::Sparse(_))
    }

    /// Computes rank, null directions and the diagonal of the inverse of a sparse A, leaving out singular values up to
    /// `cutoff` times the largest; `None` where A is not sparse.
    ///
    /// # Errors
    /// [`SolveError::NoConvergence`].
    /// [`SolveError::NoConvergence`].
    pub fn sparse_inverse(&self, cutoff: f64) -> Option<Result<SparseInverse, SolveError>> {
        self.sparse.as_ref().map(|sparse| sparse.inverse(cutoff))
    }

    /// Computes `R^-1` of the QR factors of A over the f free columns (f x f, row-major), a root of `(A^T A)^-1`.
    ///
    /// It is `None` unless A is dense, of an order beyond 64, and all its singular values exceed `cutoff` times the largest.
    pub fn inverse_triangle(&mut self, cutoff: f64) -> Option<Vec<f64>> {
        self.reduced.as_mut().and_then(|reduced| reduced.inverse_triangle(cutoff))
    }

    /// Returns right singular vector `i` of A, over the free columns.
    pub fn right(&self, i: usize) -> &[f64] {
        let f = self.free.len();
        &self.right[i * f..][..f]
    }

    /// Returns how often faer's iteration for singular values did not converge, and Jacobi rotations took its place.
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks
    }

    /// Returns the indices of the factored columns.
    pub fn free(&self) -> &[usize] {
        &self.free
    }
}
