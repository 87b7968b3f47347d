//! The two figures: seconds per step against ranks, with ideal scaling dashed and signs where half of the time is lost.

use gaussflow_figures::{Chart, Scale, Series, Sign};

use super::page::{count, link};
use super::plan::{Plan, Simulated};
use super::{Curve, Point, Rows};
use crate::cost::Step;
use crate::machine::Seconds;

/// The dash of ideal scaling.
const IDEAL: usize = 2;
/// Colours, and with them shapes, of the signs for latency, bandwidth and repeated work.
const SIGNS: [usize; 3] = [6, 5, 3];

/// A part of the seconds.
type Part = fn(Seconds) -> f64;

/// Strong scaling of a direct step: one curve for each number of rows, with the fewest parameters.
pub(super) fn strong(plan: &Plan, over: &Simulated<'_>) -> Chart {
    let p = plan.parameters.iter().copied().min().unwrap_or_default();
    let curves: Vec<&Curve> = over
        .curves
        .iter()
        .filter(|curve| matches!(curve.problem.rows, Rows::Total(_)))
        .filter(|curve| curve.problem.step == Step::Direct && curve.problem.parameters() == p)
        .collect();
    let name = |curve: &Curve| match curve.problem.rows {
        Rows::Total(rows) | Rows::PerRank(rows) => format!("n = {}", count(rows)),
    };
    let title = "Seconds per step on more ranks: the same rows, shared out".to_owned();
    let shown = format!("p = {} parameters", count(p));
    drawn(title, &shown, (plan, over), &curves, name)
}

/// Weak scaling of a direct step: one curve for each number of parameters, with the fewest rows on each rank.
pub(super) fn weak(plan: &Plan, over: &Simulated<'_>) -> Chart {
    let rows = plan.rows_per_rank.iter().copied().min().unwrap_or_default();
    let curves: Vec<&Curve> = over
        .curves
        .iter()
        .filter(|curve| curve.problem.rows == Rows::PerRank(rows))
        .filter(|curve| curve.problem.step == Step::Direct)
        .collect();
    let name = |curve: &Curve| format!("p = {}", count(curve.problem.parameters()));
    let title = "Seconds per step on more ranks: as many rows for each of them".to_owned();
    let shown = format!("{} rows on each rank", count(rows));
    drawn(title, &shown, (plan, over), &curves, name)
}

fn drawn(
    title: String,
    shown: &str,
    (plan, over): (&Plan, &Simulated<'_>),
    curves: &[&Curve],
    name: impl Fn(&Curve) -> String,
) -> Chart {
    let mut chart = Chart {
        title,
        subtitle: format!(
            "A step with its own Gram matrix and factor, {shown}; network {} ({}); by the cost model, not measured",
            over.network,
            link(&over.link)
        ),
        description: format!(
            "Model of {}. Curves fall along the dashed lines of ideal scaling until latency, bandwidth or repeated work takes \
             half of the time, which a solid sign marks.",
            plan.setting.name
        ),
        x_label: "ranks K".to_owned(),
        y_label: "seconds per step".to_owned(),
        x_scale: Scale::Logarithmic,
        y_scale: Scale::Logarithmic,
        ..Chart::default()
    };
    for (number, curve) in curves.iter().enumerate() {
        let ranks: Vec<f64> = curve.points.iter().map(|point| point.ranks() as f64).collect();
        let total: Vec<f64> = curve.points.iter().map(|point| point.time().total()).collect();
        // A straight line: its ends suffice.
        let ends: Vec<&Point> =
            curve.points.first().into_iter().chain(curve.points.last()).collect();
        let ideal = ends.iter().map(|point| point.time().total() * point.efficiency).collect();
        let at = ends.iter().map(|point| point.ranks() as f64).collect();
        let look =
            |label, x, y, dash| Series { label, colour: number, dash, ..Series::new("", x, y, 0) };
        let label = if number == 0 { "ideal scaling".to_owned() } else { String::new() };
        chart.series.push(look(label, at, ideal, IDEAL));
        chart.series.push(look(name(curve), ranks, total, 0));
    }
    chart.series.extend(signs(curves));
    chart
}

/// Where on each curve latency, bandwidth, and what every rank repeats first take half of the time.
fn signs(curves: &[&Curve]) -> Vec<Series> {
    let parts: [(&str, Part); 3] = [
        ("half of the time: latency", |seconds| seconds.latency),
        ("half of the time: bandwidth", |seconds| seconds.bandwidth),
        ("half of the time: repeated work", |seconds| seconds.repeated),
    ];
    let mut found = Vec::new();
    for ((label, part), colour) in parts.into_iter().zip(SIGNS) {
        let half = |point: &&Point| part(point.time()) >= 0.5 * point.time().total();
        let points: Vec<&Point> =
            curves.iter().filter_map(|curve| curve.points.iter().find(half)).collect();
        // A gap after each value: signs that no line joins.
        let gapped = |value: fn(&Point) -> f64| {
            points.iter().flat_map(move |point| [value(point), f64::NAN]).collect::<Vec<f64>>()
        };
        let x = points.iter().flat_map(|point| [point.ranks() as f64; 2]).collect();
        let y = gapped(|point| point.time().total());
        if !points.is_empty() {
            let series = Series::new(label, x, y, 0);
            found.push(Series { colour, sign: Sign::Solid, ..series });
        }
    }
    found
}
