//! What was asked for, beside what this run found: read from the rows of bench.json.

use std::fmt::Write as _;

use crate::grid;
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

const TARGETS: [Target; 8] = [
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
/// No cell of the grid is slower than this times the generic way.
const WORST_CELL: f64 = 1.1;
/// `J v` and `J^T u` grow at most with this power of n and m.
const EXPONENT: f64 = 1.1;

/// A Markdown table of every target that the rows speak of.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::from("| target | asked | found | by whom |\n|---|---:|---:|---|\n");
    let mut put = |what: &str, asked: String, found: f64, met: bool, who: &str| {
        let verdict = if met { "" } else { " (missed)" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {what} | {asked} | {found:.2}{verdict} | {who} |");
    };
    for target in &TARGETS {
        let compared = rows.iter().filter(|row| row.name == target.name);
        for row in compared {
            let (Some(ratio), Some(peer)) = (row.ratio, &row.peer) else { continue };
            if peer.starts_with(target.peer) {
                let asked = format!("at least {}", target.least);
                put(target.what, asked, ratio, ratio >= target.least, peer);
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
    let cells = rows.iter().filter(|row| row.name == grid::NAME && row.ratio.is_some());
    let slowest = cells.min_by(|a, b| a.ratio.unwrap_or(0.0).total_cmp(&b.ratio.unwrap_or(0.0)));
    if let Some((cell, ratio)) = slowest.and_then(|row| Some((row, row.ratio?))) {
        let (d, m) = (cell.d.unwrap_or(0), cell.m.unwrap_or(0));
        let (asked, over) = (format!("at most {WORST_CELL}"), 1.0 / ratio);
        let place = format!("n={} d={d} m={m}", cell.n);
        put("slowest cell of the grid, ours over generic", asked, over, over <= WORST_CELL, &place);
    }
    for (curve, power) in growth(rows).into_iter().filter(|(curve, _)| !curve.ends_with('d')) {
        let asked = format!("at most {EXPONENT}");
        put(&format!("growth of {curve}"), asked, power, power <= EXPONENT, "");
    }
    text
}
