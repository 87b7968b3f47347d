//! Fits of an expression or a family of curves: names, starts and bounds of the file become a model.

use gaussflow::dynamics::Fit;
use gaussflow_data::{Dataset, Sample};

use super::error::FittingError;
use super::expression::{ExpressionError, ExpressionModel, Names, listed};
use super::families::Size;
use super::picture::Picture;
use super::problem::{Problem, ProblemError};
use super::{Fitted, held_out, prepare, root_mean_square, settings};

/// The model as text, with the names that it may use.
struct Curve {
    text: String,
    parameters: Vec<String>,
    /// The data's columns that it may use, by place.
    columns: Vec<usize>,
    /// Where the file asks for it: what to call it, and the byte.
    place: (String, usize),
}

/// Fits an expression or a family of curves.
pub(super) fn fit_curve(
    problem: &Problem,
    data: &Dataset,
    sample: &Sample,
    weights: Option<Vec<f64>>,
) -> Result<Fitted, FittingError> {
    let rows = sample.targets.len();
    let predictor = predictor(problem, &data.feature_names)?;
    let curve = curve(problem, data, predictor, rows)?;
    let [start, lower, upper] = starts(problem, &curve.parameters)?;
    let p = curve.parameters.len() as f64;
    problem.require_memory(curve.place.clone(), rows, p, p * rows as f64)?;

    let held: Vec<bool> = lower.iter().zip(&upper).map(|(lower, upper)| lower >= upper).collect();
    let model = |inputs: &[f64], targets: &[f64]| {
        build(problem, data, &curve, inputs, targets).map(|model| model.with_held(&held))
    };
    let map = model(&sample.inputs, &sample.targets)?;
    let used = map.columns().first().map(|&k| curve.columns[k]);
    let fitted = prepare(problem, map, &curve.parameters, weights)?.with_bounds(lower, upper)?;
    let fit = fitted.fit(&start, &settings(problem)?)?;
    let errors = if sample.held_out_targets.is_empty() {
        [root_mean_square(&fit.residuals), f64::NAN]
    } else {
        let other = model(&sample.held_out_inputs, &sample.held_out_targets)?;
        [root_mean_square(&fit.residuals), root_mean_square(&held_out(&other, &fit)?)]
    };
    let title = format!("{} = {}", data.target_name(), curve.text);
    let picture = picture(&title, data, sample, &fit, predictor.or(used));
    Ok((fit, title, picture, errors))
}

/// The place of the predictor that the file names.
fn predictor(problem: &Problem, columns: &[String]) -> Result<Option<usize>, ProblemError> {
    let Some(named) = &problem.model.predictor else { return Ok(None) };
    let place = columns.iter().position(|name| name == named.get_ref());
    let accepted = || format!("a column: {}", listed(columns));
    place.map(Some).ok_or_else(|| problem.refuse("[model] predictor", named, accepted()))
}

/// The expression, written or made from a family, and its parameters.
fn curve(
    problem: &Problem,
    data: &Dataset,
    predictor: Option<usize>,
    rows: usize,
) -> Result<Curve, ProblemError> {
    let columns = &data.feature_names;
    match (&problem.model.expression, &problem.model.family) {
        (Some(text), None) => {
            let written = problem.parameters.keys().map(|key| key.get_ref().clone()).collect();
            let parameters: Vec<String> = written;
            if parameters.is_empty() {
                let what = "[parameters] is empty; give each parameter of the expression a start";
                return Err(problem.missing(what.to_owned()));
            }
            Ok(Curve {
                text: text.get_ref().clone(),
                place: ("[parameters]".to_owned(), text.span().start),
                columns: (0..columns.len()).collect(),
                parameters,
            })
        }
        (None, Some(family)) => {
            let Some(chosen) = predictor.or((columns.len() == 1).then_some(0)) else {
                let what = if columns.is_empty() {
                    "[model] family needs a predictor, but the data have no column besides the response \
                     and the weights"
                        .to_owned()
                } else {
                    format!("[model] predictor is missing; accepted: a column: {}", listed(columns))
                };
                return Err(problem.missing(what));
            };
            let size = Size::of(problem)?;
            let (p, place) = size.parameters(problem, *family.get_ref(), family.span().start);
            problem.require_memory(place.clone(), rows, p, p * rows as f64)?;
            let found = family.get_ref().expression(&columns[chosen], size, problem.model.offset);
            let Some((text, parameters)) = found else {
                return Err(problem.missing("[model] family has no expression".to_owned()));
            };
            Ok(Curve { text, parameters, columns: vec![chosen], place })
        }
        _ => Err(problem.missing("[model] needs one of expression and family".to_owned())),
    }
}

/// Start, lower and upper bound of each of `names`.
fn starts(problem: &Problem, names: &[String]) -> Result<[Vec<f64>; 3], ProblemError> {
    let written = &problem.parameters;
    if let Some(extra) = written.keys().find(|key| !names.contains(key.get_ref())) {
        return Err(problem.refuse("[parameters]", extra, listed(names)));
    }
    let (mut start, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let Some((_, parameter)) = written.iter().find(|(key, _)| key.get_ref() == name) else {
            let what = format!("[parameters] has no {name}; the model's are {}", listed(names));
            return Err(problem.missing(what));
        };
        let (a, b, c) = parameter.numbers();
        start.push(a);
        lower.push(b);
        upper.push(c);
    }
    Ok([start, lower, upper])
}

/// The model on rows of `inputs` (row-major, all columns).
fn build(
    problem: &Problem,
    data: &Dataset,
    curve: &Curve,
    inputs: &[f64],
    targets: &[f64],
) -> Result<ExpressionModel, ProblemError> {
    let all = &data.feature_names;
    let columns: Vec<String> = curve.columns.iter().map(|&k| all[k].clone()).collect();
    let inputs: Vec<f64> = inputs
        .chunks(all.len().max(1))
        .flat_map(|row| curve.columns.iter().map(|&k| row[k]))
        .collect();
    let mut reserved = vec![(data.target_name(), "response")];
    let weights = problem.data.weights.iter();
    reserved.extend(weights.map(|named| (named.get_ref().clone(), "column of weights")));
    let names = Names { columns: &columns, parameters: &curve.parameters, reserved: &reserved };
    ExpressionModel::new(&curve.text, names, &inputs, targets.to_vec()).map_err(|source| {
        // A name that is taken stands where the parameter does.
        let key = problem.parameters.keys().find(|key| {
            matches!(&source, ExpressionError::Shadowed { name, .. } if name == key.get_ref())
        });
        let place = key.map_or(curve.place.1, |key| key.span().start);
        problem.wrong_expression(place, source)
    })
}

/// Data and fitted values against the predictor, or against the rows' numbers where there is none.
fn picture(
    title: &str,
    data: &Dataset,
    sample: &Sample,
    fit: &Fit,
    predictor: Option<usize>,
) -> Picture {
    let width = data.feature_names.len();
    let (x_label, x) = match predictor {
        Some(k) => {
            let column = sample.inputs.iter().skip(k).step_by(width).copied().collect();
            (data.feature_names[k].clone(), column)
        }
        None => ("row".to_owned(), sample.rows.iter().map(|&row| (row + 1) as f64).collect()),
    };
    Picture {
        title: title.to_owned(),
        x_label,
        y_label: data.target_name(),
        x,
        fitted: sample.targets.iter().zip(&fit.residuals).map(|(y, r)| y + r).collect(),
        observed: sample.targets.clone(),
    }
}
