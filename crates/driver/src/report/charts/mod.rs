//! The data of the interactive charts: every recorded quantity over time, one series a group of runs, and single runs.

mod single_runs;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use gaussflow_records::{StopReason, TraceRow};
use serde_json::{Value, json};

use self::single_runs::SingleRuns;
use super::curves::Curve;
use super::folder::Run;
use super::groups::Group;
use super::markup::{escape, script_json};
use crate::remark::digits;

/// Groups that are drawn; the tables hold the others.
pub const MOST_GROUPS: usize = 60;
/// Points of all curves together: at most 36 bytes each, so 0.83 MB.
const MOST_POINTS: usize = 23_000;
/// Points of one curve: about one a pixel.
const MOST_OF_A_CURVE: usize = 600;

/// One chart: a quantity of the trace.
struct Quantity {
    id: &'static str,
    title: &'static str,
    unit: &'static str,
    scale: &'static str,
    read: fn(&TraceRow) -> Option<f64>,
}

const QUANTITIES: [Quantity; 9] = [
    Quantity {
        id: "loss",
        title: "Empirical loss",
        unit: "g(αf(wₜ))",
        scale: "log",
        read: |row| Some(row.loss),
    },
    Quantity {
        id: "deviation",
        title: "Deviation from the start",
        unit: "‖wₜ − w₀‖₂",
        scale: "log",
        read: |row| Some(row.deviation),
    },
    Quantity {
        id: "gradient",
        title: "Riemannian gradient norm",
        unit: "‖P∇g(αf(wₜ))‖₂",
        scale: "log",
        read: |row| Some(row.riemannian_gradient_norm),
    },
    Quantity {
        id: "gram",
        title: "Smallest Gram eigenvalue",
        unit: "λₘᵢₙ of JᵀJ",
        scale: "log",
        read: |row| Some(row.gram_min_eigenvalue),
    },
    Quantity {
        id: "nu",
        title: "Smallest Riemannian Hessian eigenvalue",
        unit: "ν_eff(t)",
        scale: "linear",
        read: |row| row.riemannian_hessian_min,
    },
    Quantity {
        id: "mu",
        title: "Largest Riemannian Hessian eigenvalue",
        unit: "μ_eff(t)",
        scale: "linear",
        read: |row| row.riemannian_hessian_max,
    },
    Quantity {
        id: "held-out",
        title: "Held-out loss",
        unit: "mean per row not drawn",
        scale: "log",
        read: |row| row.held_out_loss,
    },
    Quantity {
        id: "accuracy",
        title: "Accuracy",
        unit: "share of the drawn rows",
        scale: "linear",
        read: |row| row.accuracy,
    },
    Quantity {
        id: "held-out-accuracy",
        title: "Held-out accuracy",
        unit: "share of the rows not drawn",
        scale: "linear",
        read: |row| row.held_out_accuracy,
    },
];

/// What a reader needs to know before the first chart.
const LEAD: &str = "<section id=\"charts\"><h2>Traces</h2>\n<p class=\"lead\">The main quantities over time; trace.csv has all of them. A line is \
     the median over the seeds of a configuration, or the one run where there is only one. The band around it holds the middle \
     half of the seeds: it reaches from the first to the third quartile (25 % to 75 %). Where a run has ended, the median and the \
     quartiles are over the runs that go on, and the values beside the pointer say how many these are. The colour tells the \
     scaling α (or whatever else tells configurations apart), the dash tells the method.</p>\n<div id=\"chart-controls\" \
     class=\"controls\"></div>\n<div class=\"chart-grid\">\n";

/// The section with its data; empty where no run has a trace.
pub fn section(groups: &[Group<'_>]) -> String {
    let drawn = &groups[..groups.len().min(MOST_GROUPS)];
    let curves: Vec<(&Quantity, Vec<(usize, Curve)>)> = QUANTITIES
        .iter()
        .map(|quantity| {
            let of = |group: &Group<'_>| Curve::of(&group.runs, quantity.read);
            let all = drawn.iter().map(of).enumerate();
            (quantity, all.filter(|(_, curve)| curve.recorded > 0).collect::<Vec<_>>())
        })
        .filter(|(_, curves)| !curves.is_empty())
        .collect();
    let count: usize = curves.iter().map(|(_, curves)| curves.len()).sum();
    if count == 0 {
        return String::new();
    }
    let limit = (MOST_POINTS / count).clamp(4, MOST_OF_A_CURVE);
    let mut singles = SingleRuns::of(drawn, curves.len());
    let mut thinned = None;
    let mut charts = Vec::new();
    let mut text = String::from(LEAD);
    for (quantity, curves) in curves {
        let (id, title, unit) = (quantity.id, quantity.title, quantity.unit);
        let summary = describe(quantity, drawn, &curves);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "<figure class=\"chart\" data-chart=\"{id}\"><figcaption><h3>{title}</h3> <span \
             class=\"unit\">{unit}</span></figcaption><div class=\"plot\" role=\"img\" tabindex=\"0\" \
             aria-label=\"{}\"></div><output class=\"readout\" hidden></output></figure>",
            escape(&summary)
        );
        let mut series = Vec::new();
        let mut single = Vec::new();
        for (group, curve) in curves {
            single.extend(singles.series(group, &drawn[group], quantity));
            let curve = curve.thinned(limit);
            thinned = thinned.or((curve.time.len() < curve.recorded).then_some(limit));
            series.push(self::series(group, &curve));
        }
        charts.push(json!({"id": id, "title": title, "unit": unit, "scale": quantity.scale,
                           "series": series, "runs": single}));
    }
    text.push_str("</div>\n<noscript><p>The charts need JavaScript; the figures above do not.</p></noscript>\n");
    let hidden = groups.len() - drawn.len();
    notes(&mut text, thinned, &singles, hidden, groups.len());
    let names: Vec<Value> = drawn
        .iter()
        .map(|group| {
            json!({"method": group.method, "label": group.label, "dash": group.dash,
                   "colour": group.colour, "runs": group.runs.len(), "seeds": single_runs::seeds(group),
                   "off": group.runs.iter().all(|run| diverges(run))})
        })
        .collect();
    let times: Vec<Vec<Value>> = singles.times.iter().map(|grid| column(grid, 8)).collect();
    let data = json!({"groups": names, "seeds": singles.seeds, "times": times, "charts": charts});
    let _ = writeln!(
        text,
        "<script type=\"application/json\" id=\"chart-data\">{}</script>\n</section>",
        script_json(&data.to_string())
    );
    text
}

/// What the charts leave out, in words under the last of them.
fn notes(
    text: &mut String,
    thinned: Option<usize>,
    singles: &SingleRuns,
    hidden: usize,
    groups: usize,
) {
    if let Some(limit) = thinned {
        let _ = writeln!(
            text,
            "<p class=\"note\">Long traces are thinned to {limit} points a curve (ends, and the least and the \
             greatest of each stretch, are kept); trace.csv holds every row.</p>"
        );
    }
    if !singles.seeds.is_empty() {
        let _ = writeln!(
            text,
            "<p class=\"note\">The curves of single seeds have at most {} points and four digits; the trace.csv of a run \
             holds all.</p>",
            singles.limit + 1
        );
    }
    if singles.seeds.len() < singles.found && !singles.seeds.is_empty() {
        let _ = writeln!(
            text,
            "<p class=\"note\">The first {} of {} seeds can be chosen one by one; the medians are over all of them.</p>",
            singles.seeds.len(),
            singles.found
        );
    }
    if hidden > 0 {
        let _ = writeln!(
            text,
            "<p class=\"note\">The first {} of {groups} configurations are drawn; the table of runs holds the others.</p>",
            groups - hidden
        );
    }
}

/// The longest text for those who hear the chart: where each curve begins and ends.
fn describe(quantity: &Quantity, groups: &[Group<'_>], curves: &[(usize, Curve)]) -> String {
    /// Curves that are spelt out.
    const SPELT: usize = 12;
    let mut text = format!("Line chart: {}, {}, over time t.", quantity.title, quantity.unit);
    for (group, curve) in curves.iter().take(SPELT) {
        let group = &groups[*group];
        if let (Some(first), Some(last), Some(end)) =
            (curve.median.first(), curve.median.last(), curve.time.last())
        {
            let _ = write!(
                text,
                " {}, {}: from {} to {} at t = {}.",
                group.method,
                group.label,
                digits(*first, 3),
                digits(*last, 3),
                digits(*end, 3)
            );
        }
    }
    if curves.len() > SPELT {
        let _ = write!(text, " And {} more.", curves.len() - SPELT);
    }
    text
}

/// A curve that would set the scale for all: its run ends undefined, or far above its start.
fn diverges(run: &Run) -> bool {
    let undefined =
        run.outcome.as_ref().is_some_and(|outcome| outcome.stop_reason == StopReason::NonFinite);
    let largest = run.trace.iter().map(|row| row.loss).fold(0.0, f64::max);
    undefined || run.trace.first().is_some_and(|row| largest > 100.0 * row.loss)
}

/// One curve as JSON; the quartiles are left out where they are the median, and the ends of its runs where all agree.
fn series(group: usize, curve: &Curve) -> Value {
    let mut series =
        json!({"group": group, "t": column(&curve.time, 8), "y": column(&curve.median, 5)});
    if curve.lower != curve.upper {
        series["lo"] = Value::from(column(&curve.lower, 5));
        series["hi"] = Value::from(column(&curve.upper, 5));
    }
    if curve.ends.first() != curve.ends.last() {
        series["ends"] = Value::from(column(&curve.ends, 8));
    }
    series
}

/// Numbers of so many significant digits.
fn column(values: &[f64], places: usize) -> Vec<Value> {
    values.iter().map(|&value| shortened(value, places)).collect()
}

/// A number of so many significant digits, in its shortest JSON.
fn shortened(value: f64, places: usize) -> Value {
    let exponent = format!("{value:.*e}", places - 1);
    // What Rust wrote reads back; the fallback is for completeness.
    let number = exponent.parse::<f64>().unwrap_or(value);
    // A whole number needs no point: "3", not "3.0". Below 1e15 it is exact as an integer.
    if number.fract() == 0.0 && number.abs() < 1e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 1e15")]
        return Value::from(number as i64);
    }
    Value::from(number)
}
