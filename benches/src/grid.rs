//! The damped step over grids of shapes: no cell may be slower than 1.1 times the best generic way.

use std::fmt::Write as _;

use crate::case::{Fallible, Visit};
use crate::problems::Problem;
use crate::questions::step_by_width;
use crate::report::Row;

/// The name of the grid's rows.
pub const NAME: &str = "step_grid";
const ROWS: [usize; 3] = [64, 256, 4096];
const FEATURES: [usize; 3] = [2, 8, 30];
const HIDDEN: [usize; 3] = [4, 18, 64];

/// The same of the rows over depths, each with the widths after it.
pub const DEEP: &str = "deep_grid";
const DEPTHS: [usize; 3] = [1, 2, 3];
const WIDTHS: [usize; 3] = [4, 32, 256];
const DEEP_FEATURES: usize = 8;
/// Bytes of the J that the generic way forms, at most: 2 GiB.
const DENSE_BYTES: usize = 2 << 30;

/// One case a cell.
pub fn cases(visit: Visit<'_>) -> Fallible<()> {
    for n in ROWS {
        for d in FEATURES {
            for m in HIDDEN {
                let problem = Problem::synthetic(n, d, m)?;
                visit(step_by_width::case(NAME, String::new(), &problem)?)?;
            }
        }
    }
    Ok(())
}

/// One case a cell of the grid over depths and widths; a cell whose J is too large to be formed is said and left out.
pub fn deep_cases(visit: Visit<'_>) -> Fallible<()> {
    for n in ROWS {
        for depth in DEPTHS {
            for width in WIDTHS {
                let problem = Problem::synthetic_deep(n, DEEP_FEATURES, &vec![width; depth])?;
                let (shape, widths) = (problem.shape, problem.widths());
                if size_of::<f64>() * n * shape.p > DENSE_BYTES {
                    println!("    {DEEP}/{widths}, n={n}: J is above 2 GiB, left out");
                    continue;
                }
                visit(step_by_width::case(DEEP, widths, &problem)?)?;
            }
        }
    }
    Ok(())
}

/// Both grids as Markdown tables.
pub fn markdown(rows: &[Row]) -> String {
    let shallow = |row: &Row| {
        (row.name == NAME).then(|| format!("{} | {}", row.d.unwrap_or(0), row.m.unwrap_or(0)))
    };
    let deep = |row: &Row| row.name.strip_prefix(DEEP)?.strip_prefix('/').map(str::to_owned);
    let mut text = table(rows, "d | m", "---:|---:", shallow);
    text.push('\n');
    text.push_str(&table(rows, "widths", "---", deep));
    text
}

/// One grid; `place` gives the cells of a row between n and p.
fn table(
    rows: &[Row],
    head: &str,
    alignment: &str,
    place: impl Fn(&Row) -> Option<String>,
) -> String {
    let mut text = format!(
        "| n | {head} | p | step, µs | generic, µs | generic / step | relative error |\n\
         |---:|{alignment}|---:|---:|---:|---:|---:|\n",
    );
    for peer in rows {
        let (Some(place), Some(ratio)) = (place(peer), peer.ratio) else { continue };
        let Some(own) = own_row(rows, peer) else { continue };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {place} | {} | {:.1} | {:.1} | {ratio:.2} | {:.0e} |",
            peer.n,
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
