//! The figures of section 5 (1a to 3b) and further ones, from the runs' traces.

use gaussflow_figures::{Band, Chart, Reference, Scale, Series};
use gaussflow_records::TraceRow;

use super::geometry;
use super::plan::{COLLAPSING, Method};
use super::results::{Finished, Results};

/// A quantity of the trace and how its axis reads.
pub(super) struct Quantity {
    pub title: &'static str,
    pub label: &'static str,
    pub floor: Option<f64>,
    pub read: fn(&TraceRow) -> f64,
}

/// The loss of the paper's figures, with the targets' unit of 100,000 dollars.
pub(super) const LOSS: Quantity = Quantity {
    title: "Empirical loss",
    label: "loss g(αf(wₜ)), squared units of 100,000 $",
    floor: None,
    read: |row| row.loss,
};
pub(super) const DEVIATION: Quantity = Quantity {
    title: "Deviation from the initialization",
    label: "‖wₜ − w₀‖₂, units of weight",
    floor: None,
    read: |row| row.deviation,
};
pub(super) const GRADIENT: Quantity = Quantity {
    title: "Norm of the Riemannian gradient",
    label: "‖P∇g(αf(wₜ))‖₂, units of 100,000 $",
    floor: None,
    read: |row| row.riemannian_gradient_norm,
};
/// Below this share of a typical largest eigenvalue (about 1e3) an eigenvalue is rounding.
pub(super) const ROUNDING_FLOOR: f64 = 1e-28;
pub(super) const SMALLEST: Quantity = Quantity {
    title: "Smallest eigenvalue of the Gram matrix",
    label: "λₘᵢₙ of H₀ = JᵀJ, dimensionless",
    floor: Some(ROUNDING_FLOOR),
    read: |row| row.gram_min_eigenvalue,
};

/// Every figure: the stem of its file names and the chart.
pub fn charts(results: &Results) -> Vec<(&'static str, Chart)> {
    let newton = "Gauss-Newton flow by Euler, step 0.01";
    let gradient = "gradient flow by the stiff integrator";
    vec![
        ("figure_1a", by_scaling(results, Method::GaussNewton, newton, &LOSS)),
        ("figure_1b", by_scaling(results, Method::GaussNewton, newton, &DEVIATION)),
        ("figure_2a", by_scaling(results, Method::GaussNewton, newton, &GRADIENT)),
        ("figure_2b", by_scaling(results, Method::GaussNewton, newton, &SMALLEST)),
        ("figure_3a", by_scaling(results, Method::Gradient, gradient, &LOSS)),
        ("figure_3b", by_scaling(results, Method::Gradient, gradient, &DEVIATION)),
        ("figure_flow_and_euler", flow_and_euler(results)),
        ("figure_gradient_euler", gradient_euler(results)),
        ("figure_held_out", held_out(results)),
        ("figure_geometry", geometry::smallest_eigenvalue(results)),
        ("figure_geometry_rate", geometry::decay_rate(results)),
    ]
}

/// One curve an alpha: the default seed's, with the band from the least to the greatest seed.
pub(super) fn by_scaling(
    results: &Results,
    method: Method,
    flow: &str,
    quantity: &Quantity,
) -> Chart {
    let series = results.mode.scalings().iter().enumerate().filter_map(|(style, &alpha)| {
        let run = results.find(method, alpha, 0)?;
        let band = (results.seeds > 1).then(|| band(results, method, alpha, quantity.read));
        Some(Series {
            band,
            ..curve(run, format!("α = {}", alpha_name(alpha)), quantity.read, style)
        })
    });
    Chart {
        title: format!("{}, {flow}", quantity.title),
        subtitle: subtitle(results),
        y_label: quantity.label.to_owned(),
        floor: quantity.floor,
        series: series.collect(),
        ..time_chart()
    }
}

/// The curve of one run.
fn curve(run: &Finished, label: String, read: fn(&TraceRow) -> f64, style: usize) -> Series {
    Series::new(label, run.column(|row| row.time), run.column(read), style)
}

/// A chart over time with a logarithmic vertical axis.
pub(super) fn time_chart() -> Chart {
    Chart {
        x_label: "time t, units of the flow".to_owned(),
        y_scale: Scale::Logarithmic,
        ..Chart::default()
    }
}

/// The paper writes 1/8.
pub(super) fn alpha_name(alpha: f64) -> String {
    if alpha.total_cmp(&COLLAPSING).is_eq() { "1/8".to_owned() } else { alpha.to_string() }
}

/// What is shown, and how much of it.
fn subtitle(results: &Results) -> String {
    let band = match results.seeds {
        0 | 1 => String::new(),
        seeds => format!("; band: least to greatest of {seeds} seeds"),
    };
    let horizon = results.mode.choose("; quick", "");
    format!("California Housing, n = 256, {}; curve: seed 0{band}{horizon}", results.network)
}

/// Least and greatest value over the seeds at each recorded step of the default seed.
fn band(results: &Results, method: Method, alpha: f64, read: fn(&TraceRow) -> f64) -> Band {
    let mut found = Band::default();
    let steps = results.find(method, alpha, 0).map_or(0, |run| run.trace.len());
    for step in 0..steps {
        let values = results.all(method, alpha).filter_map(|run| run.trace.get(step)).map(read);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (f64::min(low, value), f64::max(high, value))
        });
        found.lower.push(low);
        found.upper.push(high);
    }
    found
}

/// The flow (adaptive integrator) against Euler, loss of the default seed.
fn flow_and_euler(results: &Results) -> Chart {
    let mut chart = Chart {
        title: "Gauss-Newton: the flow itself against Euler with step 0.01".to_owned(),
        subtitle:
            "loss of seed 0; the flow by the adaptive integrator, which stops where rank is lost"
                .to_owned(),
        y_label: LOSS.label.to_owned(),
        ..time_chart()
    };
    for (style, &alpha) in results.mode.scalings().iter().enumerate() {
        let name = alpha_name(alpha);
        if let Some(run) = results.find(Method::GaussNewtonAdaptive, alpha, 0) {
            chart.series.push(curve(run, format!("α = {name}, flow"), LOSS.read, 2 * style));
            if let Some(event) = run.rank_lost() {
                let label = format!("rank lost, α = {name}");
                chart.vertical_lines.push(Reference { label, value: event.time });
            }
        }
        if let Some(run) = results.find(Method::GaussNewton, alpha, 0) {
            chart.series.push(curve(run, format!("α = {name}, Euler"), LOSS.read, 2 * style + 1));
        }
    }
    chart
}

/// The printed Euler step for gradient flow against the stable method, loss of the default seed.
fn gradient_euler(results: &Results) -> Chart {
    let mut chart = Chart {
        title: "Gradient flow: the printed Euler step 0.01 is unstable".to_owned(),
        subtitle: "loss of seed 0; stable: stiff integrator; Euler needs step · μ · λₘₐₓ(K₀) < 2"
            .to_owned(),
        y_label: LOSS.label.to_owned(),
        ..time_chart()
    };
    for (style, &alpha) in results.mode.scalings().iter().enumerate() {
        let methods = [(Method::Gradient, "stable"), (Method::GradientEuler, "Euler")];
        for (which, (method, word)) in methods.into_iter().enumerate() {
            if let Some(run) = results.find(method, alpha, 0) {
                let label = format!("α = {}, {word}", alpha_name(alpha));
                chart.series.push(curve(run, label, LOSS.read, 2 * style + which));
            }
        }
    }
    chart
}

/// Loss per row on drawn and held-out rows, default seed, Gauss-Newton and gradient flow.
fn held_out(results: &Results) -> Chart {
    let mut chart = Chart {
        title: "Loss per row on the rows that were not drawn".to_owned(),
        subtitle:
            "seed 0, same scaling as the drawn rows; Gauss-Newton by Euler, gradient flow by the \
                   stiff integrator"
                .to_owned(),
        y_label: "mean loss per held-out row, squared units of 100,000 $".to_owned(),
        ..time_chart()
    };
    let methods = [(Method::GaussNewton, "Gauss-Newton"), (Method::Gradient, "gradient")];
    let mut style = 0;
    for &alpha in results.mode.scalings().iter().filter(|alpha| **alpha > COLLAPSING) {
        for (method, word) in methods {
            if let Some(run) = results.find(method, alpha, 0) {
                let rows = run.trace.iter().filter_map(|row| Some((row.time, row.held_out_loss?)));
                let (x, y) = rows.unzip();
                let label = format!("α = {}, {word}", alpha_name(alpha));
                chart.series.push(Series::new(label, x, y, style));
            }
            style += 1;
        }
    }
    chart
}
