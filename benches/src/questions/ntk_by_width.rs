//! The tangent kernel `K = J J^T` by the entrywise product, against J formed, as the network widens.

use super::gram_by_shape::{Square, sides};
use crate::case::{Case, Effort, Fallible, Shape, Visit};

/// The question's name.
pub const NAME: &str = "ntk_by_width";

/// One curve a number of rows, over m; d = 8.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let (rows, widths): (&[usize], &[usize]) =
        effort.choose((&[256], &[18, 256, 2048]), (&[256, 1024], &[18, 64, 256, 512, 1024, 2048]));
    for &n in rows {
        for &m in widths {
            let shape = Shape::network(n, 8, m);
            visit(Case::new(NAME, format!("n={n}"), shape, sides(shape, Square::Kernel)))?;
        }
    }
    Ok(())
}
