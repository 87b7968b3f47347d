//! Householder QR, `A = Q R` with A of at least as many rows as columns, in reused buffers.

use dyn_stack::MemBuffer;
use faer::{Mat, MatMut, MatRef};
use gaussflow_faer::{apply_q, apply_q_transposed, qr, qr_scratch, solve_lower, solve_upper};

use crate::dense::plain_reflections::reflect_columns;
use crate::powers::times_power;

/// Columns of one block of reflectors: the fastest of 8, 16, 32 and 48 at 256 x 144.
const BLOCK: usize = 16;

/// Factors `A = Q R` by Householder reflections, for a tall A of one shape, in reused buffers.
///
/// # Examples
/// ```
/// use gaussflow_solvers::HouseholderQr;
/// let mut qr = HouseholderQr::new(3, 1);
/// qr.factor(|mut a| a.col_mut(0).fill(2.0));
/// let mut x = [2.0, 2.0, 2.0];
/// qr.apply_q_transposed(&mut x);
/// assert!((x[0].abs() - 12.0_f64.sqrt()).abs() < 1e-14 && x[1].abs() + x[2].abs() < 1e-14);
/// ```
pub struct HouseholderQr {
    factors: Mat<f64>,
    coefficients: Mat<f64>,
    scratch: MemBuffer,
    /// Rows of `coefficients` in use: reflectors of one block.
    block: usize,
}

impl HouseholderQr {
    /// Creates the buffers for `rows` x `columns` matrices, `rows >= columns`.
    pub fn new(rows: usize, columns: usize) -> Self {
        debug_assert!(rows >= columns);
        let block = BLOCK.min(columns).max(1);
        Self {
            factors: Mat::zeros(rows, columns),
            coefficients: Mat::zeros(block, columns),
            scratch: qr_scratch(rows, columns, block),
            block,
        }
    }

    /// Factors the matrix that `write` fills in (all of its entries). It may be called twice.
    ///
    /// faer passes over a column whose remainder is below 16 n eps of its norm and leaves a
    /// staircase, which would move small singular values by that much: the matrix is then written
    /// once more and factored by plain reflections, which pass over nothing.
    pub fn factor(&mut self, write: impl Fn(MatMut<'_, f64>)) {
        write(self.factors.as_mut());
        let reflected = qr(self.factors.as_mut(), self.coefficients.as_mut(), &mut self.scratch);
        self.block = self.coefficients.nrows();
        if reflected < self.factors.ncols() {
            write(self.factors.as_mut());
            self.block = 1;
            reflect_columns(self.factors.as_mut(), self.coefficients.as_mut().row_mut(0));
        }
    }

    /// Whether R can be solved with: every pivot is a finite number other than zero.
    pub(crate) fn is_invertible(&self) -> bool {
        (0..self.factors.ncols()).all(|i| {
            let pivot = self.factors[(i, i)];
            pivot != 0.0 && pivot.is_finite()
        })
    }

    /// Returns R in the upper triangle of a square matrix; the entries below it are unspecified.
    pub fn upper(&self) -> MatRef<'_, f64> {
        self.factors.get(..self.factors.ncols(), ..)
    }

    /// `R <- 2^exponent R`, which makes this the factorization of `2^exponent A`.
    pub(crate) fn scale_upper(&mut self, exponent: i32) {
        for (c, column) in self.factors.as_mut().col_iter_mut().enumerate() {
            column.iter_mut().take(c + 1).for_each(|x| *x = times_power(*x, exponent));
        }
    }

    /// Replaces x (length `rows`) by `Q^T x`: the first `columns` entries are coordinates in the basis of A's range.
    pub fn apply_q_transposed(&mut self, x: &mut [f64]) {
        let rows = x.len();
        apply_q_transposed(
            self.factors.as_ref(),
            self.coefficients.get(..self.block, ..),
            MatMut::from_column_major_slice_mut(x, rows, 1),
            &mut self.scratch,
        );
    }

    /// Replaces x (length `rows`) by `Q x`.
    pub fn apply_q(&mut self, x: &mut [f64]) {
        let rows = x.len();
        self.apply_q_to(MatMut::from_column_major_slice_mut(x, rows, 1));
    }

    /// `X <- Q X`, X of `rows` rows and at most `columns` columns.
    pub(crate) fn apply_q_to(&mut self, x: MatMut<'_, f64>) {
        apply_q(
            self.factors.as_ref(),
            self.coefficients.get(..self.block, ..),
            x,
            &mut self.scratch,
        );
    }

    /// `x <- R^-1 x`.
    pub(crate) fn solve_upper(&self, x: &mut [f64]) {
        let order = x.len();
        let x = MatMut::from_column_major_slice_mut(x, order, 1);
        solve_upper(self.upper(), x);
    }

    /// `x <- R^-T x`.
    pub(crate) fn solve_upper_transposed(&self, x: &mut [f64]) {
        let order = x.len();
        let x = MatMut::from_column_major_slice_mut(x, order, 1);
        solve_lower(self.upper().transpose(), x);
    }

    /// Smallest and largest `abs(R_ii)`.
    pub(crate) fn pivots(&self) -> (f64, f64) {
        let mut range = (f64::INFINITY, 0.0_f64);
        for i in 0..self.factors.ncols() {
            let pivot = self.factors[(i, i)].abs();
            range = (range.0.min(pivot), range.1.max(pivot));
        }
        range
    }
}
