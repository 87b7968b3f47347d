//! The row-wise Kronecker Jacobian `J[j, i d + k] = S[j, i] X[j, k]` of a one-hidden-layer network.
//!
//! `J v = rowsum((S V) * X)` and `J^T u = S^T diag(u) X` with `v` read as V (m x d, row-major), so
//! that products cost O(n m d) and J is never formed; `K = (S S^T) * (X X^T)` entrywise.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::prelude::ReborrowMut;
use faer::{Mat, MatMut, MatRef};

use crate::operator::{JacobianOperator, symmetric_product};
use crate::vector::inner_product_inlined;

/// Rows of one block of the work arrays: a block of `S V` stays in the first-level cache.
const ROW_BLOCK: usize = 128;

/// The operator `S (.) X`, row-wise Kronecker product of S (n x m) and X (n x d).
///
/// Parameter `i d + k` is the weight of hidden unit i on feature k.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{JacobianOperator, RowKronecker};
///
/// let inputs = [1.0, 2.0, 3.0, 4.0]; // two rows of two features
/// let mut jacobian = RowKronecker::new(&inputs, 2, 1);
/// jacobian.left_mut().col_as_slice_mut(0).copy_from_slice(&[10.0, 100.0]);
/// let mut out = [0.0; 2];
/// jacobian.apply(&[1.0, -1.0], &mut out);
/// assert_eq!(out, [-10.0, -100.0]);
/// ```
#[derive(Clone, Debug)]
pub struct RowKronecker {
    left: Mat<f64>,
    right: Mat<f64>,
}

impl RowKronecker {
    /// An operator with S = 0 (n x `hidden`) over `inputs`, row-major n x `features`.
    ///
    /// A trailing incomplete row of `inputs` is ignored; `features` of 0 gives an empty operator.
    pub fn new(inputs: &[f64], features: usize, hidden: usize) -> Self {
        let rows = inputs.len().checked_div(features).unwrap_or(0);
        let right = Mat::from_fn(rows, features, |j, k| inputs[j * features + k]);
        Self { left: Mat::zeros(rows, hidden), right }
    }

    /// S, n x m, one column a hidden unit.
    pub fn left(&self) -> MatRef<'_, f64> {
        self.left.as_ref()
    }

    /// S, to be written.
    pub fn left_mut(&mut self) -> &mut Mat<f64> {
        &mut self.left
    }

    /// X, n x d, one column a feature.
    pub fn right(&self) -> MatRef<'_, f64> {
        self.right.as_ref()
    }

    /// Column k of X, length n.
    pub fn feature(&self, k: usize) -> &[f64] {
        self.right.col_as_slice(k)
    }

    /// Number of hidden units m.
    pub fn hidden(&self) -> usize {
        self.left.ncols()
    }

    /// Number of features d.
    pub fn features(&self) -> usize {
        self.right.ncols()
    }
}

/// The products, compiled into the closures that choose the processor's instruction set.
impl RowKronecker {
    #[inline(always)]
    fn apply_in_blocks(&self, v: &[f64], out: &mut [f64]) {
        let d = self.features();
        let mut block = [0.0; ROW_BLOCK];
        for (b, out) in out.chunks_mut(ROW_BLOCK).enumerate() {
            let rows = b * ROW_BLOCK..b * ROW_BLOCK + out.len();
            out.fill(0.0);
            for k in 0..d {
                let column = &mut block[..out.len()];
                column.fill(0.0);
                for i in 0..self.hidden() {
                    let weight = v[i * d + k];
                    let s = &self.left.col_as_slice(i)[rows.clone()];
                    for (c, s) in column.iter_mut().zip(s) {
                        *c += s * weight;
                    }
                }
                let x = &self.right.col_as_slice(k)[rows.clone()];
                for ((o, c), x) in out.iter_mut().zip(&*column).zip(x) {
                    *o += c * x;
                }
            }
        }
    }

    #[inline(always)]
    fn apply_transposed_in_blocks(&self, u: &[f64], out: &mut [f64]) {
        let d = self.features();
        let mut block = [0.0; ROW_BLOCK];
        out.fill(0.0);
        for (b, u) in u.chunks(ROW_BLOCK).enumerate() {
            let rows = b * ROW_BLOCK..b * ROW_BLOCK + u.len();
            for k in 0..d {
                let weighted = &mut block[..u.len()];
                let x = &self.right.col_as_slice(k)[rows.clone()];
                for ((w, u), x) in weighted.iter_mut().zip(u).zip(x) {
                    *w = u * x;
                }
                for i in 0..self.hidden() {
                    let s = &self.left.col_as_slice(i)[rows.clone()];
                    out[i * d + k] += inner_product_inlined(s, weighted);
                }
            }
        }
    }
}

impl JacobianOperator for RowKronecker {
    fn rows(&self) -> usize {
        self.left.nrows()
    }

    fn columns(&self) -> usize {
        self.left.ncols() * self.right.ncols()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || self.apply_in_blocks(v, out),
        );
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || self.apply_transposed_in_blocks(u, out),
        );
    }

    fn write_dense(&self, mut out: MatMut<'_, f64>) {
        let d = self.features();
        for i in 0..self.hidden() {
            let s = self.left.col_as_slice(i);
            for k in 0..d {
                let x = self.right.col_as_slice(k);
                let column = out.rb_mut().col_mut(i * d + k);
                for ((o, s), x) in column.iter_mut().zip(s).zip(x) {
                    *o = s * x;
                }
            }
        }
    }

    fn kernel(&self, mut out: MatMut<'_, f64>, _work: &mut Vec<f64>) {
        let mut inputs = Mat::<f64>::zeros(self.rows(), self.rows());
        symmetric_product(inputs.as_mut(), self.right.as_ref(), self.right.transpose());
        symmetric_product(out.rb_mut(), self.left.as_ref(), self.left.transpose());
        for c in 0..self.rows() {
            for r in c..self.rows() {
                out[(r, c)] *= inputs[(r, c)];
            }
        }
    }
}
