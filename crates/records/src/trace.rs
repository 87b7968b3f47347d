//! trace.csv: one row a recorded step, and its reader.
//!
//! The measured quantities are those of figures 1-3 of the paper (loss, deviation from `w_0`,
//! Riemannian gradient, smallest eigenvalue of `J^T J`) and what explains them.

use std::path::Path;

use super::error::read_bytes;
use super::number::cell;
use super::{RecordError, write_bytes};

/// Holds one recorded step, a row of trace.csv.
///
/// In the metric of the loss's Hessian (`R R^T = Hess g`), J and grad g below are `R^T J` and `R^+ grad g`, and the columns
/// of the Riemannian Hessian and the curvature are empty. A number that is not finite is written as an empty cell; it is read
/// back as NaN in the first columns, and as `None` in the optional ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TraceRow {
    /// The number of steps taken.
    pub step: u64,
    /// The time t of the flow; k alpha eta for the discrete iteration.
    pub time: f64,
    /// The loss g(alpha f(w)).
    pub loss: f64,
    /// The deviation norm(w - `w_0`).
    pub deviation: f64,
    /// The norm of the Riemannian gradient, norm(P grad g(alpha f(w))), with P the projection on the range of J; also for
    /// gradient flow.
    pub riemannian_gradient_norm: f64,
    /// Smallest eigenvalue of `J^T J`; 0 when p > n.
    pub gram_min_eigenvalue: f64,
    /// Largest eigenvalue of `J^T J`.
    pub gram_max_eigenvalue: Option<f64>,
    /// Smallest eigenvalue of K = `J J^T`.
    pub kernel_min_eigenvalue: Option<f64>,
    /// The norm of the normal part, norm((I - P) grad g(alpha f(w))).
    pub normal_gradient_norm: Option<f64>,
    /// Smallest eigenvalue of the Riemannian Hessian.
    pub riemannian_hessian_min: Option<f64>,
    /// Largest eigenvalue of the Riemannian Hessian.
    pub riemannian_hessian_max: Option<f64>,
    /// A bound of the curvature of the output manifold.
    pub curvature_bound: Option<f64>,
    /// The damping rho that was used.
    pub damping: Option<f64>,
    /// The loss per row on the rows that were not drawn, under the same scaling.
    pub held_out_loss: Option<f64>,
    /// On classes: the cross-entropy per drawn row.
    pub log_loss: Option<f64>,
    /// On classes: the share of the drawn rows whose class is predicted correctly.
    pub accuracy: Option<f64>,
    /// On classes: the same share of the rows that were not drawn.
    pub held_out_accuracy: Option<f64>,
}

/// The names of the columns, in order; the last three are written only for runs on classes.
pub const TRACE_COLUMNS: [&str; 17] = [
    "step",
    "time",
    "loss",
    "deviation",
    "riemannian_gradient_norm",
    "gram_min_eigenvalue",
    "gram_max_eigenvalue",
    "kernel_min_eigenvalue",
    "normal_gradient_norm",
    "riemannian_hessian_min",
    "riemannian_hessian_max",
    "curvature_bound",
    "damping",
    "held_out_loss",
    "log_loss",
    "accuracy",
    "held_out_accuracy",
];

/// Columns of a run that is not on classes.
const WITHOUT_CLASSES: usize = 14;

/// Columns that every trace has: the first ones, up to `gram_min_eigenvalue`.
const REQUIRED: usize = 6;

impl TraceRow {
    /// Returns the numbers after `step`, in the order of [`TRACE_COLUMNS`].
    pub fn numbers(&self) -> [f64; TRACE_COLUMNS.len() - 1] {
        let or_empty = |value: Option<f64>| value.unwrap_or(f64::NAN);
        [
            self.time,
            self.loss,
            self.deviation,
            self.riemannian_gradient_norm,
            self.gram_min_eigenvalue,
            or_empty(self.gram_max_eigenvalue),
            or_empty(self.kernel_min_eigenvalue),
            or_empty(self.normal_gradient_norm),
            or_empty(self.riemannian_hessian_min),
            or_empty(self.riemannian_hessian_max),
            or_empty(self.curvature_bound),
            or_empty(self.damping),
            or_empty(self.held_out_loss),
            or_empty(self.log_loss),
            or_empty(self.accuracy),
            or_empty(self.held_out_accuracy),
        ]
    }

    fn from_numbers(step: u64, numbers: [f64; TRACE_COLUMNS.len() - 1]) -> Self {
        let [time, loss, deviation, riemannian_gradient_norm, gram_min_eigenvalue, later @ ..] =
            numbers;
        let [gram_max, kernel_min, normal, hessian_min, hessian_max, later @ ..] =
            later.map(|value| value.is_finite().then_some(value));
        let [curvature, damping, held_out, log_loss, accuracy, held_out_accuracy] = later;
        Self {
            step,
            time,
            loss,
            deviation,
            riemannian_gradient_norm,
            gram_min_eigenvalue,
            gram_max_eigenvalue: gram_max,
            kernel_min_eigenvalue: kernel_min,
            normal_gradient_norm: normal,
            riemannian_hessian_min: hessian_min,
            riemannian_hessian_max: hessian_max,
            curvature_bound: curvature,
            damping,
            held_out_loss: held_out,
            log_loss,
            accuracy,
            held_out_accuracy,
        }
    }
}

/// Returns the text of a trace.csv with these rows.
pub fn trace_text(rows: &[TraceRow]) -> String {
    let classes = rows.iter().any(|row| row.log_loss.is_some());
    let columns = if classes { TRACE_COLUMNS.len() } else { WITHOUT_CLASSES };
    let mut text = TRACE_COLUMNS[..columns].join(",") + "\n";
    for row in rows {
        text.push_str(&row.step.to_string());
        for &value in &row.numbers()[..columns - 1] {
            text.push(',');
            text.push_str(&cell(value));
        }
        text.push('\n');
    }
    text
}

/// Writes all of `rows` to `path`, at once or not at all.
pub fn write_trace(path: &Path, rows: &[TraceRow]) -> Result<(), RecordError> {
    write_bytes(path, trace_text(rows).as_bytes())
}

/// Reads a trace by the names of its columns; later columns may follow, and optional ones may be missing.
///
/// # Errors
/// [`RecordError::Read`], [`RecordError::MissingColumn`], [`RecordError::MalformedRow`] and [`RecordError::MalformedCell`].
pub fn read_trace(path: &Path) -> Result<Vec<TraceRow>, RecordError> {
    parse_trace(path, &read_bytes(path)?)
}

/// Parses the text of a trace; `path` only names the file in errors.
pub fn parse_trace(path: &Path, text: &[u8]) -> Result<Vec<TraceRow>, RecordError> {
    let mut reader = csv::Reader::from_reader(text);
    let malformed = |error: &csv::Error| RecordError::MalformedRow {
        path: path.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        detail: error.to_string(),
    };
    let header = reader.headers().map_err(|error| malformed(&error))?;
    let places = TRACE_COLUMNS.map(|name| header.iter().position(|found| found == name));
    for (column, place) in TRACE_COLUMNS.iter().zip(places).take(REQUIRED) {
        if place.is_none() {
            return Err(RecordError::MissingColumn { path: path.to_owned(), column });
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| malformed(&error))?;
        let text_of =
            |index: usize| places[index].and_then(|place| record.get(place)).unwrap_or("");
        let bad = |index: usize| RecordError::MalformedCell {
            path: path.to_owned(),
            line: record.position().map_or(0, csv::Position::line),
            column: TRACE_COLUMNS[index],
            text: text_of(index).to_owned(),
        };
        let step = text_of(0).parse().map_err(|_| bad(0))?;
        let mut numbers = [f64::NAN; TRACE_COLUMNS.len() - 1];
        for (index, number) in (1..).zip(&mut numbers) {
            if !text_of(index).is_empty() {
                *number = text_of(index).parse().map_err(|_| bad(index))?;
            }
        }
        rows.push(TraceRow::from_numbers(step, numbers));
    }
    Ok(rows)
}
