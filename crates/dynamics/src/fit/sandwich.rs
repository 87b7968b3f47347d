//! The covariance under a robust loss: `n/(n - rank) H^-1 (J^T diag(psi^2) J) H^-1` with `H = J^T diag(c) J`.
//!
//! psi is half the derivative of the loss with respect to a residual, c the derivative of psi, J with the roots of the
//! weights in its rows (Huber and Ronchetti, Robust Statistics, 2009, sections 7.6 and 7.7).
//!
//! Where the scale C of the loss is small, few residuals lie where psi rises, and c at the residuals says little of
//! its mean. c is therefore `(psi(r + h) - psi(r - h)) / 2h`, the change of psi over the bandwidth of a density
//! estimate, `h = 1.06 s n^(-1/3)`, s from the residuals' median: for `C -> 0` Powell's estimate for least absolute
//! values, for large C the derivative.

use gaussflow_faer::faer::Mat;
use gaussflow_faer::self_adjoint_eigen;

/// Eigenvalue of H, relative to the mean of c, below which the mean takes the place of H.
const LEAST: f64 = 0.25;

/// Turns a root G of `(J^T J)^-1` (f x rank, row-major) into one of the sandwich.
///
/// `image(d)` is `J d` for a d over the free parameters (f), `psi` and `curvature` belong to the n rows. With
/// `U = J G`, whose columns are orthonormal, the sandwich is `G K^-1 (U^T diag(psi^2) U) K^-1 G^T`,
/// `K = U^T diag(c) U`. For errors alike in all rows the mean of K is `mean(c) I`; that takes its place where an
/// eigenvalue of K is below a quarter of it (far residuals of a Cauchy loss have negative c). NaN where the
/// mean itself is not positive, and without degrees of freedom.
///
/// # Cost
/// `rank` images and 2 n rank^2 multiply-adds.
pub(crate) fn spread(
    root: &mut [f64],
    rank: usize,
    psi: &[f64],
    curvature: &[f64],
    mut image: impl FnMut(&[f64]) -> Vec<f64>,
) {
    let n = psi.len();
    if rank == 0 {
        return;
    }
    let mut u = Mat::<f64>::zeros(n, rank);
    for i in 0..rank {
        let column: Vec<f64> = root.chunks_exact(rank).map(|row| row[i]).collect();
        let column = image(&column);
        u.col_mut(i).iter_mut().zip(&column).for_each(|(u, x)| *u = *x);
    }
    let weighted = |weights: &dyn Fn(usize) -> f64| {
        let scaled = Mat::from_fn(n, rank, |j, i| weights(j) * u[(j, i)]);
        u.transpose() * scaled
    };
    let mean = curvature.iter().sum::<f64>() / n as f64;
    let freedom = n as f64 - rank as f64;
    let inflation = if freedom > 0.0 && mean > 0.0 { n as f64 / freedom } else { f64::NAN };
    let rises = |x: f64| (x >= LEAST * mean).then(|| x.recip());
    let inverse = spectral(&weighted(&|j| curvature[j]), rises);
    let inner =
        spectral(&weighted(&|j| psi[j] * psi[j]), |x| Some((inflation * x.max(0.0)).sqrt()));
    let turn = match (inverse, inner) {
        (Some(inverse), Some(inner)) => inverse * inner,
        (None, Some(inner)) => Mat::from_fn(rank, rank, |r, c| inner[(r, c)] / mean),
        (_, None) => Mat::full(rank, rank, f64::NAN),
    };
    for row in root.chunks_exact_mut(rank) {
        let turned: Vec<f64> =
            (0..rank).map(|i| (0..rank).map(|l| row[l] * turn[(l, i)]).sum()).collect();
        row.copy_from_slice(&turned);
    }
}

/// `Q diag(function(lambda)) Q^T` of a symmetric matrix; `None` where an eigenvalue has no function or was not found.
fn spectral(matrix: &Mat<f64>, function: impl Fn(f64) -> Option<f64>) -> Option<Mat<f64>> {
    let eigen = self_adjoint_eigen(matrix.as_ref()).ok()?;
    let q = eigen.U();
    let values: Option<Vec<f64>> = eigen.S().column_vector().iter().map(|x| function(*x)).collect();
    let values = values?;
    let scaled = Mat::from_fn(q.nrows(), q.ncols(), |r, c| q[(r, c)] * values[c]);
    Some(scaled * q.transpose())
}
