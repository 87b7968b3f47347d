//! What was asked for, beside what this run found: read from the rows of bench.json.

use std::fmt::Write as _;

use crate::classes_step;
use crate::deep;
use crate::grid;
use crate::large_step::{LARGE_STEPS, TOLERANCE};
use crate::plots::growth;
use crate::questions::exponential;
use crate::report::Row;

/// A ratio that some rows must reach.
struct Target {
    what: &'static str,
    /// The rows' name begins with this.
    name: &'static str,
    /// The peer's name begins with this.
    peer: &'static str,
    /// The smallest ratio among those rows must be at least this.
    least: f64,
}

const TARGETS: [Target; 12] = [
    Target {
        what: "paper's step, JAX over ours",
        name: "paper_step/auto",
        peer: "jax",
        least: 3.3,
    },
    Target {
        what: "paper's step, NumPy over ours",
        name: "paper_step/auto",
        peer: "numpy",
        least: 2.7,
    },
    Target {
        what: "bare paper's step over that with diagnostics",
        name: "paper_step_with_diagnostics/auto",
        peer: "bare-step",
        least: 0.5,
    },
    Target {
        what: "bare direct step over direct step with diagnostics",
        name: "paper_step_with_diagnostics/primal-cholesky",
        peer: "bare-step",
        least: 0.5,
    },
    Target { what: "large Gram, dsyrk over ours", name: "large_gram", peer: "numpy", least: 1.5 },
    Target { what: "wide step, JAX over ours", name: "wide_step", peer: "jax", least: 2.0 },
    Target { what: "deep step, JAX over ours", name: "deep_step/", peer: "jax", least: 2.0 },
    Target { what: "deep kernel, JAX over ours", name: "deep_kernel/", peer: "jax", least: 2.0 },
    Target {
        what: "deep kernel, neural-tangents over ours",
        name: "deep_kernel/",
        peer: "neural-tangents",
        least: 20.0,
    },
    Target {
        what: "step of classes, somax of the same accuracy over ours",
        name: "classes_step/",
        peer: classes_step::SOMAX,
        least: 5.0,
    },
    Target {
        what: "flow at alpha = 8, direct over amortized",
        name: "amortized_flow/amortized-cholesky,alpha=8",
        peer: "primal-cholesky",
        least: 1.3,
    },
    Target {
        what: "flow at alpha = 256, direct over amortized",
        name: "amortized_flow/amortized-cholesky,alpha=256",
        peer: "primal-cholesky",
        least: 2.5,
    },
];

/// Work that takes at most so many times what a step by QR takes, by the beginning of its rows' names.
const IN_STEPS: [(&str, &str, f64); 2] = [
    ("extreme Riemannian Hessian eigenvalues, in steps by QR", "hessian_range/alpha=256", 4.0),
    ("Exp of unit length, in steps by QR", "exponential/", 150.0),
];

/// The step takes at most this many times what its multiply-adds would at the measured limit.
const STEP_OVER_LIMIT: f64 = 1.5;
/// Work on deep networks, likewise.
const DEEP_OVER_LIMIT: f64 = 1.7;
/// No cell of a grid is slower than this times the generic way.
const WORST_CELL: f64 = 1.1;
/// `J v` and `J^T u` grow at most with this power of n and m.
const EXPONENT: f64 = 1.1;

/// A Markdown table of every target that the rows speak of.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::from("| target | asked | found | by whom |\n|---|---:|---:|---|\n");
    let mut put = |what: &str, asked: String, found: f64, met: bool, who: &str| {
        let verdict = if met { "" } else { " (missed)" };
        // Writing to a string cannot fail.
        let found = if found < 0.01 { format!("{found:.0e}") } else { format!("{found:.2}") };
        let _ = writeln!(text, "| {what} | {asked} | {found}{verdict} | {who} |");
    };
    for target in &TARGETS {
        let compared = rows.iter().filter(|row| row.name.starts_with(target.name));
        for row in compared {
            let (Some(ratio), Some(peer)) = (row.ratio, &row.peer) else { continue };
            if peer.starts_with(target.peer) {
                let asked = format!("at least {}", target.least);
                let who = match row.name.strip_prefix(target.name) {
                    Some(variant) if !variant.is_empty() => {
                        format!("{peer}, {variant} at n={}", row.n)
                    }
                    _ => peer.clone(),
                };
                put(target.what, asked, ratio, ratio >= target.least, &who);
            }
        }
    }
    for (what, name, most) in IN_STEPS {
        let beside = |row: &&Row| row.peer.as_deref() == Some(exponential::STEP);
        for row in rows.iter().filter(|row| row.name.starts_with(name)).filter(beside) {
            let (Some(ratio), place) = (row.ratio, format!("{} p={}", row.name, row.p)) else {
                continue;
            };
            put(what, format!("at most {most}"), 1.0 / ratio, 1.0 / ratio <= most, &place);
        }
    }
    let own = |name: &str| rows.iter().find(|row| row.name == name && row.peer.is_none());
    for (what, name) in [
        ("paper's step over the multiply-add limit of a direct one", "paper_step/auto"),
        ("paper's direct step over the multiply-add limit", "paper_step/primal-cholesky"),
    ] {
        let Some(part) = own(name).and_then(|row| row.fraction_of_peak) else { continue };
        let (asked, met) = (format!("at most {STEP_OVER_LIMIT}"), 1.0 / part <= STEP_OVER_LIMIT);
        put(what, asked, 1.0 / part, met, "the fastest large product");
    }
    let of_deep = |row: &&Row| [deep::STEP, deep::KERNEL].contains(&question_of(row));
    for row in rows.iter().filter(of_deep) {
        // Ours, as `Auto` takes it and by the direct solver; the peers' distance is no target.
        let ours = row.peer.as_deref().is_none_or(|peer| peer.ends_with("-cholesky"));
        let (true, Some(part)) = (ours, row.fraction_of_peak) else { continue };
        let who = row.peer.as_deref().unwrap_or("ours");
        let (asked, over) = (format!("at most {DEEP_OVER_LIMIT}"), 1.0 / part);
        let place = format!("{}, n={}, {who}", row.name, row.n);
        put(
            "deep networks over the multiply-add limit",
            asked,
            over,
            over <= DEEP_OVER_LIMIT,
            &place,
        );
    }
    for step in LARGE_STEPS {
        let Some(error) = own(step.name).and_then(|row| row.relative_error) else { continue };
        let (what, asked) =
            (format!("residual of {}", step.name), format!("at most {TOLERANCE:e}"));
        put(&what, asked, error, error <= TOLERANCE, "");
    }
    for (what, name) in [
        ("slowest cell of the grid, ours over generic", grid::NAME),
        ("slowest cell of the deep grid, ours over generic", grid::DEEP),
    ] {
        let cells = rows.iter().filter(|row| question_of(row) == name);
        let slowest =
            cells.filter_map(|row| Some((row, row.ratio?))).min_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some((cell, ratio)) = slowest else { continue };
        let (asked, over) = (format!("at most {WORST_CELL}"), 1.0 / ratio);
        let place = match cell.name.split_once('/') {
            Some((_, widths)) => format!("n={} {widths}", cell.n),
            None => format!("n={} d={} m={}", cell.n, cell.d.unwrap_or(0), cell.m.unwrap_or(0)),
        };
        put(what, asked, over, over <= WORST_CELL, &place);
    }
    for (curve, power) in growth(rows).into_iter().filter(|(curve, _)| !curve.ends_with('d')) {
        let asked = format!("at most {EXPONENT}");
        put(&format!("growth of {curve}"), asked, power, power <= EXPONENT, "");
    }
    text
}

/// The name of a row without that of its curve.
fn question_of(row: &Row) -> &str {
    row.name.split('/').next().unwrap_or_default()
}
