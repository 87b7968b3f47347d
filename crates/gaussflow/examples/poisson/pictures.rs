//! The pictures: solutions, errors along sections, and all losses against time.

use std::path::Path;

use gaussflow_figures::{Chart, FigureError, Scale, Series, render};

use super::Run;
use super::problem::{Poisson, midpoints, network};

/// Points of a curve.
const CURVE: usize = 401;
/// Points at which the network's values are marked.
const MARKED: usize = 33;

/// The solution on the interval, and what each method is off by.
pub fn interval(folder: &Path, problem: &Poisson<1>, runs: &[Run; 3]) -> Result<(), FigureError> {
    let [fitted, ..] = runs;
    let chart = Chart {
        title: "Poisson's equation on the interval".to_owned(),
        subtitle: "u = sin(pi x) + exp(-((x - 0.6) / 0.1)^2) / 2; a tanh network of 30 units"
            .to_owned(),
        x_label: "x".to_owned(),
        y_label: "u".to_owned(),
        series: vec![
            curve("solution", 0, |x| problem.solution(&[x])),
            marks("network, Levenberg-Marquardt", 1, |x| network(&fitted.best, &[x]).0),
        ],
        ..Chart::default()
    };
    render(&chart, folder, "interval_solution")?;
    errors(folder, "interval", "x", runs, |w, x| network(w, &[x]).0 - problem.solution(&[x]))
}

/// Sections of the solution on the square, and what each method is off by along the middle one.
pub fn square(folder: &Path, problem: &Poisson<2>, runs: &[Run; 3]) -> Result<(), FigureError> {
    let [fitted, ..] = runs;
    let sections = [(0.5, "y = 1/2"), (0.25, "y = 1/4"), (0.1, "y = 1/10")];
    let series = sections.iter().enumerate().flat_map(|(k, &(y, name))| {
        [
            curve(format!("solution, {name}"), 2 * k, |x| problem.solution(&[x, y])),
            marks(format!("network, {name}"), 2 * k + 1, |x| network(&fitted.best, &[x, y]).0),
        ]
    });
    let chart = Chart {
        title: "Poisson's equation on the square, along sections".to_owned(),
        subtitle: "u = sin(pi x) sin(pi y); a tanh network of 48 units, Levenberg-Marquardt"
            .to_owned(),
        x_label: "x".to_owned(),
        y_label: "u".to_owned(),
        series: series.collect(),
        ..Chart::default()
    };
    render(&chart, folder, "square_solution")?;
    let middle = |x| [x, 0.5];
    errors(folder, "square", "x, along y = 1/2", runs, |w, x| {
        network(w, &middle(x)).0 - problem.solution(&middle(x))
    })
}

/// The losses of all methods on all problems against time.
pub fn losses(folder: &Path, problems: &[(&str, &[Run; 3])]) -> Result<(), FigureError> {
    let runs = problems.iter().flat_map(|(name, runs)| runs.iter().map(move |run| (name, run)));
    let series = runs.enumerate().map(|(style, (name, run))| {
        // The axis begins at a millisecond; the first losses of some methods were seen before.
        let seconds = run.history.iter().map(|[seconds, _]| seconds.max(1e-3)).collect();
        let losses = run.history.iter().map(|[_, loss]| *loss).collect();
        Series::new(format!("{name}, {}", run.method), seconds, losses, style)
    });
    let chart = Chart {
        title: "Poisson's equation by a tanh network".to_owned(),
        subtitle: "sum of squares of the residuals, all methods from the same start".to_owned(),
        x_label: "seconds".to_owned(),
        y_label: "loss".to_owned(),
        x_scale: Scale::Logarithmic,
        y_scale: Scale::Logarithmic,
        series: series.collect(),
        ..Chart::default()
    };
    render(&chart, folder, "losses").map(|_| ())
}

/// The errors of all methods along a line.
fn errors(
    folder: &Path,
    name: &str,
    along: &str,
    runs: &[Run],
    error: impl Fn(&[f64], f64) -> f64,
) -> Result<(), FigureError> {
    let series = runs.iter().enumerate();
    let chart = Chart {
        title: format!("Error of the network on the {name}"),
        subtitle: "the distance from the solution, at points that were not fitted".to_owned(),
        x_label: along.to_owned(),
        y_label: "absolute error of u".to_owned(),
        y_scale: Scale::Logarithmic,
        series: series
            .map(|(k, run)| curve(run.method, k, |x| error(&run.best, x).abs()))
            .collect(),
        ..Chart::default()
    };
    render(&chart, folder, &format!("{name}_error")).map(|_| ())
}

/// A line over the interval.
fn curve(label: impl Into<String>, style: usize, value: impl Fn(f64) -> f64) -> Series {
    let x: Vec<f64> = midpoints::<1>(CURVE).into_iter().map(|[x]| x).collect();
    let y = x.iter().map(|&x| value(x)).collect();
    Series::new(label, x, y, style)
}

/// Lone points over the interval: there is a gap after each.
fn marks(label: impl Into<String>, style: usize, value: impl Fn(f64) -> f64) -> Series {
    let points = midpoints::<1>(MARKED).into_iter();
    let (x, y) = points.flat_map(|[x]| [(x, value(x)), (x, f64::NAN)]).unzip();
    Series::new(label, x, y, style)
}
