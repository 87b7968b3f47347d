//! bands.csv: at each recorded step of each group, the spread of the runs over their seeds.
//!
//! A quantile q of k sorted values lies at position q (k - 1), linear between neighbours (definition 7
//! of R. J. Hyndman and Y. Fan, Sample quantiles in statistical packages, Am. Stat. 50 (1996) 361).

use std::collections::BTreeMap;
use std::path::Path;

use gaussflow_records::{RecordError, TraceRow, cell};

use super::folder::SweepFolder;
use super::plan::Plan;
use super::summary::{RunSummary, Table};
use crate::grouped::grouped;
use crate::quantile::quantile;

type Column = (&'static str, fn(&TraceRow) -> f64);

/// The columns of trace.csv whose spread is told.
const COLUMNS: [Column; 5] = [
    ("loss", |row| row.loss),
    ("deviation", |row| row.deviation),
    ("riemannian_gradient_norm", |row| row.riemannian_gradient_norm),
    ("gram_min_eigenvalue", |row| row.gram_min_eigenvalue),
    ("held_out_loss", |row| row.held_out_loss.unwrap_or(f64::NAN)),
];

/// The quantiles, with the ends of their columns' names.
const QUANTILES: [(&str, f64); 5] =
    [("min", 0.0), ("q10", 0.1), ("median", 0.5), ("q90", 0.9), ("max", 1.0)];

/// A step of a group.
struct Step {
    /// Its time in the first run.
    time: f64,
    /// One row a run: the values of [`COLUMNS`].
    rows: Vec<[f64; COLUMNS.len()]>,
}

/// Writes bands.csv: `group,step,time,runs`, then each column with each quantile.
///
/// # Errors
/// [`RecordError`] where a trace cannot be read or the table not be written.
pub(super) fn write(path: &Path, plan: &Plan, folder: &SweepFolder) -> Result<(), RecordError> {
    let mut table = Table::create(path)?;
    let mut header = ["group", "step", "time", "runs"].map(str::to_owned).to_vec();
    for (column, _) in COLUMNS {
        header.extend(QUANTILES.iter().map(|(quantile, _)| format!("{column}_{quantile}")));
    }
    table.row(&header)?;
    for (group, runs) in grouped(plan.runs.iter().map(|run| (run.group.as_str(), run))) {
        // Of one group at a time, and of its traces only what is asked for: a sweep may have many more.
        let mut steps: BTreeMap<u64, Step> = BTreeMap::new();
        for run in runs {
            for row in RunSummary::read(&run.id, &folder.run(&run.id))?.trace {
                let step =
                    steps.entry(row.step).or_insert(Step { time: row.time, rows: Vec::new() });
                step.rows.push(COLUMNS.map(|(_, column)| column(&row)));
            }
        }
        for (step, Step { time, rows }) in steps {
            let mut cells =
                vec![group.to_owned(), step.to_string(), cell(time), rows.len().to_string()];
            for place in 0..COLUMNS.len() {
                let mut values: Vec<f64> =
                    rows.iter().map(|row| row[place]).filter(|value| value.is_finite()).collect();
                values.sort_by(f64::total_cmp);
                cells.extend(QUANTILES.iter().map(|&(_, q)| cell(quantile(&values, q))));
            }
            table.row(&cells)?;
        }
    }
    table.finish()
}
