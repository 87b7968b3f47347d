//! scaling.csv: one row for each network, problem and number of ranks, with every number of the model.

use std::fmt::Write as _;

use gaussflow_records::cell;

use super::plan::Simulated;
use super::{Curve, Point, Rows};
use crate::cost::Step;

/// Names of the columns; all times are seconds of one step, all memory is bytes of one rank.
pub(super) const HEADER: [&str; 23] = [
    "scaling",
    "network",
    "step",
    "iterations",
    "rows",
    "rows_per_rank",
    "parameters",
    "ranks",
    "seconds",
    "seconds_shared",
    "seconds_repeated",
    "seconds_latency",
    "seconds_bandwidth",
    "efficiency",
    "seconds_by_the_program_s_rule",
    "seconds_with_a_library_s_tree",
    "seconds_with_a_spread_factor",
    "exchanges",
    "bytes_received",
    "memory",
    "memory_of_all_data",
    "memory_of_own_rows",
    "memory_of_matrices",
];

/// The text of the file; empty cells where something does not apply.
pub(super) fn csv(simulated: &[Simulated<'_>]) -> String {
    let mut text = HEADER.join(",") + "\n";
    for over in simulated {
        for curve in &over.curves {
            for point in &curve.points {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{}", row(over.network, curve, point).join(","));
            }
        }
    }
    text
}

fn row(network: &str, curve: &Curve, point: &Point) -> [String; HEADER.len()] {
    let problem = curve.problem;
    let (kind, per_rank) = match problem.rows {
        Rows::Total(_) => ("strong", String::new()),
        Rows::PerRank(rows) => ("weak", rows.to_string()),
    };
    let iterations = match problem.step {
        Step::Shared { iterations } => iterations.to_string(),
        _ => String::new(),
    };
    let (time, traffic, resident) = (point.time(), point.cost.traffic(), point.cost.resident);
    [
        kind.to_owned(),
        network.to_owned(),
        problem.step.name().to_owned(),
        iterations,
        point.rows.to_string(),
        per_rank,
        problem.parameters().to_string(),
        point.ranks().to_string(),
        cell(time.total()),
        cell(time.shared),
        cell(time.repeated),
        cell(time.latency),
        cell(time.bandwidth),
        cell(point.efficiency),
        cell(point.seconds[0].total()),
        cell(point.tree()),
        cell(point.spread.map_or(f64::NAN, |seconds| seconds.total())),
        traffic.exchanges.to_string(),
        traffic.bytes.to_string(),
        cell(resident.total()),
        cell(resident.data),
        cell(resident.rows),
        cell(resident.matrices),
    ]
}
