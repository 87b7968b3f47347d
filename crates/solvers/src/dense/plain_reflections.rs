//! Householder QR column by column, `(I - u u^T / t) x = beta e_1`, with no column passed over.
//!
//! Golub and Van Loan, Matrix Computations, algorithm 5.2.1, in the storage that faer applies:
//! `u_1 = 1`, the rest of u below the diagonal, t = norm(u)^2 / 2 beside it, infinite for none.

use faer::prelude::ReborrowMut;
use faer::{MatMut, RowMut};

use crate::vector::{add_scaled, inner_product, norm};

/// Overwrites `matrix` (rows >= columns, column-major) with R and the reflectors.
pub(crate) fn reflect_columns(mut matrix: MatMut<'_, f64>, mut coefficients: RowMut<'_, f64>) {
    for k in 0..matrix.ncols() {
        let (mut left, mut right) = matrix.rb_mut().split_at_col_mut(k + 1);
        let Some(column) = left.rb_mut().col_mut(k).try_as_col_major_mut() else { return };
        let (head, tail) = column.as_slice_mut()[k..].split_at_mut(1);
        let rest = norm(tail);
        // Below the smallest normal number a reflector has no accurate direction left.
        if rest < f64::MIN_POSITIVE {
            tail.fill(0.0);
            coefficients[k] = f64::INFINITY;
            continue;
        }
        let beta = -head[0].hypot(rest).copysign(head[0]);
        let pivot = head[0] - beta;
        for x in tail.iter_mut() {
            *x /= pivot;
        }
        head[0] = beta;
        let half_square = 0.5 * (1.0 + inner_product(tail, tail));
        coefficients[k] = half_square;
        for j in 0..right.ncols() {
            let Some(other) = right.rb_mut().col_mut(j).try_as_col_major_mut() else { return };
            let (first, others) = other.as_slice_mut()[k..].split_at_mut(1);
            let step = -(first[0] + inner_product(tail, others)) / half_square;
            first[0] += step;
            add_scaled(others, step, tail);
        }
    }
}
