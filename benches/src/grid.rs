//! The damped step over a grid of shapes: no cell may be slower than 1.1 times the best generic way.

use std::fmt::Write as _;

use crate::case::{Case, Fallible, Shape, Visit};
use crate::questions::step_by_width;
use crate::report::Row;

/// The name of the grid's rows.
pub const NAME: &str = "step_grid";
const ROWS: [usize; 3] = [64, 256, 4096];
const FEATURES: [usize; 3] = [2, 8, 30];
const HIDDEN: [usize; 3] = [4, 18, 64];

/// One case a cell.
pub fn cases(visit: Visit<'_>) -> Fallible<()> {
    for n in ROWS {
        for d in FEATURES {
            for m in HIDDEN {
                let case: Case = step_by_width::case(NAME, Shape::network(n, d, m))?;
                visit(case)?;
            }
        }
    }
    Ok(())
}

/// The grid as a Markdown table.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "| n | d | m | p | step, µs | generic, µs | generic / step | relative error |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let cells = rows.iter().filter(|row| row.name == NAME);
    for peer in cells.filter(|row| row.ratio.is_some()) {
        let (Some(ratio), Some(own)) = (peer.ratio, own_row(rows, peer)) else { continue };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.1} | {:.1} | {ratio:.2} | {:.0e} |",
            peer.n,
            peer.d.unwrap_or(0),
            peer.m.unwrap_or(0),
            peer.p,
            1e6 * own.seconds_median,
            1e6 * peer.seconds_median,
            own.relative_error.unwrap_or(f64::NAN),
        );
    }
    text
}

/// This workspace's row of the same work.
pub fn own_row<'r>(rows: &'r [Row], peer: &Row) -> Option<&'r Row> {
    rows.iter().find(|row| {
        row.peer.is_none()
            && row.name == peer.name
            && (row.n, row.d, row.m, row.p) == (peer.n, peer.d, peer.m, peer.p)
    })
}
