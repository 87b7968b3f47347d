//! bench.json and the table on the terminal: one row a piece of work and who did it.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::case::{Case, Effort, Fallible, Schedule, Side};
use crate::interleave::{Taken, measure};

/// A row of bench.json; what does not apply is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What was done.
    pub name: String,
    /// Rows of J.
    pub n: usize,
    /// Features.
    pub d: Option<usize>,
    /// Hidden units, of one layer.
    pub m: Option<usize>,
    /// Columns of J.
    pub p: usize,
    /// Threads.
    pub threads: usize,
    /// Seconds of one call, median of the rounds (of a whole flow: the total).
    pub seconds_median: f64,
    /// 1e9 multiplications and additions a second, counted as this side does them.
    pub gflops: Option<f64>,
    /// `gflops` over those of the large product of the same run.
    pub fraction_of_peak: Option<f64>,
    /// Against the dense definition, or the true residual; of a peer: against this workspace.
    pub relative_error: Option<f64>,
    /// Who did it; null is this workspace.
    pub peer: Option<String>,
    /// The peer's time over this workspace's.
    pub ratio: Option<f64>,
}

/// Everything measured so far.
pub struct Report {
    effort: Effort,
    /// 1e9 multiplications and additions a second of the large product, once measured.
    peak: Option<f64>,
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    /// An empty report.
    pub fn new(effort: Effort) -> Self {
        Self { effort, peak: None, rows: Vec::new(), notes: Vec::new() }
    }

    /// The rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Measures the limit: the fastest side of `case` gives it.
    pub fn take_peak(&mut self, mut case: Case) -> Fallible<()> {
        let taken = measure(&mut case, self.effort)?;
        self.peak = highest_rate(&case.sides, taken.iter().map(|taken| taken.seconds));
        self.record(case, taken)
    }

    /// Measures a case with `limits` as more sides: its rows refer to the fastest of them in the same turns.
    pub fn take_beside(&mut self, limits: Vec<Side<'static>>, mut case: Case) -> Fallible<()> {
        let own = case.sides.len();
        case.sides.extend(limits);
        let mut taken = measure(&mut case, self.effort)?;
        let whole = self.peak;
        // In the rounds of our own side, whose part of the limit is what matters.
        let first = taken.first().map_or(f64::NAN, |taken| taken.seconds);
        let limits = taken[own..].iter().map(|taken| first * taken.over_first);
        self.peak = highest_rate(&case.sides[own..], limits);
        case.sides.truncate(own);
        taken.truncate(own);
        let recorded = self.record(case, taken);
        self.peak = whole;
        recorded
    }

    /// Measures a case, adds its rows and prints them.
    pub fn take(&mut self, mut case: Case) -> Fallible<()> {
        let taken = measure(&mut case, self.effort)?;
        self.record(case, taken)
    }

    /// One row a side.
    fn record(&mut self, mut case: Case, taken: Vec<Taken>) -> Fallible<()> {
        let calls = match case.schedule {
            Schedule::Once { calls, rounds } => (calls * rounds) as f64,
            Schedule::Batches { .. } | Schedule::Calibrated => 1.0,
        };
        let (name, shape) = (case.name(), case.shape);
        let known = |size: usize| (size > 0).then_some(size);
        for (side, Taken { seconds, over_first }) in case.sides.iter_mut().zip(taken) {
            let gflops = side.operations.map(|count| 1e-9 * count * calls / seconds);
            let row = Row {
                name: name.clone(),
                n: shape.n,
                d: known(shape.d),
                m: known(shape.m),
                p: shape.p,
                threads: 1,
                seconds_median: seconds,
                gflops,
                fraction_of_peak: gflops.zip(self.peak).map(|(rate, peak)| rate / peak),
                relative_error: (side.error)()?,
                ratio: side.peer.is_some().then_some(over_first),
                peer: side.peer.clone(),
            };
            println!("{}", line(&row, &shape.to_string()));
            let note = (side.note)();
            if !note.is_empty() {
                println!("    {note}");
                self.notes.push(format!("- `{name}`, {shape}: {note}\n"));
            }
            self.rows.push(row);
        }
        Ok(())
    }

    /// Writes bench.json, and notes.md beside it.
    pub fn write(&self, folder: &Path) -> Fallible<()> {
        let mut text = serde_json::to_string_pretty(&self.rows)?;
        text.push('\n');
        fs::write(folder.join("bench.json"), text)?;
        Ok(fs::write(folder.join("notes.md"), self.notes.concat())?)
    }
}

/// The table's head.
pub fn head() -> String {
    format!(
        "{:<44} {:<22} {:>10} {:>8} {:>6} {:>8} {:>7}\n{}",
        "work (by whom)",
        "shape",
        "time",
        "Gflop/s",
        "peak",
        "error",
        "ratio",
        "-".repeat(111),
    )
}

/// One line of the table.
fn line(row: &Row, shape: &str) -> String {
    let who = match &row.peer {
        None => row.name.clone(),
        Some(peer) => format!("    {peer}"),
    };
    let or_blank = |text: Option<String>| text.unwrap_or_default();
    format!(
        "{who:<44} {shape:<22} {:>10} {:>8} {:>6} {:>8} {:>7}",
        duration(row.seconds_median),
        or_blank(row.gflops.map(|rate| format!("{rate:.2}"))),
        or_blank(row.fraction_of_peak.map(|part| format!("{:.0} %", 100.0 * part))),
        or_blank(row.relative_error.map(|error| format!("{error:.0e}"))),
        or_blank(row.ratio.map(|ratio| format!("{ratio:.2}"))),
    )
}

/// Seconds in the unit that suits them.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.1} us", 1e6 * s),
        s if s < 1.0 => format!("{:.2} ms", 1e3 * s),
        s => format!("{s:.2} s"),
    }
}

/// The highest Gflop/s of several sides.
fn highest_rate(sides: &[Side<'_>], seconds: impl Iterator<Item = f64>) -> Option<f64> {
    let rates = sides.iter().zip(seconds).filter_map(|(side, s)| Some(1e-9 * side.operations? / s));
    rates.reduce(f64::max)
}
