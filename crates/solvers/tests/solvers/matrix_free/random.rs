//! Random dense and row-wise Kronecker Jacobians, and the residual from the dense J.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{DenseJacobian, JacobianOperator, RowKronecker, norm};
use rand_chacha::ChaCha8Rng;

pub use crate::draws::{gaussian, generator};

/// Columns of Gaussian entries whose sizes fall geometrically to `1 / spread`.
pub fn dense(rng: &mut ChaCha8Rng, rows: usize, columns: usize, spread: f64) -> DenseJacobian {
    let mut jacobian = DenseJacobian::zeros(rows, columns);
    for c in 0..columns {
        let size = spread.powf(-(c as f64) / columns.max(2) as f64) / (rows as f64).sqrt();
        for (r, entry) in gaussian(rng, rows).into_iter().enumerate() {
            jacobian.matrix_mut()[(r, c)] = size * entry;
        }
    }
    jacobian
}

/// S and X of a network with tanh units and Gaussian weights, signs alternating.
pub fn network(rng: &mut ChaCha8Rng, rows: usize, features: usize, hidden: usize) -> RowKronecker {
    let inputs = gaussian(rng, rows * features);
    let mut jacobian = RowKronecker::new(&inputs, features, hidden);
    for i in 0..hidden {
        let weights = gaussian(rng, features);
        let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
        for (j, x) in inputs.chunks_exact(features).enumerate() {
            let z: f64 = x.iter().zip(&weights).map(|(x, w)| x * w).sum();
            jacobian.pieces_mut()[0].left_mut()[(j, i)] = sign / z.cosh().powi(2);
        }
    }
    jacobian
}

/// J, dense.
pub fn matrix(jacobian: &dyn JacobianOperator) -> Mat<f64> {
    let mut dense = Mat::zeros(jacobian.rows(), jacobian.columns());
    jacobian.write_dense(dense.as_mut());
    dense
}

/// `norm(J^T b - (1-rho) J^T J v - rho v)`, the norm of `J^T b`, and the rounding level
/// `eps norm(J)_F (norm(b) + norm(J)_F norm(v))` of the former.
pub fn residual(
    jacobian: &dyn JacobianOperator,
    rho: f64,
    b: &[f64],
    v: &[f64],
) -> (f64, f64, f64) {
    let dense = matrix(jacobian);
    let (n, p) = dense.shape();
    let misfit: Vec<f64> = (0..n)
        .map(|j| b[j] - (1.0 - rho) * (0..p).map(|i| dense[(j, i)] * v[i]).sum::<f64>())
        .collect();
    let along = |x: &[f64], i: usize| (0..n).map(|j| dense[(j, i)] * x[j]).sum::<f64>();
    let defect: Vec<f64> = (0..p).map(|i| along(&misfit, i) - rho * v[i]).collect();
    let gradient: Vec<f64> = (0..p).map(|i| along(b, i)).collect();
    let size = dense.norm_l2();
    let level = f64::EPSILON * size * (norm(b) + size * norm(v));
    (norm(&defect), norm(&gradient), level)
}
