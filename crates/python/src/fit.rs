//! Fits: `LeastSquares` over any map.

use std::ops::ControlFlow;

use gaussflow::dynamics::{
    Acceleration, BoundSide, Fit, FitError, FitSettings, FitStop, LeastSquares, RobustLoss,
    StepRecord,
};
use gaussflow::objective::SecondOrderMap;
use gaussflow::solvers::JacobianOperator;
use gaussflow::solvers::faer::Mat;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{Column, by_rows, matrix, slice, vector};
use crate::choice::chosen;
use crate::failure::{require_memory, value_error};
use crate::interrupts::Interrupts;
use crate::map::{Map, Task};

/// A fit as Python asks for it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Request<'py> {
    start: PyReadonlyArray1<'py, f64>,
    lower: Option<PyReadonlyArray1<'py, f64>>,
    upper: Option<PyReadonlyArray1<'py, f64>>,
    names: Option<Vec<String>>,
    loss: String,
    scale: f64,
    gradient_tolerance: f64,
    step_tolerance: f64,
    loss_tolerance: f64,
    max_evaluations: usize,
    max_iterations: usize,
    rank_cutoff: f64,
    acceleration: String,
    /// `callback(dict)` after each trial; true ends the fit.
    callback: Option<Py<PyAny>>,
}

/// Fits a map of residuals. Returns what it came to, and the exception that ended it, if one did.
#[pyfunction]
pub(crate) fn fit<'py>(
    py: Python<'py>,
    map: &Map,
    request: Request<'py>,
) -> PyResult<(Option<Bound<'py, PyDict>>, Option<PyErr>)> {
    let settings = FitSettings {
        acceleration: chosen(
            "acceleration",
            &request.acceleration,
            &[
                ("geodesic", Acceleration::Geodesic),
                ("exact", Acceleration::Exact),
                ("none", Acceleration::None),
            ],
        )?,
        gradient_tolerance: request.gradient_tolerance,
        step_tolerance: request.step_tolerance,
        loss_tolerance: request.loss_tolerance,
        max_evaluations: request.max_evaluations,
        max_iterations: request.max_iterations,
        rank_cutoff: request.rank_cutoff,
        ..FitSettings::default()
    };
    let loss = RobustLoss::from_name(&request.loss, request.scale)
        .ok_or_else(|| PyValueError::new_err(format!("no loss is called {:?}", request.loss)))?;
    let bounds = match (&request.lower, &request.upper) {
        (Some(lower), Some(upper)) => Some((slice(lower)?.to_vec(), slice(upper)?.to_vec())),
        _ => None,
    };
    let (n, p) = map.shape();
    // J of the point, of the trial, of the factor, and twice in the result.
    require_memory("the Jacobians of the fit", &[5, n, p])?;
    let fitting = Fitting {
        // A copy: a callback may write to the array.
        start: slice(&request.start)?.to_vec(),
        bounds,
        names: request.names,
        loss,
        settings,
        callback: request.callback.as_ref(),
    };
    let (found, raised) = map.attempt(py, fitting)?;
    match (found, raised) {
        (Ok(fitted), raised) => Ok((Some(described(py, &fitted)?), raised)),
        (Err(_), Some(raised)) => Ok((None, Some(raised))),
        (Err(error), None) => Err(value_error(error)),
    }
}

/// A fit, and the derivatives at its end as SciPy gives them.
struct Fitted {
    fit: Fit,
    /// The rows of J, for a robust loss multiplied so that their Gram matrix is that of the steps (n x p).
    jacobian: Vec<f64>,
    /// The gradient of the cost (p).
    gradient: Vec<f64>,
}

struct Fitting<'a> {
    start: Vec<f64>,
    bounds: Option<(Vec<f64>, Vec<f64>)>,
    names: Option<Vec<String>>,
    loss: RobustLoss,
    settings: FitSettings,
    callback: Option<&'a Py<PyAny>>,
}

impl Task for Fitting<'_> {
    type Output = Result<Fitted, FitError>;

    fn perform<M: SecondOrderMap>(self, map: &M, interrupts: &Interrupts) -> Self::Output {
        let mut problem = LeastSquares::new(map).with_loss(self.loss)?;
        if let Some(names) = self.names {
            problem = problem.with_names(names)?;
        }
        if let Some((lower, upper)) = self.bounds {
            problem = problem.with_bounds(lower, upper)?;
        }
        let mut observer = |record: &StepRecord, w: &[f64]| match self.callback {
            _ if interrupts.check().is_err() => ControlFlow::Break(()),
            Some(callback) => told(callback, record, w, interrupts),
            None => ControlFlow::Continue(()),
        };
        let (fit, jacobian) =
            problem.fit_with_jacobian(&self.start, &self.settings, &mut observer)?;
        let mut dense = Mat::zeros(map.outputs(), map.parameters());
        jacobian.write_dense(dense.as_mut());
        let (mut slopes, square) = (fit.residuals.clone(), self.loss.scale().powi(2));
        for (j, slope) in slopes.iter_mut().enumerate() {
            let z = *slope * *slope / square;
            let [_, first, second] = self.loss.rho(z);
            *slope *= first;
            let factor = (first + 2.0 * second * z).max(f64::EPSILON).sqrt();
            dense.row_mut(j).iter_mut().for_each(|entry| *entry *= factor);
        }
        let mut gradient = vec![0.0; map.parameters()];
        jacobian.apply_transposed(&slopes, &mut gradient);
        Ok(Fitted { fit, jacobian: by_rows(dense.as_ref()), gradient })
    }
}

/// Shows a trial to the callback.
fn told(
    callback: &Py<PyAny>,
    record: &StepRecord,
    w: &[f64],
    interrupts: &Interrupts,
) -> ControlFlow<()> {
    let answer = Python::attach(|py| {
        let info = PyDict::new(py);
        info.set_item("x", PyArray1::from_slice(py, w))?;
        info.set_item("cost", 0.5 * record.loss)?;
        info.set_item("iteration", record.iteration)?;
        info.set_item("nit", record.iteration + 1)?;
        info.set_item("kind", record.kind.name())?;
        info.set_item("verdict", record.verdict.name())?;
        info.set_item("gain_ratio", record.gain_ratio)?;
        info.set_item("damping", record.damping)?;
        info.set_item("step_norm", record.step_norm)?;
        info.set_item("cosine", record.cosine)?;
        callback.bind(py).call1((info,))?.extract()
    });
    match answer {
        Ok(false) => ControlFlow::Continue(()),
        Ok(true) => ControlFlow::Break(()),
        Err(error) => {
            interrupts.stop(error);
            ControlFlow::Break(())
        }
    }
}

/// Everything about a fit.
fn described<'py>(py: Python<'py>, fitted: &Fitted) -> PyResult<Bound<'py, PyDict>> {
    let Fitted { fit, jacobian, gradient } = fitted;
    let (n, p) = (fit.residuals.len(), fit.parameters.len());
    let all = PyDict::new(py);
    all.set_item("x", PyArray1::from_slice(py, &fit.parameters))?;
    all.set_item("cost", 0.5 * fit.loss)?;
    all.set_item("fun", PyArray1::from_slice(py, &fit.residuals))?;
    all.set_item("jac", matrix(py, jacobian.clone(), n, p)?)?;
    all.set_item("grad", PyArray1::from_slice(py, gradient))?;
    let mask: Vec<i64> = fit
        .at_bound
        .iter()
        .map(|side| match side {
            Some(BoundSide::Lower | BoundSide::Fixed) => -1,
            Some(BoundSide::Upper) => 1,
            None => 0,
        })
        .collect();
    all.set_item("active_mask", PyArray1::from_vec(py, mask))?;
    all.set_item("nfev", fit.counts.residuals)?;
    all.set_item("njev", fit.counts.jacobians)?;
    all.set_item("nit", fit.counts.accepted)?;
    all.set_item("stop", fit.stop.name())?;
    all.set_item("status", status(&fit.stop))?;
    all.set_item("success", fit.stop.converged())?;
    all.set_item("summary", fit.to_string())?;
    all.set_item("message", fit.to_string().lines().next().unwrap_or_default())?;
    all.set_item("remark", fit.rank_loss().unwrap_or_default())?;
    all.set_item("names", &fit.names)?;
    all.set_item("rank", fit.rank)?;
    all.set_item("stderr", PyArray1::from_slice(py, &fit.standard_deviations))?;
    all.set_item("residual_deviation", fit.residual_deviation)?;
    all.set_item("cosine", fit.cosine)?;
    let affordable = require_memory("the covariance", &[3, p, p]).is_ok();
    let covariance = if affordable { fit.covariance_matrix() } else { None };
    match covariance {
        Some(entries) => all.set_item("covariance", matrix(py, entries, p, p)?)?,
        None => all.set_item("covariance", py.None())?,
    }
    let directions: Vec<f64> =
        fit.null_directions.iter().flat_map(|null| null.direction.iter().copied()).collect();
    all.set_item("null_directions", matrix(py, directions, fit.null_directions.len(), p)?)?;
    all.set_item("history", history(py, &fit.history)?)?;
    Ok(all)
}

/// What SciPy's users know the end of a fit by: positive where it converged.
fn status(stop: &FitStop) -> i32 {
    match stop {
        FitStop::Gradient | FitStop::Rounding | FitStop::AtBounds => 1,
        FitStop::Decrease => 2,
        FitStop::Step => 3,
        FitStop::EvaluationLimit | FitStop::IterationLimit => 0,
        FitStop::Interrupted => -2,
        _ => -1,
    }
}

/// The trials by columns.
fn history<'py>(py: Python<'py>, records: &[StepRecord]) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    let iterations =
        records.iter().map(|record| i64::try_from(record.iteration).unwrap_or(i64::MAX)).collect();
    columns.set_item("iteration", PyArray1::<i64>::from_vec(py, iterations))?;
    let numbers: [Column<StepRecord>; 6] = [
        ("cost", |record| 0.5 * record.loss),
        ("gain_ratio", |record| record.gain_ratio),
        ("damping", |record| record.damping),
        ("radius", |record| record.radius),
        ("step_norm", |record| record.step_norm),
        ("cosine", |record| record.cosine),
    ];
    for (name, of) in numbers {
        columns.set_item(name, vector(py, records.iter().map(of).collect()))?;
    }
    let kinds: Vec<&str> = records.iter().map(|record| record.kind.name()).collect();
    columns.set_item("kind", kinds)?;
    let verdicts: Vec<&str> = records.iter().map(|record| record.verdict.name()).collect();
    columns.set_item("verdict", verdicts)?;
    Ok(columns)
}
