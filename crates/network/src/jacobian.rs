//! The network's Jacobian `S (.) X` together with the curvature factors that second derivatives need.
//!
//! S[j,i] = c_i sigma'(z_ji), C[j,i] = c_i sigma''(z_ji), both from one pass over the pre-activations.

use std::ops::Range;

use gaussflow_solvers::faer::{Mat, MatMut};
use gaussflow_solvers::{JacobianOperator, RowKronecker, inner_product};

/// Df(w) of a network, and what its second derivatives are made of.
#[derive(Clone, Debug)]
pub struct NetworkJacobian {
    first: RowKronecker,
    /// C, n x m.
    curvature: Mat<f64>,
}

impl NetworkJacobian {
    /// A zero Jacobian over `inputs` (n x d) and `hidden` units.
    pub(crate) fn new(inputs: &Mat<f64>, hidden: usize) -> Self {
        let (rows, features) = (inputs.nrows(), inputs.ncols());
        let row_major: Vec<f64> =
            (0..rows * features).map(|e| inputs[(e / features, e % features)]).collect();
        Self {
            first: RowKronecker::new(&row_major, features, hidden),
            curvature: Mat::zeros(rows, hidden),
        }
    }

    /// Columns i of S and C on the given rows, to be written.
    pub(crate) fn unit_mut(&mut self, i: usize, rows: Range<usize>) -> (&mut [f64], &mut [f64]) {
        let slope = &mut self.first.left_mut().col_as_slice_mut(i)[rows.clone()];
        (slope, &mut self.curvature.col_as_slice_mut(i)[rows])
    }

    /// The structured operator `S (.) X`.
    pub fn row_kronecker(&self) -> &RowKronecker {
        &self.first
    }

    /// `out_j = sum_i C_ji (x_j . u_i)(x_j . v_i)`.
    pub(crate) fn second_derivative(&self, u: &[f64], v: &[f64], out: &mut [f64]) {
        let (n, d) = (self.rows(), self.first.features());
        let (mut along_u, mut along_v) = (vec![0.0; n], vec![0.0; n]);
        out.fill(0.0);
        for i in 0..self.first.hidden() {
            self.project(&u[i * d..(i + 1) * d], &mut along_u);
            self.project(&v[i * d..(i + 1) * d], &mut along_v);
            let curvature = self.curvature.col_as_slice(i);
            for (((o, c), a), b) in out.iter_mut().zip(curvature).zip(&along_u).zip(&along_v) {
                *o += c * a * b;
            }
        }
    }

    /// `out_i = sum_j weights_j C_ji (x_j . v_i) x_j`.
    pub(crate) fn weighted_hessian_apply(&self, weights: &[f64], v: &[f64], out: &mut [f64]) {
        let (n, d) = (self.rows(), self.first.features());
        let mut along = vec![0.0; n];
        for i in 0..self.first.hidden() {
            self.project(&v[i * d..(i + 1) * d], &mut along);
            let curvature = self.curvature.col_as_slice(i);
            for ((a, c), w) in along.iter_mut().zip(curvature).zip(weights) {
                *a *= c * w;
            }
            for (k, o) in out[i * d..(i + 1) * d].iter_mut().enumerate() {
                *o = inner_product(&along, self.first.feature(k));
            }
        }
    }

    /// Block i of the block diagonal matrix is `sum_j weights_j C_ji x_j x_j^T`.
    pub(crate) fn weighted_hessian(&self, weights: &[f64], mut out: MatMut<'_, f64>) {
        let d = self.first.features();
        out.fill(0.0);
        let inputs = self.first.right();
        for i in 0..self.first.hidden() {
            for (j, weight) in weights.iter().enumerate() {
                let factor = weight * self.curvature[(j, i)];
                for k in 0..d {
                    for l in 0..=k {
                        out[(i * d + k, i * d + l)] += factor * inputs[(j, k)] * inputs[(j, l)];
                    }
                }
            }
            // Mirrored, not summed again: symmetric to the last bit.
            for k in 0..d {
                for l in 0..k {
                    out[(i * d + l, i * d + k)] = out[(i * d + k, i * d + l)];
                }
            }
        }
    }

    /// `out_j = x_j . direction`, direction of length d.
    fn project(&self, direction: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (k, weight) in direction.iter().enumerate() {
            for (o, x) in out.iter_mut().zip(self.first.feature(k)) {
                *o += weight * x;
            }
        }
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

    fn write_dense(&self, out: MatMut<'_, f64>) {
        self.first.write_dense(out);
    }

    fn normal_apply(&self, v: &[f64], image: &mut [f64], out: &mut [f64]) {
        self.first.normal_apply(v, image, out);
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

    fn squared_norm(&self) -> f64 {
        self.first.squared_norm()
    }
}
