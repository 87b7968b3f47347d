//! `H = J^T J` by the structure against J formed and a triangular product, forming counted.

use gaussflow::prelude::*;
use gaussflow::solvers::faer::Mat;

use crate::case::{Case, Effort, Fallible, Schedule, Shape, Side, Visit, relative_distance};
use crate::dense_step::lower_product;
use crate::operations;
use crate::problems::row_kronecker;

/// The question's name.
pub const NAME: &str = "gram_by_shape";

/// (d, m) of the curves, over n.
const WIDTHS: [(usize, usize); 3] = [(2, 64), (8, 18), (8, 64)];

/// One curve a width, one case a number of rows.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let rows: &[usize] = match effort {
        Effort::Quick => &[256, 4096],
        Effort::Full => &[64, 256, 1024, 4096, 20_640],
    };
    for (d, m) in WIDTHS {
        for &n in rows {
            visit(case(Shape::network(n, d, m), &format!("d={d},m={m}")))?;
        }
    }
    Ok(())
}

/// Structured and formed, at one shape.
pub fn case(shape: Shape, variant: &str) -> Case {
    let jacobian = row_kronecker(shape);
    let mut work = Vec::new();
    let mut gram = Mat::zeros(shape.p, shape.p);
    jacobian.gram(gram.as_mut(), &mut work);
    let copy = jacobian.clone();
    let mut dense = Mat::zeros(shape.n, shape.p);
    let mut product = Mat::zeros(shape.p, shape.p);
    let mut form_and_multiply = move || {
        copy.write_dense(dense.as_mut());
        lower_product(product.as_mut(), dense.transpose(), dense.as_ref(), 1.0);
        lower_triangle(&product)
    };
    let error = relative_distance(&lower_triangle(&gram), &form_and_multiply());
    let structured = Side::calling(operations::gram(shape), error, move || {
        jacobian.gram(gram.as_mut(), &mut work);
        Ok(())
    });
    Case {
        question: NAME,
        variant: variant.to_owned(),
        shape,
        schedule: Schedule::Calibrated,
        sides: vec![structured, dense_side(shape)],
    }
}

/// J formed and multiplied.
fn dense_side(shape: Shape) -> Side<'static> {
    let jacobian = row_kronecker(shape);
    let mut dense = Mat::zeros(shape.n, shape.p);
    let mut product = Mat::zeros(shape.p, shape.p);
    Side::calling(operations::dense_gram(shape.n, shape.p), 0.0, move || {
        jacobian.write_dense(dense.as_mut());
        lower_product(product.as_mut(), dense.transpose(), dense.as_ref(), 1.0);
        Ok(())
    })
    .as_reference("faer-dense")
}

/// The lower triangle, column after column.
pub fn lower_triangle(matrix: &Mat<f64>) -> Vec<f64> {
    (0..matrix.ncols()).flat_map(|c| matrix.col_as_slice(c)[c..].iter().copied()).collect()
}
