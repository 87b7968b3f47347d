//! The network's Jacobian `S (.) X` together with the curvature factors that second derivatives need.
//!
//! S[j,i] = c_i sigma'(z_ji), C[j,i] = c_i sigma''(z_ji), both from one pass over the pre-activations
//! where C is small enough to keep.

use gaussflow_solvers::faer::MatMut;
use gaussflow_solvers::{JacobianOperator, RowBlocks, RowKronecker};

/// Entries up to which C is kept beside S (2 MiB, what caches hold); a larger C is computed again where it is asked for.
const KEPT_CURVATURE: usize = 1 << 18;

/// Df(w) of a network, and what its second derivatives are made of.
#[derive(Clone, Debug)]
pub struct NetworkJacobian {
    first: RowKronecker,
    /// C, n x m, unless it is too large to keep.
    curvature: Option<RowBlocks>,
}

impl NetworkJacobian {
    /// A zero Jacobian over `inputs` (row-major n x `features`) and `hidden` units.
    pub(crate) fn new(inputs: &[f64], features: usize, hidden: usize) -> Self {
        let first = RowKronecker::new(inputs, features, hidden);
        let rows = first.rows();
        let kept = rows.saturating_mul(hidden) <= KEPT_CURVATURE;
        Self { first, curvature: kept.then(|| RowBlocks::zeros(rows, hidden)) }
    }

    /// The same without room for C, as for large networks.
    #[cfg(test)]
    pub(crate) fn without_curvature(mut self) -> Self {
        self.curvature = None;
        self
    }

    /// S with the sums of squares of its rows, and C if it is kept, to be written.
    pub(crate) fn parts_mut(&mut self) -> ((&mut RowBlocks, &mut [f64]), Option<&mut RowBlocks>) {
        (self.first.left_and_squares_mut(), self.curvature.as_mut())
    }

    /// C, unless it is too large to keep.
    pub(crate) fn curvature(&self) -> Option<&RowBlocks> {
        self.curvature.as_ref()
    }

    /// The structured operator `S (.) X`.
    pub fn row_kronecker(&self) -> &RowKronecker {
        &self.first
    }
}

impl JacobianOperator for NetworkJacobian {
    fn rows(&self) -> usize {
        self.first.rows()
    }

    fn columns(&self) -> usize {
        self.first.columns()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        self.first.apply(v, out);
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        self.first.apply_transposed(u, out);
    }

    fn normal_apply(&self, v: &[f64], image: &mut [f64], out: &mut [f64]) {
        self.first.normal_apply(v, image, out);
    }

    fn normal_residual(&self, b: (&[f64], f64), v: &[f64], image: &mut [f64], out: &mut [f64]) {
        self.first.normal_residual(b, v, image, out);
    }

    fn write_dense(&self, out: MatMut<'_, f64>) {
        self.first.write_dense(out);
    }

    fn gram(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        self.first.gram(out, work);
    }

    fn kernel(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        self.first.kernel(out, work);
    }

    fn kernel_diagonal(&self, out: &mut [f64]) {
        self.first.kernel_diagonal(out);
    }

    fn kernel_columns(&self, selected: &[usize], out: MatMut<'_, f64>) {
        self.first.kernel_columns(selected, out);
    }

    fn gram_blocks(&self, out: &mut Vec<f64>) -> usize {
        self.first.gram_blocks(out)
    }

    fn gram_operations(&self) -> f64 {
        self.first.gram_operations()
    }

    fn kernel_operations(&self) -> f64 {
        self.first.kernel_operations()
    }

    fn squared_norm(&self) -> f64 {
        self.first.squared_norm()
    }
}
