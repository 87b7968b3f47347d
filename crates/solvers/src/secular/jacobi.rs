//! Singular values of a small square matrix by one-sided Jacobi rotations (Hestenes 1958).
//!
//! Rotations of pairs of columns make them orthogonal: `R Y = X diag(s)`. It never forms `R^T R`, so that
//! small singular values keep their digits (Demmel and Veselic 1992).

use crate::vector::inner_product_inlined as inner_product;

/// Sweeps after which what is not orthogonal stays so; convergence is quadratic and takes four to eight.
const SWEEPS: usize = 40;

/// Turns `matrix` (k x k by columns) into `X diag(s)`, with Y in `rotation` and s in `values`.
pub(super) fn rotate(matrix: &mut [f64], rotation: &mut [f64], values: &mut [f64]) {
    let k = values.len();
    rotation.fill(0.0);
    for (c, value) in values.iter_mut().enumerate() {
        rotation[c * k + c] = 1.0;
        let column = &matrix[c * k..][..k];
        *value = inner_product(column, column);
    }
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for q in 1..k {
            for p in 0..q {
                let (left, right) = pair(matrix, k, p, q);
                let product = inner_product(left, right);
                let (a, b) = (values[p], values[q]);
                if product.abs() <= f64::EPSILON * (a * b).sqrt() || product == 0.0 {
                    continue;
                }
                rotated = true;
                // tan of the angle that makes both columns orthogonal, the smaller root.
                let zeta = (b - a) / (2.0 * product);
                let size = zeta.abs();
                // Beyond, the one is lost in rounding, and the square may overflow.
                let root = if size < 1e8 { (size * size + 1.0).sqrt() } else { size };
                let tangent = zeta.signum() / (size + root);
                let cosine = (tangent * tangent + 1.0).sqrt().recip();
                let sine = cosine * tangent;
                turn(left, right, cosine, sine);
                // Squared norms are taken anew: updated ones lose their digits to cancellation.
                values[p] = inner_product(left, left);
                values[q] = inner_product(right, right);
                let (left, right) = pair(rotation, k, p, q);
                turn(left, right, cosine, sine);
            }
        }
        if !rotated {
            break;
        }
    }
    values.iter_mut().for_each(|value| *value = value.sqrt());
}

/// Columns p and q, p < q, of a k x k matrix.
fn pair(matrix: &mut [f64], k: usize, p: usize, q: usize) -> (&mut [f64], &mut [f64]) {
    let (before, after) = matrix.split_at_mut(q * k);
    (&mut before[p * k..][..k], &mut after[..k])
}

/// `(x, y) <- (c x - s y, s x + c y)`.
fn turn(x: &mut [f64], y: &mut [f64], cosine: f64, sine: f64) {
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
}
