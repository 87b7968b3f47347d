//! Proven Lipschitz constants of the network and of its Jacobian, over all of `R^p`.
//!
//! `L <= sigma2 sqrt(lambda_max((X X^T) * (X X^T)))`, independent of m, and
//! `Lip_f <= sigma1 sqrt(m) sigma_max(X)`: both tighter than the paper's (section 2.1, Theorem 2).

use gaussflow_objective::LipschitzConstants;
use gaussflow_solvers::faer::{Mat, MatRef};
use gaussflow_solvers::{DenseJacobian, Factors, RowBlocks, norm};

use crate::activation::ActivationFunction;
use crate::network::Network;

impl<A: ActivationFunction> LipschitzConstants for Network<A> {
    fn jacobian_lipschitz(&self) -> f64 {
        self.activation().bounds().second * squared_feature_norm(dense(self.inputs()).as_ref())
    }

    fn lipschitz(&self) -> f64 {
        let width = (self.hidden() as f64).sqrt();
        self.activation().bounds().first
            * width
            * largest_singular_value(dense(self.inputs()).as_ref())
    }
}

/// The inputs as a dense matrix.
fn dense(inputs: &RowBlocks) -> Mat<f64> {
    Mat::from_fn(inputs.rows(), inputs.columns(), |j, k| inputs[(j, k)])
}

/// `sqrt(lambda_max((X X^T) * (X X^T)))` = the largest singular value of the matrix whose row j holds
/// the symmetric products of x_j with itself, off-diagonal ones times sqrt(2).
fn squared_feature_norm(inputs: MatRef<'_, f64>) -> f64 {
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
    largest_singular_value(products.as_ref())
}

/// The largest singular value; the Frobenius norm, an upper bound, should the iteration fail.
fn largest_singular_value(matrix: MatRef<'_, f64>) -> f64 {
    let operator = DenseJacobian::from_matrix(matrix.to_owned());
    let extremes = Factors::new(matrix.nrows(), matrix.ncols())
        .and_then(|mut factors| factors.extreme_singular_values(&operator));
    extremes.map_or_else(
        |_| {
            let columns: Vec<f64> = (0..matrix.ncols())
                .map(|k| norm(&matrix.col(k).iter().copied().collect::<Vec<_>>()))
                .collect();
            norm(&columns)
        },
        |found| found.largest,
    )
}
