//! The data of the interactive charts: every recorded quantity over time, one series a group of runs.

use std::fmt::Write;

use gaussflow_records::{StopReason, TraceRow};
use serde_json::{Value, json};

use super::curves::Curve;
use super::folder::Run;
use super::groups::Group;
use super::markup::{escape, script_json};
use crate::remark::digits;

/// Groups that are drawn; the tables hold the others.
pub const MOST_GROUPS: usize = 60;
/// Points of all curves together: at most 36 bytes each, so 1.5 MB.
const MOST_POINTS: usize = 42_000;
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
    let mut thinned = false;
    let mut charts = Vec::new();
    let mut text = String::from(
        "<section id=\"charts\"><h2>Traces</h2>\n<p class=\"lead\">Every quantity over time. A line is one run, \
         or the median over the seeds of a configuration with the range as a band. Colour and dash tell \
         configurations and methods apart.</p>\n<div id=\"chart-controls\" class=\"controls\"></div>\n\
         <div class=\"chart-grid\">\n",
    );
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
        let series: Vec<Value> = curves
            .into_iter()
            .map(|(group, curve)| {
                let curve = curve.thinned(limit);
                thinned |= curve.time.len() < curve.recorded;
                series(group, &curve)
            })
            .collect();
        charts.push(json!({"id": id, "scale": quantity.scale, "series": series}));
    }
    let names: Vec<Value> = drawn
        .iter()
        .map(|group| {
            json!({"method": group.method, "label": group.label, "dash": group.dash,
                   "colour": group.colour, "runs": group.runs.len(), "off": group.runs.iter().all(|run| diverges(run))})
        })
        .collect();
    let data = json!({"groups": names, "charts": charts}).to_string();
    text.push_str("</div>\n<noscript><p>The charts need JavaScript; the figures above do not.</p></noscript>\n");
    if thinned {
        let _ = writeln!(
            text,
            "<p class=\"note\">Long traces are thinned to {limit} points a curve (ends, and the least and the \
             greatest of each stretch, are kept); trace.csv holds every row.</p>"
        );
    }
    if groups.len() > drawn.len() {
        let _ = writeln!(
            text,
            "<p class=\"note\">The first {} of {} configurations are drawn; the table of runs holds the others.</p>",
            drawn.len(),
            groups.len()
        );
    }
    let _ = writeln!(
        text,
        "<script type=\"application/json\" id=\"chart-data\">{}</script>\n</section>",
        script_json(&data)
    );
    text
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

/// One curve as JSON; the range is left out where it is the median.
fn series(group: usize, curve: &Curve) -> Value {
    let column = |values: &[f64], places: usize| -> Vec<Value> {
        values.iter().map(|&value| shortened(value, places)).collect()
    };
    let mut series =
        json!({"group": group, "t": column(&curve.time, 8), "y": column(&curve.median, 5)});
    if curve.least != curve.greatest {
        series["lo"] = Value::from(column(&curve.least, 5));
        series["hi"] = Value::from(column(&curve.greatest, 5));
    }
    series
}

/// A number of so many significant digits, in its shortest JSON.
fn shortened(value: f64, places: usize) -> Value {
    let exponent = format!("{value:.*e}", places - 1);
    // What Rust wrote reads back; the fallback is for completeness.
    Value::from(exponent.parse::<f64>().unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_have_the_digits_asked_for() {
        assert_eq!(shortened(0.071_428_571_4, 5), json!(0.071_429));
    }
}
