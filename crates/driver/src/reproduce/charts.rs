//! The figures of section 5 (1a to 3b) and further ones, from the runs' traces.
//!
//! The colour of a curve tells alpha, its dash the method; lines are medians over the seeds, bands their middle halves.

use std::fmt::Write as _;

use gaussflow_figures::{Chart, Reference, Scale, Series};
use gaussflow_records::TraceRow;

use super::plan::{COLLAPSING, Method};
use super::results::{Finished, Results};
use super::{comparisons, geometry, held_out, seeds};
use crate::house_style::{colours, dash, free_dash};
use crate::remark::digits;

/// What a figure shows of a run that has lost rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterRankLoss {
    /// Its whole course.
    Shown,
    /// Nothing: without a tangent space the value would be many decades away, and those of the others one line.
    LeftOut,
}

/// A quantity of the trace and how its axis reads.
pub(super) struct Quantity {
    /// Begins the title, which the flow's name ends.
    pub title: &'static str,
    pub label: &'static str,
    /// What to know when looking at it, in whole sentences.
    pub meaning: &'static str,
    pub floor: Option<f64>,
    pub after_rank_loss: AfterRankLoss,
    pub read: fn(&Finished, &TraceRow) -> f64,
}

/// The loss over its start, which depends on the rows that a seed draws.
pub(super) const LOSS: Quantity = Quantity {
    title: "How far the loss falls along the",
    label: "loss g / g(0)",
    meaning: "Each run's loss is divided by its own value at the start, so that every curve begins at 1.",
    floor: None,
    after_rank_loss: AfterRankLoss::Shown,
    read: |run, row| row.loss / run.trace.first().map_or(f64::NAN, |first| first.loss),
};
pub(super) const DEVIATION: Quantity = Quantity {
    title: "How far the weights move along the",
    label: "‖wₜ − w₀‖₂",
    meaning: "The paper expects the weights to stay the closer to where they began, the larger α is. The start itself, 0, has no \
              place on a logarithmic axis.",
    floor: None,
    after_rank_loss: AfterRankLoss::LeftOut,
    read: |_, row| if row.time > 0.0 { row.deviation } else { f64::NAN },
};
pub(super) const GRADIENT: Quantity = Quantity {
    title: "How the Riemannian gradient decays along the",
    label: "‖P∇g(αf(wₜ))‖₂ (10⁵ USD)",
    meaning: "The gradient of the loss, projected on what the network can change at first order: where it is 0, the flow stands \
              still.",
    floor: None,
    after_rank_loss: AfterRankLoss::Shown,
    read: |_, row| row.riemannian_gradient_norm,
};
/// Below this share of a typical largest eigenvalue (about 1e3) an eigenvalue is rounding.
pub(super) const ROUNDING_FLOOR: f64 = 1e-28;
pub(super) const SMALLEST: Quantity = Quantity {
    title: "The smallest eigenvalue of the Gram matrix along the",
    label: "λₘᵢₙ(JᵀJ)",
    meaning: "While it stays away from 0, the Jacobian has full rank and the flow is defined.",
    floor: Some(ROUNDING_FLOOR),
    after_rank_loss: AfterRankLoss::LeftOut,
    read: |_, row| row.gram_min_eigenvalue,
};

/// Every figure: the stem of its file names and the chart.
pub fn charts(results: &Results) -> Vec<(&'static str, Chart)> {
    let of = |method, quantity| by_scaling(results, method, quantity);
    let mut falls = [of(Method::GaussNewton, &LOSS), of(Method::Gradient, &LOSS)];
    share_range(&mut falls);
    let [newton, gradient] = falls;
    vec![
        ("figure_1a", newton),
        ("figure_1b", of(Method::GaussNewton, &DEVIATION)),
        ("figure_2a", of(Method::GaussNewton, &GRADIENT)),
        ("figure_2b", of(Method::GaussNewton, &SMALLEST)),
        ("figure_3a", gradient),
        ("figure_3b", of(Method::Gradient, &DEVIATION)),
        ("figure_compare", comparisons::of_flows(results)),
        ("figure_flow_and_euler", comparisons::flow_and_euler(results)),
        ("figure_gradient_euler", comparisons::gradient_euler(results)),
        ("figure_held_out", held_out::chart(results)),
        ("figure_geometry", geometry::smallest_eigenvalue(results)),
        ("figure_geometry_rate", geometry::decay_rate(results)),
    ]
}

/// The name of a flow, and how it is integrated.
pub(super) fn flow_words(method: Method) -> (&'static str, &'static str) {
    match method {
        Method::GaussNewton => ("Gauss-Newton flow", "Euler steps of 0.01"),
        Method::GaussNewtonAdaptive => ("Gauss-Newton flow", "adaptive integrator"),
        Method::LevenbergMarquardt => {
            ("Levenberg-Marquardt flow (ρ = 0.001)", "Euler steps of 0.01")
        }
        Method::Gradient => ("gradient flow", "stiff integrator"),
        Method::GradientEuler => ("gradient flow", "Euler steps of 0.01"),
    }
}

/// The dash of a method.
pub(super) fn dash_of(method: Method) -> usize {
    let (preconditioner, integrator) = match method {
        Method::GaussNewton => ("gauss-newton", "euler"),
        Method::GaussNewtonAdaptive => ("gauss-newton", "adaptive"),
        Method::LevenbergMarquardt => ("levenberg-marquardt", "euler"),
        Method::Gradient => ("gradient", "stiff"),
        Method::GradientEuler => ("gradient", "euler"),
    };
    dash(preconditioner, integrator).unwrap_or(free_dash())
}

/// The colours of the alphas of a mode, beside them.
pub(super) fn coloured(results: &Results) -> impl Iterator<Item = (f64, usize)> {
    let alphas = results.mode.scalings();
    alphas.iter().copied().zip(colours(alphas))
}

/// One curve an alpha: the median over the seeds, with the band of their middle half.
pub(super) fn by_scaling(results: &Results, method: Method, quantity: &Quantity) -> Chart {
    let (flow, integrator) = flow_words(method);
    // Gradient flow at first falls within hundredths of the time that it needs later.
    let x_scale = if method == Method::Gradient { Scale::Logarithmic } else { Scale::Linear };
    let mut chart = Chart {
        title: format!("{} {flow}", quantity.title),
        y_label: quantity.label.to_owned(),
        x_scale,
        floor: quantity.floor,
        ..time_chart()
    };
    let mut subtitle = format!("{}; {integrator}", subtitle(results));
    for (alpha, colour) in coloured(results) {
        let runs: Vec<&Finished> = results.all(method, alpha).collect();
        let name = format!("α = {}", alpha_name(alpha));
        chart.series.push(Series { colour, ..curve(&runs, method, name.clone(), quantity) });
        if let Some(time) = rank_loss(&runs) {
            let label = format!("{name}: rank lost");
            chart.vertical_lines.push(Reference { label, value: time });
            let until = match quantity.after_rank_loss {
                AfterRankLoss::Shown => "",
                AfterRankLoss::LeftOut => ", where its curve ends",
            };
            // Writing to a String cannot fail.
            let _ = write!(
                subtitle,
                "; vertical line: half of the seeds with {name} have lost rank at t = {time:.2}{until}"
            );
        }
    }
    chart.series.retain(|series| !series.x.is_empty());
    if x_scale == Scale::Logarithmic {
        chart.series = chart.series.into_iter().map(seeds::after_start).collect();
    }
    chart.description = format!("{} {}", quantity.meaning, ends(&chart));
    chart.subtitle = subtitle;
    chart
}

/// The curve of some runs of one method and alpha, without its colour.
pub(super) fn curve(
    runs: &[&Finished],
    method: Method,
    label: String,
    quantity: &Quantity,
) -> Series {
    let found = seeds::curve(runs, |run, row| {
        let lost = run.rank_lost().is_some_and(|event| row.time >= event.time);
        let left_out = quantity.after_rank_loss == AfterRankLoss::LeftOut && lost;
        if left_out { f64::NAN } else { (quantity.read)(run, row) }
    });
    Series { label, dash: dash_of(method), ..found }
}

/// When half of the runs have lost rank.
fn rank_loss(runs: &[&Finished]) -> Option<f64> {
    let mut times: Vec<f64> =
        runs.iter().filter_map(|run| run.rank_lost()).map(|event| event.time).collect();
    times.sort_by(f64::total_cmp);
    // The run with which those that have lost rank become half of all.
    times.get(runs.len().div_ceil(2).checked_sub(1)?).copied()
}

/// A sentence on where the curves end.
pub(super) fn ends(chart: &Chart) -> String {
    let at = |series: &Series| {
        let (time, value) = (series.x.last()?, series.y.last()?);
        Some(format!("at {} ({}, t = {})", digits(*value, 3), series.label, digits(*time, 3)))
    };
    let found: Vec<String> = chart.series.iter().filter_map(at).collect();
    match found.split_last() {
        None => "There is no curve.".to_owned(),
        Some((last, [])) => format!("The curve ends {last}."),
        Some((last, others)) => format!("The curves end {} and {last}.", others.join(", ")),
    }
}

/// Lets all charts show the vertical range of each.
fn share_range(charts: &mut [Chart]) {
    let all: Vec<f64> = charts
        .iter()
        .flat_map(|chart| &chart.series)
        .flat_map(|series| {
            let band = series.band.iter().flat_map(|band| band.lower.iter().chain(&band.upper));
            series.y.iter().chain(band)
        })
        .copied()
        .collect();
    let low = all.iter().copied().fold(f64::INFINITY, f64::min);
    let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for chart in charts {
        chart.y_includes = vec![low, high];
    }
}

/// A chart over time with a logarithmic vertical axis.
pub(super) fn time_chart() -> Chart {
    Chart { x_label: "time t".to_owned(), y_scale: Scale::Logarithmic, ..Chart::default() }
}

/// The paper writes 1/8.
pub(super) fn alpha_name(alpha: f64) -> String {
    if alpha.total_cmp(&COLLAPSING).is_eq() { "1/8".to_owned() } else { alpha.to_string() }
}

/// On what, and what line and band are.
pub(super) fn subtitle(results: &Results) -> String {
    let words = seeds::words(results.seeds);
    format!("California Housing, n = 256, {}; {words}", results.network)
}

#[cfg(test)]
mod tests {
    use gaussflow_records::{Event, EventKind};

    use super::super::baselines::Baselines;
    use super::super::plan::Mode;
    use super::super::seeds::tests::run;
    use super::*;

    /// Four seeds of Gauss-Newton with alpha 1/8 and 8 and of gradient flow with alpha 8; of the first, the seeds 0, 1 and 2
    /// lose rank at the times 1, 2 and 3.
    fn results() -> Results {
        let mut runs = Vec::new();
        let groups =
            [(Method::GaussNewton, 0.125), (Method::GaussNewton, 8.0), (Method::Gradient, 8.0)];
        for (method, scaling) in groups {
            for seed in 0..4 {
                let start = 10.0 * (seed + 1) as f64;
                let losses = [1.0, 0.5, 0.25, 0.2].map(|share| share * start);
                let mut found = Finished { method, scaling, ..run(seed, &losses) };
                for row in &mut found.trace {
                    row.deviation = row.time * scaling;
                    row.gram_min_eigenvalue = 1.0;
                }
                if scaling < 1.0 && seed < 3 {
                    let (time, step) = ((seed + 1) as f64, seed + 1);
                    let (kind, value, threshold) = (EventKind::RankLost, 1e-7, 1e-6);
                    found.outcome.events.push(Event { time, step, kind, value, threshold });
                }
                runs.push(found);
            }
        }
        let (mode, network) = (Mode::Quick, "m = 18, tanh".to_owned());
        Results { mode, seeds: 4, network, runs, baselines: Baselines::default() }
    }

    /// Seeds begin at losses from 10 to 40 and fall alike: divided by their starts they are one curve without width.
    #[test]
    fn losses_are_divided_by_their_own_start() {
        let chart = by_scaling(&results(), Method::GaussNewton, &LOSS);
        let found = &chart.series[1];
        assert_eq!(found.y, [1.0, 0.5, 0.25, 0.2]);
        let band = found.band.as_ref().unwrap();
        assert_eq!((&band.lower, &band.upper), (&found.y, &found.y));
        assert!(chart.subtitle.contains("median of 4 seeds"), "{}", chart.subtitle);
        assert!(chart.description.contains("0.2 (α = 8, t = 3)"), "{}", chart.description);
    }

    /// The second of four seeds loses rank at t = 2: from there on the curve is left out where the figure says so, and the
    /// place is marked and named.
    #[test]
    fn a_collapsed_curve_ends_where_half_of_the_seeds_lost_rank() {
        let chart = by_scaling(&results(), Method::GaussNewton, &DEVIATION);
        assert_eq!(chart.series[0].x, [1.0]);
        assert_eq!(chart.series[1].x, [1.0, 2.0, 3.0]);
        let line = &chart.vertical_lines[0];
        assert_eq!((line.label.as_str(), line.value), ("α = 1/8: rank lost", 2.0));
        assert!(chart.subtitle.contains("lost rank at t = 2.00, where its curve ends"));
        let whole = by_scaling(&results(), Method::GaussNewton, &LOSS);
        assert_eq!(whole.series[0].x.len(), 4);
    }

    /// In every figure an alpha has its colour and a method its dash.
    #[test]
    fn the_colour_tells_alpha_and_the_dash_the_method() {
        let compared = comparisons::of_flows(&results());
        let looks: Vec<_> = compared
            .series
            .iter()
            .map(|series| (series.label.as_str(), series.colour, series.dash))
            .collect();
        let expected = [
            ("α = 1/8, Gauss-Newton", 0, 0),
            ("α = 8, Gauss-Newton", 1, 0),
            ("α = 8, gradient", 1, 2),
        ];
        assert_eq!(looks, expected);
        let charts = charts(&results());
        let found = |stem| &charts.iter().find(|(found, _)| *found == stem).unwrap().1;
        assert_eq!(
            (found("figure_1a").series[1].colour, found("figure_3a").series[0].colour),
            (1, 1)
        );
        // Both show the range of either.
        assert_eq!(found("figure_1a").y_includes, [0.2, 1.0]);
        assert_eq!(found("figure_1a").y_includes, found("figure_3a").y_includes);
        // The start has no place on the logarithmic axis of gradient flow.
        assert_eq!(found("figure_3a").series[0].x, [1.0, 2.0, 3.0]);
    }
}
