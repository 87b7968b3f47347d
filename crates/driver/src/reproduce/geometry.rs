//! The figures of the manifold's geometry: nu_eff along the flow, decay rates, and the checks of derivatives.

use gaussflow::manifold::{GeodesicSettings, GeometryCheck, GeometryError, OutputManifold};
use gaussflow_data::Dataset;
use gaussflow_figures::{Chart, Reference, Scale, Series};
use gaussflow_records::TraceRow;

use super::charts::{alpha_name, coloured, dash_of, ends, time_chart};
use super::plan::{COLLAPSING, Method, Planned};
use super::results::{Finished, Results};
use crate::house_style::{colours, free_dash};
use crate::run::{Experiment, RunError};

/// Output length over alpha up to which the checks follow a geodesic: radii of curvature grow like alpha.
const CHECKED_LENGTH: f64 = 0.125;

/// What the figures along the flow show.
const SHOWN: &str = "seed 0; the exact flow by the adaptive integrator";

/// The dashes of gradient and Hessian in the Taylor test, which shows no flow.
const DASHES_OF_ORDERS: [usize; 2] = [0, 2];

/// nu_eff, the smallest eigenvalue of the Riemannian Hessian, over time for every alpha; nu beside it.
pub fn smallest_eigenvalue(results: &Results) -> Chart {
    let mut chart = Chart {
        title: "The smallest curvature of the loss on the manifold of outputs, along the flow"
            .to_owned(),
        subtitle: format!("{SHOWN}; Lemma 7 as printed says that the curve stays at or above ν"),
        y_label: "ν_{eff}(t) = λₘᵢₙ(Hess g)".to_owned(),
        y_scale: Scale::Linear,
        ..time_chart()
    };
    for (alpha, colour) in coloured(results) {
        // The flow of alpha = 1/8 has no tangent space for long.
        let Some(run) = shown(results, alpha) else { continue };
        let label = format!("α = {}", alpha_name(alpha));
        let found = series(run, label, |row| row.riemannian_hessian_min);
        chart.series.push(Series { colour, ..found });
        if let (true, Some(constants)) = (chart.horizontal_lines.is_empty(), &run.constants) {
            let nu = constants.strong_convexity;
            chart.horizontal_lines.push(Reference { label: format!("ν = {nu}"), value: nu });
            chart.horizontal_lines.push(Reference { label: String::new(), value: 0.0 });
        }
    }
    chart.description = format!(
        "ν_{{eff}} is the smallest eigenvalue of the Riemannian Hessian of g. Where it is below ν, the loss is less convex on the \
         manifold than on all outputs, and where it is negative, not convex. {}",
        ends(&chart)
    );
    chart
}

/// The rate at which the loss falls to its limit, `-d/dt log(g - g_inf)`, beside 2 nu_eff.
///
/// Along the flow `-dg/dt = norm(P grad g)^2` exactly; g_inf is the last loss less what a quadratic of
/// curvature nu_eff still has to give there.
pub fn decay_rate(results: &Results) -> Chart {
    let mut chart = Chart {
        title: "How fast the loss falls to its limit, beside twice the smallest curvature"
            .to_owned(),
        subtitle: format!(
            "{SHOWN}; limit g_{{∞}}: last loss less ‖P∇g‖²/(2ν_{{eff}}) there; 2ν = 4 is the rate of Theorem 5"
        ),
        y_label: "rate −d/dt log(g − g_{∞})".to_owned(),
        y_scale: Scale::Linear,
        ..time_chart()
    };
    for (alpha, colour) in coloured(results) {
        let Some(run) = shown(results, alpha) else { continue };
        let Some(limit) = limit(run) else { continue };
        let name = alpha_name(alpha);
        let rate = |row: &TraceRow| {
            row.riemannian_hessian_min?;
            let rate = row.riemannian_gradient_norm.powi(2) / (row.loss - limit);
            (row.loss > limit).then_some(rate)
        };
        let measured = series(run, format!("α = {name}, measured"), rate);
        chart.series.push(Series { colour, ..measured });
        let twice = |row: &TraceRow| Some(2.0 * row.riemannian_hessian_min?);
        let found = series(run, format!("α = {name}, 2ν_{{eff}}"), twice);
        chart.series.push(Series { colour, dash: free_dash(), ..found });
        if let (true, Some(constants)) = (chart.horizontal_lines.is_empty(), &run.constants) {
            let value = 2.0 * constants.strong_convexity;
            chart.horizontal_lines.push(Reference { label: format!("2ν = {value}"), value });
        }
    }
    chart.description = format!(
        "Theorem 5 promises a rate of at least 2ν. Late in a flow the rate is expected to be twice the smallest curvature at \
         the limit. {}",
        ends(&chart)
    );
    chart
}

/// Taylor remainders of g along a geodesic from w_0: slopes 2 and 3 for a right gradient and Hessian.
pub fn checks(planned: &[Planned], data: &Dataset) -> Result<Chart, RunError> {
    let mut chart = Chart {
        title: "A Taylor test of the Riemannian gradient and Hessian along a geodesic"
            .to_owned(),
        subtitle: "seed 0 at w₀; a right gradient gives slope 2, a right Hessian slope 3, until rounding; the slopes found \
                   stand in the legend"
            .to_owned(),
        description: "The remainder of the Taylor expansion of g along a geodesic, against the part h of the geodesic. On \
                      these axes a right gradient gives a line of slope 2, a right Hessian one of slope 3."
            .to_owned(),
        x_label: "part h of a geodesic of length α/8".to_owned(),
        y_label: "|g(Exp(hu)) − expansion| (10¹⁰ USD²)".to_owned(),
        x_scale: Scale::Logarithmic,
        y_scale: Scale::Logarithmic,
        ..Chart::default()
    };
    let wanted = |planned: &&Planned| {
        planned.method == Method::GaussNewton && planned.seed == 0 && planned.scaling > COLLAPSING
    };
    let alphas: Vec<f64> = planned.iter().filter(wanted).map(|planned| planned.scaling).collect();
    for (planned, colour) in planned.iter().filter(wanted).zip(colours(&alphas)) {
        let experiment = Experiment::new(planned.config.clone(), data)?;
        // No tangent space, no curve: the figure then lacks it.
        let Ok(found) = check(&experiment) else { continue };
        for (which, outcome) in found.into_iter().enumerate() {
            if let GeometryCheck::Slope { check, .. } = outcome {
                let word = ["gradient", "Hessian"][which];
                let name = alpha_name(planned.scaling);
                let label = format!("α = {name}, {word}: {:.2}", check.slope);
                let y = check.remainders.iter().map(|&r| f64::max(r, f64::MIN_POSITIVE)).collect();
                let dash = DASHES_OF_ORDERS[which];
                let found = Series::new(label, check.steps, y, colour);
                chart.series.push(Series { dash, ..found });
            }
        }
    }
    Ok(chart)
}

/// The slope checks of an experiment at w_0.
fn check(experiment: &Experiment) -> Result<[GeometryCheck; 2], GeometryError> {
    let mut manifold = OutputManifold::new(&experiment.objective)?;
    let w = &experiment.start.weights;
    // Some direction without a pattern, at the checked length.
    let mut v: Vec<f64> =
        (1..=w.len()).map(|k| (k as f64 * 0.618_033_988_749_894_9).fract() - 0.5).collect();
    let mut tangent = vec![0.0; experiment.sample.targets.len()];
    manifold.at(w)?.tangent_vector(&v, &mut tangent)?;
    let length = gaussflow::solvers::norm(&tangent) / experiment.objective.scaling();
    v.iter_mut().for_each(|v| *v *= CHECKED_LENGTH / length);
    manifold.check_derivatives(w, &v, &GeodesicSettings { tolerance: 1e-11, ..Default::default() })
}

/// The run that stands for an alpha: the flow by the adaptive integrator, seed 0, if it keeps its rank.
fn shown(results: &Results, alpha: f64) -> Option<&Finished> {
    results.find(Method::GaussNewtonAdaptive, alpha, 0).filter(|_| alpha > COLLAPSING)
}

/// The rows where `read` has a value.
fn series(run: &Finished, label: String, read: impl Fn(&TraceRow) -> Option<f64>) -> Series {
    let (x, y) = run.trace.iter().filter_map(|row| Some((row.time, read(row)?))).unzip();
    let dash = dash_of(Method::GaussNewtonAdaptive);
    Series { label, x, y, dash, ..Series::default() }
}

/// The loss that a run tends to.
fn limit(run: &Finished) -> Option<f64> {
    let row = run.trace.iter().rev().find(|row| row.riemannian_hessian_min.is_some())?;
    let curvature = row.riemannian_hessian_min?;
    let rest = row.riemannian_gradient_norm.powi(2) / (2.0 * curvature);
    (curvature > 0.0).then_some(row.loss - rest)
}
