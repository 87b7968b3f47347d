//! `H = J^T J` by the structure against J formed and a triangular product, forming counted.

use gaussflow::prelude::*;
use gaussflow::solvers::faer::Mat;

use crate::case::{Case, Effort, Fallible, Shape, Side, Visit, relative_distance};
use crate::dense_step::lower_product;
use crate::operations;
use crate::problems::row_kronecker;

/// The question's name.
pub const NAME: &str = "gram_by_shape";

/// (d, m) of the curves, over n.
const WIDTHS: [(usize, usize); 3] = [(2, 64), (8, 18), (8, 64)];

/// One curve a width, one case a number of rows.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let rows: &[usize] = effort.choose(&[256, 4096], &[64, 256, 1024, 4096, 20_640]);
    for (d, m) in WIDTHS {
        for &n in rows {
            visit(case(Shape::network(n, d, m), &format!("d={d},m={m}")))?;
        }
    }
    Ok(())
}

/// Structured and formed, at one shape.
pub fn case(shape: Shape, variant: &str) -> Case {
    Case::new(NAME, variant, shape, sides(shape, Square::Gram))
}

/// Which square matrix is made of J.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Square {
    /// `J^T J`.
    Gram,
    /// `J J^T`.
    Kernel,
}

/// The matrix by the structure of J, and by J formed and multiplied.
pub fn sides(shape: Shape, square: Square) -> Vec<Side<'static>> {
    let (long, order, counted) = match square {
        Square::Gram => (shape.n, shape.p, operations::gram(shape)),
        Square::Kernel => (shape.p, shape.n, operations::kernel(shape)),
    };
    let by_structure =
        move |jacobian: &RowKronecker, out: &mut Mat<f64>, work: &mut Vec<f64>| match square {
            Square::Gram => jacobian.gram(out.as_mut(), work),
            Square::Kernel => jacobian.kernel(out.as_mut(), work),
        };
    let by_product = move |jacobian: &RowKronecker, dense: &mut Mat<f64>, out: &mut Mat<f64>| {
        jacobian.write_dense(dense.as_mut());
        let (rows, columns) = (dense.as_ref(), dense.transpose());
        match square {
            Square::Gram => lower_product(out.as_mut(), columns, rows, 1.0),
            Square::Kernel => lower_product(out.as_mut(), rows, columns, 1.0),
        }
    };
    let (jacobian, mut work) = (row_kronecker(shape), Vec::new());
    let (mut matrix, mut product) = (Mat::zeros(order, order), Mat::zeros(order, order));
    let (copy, mut dense) = (jacobian.clone(), Mat::zeros(shape.n, shape.p));
    by_structure(&jacobian, &mut matrix, &mut work);
    by_product(&copy, &mut dense, &mut product);
    let error = relative_distance(&lower_triangle(&matrix), &lower_triangle(&product));
    let structured = Side::calling(counted, error, move || {
        by_structure(&jacobian, &mut matrix, &mut work);
        Ok(())
    });
    let formed = Side::calling(operations::dense_gram(long, order), 0.0, move || {
        by_product(&copy, &mut dense, &mut product);
        Ok(())
    });
    vec![structured, formed.as_reference("faer-dense")]
}

/// The lower triangle, column after column.
pub fn lower_triangle(matrix: &Mat<f64>) -> Vec<f64> {
    (0..matrix.ncols()).flat_map(|c| matrix.col_as_slice(c)[c..].iter().copied()).collect()
}
