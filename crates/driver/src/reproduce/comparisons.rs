//! The figures that lay one method beside another: Gauss-Newton and gradient flow, flows and their Euler steps.

use gaussflow_figures::{Chart, Reference, Scale, Series};

use super::charts::{LOSS, alpha_name, coloured, curve, ends, subtitle, time_chart};
use super::plan::Method;
use super::results::{Finished, Results};
use super::seeds;

/// The paper's main comparison: Gauss-Newton beside gradient flow.
pub(super) fn of_flows(results: &Results) -> Chart {
    let mut chart = Chart {
        title: "Gauss-Newton beside gradient flow: how far the loss falls, and when".to_owned(),
        subtitle: format!("{}; solid: Gauss-Newton, dashed: gradient flow", subtitle(results)),
        y_label: LOSS.label.to_owned(),
        x_scale: Scale::Logarithmic,
        ..time_chart()
    };
    for (method, word) in [(Method::GaussNewton, "Gauss-Newton"), (Method::Gradient, "gradient")] {
        for (alpha, colour) in coloured(results) {
            let runs: Vec<&Finished> = results.all(method, alpha).collect();
            let label = format!("α = {}, {word}", alpha_name(alpha));
            let found = Series { colour, ..curve(&runs, method, label, &LOSS) };
            chart.series.push(seeds::after_start(found));
        }
    }
    chart.series.retain(|series| !series.x.is_empty());
    chart.description = format!("{} {}", LOSS.meaning, ends(&chart));
    chart
}

/// The curves of several methods for the default seed.
fn of_default_seed(results: &Results, mut chart: Chart, methods: &[(Method, &str)]) -> Chart {
    for (alpha, colour) in coloured(results) {
        for (method, word) in methods {
            let Some(run) = results.find(*method, alpha, 0) else { continue };
            let label = format!("α = {}, {word}", alpha_name(alpha));
            let found = Series { colour, ..curve(&[run], *method, label, &LOSS) };
            chart.series.push(seeds::after_start(found));
        }
    }
    chart.description = format!("{} {}", LOSS.meaning, ends(&chart));
    chart
}

/// The flow (adaptive integrator) against Euler, loss of the default seed.
pub(super) fn flow_and_euler(results: &Results) -> Chart {
    let chart = Chart {
        title: "Euler steps of 0.01 beside the exact Gauss-Newton flow".to_owned(),
        subtitle: "seed 0; where one curve of a colour is seen, both coincide; the flow is followed by the adaptive \
                   integrator, which stops where rank is lost (vertical line)"
            .to_owned(),
        y_label: LOSS.label.to_owned(),
        x_scale: Scale::Logarithmic,
        ..time_chart()
    };
    let methods = [(Method::GaussNewton, "Euler"), (Method::GaussNewtonAdaptive, "flow")];
    let mut chart = of_default_seed(results, chart, &methods);
    for (alpha, _) in coloured(results) {
        let run = results.find(Method::GaussNewtonAdaptive, alpha, 0);
        if let Some(event) = run.and_then(Finished::rank_lost) {
            let label = format!("α = {}: rank lost", alpha_name(alpha));
            chart.vertical_lines.push(Reference { label, value: event.time });
        }
    }
    chart
}

/// The printed Euler step for gradient flow against the stable method, loss of the default seed.
pub(super) fn gradient_euler(results: &Results) -> Chart {
    let chart = Chart {
        title: "Gradient flow: Euler steps of 0.01, as printed, beside a stable integrator"
            .to_owned(),
        subtitle: "seed 0; Euler is stable only where step · μ · λₘₐₓ(K₀) < 2; where the loss rises above 1, it is not"
            .to_owned(),
        y_label: LOSS.label.to_owned(),
        x_scale: Scale::Logarithmic,
        ..time_chart()
    };
    let methods = [(Method::Gradient, "stable"), (Method::GradientEuler, "Euler")];
    of_default_seed(results, chart, &methods)
}
