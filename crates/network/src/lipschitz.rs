//! Proven Lipschitz constants of the network and of its Jacobian, over all of `R^p`.
//!
//! `L <= sigma2 sqrt(lambda_max((X X^T) * (X X^T)))`, independent of m, and
//! `Lip_f <= sigma1 sqrt(m) sigma_max(X)`: both tighter than the paper's (section 2.1, Theorem 2).

use gaussflow_faer::faer::{Accum, Mat, MatRef};
use gaussflow_faer::matmul;
use gaussflow_objective::LipschitzConstants;
use gaussflow_solvers::{DampedSolver, DenseJacobian, Factors, RowBlocks, norm};

use crate::activation::ActivationFunction;
use crate::network::Network;

/// Bytes that the matrices of a constant may take: as much again as a large Jacobian's factors, not more.
const MOST_BYTES: usize = 1 << 30;

impl<A: ActivationFunction> LipschitzConstants for Network<A> {
    fn jacobian_lipschitz(&self) -> f64 {
        let Some(activation) = self.one_layer() else { return f64::INFINITY };
        activation.bounds().second * squared_feature_norm(dense(self.inputs()).as_ref())
    }

    fn lipschitz(&self) -> f64 {
        let Some(activation) = self.one_layer() else { return f64::INFINITY };
        let width = (self.signs().len() as f64).sqrt();
        activation.bounds().first * width * largest_singular_value(dense(self.inputs()))
    }
}

/// The inputs as a dense matrix.
fn dense(inputs: &RowBlocks) -> Mat<f64> {
    Mat::from_fn(inputs.rows(), inputs.columns(), |j, k| inputs[(j, k)])
}

/// `sqrt(lambda_max((X X^T) * (X X^T)))`: the largest singular value of the matrix whose row j holds the
/// symmetric products of x_j with itself, off-diagonal ones times sqrt(2).
///
/// That matrix is n x d (d + 1) / 2. Where it is too large, the n x n matrix of its inner products tells the same;
/// where both are, the answer is its Frobenius norm, an upper bound that needs neither.
fn squared_feature_norm(inputs: MatRef<'_, f64>) -> f64 {
    let (n, d) = (inputs.nrows(), inputs.ncols());
    let fits = |columns| DampedSolver::HouseholderQr.matrix_bytes(n, columns) <= MOST_BYTES;
    if fits(d.saturating_mul(d.saturating_add(1)) / 2) {
        largest_singular_value(feature_products(inputs))
    } else if fits(n) {
        let mut kernel = Mat::zeros(n, n);
        matmul(kernel.as_mut(), Accum::Replace, inputs, inputs.transpose(), 1.0);
        kernel.col_iter_mut().for_each(|column| column.iter_mut().for_each(|x| *x *= *x));
        largest_singular_value(kernel).sqrt()
    } else {
        let squares = |j: usize| inputs.row(j).iter().map(|x| x * x).sum::<f64>();
        norm(&(0..n).map(squares).collect::<Vec<_>>())
    }
}

/// Row j holds the products `x_jk x_jl`, l <= k, those with l < k times sqrt(2).
fn feature_products(inputs: MatRef<'_, f64>) -> Mat<f64> {
    let (n, d) = (inputs.nrows(), inputs.ncols());
    let mut products = Mat::zeros(n, d * (d + 1) / 2);
    let mut column = 0;
    for k in 0..d {
        for l in 0..=k {
            let weight = if k == l { 1.0 } else { std::f64::consts::SQRT_2 };
            for j in 0..n {
                products[(j, column)] = weight * inputs[(j, k)] * inputs[(j, l)];
            }
            column += 1;
        }
    }
    products
}

/// The largest singular value; the Frobenius norm, an upper bound, should the iteration fail.
fn largest_singular_value(matrix: Mat<f64>) -> f64 {
    let (rows, columns) = matrix.shape();
    let operator = DenseJacobian::from_matrix(matrix);
    let extremes = Factors::new(rows, columns)
        .and_then(|mut factors| factors.extreme_singular_values(&operator));
    extremes.map_or_else(
        |_| {
            let columns: Vec<f64> =
                operator.matrix().col_iter().map(|column| column.norm_l2()).collect();
            norm(&columns)
        },
        |found| found.largest,
    )
}
