//! The tangent kernel `K = J J^T` by the entrywise product, against J formed, as the network widens.

use gaussflow::prelude::*;
use gaussflow::solvers::faer::Mat;

use super::gram_by_shape::lower_triangle;
use crate::case::{Case, Effort, Fallible, Schedule, Shape, Side, Visit, relative_distance};
use crate::dense_step::lower_product;
use crate::operations;
use crate::problems::row_kronecker;

/// The question's name.
pub const NAME: &str = "ntk_by_width";

/// One curve a number of rows, over m; d = 8.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let (rows, widths): (&[usize], &[usize]) = match effort {
        Effort::Quick => (&[256], &[18, 256, 2048]),
        Effort::Full => (&[256, 1024], &[18, 64, 256, 512, 1024, 2048]),
    };
    for &n in rows {
        for &m in widths {
            visit(case(Shape::network(n, 8, m)))?;
        }
    }
    Ok(())
}

/// Structured and formed, at one shape.
fn case(shape: Shape) -> Case {
    let jacobian = row_kronecker(shape);
    let mut work = Vec::new();
    let mut kernel = Mat::zeros(shape.n, shape.n);
    jacobian.kernel(kernel.as_mut(), &mut work);
    let copy = jacobian.clone();
    let mut dense = Mat::zeros(shape.n, shape.p);
    let mut product = Mat::zeros(shape.n, shape.n);
    copy.write_dense(dense.as_mut());
    lower_product(product.as_mut(), dense.as_ref(), dense.transpose(), 1.0);
    let error = relative_distance(&lower_triangle(&kernel), &lower_triangle(&product));
    let structured = Side::calling(operations::kernel(shape), error, move || {
        jacobian.kernel(kernel.as_mut(), &mut work);
        Ok(())
    });
    let formed = Side::calling(operations::dense_gram(shape.p, shape.n), 0.0, move || {
        copy.write_dense(dense.as_mut());
        lower_product(product.as_mut(), dense.as_ref(), dense.transpose(), 1.0);
        Ok(())
    });
    Case {
        question: NAME,
        variant: format!("n={}", shape.n),
        shape,
        schedule: Schedule::Calibrated,
        sides: vec![structured, formed.as_reference("faer-dense")],
    }
}
