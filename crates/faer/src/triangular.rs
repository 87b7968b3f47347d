//! Matrix products, and solves with triangles.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::triangular_inverse::invert_upper_triangular;
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// `out = factor A B`, or that added to `out`; 2 m k n operations.
pub fn matmul(
    out: MatMut<'_, f64>,
    accumulate: Accum,
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
    factor: f64,
) {
    faer::linalg::matmul::matmul(out, accumulate, a, b, factor, Par::Seq);
}

/// A B, as faer's operator `*` makes it: large ones on several threads.
pub fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    a * b
}

/// The lower triangle of `out = A B`, or that added to it, for a product known to be symmetric; half of the
/// operations.
pub fn lower_of_product(
    out: MatMut<'_, f64>,
    accumulate: Accum,
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
) {
    triangular::matmul(
        out,
        BlockStructure::TriangularLower,
        accumulate,
        a,
        BlockStructure::Rectangular,
        b,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

/// `X <- L^-1 X`, L the lower triangle of a square matrix.
pub fn solve_lower(l: MatRef<'_, f64>, x: MatMut<'_, f64>) {
    solve_lower_triangular_in_place(l, x, Par::Seq);
}

/// `X <- R^-1 X`, R the upper triangle of a square matrix.
pub fn solve_upper(r: MatRef<'_, f64>, x: MatMut<'_, f64>) {
    solve_upper_triangular_in_place(r, x, Par::Seq);
}

/// The upper triangle of `out = R^-1`, R the upper triangle of a square matrix.
pub fn invert_upper(out: MatMut<'_, f64>, r: MatRef<'_, f64>) {
    invert_upper_triangular(out, r, Par::Seq);
}
