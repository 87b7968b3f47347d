//! The Jacobian as a linear operator: `v -> J v`, `u -> J^T u`, `J^T J` and `K = J J^T`.

use faer::prelude::{Reborrow, ReborrowMut};
use faer::{Accum, Mat, MatMut, MatRef};
use gaussflow_faer::{lower_of_product, matmul};

use crate::error::{SolveError, require_finite};
use crate::jacobian::block_diagonal::BlockDiagonal;
use crate::jacobian::sparse_jacobian::SparseJacobian;
use crate::powers::times_power;
use crate::vector::{inner_product, norm, subtract_scaled};

/// Represents the Jacobian J of n rows (outputs) and p columns (parameters), by products where it is never formed.
///
/// Implement it for a structure of your own; [`DenseJacobian`], [`crate::SparseJacobian`] and [`crate::RowKronecker`] ship
/// with the crate. Only the five methods without a default are required. The defaults of the others form J or multiply by
/// unit vectors; override those that your structure does better. Methods may assume the stated shapes, which callers in this
/// workspace check first.
///
/// The rows may lie on several machines, each with an operator that holds some of them. `rows` then counts those held here,
/// and output vectors hold only their entries. Vectors of parameters, `J^T u`, `J^T J`, `K`, norms and inner products are
/// those of all rows, and the same on every machine. What is factored there is a matrix Z of few rows with `J = Q Z`
/// ([`Self::write_reduced`]), which is the same on every machine as well.
pub trait JacobianOperator {
    /// Returns the number of rows n; where they lie on several machines, of those held here.
    fn rows(&self) -> usize;

    /// Returns the number of rows on all machines; [`Self::rows`] unless they are split.
    fn total_rows(&self) -> usize {
        self.rows()
    }

    /// Returns the number of columns p.
    fn columns(&self) -> usize;

    /// Computes `out = J v`, with `v` of length p and `out` of length n.
    fn apply(&self, v: &[f64], out: &mut [f64]);

    /// Computes `out = J^T u`, with `u` of length n and `out` of length p.
    fn apply_transposed(&self, u: &[f64], out: &mut [f64]);

    /// Writes `J` into an n x p matrix.
    fn write_dense(&self, out: MatMut<'_, f64>);

    /// Returns the number of rows of Z, the matrix of [`Self::write_reduced`]; [`Self::rows`] unless the rows are split.
    fn reduced_rows(&self) -> usize {
        self.rows()
    }

    /// Returns the rows of the largest matrix with p columns that [`Self::write_reduced`] and the factorizations of Z work
    /// on; the memory limit is compared with it. It is the same on every machine.
    fn factored_rows(&self) -> usize {
        self.rows()
    }

    /// Writes Z with `2^exponent J = Q Z`, where `Q^T Q = I`, so that this multiple of J and Z have the same singular values and
    /// right singular vectors. The exponent is 0 unless squares of J's entries are out of range.
    ///
    /// Dense factorizations are made of Z, and vectors pass by [`Self::reduce`] and [`Self::restore`]. By default Z is J and
    /// Q the identity. Where rows lie on several machines, Z is the triangle of a QR factorization (n >= p), or all rows of J
    /// (p > n).
    fn write_reduced(&self, exponent: i32, mut out: MatMut<'_, f64>) {
        self.write_dense(out.rb_mut());
        if exponent != 0 {
            out.col_iter_mut().for_each(|column| {
                column.iter_mut().for_each(|x| *x = times_power(*x, exponent));
            });
        }
    }

    /// Computes `out = Q^T u`, with `u` of length n and `out` as long as Z has rows, after [`Self::write_reduced`].
    fn reduce(&self, u: &[f64], out: &mut [f64]) {
        out.copy_from_slice(u);
    }

    /// Computes `out = Q c`, with `c` as long as Z has rows and `out` of length n, after [`Self::write_reduced`].
    fn restore(&self, c: &[f64], out: &mut [f64]) {
        out.copy_from_slice(c);
    }

    /// Writes the entries that an output vector has on all machines to `out`, with `u` those here, in the order of K's rows.
    fn gather(&self, u: &[f64], out: &mut [f64]) {
        out.copy_from_slice(u);
    }

    /// Writes the entries here of an output vector of which `all` holds those of all machines.
    fn take_own(&self, all: &[f64], out: &mut [f64]) {
        out.copy_from_slice(all);
    }

    /// Computes `image = J v` (length n) and `out = J^T J v` (length p), the operation that iterative solves repeat.
    fn normal_apply(&self, v: &[f64], image: &mut [f64], out: &mut [f64]) {
        self.apply(v, image);
        self.apply_transposed(image, out);
    }

    /// Computes `image = b - scale J v` (length n) and `out = J^T image` (length p); with `scale` 1, `out` is the residual of
    /// the normal equations.
    fn normal_residual(
        &self,
        (b, scale): (&[f64], f64),
        v: &[f64],
        image: &mut [f64],
        out: &mut [f64],
    ) {
        self.apply(v, image);
        subtract_scaled(b, scale, image);
        self.apply_transposed(image, out);
    }

    /// Writes the lower triangle of the Gram matrix `J^T J` (p x p), and leaves the strict upper triangle as it is.
    ///
    /// `work` is a buffer that the caller keeps from call to call; its contents are unspecified.
    fn gram(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        let dense = dense_in(self, work);
        lower_of_product(out, Accum::Replace, dense.transpose(), dense);
    }

    /// Writes the lower triangle of the tangent kernel `K = J J^T` (n x n, with the rows of all machines), and leaves the
    /// strict upper triangle as it is; `work` as for [`Self::gram`].
    fn kernel(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        let dense = dense_in(self, work);
        lower_of_product(out, Accum::Replace, dense, dense.transpose());
    }

    /// Writes the diagonal of `K = J J^T` (length n): the squared norms of the rows of J.
    fn kernel_diagonal(&self, out: &mut [f64]) {
        let (mut unit, mut row) = (vec![0.0; self.rows()], vec![0.0; self.columns()]);
        for (j, out) in out.iter_mut().enumerate() {
            unit[j] = 1.0;
            self.apply_transposed(&unit, &mut row);
            unit[j] = 0.0;
            *out = inner_product(&row, &row);
        }
    }

    /// Writes the columns `selected` of `K = J J^T` into an n x (number of selected) matrix.
    fn kernel_columns(&self, selected: &[usize], mut out: MatMut<'_, f64>) {
        let (mut unit, mut row) = (vec![0.0; self.rows()], vec![0.0; self.columns()]);
        let mut column = vec![0.0; self.rows()];
        for (c, &j) in selected.iter().enumerate() {
            unit[j] = 1.0;
            self.apply_transposed(&unit, &mut row);
            unit[j] = 0.0;
            self.apply(&row, &mut column);
            for (r, &entry) in column.iter().enumerate() {
                out[(r, c)] = entry;
            }
        }
    }

    /// Appends to `out` what [`Self::kernel_with`] on another machine needs of the rows here: equally many numbers for each row,
    /// one row after the other. By default they are the rows of J.
    fn write_kernel_rows(&self, out: &mut Vec<f64>) {
        let (rows, columns, begin) = (self.rows(), self.columns(), out.len());
        out.resize(begin + rows * columns, 0.0);
        let transposed = MatMut::from_column_major_slice_mut(&mut out[begin..], columns, rows);
        self.write_dense(transposed.transpose_mut());
    }

    /// Writes the entries of `K = J J^T` between the rows here (n) and other rows of the same map: n x (number of those), with
    /// `others` as [`Self::write_kernel_rows`] wrote it there.
    fn kernel_with(&self, others: &[f64], mut out: MatMut<'_, f64>) {
        let mut column = vec![0.0; self.rows()];
        for (c, row) in others.chunks_exact(self.columns()).enumerate() {
            self.apply(row, &mut column);
            out.rb_mut().col_mut(c).iter_mut().zip(&column).for_each(|(o, x)| *o = *x);
        }
    }

    /// Writes the diagonal blocks of `J^T J` that the structure can give cheaply, and their orders.
    ///
    /// `out` receives the blocks one after the other, each symmetric and row-major; `orders` receives their orders, which sum
    /// to p. Both stay empty where there are none.
    fn gram_blocks(&self, out: &mut Vec<f64>, orders: &mut Vec<usize>) {
        out.clear();
        orders.clear();
    }

    /// Writes `R^T J` to `out`, a Jacobian made in the same way as this one, and returns whether the structure can; by
    /// default it cannot. Where rows lie on several machines, each block of R lies whole on one of them.
    fn write_weighted(&self, root: BlockDiagonal<'_>, out: &mut Self) -> bool
    where
        Self: Sized,
    {
        let _ = (root, out);
        false
    }

    /// Computes the squared Frobenius norm of J; it is not finite exactly when J is not, or its square overflows.
    fn squared_norm(&self) -> f64 {
        let mut work = Vec::new();
        let _ = dense_in(self, &mut work);
        inner_product(&work, &work)
    }

    /// Returns J by its nonzero entries, where it is stored so; sparse factorizations start from it.
    fn sparse(&self) -> Option<&SparseJacobian> {
        None
    }

    /// Returns the operations of [`Self::gram`], for the choice between algorithms: `n p (p + 1)` unless the structure saves
    /// some.
    fn gram_operations(&self) -> f64 {
        let (rows, columns) = (self.total_rows() as f64, self.columns() as f64);
        rows * columns * (columns + 1.0)
    }

    /// Returns the operations of [`Self::kernel`]: `n^2 p` unless the structure saves some.
    fn kernel_operations(&self) -> f64 {
        let (rows, columns) = (self.total_rows() as f64, self.columns() as f64);
        rows * rows * columns
    }

    /// Returns the operations of [`Self::normal_apply`], a product with J and one with its transpose: `4 n p`, unless the
    /// structure computes J anew for each of them.
    ///
    /// A solve takes a direct method where iterations, each of which repeats these products, would cost more.
    fn normal_operations(&self) -> f64 {
        let (rows, columns) = (self.total_rows() as f64, self.columns() as f64);
        4.0 * rows * columns
    }

    /// Replaces `values` by their sums over all machines, each of which has summed them over its rows; the results are the
    /// same on all machines.
    ///
    /// Everything that is summed over outputs passes through here, or through a product.
    fn sum(&self, values: &mut [f64]) {
        let _ = values;
    }

    /// Returns the sum over all machines of one number, as [`Self::sum`].
    fn total(&self, here: f64) -> f64 {
        let mut sum = [here];
        self.sum(&mut sum);
        sum[0]
    }

    /// Replaces the entries of a matrix by their sums over all machines, as [`Self::sum`].
    fn sum_matrix(&self, matrix: MatMut<'_, f64>) {
        if self.total_rows() == self.rows() {
            return;
        }
        let mut entries: Vec<f64> =
            matrix.rb().col_iter().flat_map(|column| column.iter().copied()).collect();
        self.sum(&mut entries);
        let mut sums = entries.iter();
        for column in matrix.col_iter_mut() {
            column.iter_mut().zip(&mut sums).for_each(|(entry, sum)| *entry = *sum);
        }
    }

    /// Computes the inner product of two output vectors (length n), over all machines.
    fn inner_product(&self, a: &[f64], b: &[f64]) -> f64 {
        self.total(inner_product(a, b))
    }

    /// Computes the 2-norm of an output vector (length n), over all machines, without overflow or underflow of the squares.
    fn output_norm(&self, u: &[f64]) -> f64 {
        norm(u)
    }
}

/// `J^T` as an operator, for p > n: what there is of J by rows is there by columns. Where J's rows lie on several machines,
/// vectors of outputs hold the entries of all of them.
pub(crate) struct Transposed<'a>(pub(crate) &'a dyn JacobianOperator);

impl Transposed<'_> {
    /// Whether some rows of J lie on other machines.
    fn is_split(&self) -> bool {
        self.0.total_rows() != self.0.rows()
    }
}

impl JacobianOperator for Transposed<'_> {
    fn rows(&self) -> usize {
        self.0.columns()
    }

    fn columns(&self) -> usize {
        self.0.total_rows()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        if self.is_split() {
            let mut here = vec![0.0; self.0.rows()];
            self.0.take_own(v, &mut here);
            self.0.apply_transposed(&here, out);
        } else {
            self.0.apply_transposed(v, out);
        }
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        if self.is_split() {
            let mut here = vec![0.0; self.0.rows()];
            self.0.apply(u, &mut here);
            self.0.gather(&here, out);
        } else {
            self.0.apply(u, out);
        }
    }

    fn write_dense(&self, out: MatMut<'_, f64>) {
        self.0.write_reduced(0, out.transpose_mut());
    }

    fn gram(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        self.0.kernel(out, work);
    }

    fn kernel(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        self.0.gram(out, work);
    }

    fn gram_operations(&self) -> f64 {
        self.0.kernel_operations()
    }

    fn kernel_operations(&self) -> f64 {
        self.0.gram_operations()
    }

    fn normal_operations(&self) -> f64 {
        self.0.normal_operations()
    }

    fn squared_norm(&self) -> f64 {
        self.0.squared_norm()
    }
}

/// J, written column-major to `work`.
pub(crate) fn dense_in<'w, J: JacobianOperator + ?Sized>(
    jacobian: &J,
    work: &'w mut Vec<f64>,
) -> MatRef<'w, f64> {
    let (rows, columns) = (jacobian.rows(), jacobian.columns());
    work.resize(rows * columns, 0.0);
    jacobian.write_dense(MatMut::from_column_major_slice_mut(work, rows, columns));
    MatRef::from_column_major_slice(work, rows, columns)
}

/// Stores a Jacobian as a dense column-major n x p matrix.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{DenseJacobian, JacobianOperator};
///
/// let mut jacobian = DenseJacobian::zeros(3, 2);
/// jacobian.matrix_mut()[(2, 1)] = 4.0;
/// let mut out = [0.0; 3];
/// jacobian.apply(&[1.0, 0.5], &mut out);
/// assert_eq!(out, [0.0, 0.0, 2.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DenseJacobian {
    matrix: Mat<f64>,
}

impl DenseJacobian {
    /// Creates a zero Jacobian of `rows` x `columns`, to be filled through [`Self::matrix_mut`].
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { matrix: Mat::zeros(rows, columns) }
    }

    /// Wraps a matrix without a copy.
    pub fn from_matrix(matrix: Mat<f64>) -> Self {
        Self { matrix }
    }

    /// Returns the matrix (n x p).
    pub fn matrix(&self) -> MatRef<'_, f64> {
        self.matrix.as_ref()
    }

    /// Returns the matrix (n x p), to be written.
    pub fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        self.matrix.as_mut()
    }
}

impl JacobianOperator for DenseJacobian {
    fn rows(&self) -> usize {
        self.matrix.nrows()
    }

    fn columns(&self) -> usize {
        self.matrix.ncols()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        let v = MatRef::from_column_major_slice(v, v.len(), 1);
        let rows = out.len();
        let out = MatMut::from_column_major_slice_mut(out, rows, 1);
        matmul(out, Accum::Replace, self.matrix.as_ref(), v, 1.0);
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        let u = MatRef::from_column_major_slice(u, u.len(), 1);
        let columns = out.len();
        let out = MatMut::from_column_major_slice_mut(out, columns, 1);
        matmul(out, Accum::Replace, self.matrix.transpose(), u, 1.0);
    }

    fn write_dense(&self, mut out: MatMut<'_, f64>) {
        out.copy_from(self.matrix.as_ref());
    }

    fn gram(&self, out: MatMut<'_, f64>, _work: &mut Vec<f64>) {
        lower_of_product(out, Accum::Replace, self.matrix.transpose(), self.matrix.as_ref());
    }

    fn kernel(&self, out: MatMut<'_, f64>, _work: &mut Vec<f64>) {
        lower_of_product(out, Accum::Replace, self.matrix.as_ref(), self.matrix.transpose());
    }

    fn write_weighted(&self, root: BlockDiagonal<'_>, out: &mut Self) -> bool {
        for k in 0..self.matrix.ncols() {
            root.apply_transposed(self.matrix.col_as_slice(k), out.matrix.col_as_slice_mut(k));
        }
        true
    }

    fn squared_norm(&self) -> f64 {
        self.matrix.col_iter().map(|column| column.squared_norm_l2()).sum()
    }
}

/// Refuses an operator of another shape than `rows` x `columns`.
///
/// # Errors
/// [`SolveError::ShapeMismatch`].
pub(crate) fn require_shape(
    jacobian: &dyn JacobianOperator,
    rows: usize,
    columns: usize,
) -> Result<(), SolveError> {
    for (what, expected, found) in [
        ("the operator's row count", rows, jacobian.rows()),
        ("the operator's column count", columns, jacobian.columns()),
    ] {
        if expected != found {
            return Err(SolveError::ShapeMismatch { what, expected, found });
        }
    }
    Ok(())
}

/// Refuses an output vector, whose entries may lie on several machines, that holds an infinity or a NaN; returns its norm.
///
/// # Errors
/// [`SolveError::NonFinite`], on all machines where it is found on one.
pub(crate) fn require_finite_output(
    what: &'static str,
    u: &[f64],
    jacobian: &dyn JacobianOperator,
) -> Result<f64, SolveError> {
    let value = jacobian.output_norm(u);
    if !value.is_finite() {
        require_finite(what, u)?;
        if jacobian.total_rows() != jacobian.rows() {
            return Err(SolveError::NonFinite { what, index: 0, value });
        }
    }
    Ok(value)
}
