//! `gaussflow fit PROBLEM.toml`: data and model from a file, the fit, its summary, record and pictures.

mod curve;
mod error;
mod expression;
mod families;
mod network;
mod picture;
mod problem;
mod record;

use std::path::{Path, PathBuf};

use gaussflow::dynamics::{Damping, Fit, FitError, FitSettings, LeastSquares};
use gaussflow::objective::{Residuals, SmoothMap};
use gaussflow_data::{Dataset, Sample, Standardize, TargetScale, california_housing, load_csv};
use gaussflow_figures::{Chart, render};
use gaussflow_records::{Overwrite, RecordError, create_folder, ownership, read_json, write_json};
use rayon::prelude::*;

pub use error::FittingError;
pub use expression::{
    ExpressionError, ExpressionModel, MOST_CHARACTERS, MOST_NESTED, MOST_WORDS, Names,
};
pub use families::{Family, Offset, Size};
pub use problem::{Problem, ProblemError};
pub use record::{FitRecord, HistoryRecord};

use curve::fit_curve;
use picture::Picture;

/// The name of the bundled data.
const CALIFORNIA: &str = "california-housing";
/// Hidden units of a network when not said.
const HIDDEN: usize = 18;

/// The files of a fit.
const FILES: [&str; 5] = ["fit.json", "fit.svg", "fit.png", "residuals.svg", "residuals.png"];

/// Where a fit is written.
#[derive(Clone, Copy, Debug)]
pub struct Output<'p> {
    /// The folder, which may hold other files; `None` is PROBLEM-fit beside the problem.
    pub folder: Option<&'p Path>,
    /// Whether the fit of another problem may be replaced.
    pub overwrite: Overwrite,
    /// Whether pictures are drawn.
    pub pictures: Pictures,
}

/// Fits `path` and writes fit.json, fit.svg/png and residuals.svg/png into `out`; `print` gets what a user reads.
pub fn fit(
    path: &Path,
    out: Option<&Path>,
    print: impl Fn(&str),
) -> Result<FitRecord, FittingError> {
    let out = Output { folder: out, overwrite: Overwrite::No, pictures: Pictures::AsWritten };
    fit_into(path, out, print)
}

/// Whether pictures are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// As `[output] pictures` of the problem says; default yes.
    AsWritten,
    /// No.
    None,
}

/// As [`fit`]; `out` says where to, and what may be replaced there: the last fit of the same problem file always.
///
/// # Errors
/// [`FittingError`]: a wrong problem or data file, a start where the model is undefined, a file that cannot be
/// written, one in its place that is not ours. A fit that does not converge is a result.
pub fn fit_into(
    path: &Path,
    out: Output<'_>,
    print: impl Fn(&str),
) -> Result<FitRecord, FittingError> {
    let problem = Problem::read(path)?;
    let folder = out.folder.map_or_else(|| default_folder(path), Path::to_owned);
    admit(&folder, path, out.overwrite)?;
    let data = dataset(&problem, path)?;
    let (data, weights) = split_weights(&problem, data)?;
    let fraction = problem.data.holdout.as_ref().map_or(0.0, |fraction| *fraction.get_ref());
    if let Some(given) = problem.data.holdout.as_ref().filter(|_| !(0.0..1.0).contains(&fraction)) {
        let accepted = "0 or above, below 1".to_owned();
        return Err(problem.refuse("[data] holdout", given, accepted).into());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fraction of the number of rows"
    )]
    let samples = ((1.0 - fraction) * data.rows() as f64).round().max(1.0) as usize;
    let is_network = problem.model.family.as_ref().is_some_and(|f| *f.get_ref() == Family::Network);
    let (standardize, scale) = if is_network {
        (Standardize::Subset, TargetScale::Standardized)
    } else {
        (Standardize::None, TargetScale::Raw)
    };
    let sample = Sample::draw(&data, samples, standardize, scale, problem.data.seed)?;
    let weights = weights.map(|all| sample.rows.iter().map(|&j| all[j]).collect::<Vec<f64>>());
    let (fit, description, picture, errors) = if is_network {
        fit_network(&problem, &data, &sample, weights)?
    } else {
        fit_curve(&problem, &data, &sample, weights)?
    };
    print(&format!("{description}\n{fit}"));
    print(&format!("root-mean-square error {:.6}", errors[0]));
    if errors[1].is_finite() {
        print(&format!(
            "root-mean-square error on {} held-out rows {:.6}",
            sample.held_out_targets.len(),
            errors[1]
        ));
    }
    create_folder(&folder)?;
    let record =
        FitRecord { problem: relative(path, &folder), ..FitRecord::new(&fit, description, errors) };
    // Once more: a fit may have taken long.
    ownership::all_replaceable(&folder, FILES)?;
    write_json(&folder.join("fit.json"), &record)?;
    if problem.output.pictures && out.pictures == Pictures::AsWritten {
        let charts = if is_network { picture.scatter() } else { picture.charts() };
        let draw = |(stem, chart): &(&'static str, Chart)| render(chart, &folder, stem).map(drop);
        charts.par_iter().try_for_each(draw)?;
    } else {
        // Pictures of an earlier fit would show another one than fit.json tells of.
        for name in &FILES[1..] {
            let path = folder.join(name);
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(RecordError::Write { path, source }.into());
                }
                _ => {}
            }
        }
    }
    // A page of an earlier fit would show another one than fit.json tells of.
    let page = folder.join(ownership::REPORT);
    if ownership::is_ours(&page) {
        std::fs::remove_file(&page).map_err(|source| RecordError::Write { path: page, source })?;
    }
    print(&format!("written to {}", folder.display()));
    print(&crate::console::what_next(&folder));
    Ok(record)
}

/// `my.toml` writes to `my-fit`, beside it.
fn default_folder(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    path.with_file_name(format!("{stem}-fit"))
}

/// Tests that a fit of `path` may be written into `folder`: each of its files is free or ours, and the fit that
/// is there, if any, is of the same problem file or may be replaced.
fn admit(folder: &Path, path: &Path, overwrite: Overwrite) -> Result<(), FittingError> {
    ownership::all_replaceable(folder, FILES)?;
    let record = folder.join("fit.json");
    if overwrite == Overwrite::Yes || !record.exists() {
        return Ok(());
    }
    let Origin { problem } = read_json(&record)?;
    // A record of an earlier version does not say.
    if problem.is_empty() || problem == relative(path, folder) {
        return Ok(());
    }
    Err(FittingError::OtherFit { path: record, problem })
}

/// The part of fit.json that tells where it comes from.
#[derive(serde::Deserialize)]
struct Origin {
    #[serde(default)]
    problem: String,
}

/// Where the file `path` lies, seen from `folder`, with forward slashes; empty where either has no name, as a pipe.
fn relative(path: &Path, folder: &Path) -> String {
    let (Ok(path), Ok(folder)) = (path.canonicalize(), folder.canonicalize()) else {
        return String::new();
    };
    let (path, folder): (Vec<_>, Vec<_>) =
        (path.components().collect(), folder.components().collect());
    let shared = path.iter().zip(&folder).take_while(|(a, b)| a == b).count();
    let up = folder[shared..].iter().map(|_| "..".into());
    let down = path[shared..].iter().map(|part| part.as_os_str().to_string_lossy());
    up.chain(down).collect::<Vec<std::borrow::Cow<'_, str>>>().join("/")
}

/// The observations.
fn dataset(problem: &Problem, path: &Path) -> Result<Dataset, FittingError> {
    let (named, response) = (problem.data.path.get_ref(), problem.data.response.get_ref());
    if named == CALIFORNIA {
        let data = california_housing()?;
        if *response != data.target_name() {
            let accepted = data.target_name();
            return Err(problem.refuse("[data] response", &problem.data.response, accepted).into());
        }
        return Ok(data);
    }
    let file = path.parent().unwrap_or(Path::new("")).join(named);
    Ok(load_csv(&file, &[response])?)
}

/// Takes the column of weights out of the features.
fn split_weights(
    problem: &Problem,
    mut data: Dataset,
) -> Result<(Dataset, Option<Vec<f64>>), FittingError> {
    let Some(named) = &problem.data.weights else { return Ok((data, None)) };
    let Some(place) = data.feature_names.iter().position(|name| name == named.get_ref()) else {
        let accepted = format!("a column: {}", data.feature_names.join(", "));
        return Err(problem.refuse("[data] weights", named, accepted).into());
    };
    let width = data.feature_names.len();
    let weights = data.features.iter().skip(place).step_by(width).copied().collect();
    let mut column = 0;
    data.features.retain(|_| {
        column = (column + 1) % width;
        column != (place + 1) % width
    });
    data.feature_names.remove(place);
    Ok((data, Some(weights)))
}

/// Settings of the file.
fn settings(problem: &Problem) -> Result<FitSettings, ProblemError> {
    let defaults = FitSettings::default();
    let fit = &problem.fit;
    Ok(FitSettings {
        acceleration: problem.acceleration()?,
        damping: match fit.initial_radius {
            Some(initial_radius) => Damping::TrustRegion { initial_radius },
            None => Damping::default(),
        },
        max_evaluations: fit.max_evaluations.unwrap_or(defaults.max_evaluations),
        max_iterations: fit.max_iterations.unwrap_or(defaults.max_iterations),
        gradient_tolerance: fit.gradient_tolerance.unwrap_or(defaults.gradient_tolerance),
        ..defaults
    })
}

/// Weights and loss of the file.
fn prepare<M: SmoothMap>(
    problem: &Problem,
    map: M,
    names: &[String],
    weights: Option<Vec<f64>>,
) -> Result<LeastSquares<M>, FittingError> {
    let mut fitted = LeastSquares::new(map).with_names(names)?.with_loss(problem.loss()?)?;
    if let Some(weights) = weights {
        fitted = fitted.with_weights(weights)?;
    }
    Ok(fitted)
}

type Fitted = (Fit, String, Picture, [f64; 2]);

/// Fits the network to standardized columns; errors are in the response's unit.
fn fit_network(
    problem: &Problem,
    data: &Dataset,
    sample: &Sample,
    weights: Option<Vec<f64>>,
) -> Result<Fitted, FittingError> {
    let hidden = problem.model.hidden.as_ref().map_or(HIDDEN, |hidden| *hidden.get_ref());
    let d = sample.dimension;
    if d == 0 {
        let what =
            "[model] family = \"network\" needs a column besides the response and the weights";
        return Err(problem.missing(what.to_owned()).into());
    }
    if let Some(named) = problem.model.hidden.as_ref().filter(|named| *named.get_ref() == 0) {
        return Err(problem.refuse("[model] hidden", named, "1 or more".to_owned()).into());
    }
    let rows = sample.targets.len();
    let parameters = hidden as f64 * (d + 1) as f64;
    let place = problem.model.hidden.as_ref().map_or(0, |named| named.span().start);
    let jacobian = rows as f64 * (hidden as f64 + (d + 1) as f64);
    let what = format!("[model] hidden = {hidden}");
    problem.require_memory((what, place), rows, parameters, jacobian)?;
    let point = network::start(hidden, d, problem.model.seed)?;
    let names = network::names(&data.feature_names, hidden);
    let model = network::model(&sample.inputs, d, &point.signs)?;
    let fitted =
        prepare(problem, model, &names, weights)?.with_observations(sample.targets.clone())?;
    let fit = fitted.fit(&point.weights, &settings(problem)?)?;
    let scale = sample.scaling.target_deviations[0];
    let mut errors = [scale * root_mean_square(&fit.residuals), f64::NAN];
    let shift = sample.scaling.target_means[0];
    let raw = |y: &f64| shift + scale * y;
    let mut shown = (sample.targets.clone(), fit.residuals.clone());
    if !sample.held_out_targets.is_empty() {
        let targets = sample.held_out_targets.clone();
        let other = network::model(&sample.held_out_inputs, d, &point.signs)?;
        let mut residuals = held_out(&other, &fit)?;
        residuals.iter_mut().zip(&targets).for_each(|(r, y)| *r -= y);
        errors[1] = scale * root_mean_square(&residuals);
        shown = (targets, residuals);
    }
    let observed: Vec<f64> = shown.0.iter().map(raw).collect();
    let description =
        format!("{}: network of {hidden} tanh units on {d} columns", data.target_name());
    let picture = Picture {
        title: description.clone(),
        x_label: format!("observed {}", data.target_name()),
        y_label: format!("predicted {}", data.target_name()),
        fitted: observed.iter().zip(&shown.1).map(|(y, r)| y + scale * r).collect(),
        x: observed.clone(),
        observed,
    };
    Ok((fit, description, picture, errors))
}

fn root_mean_square(residuals: &[f64]) -> f64 {
    (residuals.iter().map(|r| r * r).sum::<f64>() / residuals.len() as f64).sqrt()
}

/// The fit's residuals on other rows.
fn held_out<M: Residuals>(other: &M, fit: &Fit) -> Result<Vec<f64>, FittingError> {
    let mut residuals = vec![0.0; other.outputs()];
    other.value(&fit.parameters, &mut residuals).map_err(FitError::Start)?;
    Ok(residuals)
}
