//! Entries of the tangent kernel between rows here and rows elsewhere: `K_rs = sum_l (S_r S_s^T) * (X_r X_s^T)` over pieces.
//!
//! A row travels as its rows of S and X, `m + d` numbers a piece instead of the `m d` of J.

use faer::{Accum, Mat, MatMut, MatRef};
use gaussflow_faer::matmul;

use crate::jacobian::kronecker_piece::KroneckerPiece;

/// Appends for each row its rows of S and X, piece after piece.
pub(crate) fn write_rows_of_factors(pieces: &[KroneckerPiece], out: &mut Vec<f64>) {
    let rows = pieces.first().map_or(0, |piece| piece.left().rows());
    let mut slopes = Vec::new();
    for row in 0..rows {
        for piece in pieces {
            piece.write_left_rows(row..row + 1, &mut slopes);
            out.extend_from_slice(&slopes);
            out.extend_from_slice(&piece.input_from(row)[..piece.features()]);
        }
    }
}

/// Writes K between the rows of `pieces` and `others`, rows as [`write_rows_of_factors`] writes them.
pub(crate) fn kernel_with_rows(
    pieces: &[KroneckerPiece],
    others: &[f64],
    mut out: MatMut<'_, f64>,
) {
    let (rows, count) = (out.nrows(), out.ncols());
    let length: usize = pieces.iter().map(|piece| piece.hidden() + piece.features()).sum();
    let (mut of_slopes, mut of_inputs) = (Mat::zeros(rows, count), Mat::zeros(rows, count));
    let (mut slopes, mut inputs) = (Vec::new(), Vec::new());
    let mut offset = 0;
    for (k, piece) in pieces.iter().enumerate() {
        let (m, d) = (piece.hidden(), piece.features());
        piece.write_left_rows(0..rows, &mut slopes);
        inputs.clear();
        (0..rows).for_each(|row| inputs.extend_from_slice(&piece.input_from(row)[..d]));
        for (width, here, product) in
            [(m, &slopes, of_slopes.as_mut()), (d, &inputs, of_inputs.as_mut())]
        {
            let here = MatRef::from_column_major_slice(here, width, rows).transpose();
            let there = MatRef::from_column_major_slice_with_stride(
                others.get(offset..).unwrap_or_default(),
                width,
                count,
                length,
            );
            matmul(product, Accum::Replace, here, there, 1.0);
            offset += width;
        }
        for c in 0..count {
            let pairs = of_slopes.col_as_slice(c).iter().zip(of_inputs.col_as_slice(c));
            for (o, (s, x)) in out.as_mut().col_mut(c).iter_mut().zip(pairs) {
                *o = if k == 0 { s * x } else { *o + s * x };
            }
        }
    }
}
