//! Householder QR of a small tall matrix held by columns: `A = Q R` without blocks or allocation.

use crate::vector::{inner_product, norm};

/// Factors `matrix` (`rows` x k by columns, k <= rows): reflectors below the diagonal, R into `upper` (k x k).
///
/// Reflector c is `I - coefficients[c] v v^T` with v in rows c.. of column c.
pub(super) fn factor(matrix: &mut [f64], rows: usize, coefficients: &mut [f64], upper: &mut [f64]) {
    let k = coefficients.len();
    for c in 0..k {
        let (done, rest) = matrix.split_at_mut((c + 1) * rows);
        let column = &mut done[c * rows..];
        upper[c * k..][..c].copy_from_slice(&column[..c]);
        let v = &mut column[c..];
        let length = norm(v);
        let diagonal = if v[0] > 0.0 { -length } else { length };
        upper[c * k + c] = diagonal;
        v[0] -= diagonal;
        // norm(v)^2 = 2 diagonal (diagonal - a_cc) = -2 diagonal v_0, v_0 as it now is.
        let product = -diagonal * v[0];
        coefficients[c] = if product > 0.0 { product.recip() } else { 0.0 };
        for other in rest.chunks_exact_mut(rows).take(k - c - 1) {
            reflect(v, coefficients[c], &mut other[c..]);
        }
    }
}

/// `x <- Q^T x`.
pub(super) fn apply_q_transposed(matrix: &[f64], rows: usize, coefficients: &[f64], x: &mut [f64]) {
    for (c, &coefficient) in coefficients.iter().enumerate() {
        reflect(&matrix[c * rows + c..(c + 1) * rows], coefficient, &mut x[c..]);
    }
}

/// `x <- Q x`.
pub(super) fn apply_q(matrix: &[f64], rows: usize, coefficients: &[f64], x: &mut [f64]) {
    for (c, &coefficient) in coefficients.iter().enumerate().rev() {
        reflect(&matrix[c * rows + c..(c + 1) * rows], coefficient, &mut x[c..]);
    }
}

/// `x <- (I - coefficient v v^T) x`.
fn reflect(v: &[f64], coefficient: f64, x: &mut [f64]) {
    let factor = coefficient * inner_product(v, x);
    x.iter_mut().zip(v).for_each(|(x, v)| *x -= factor * v);
}
