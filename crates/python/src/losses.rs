//! Losses by their names.

use gaussflow::objective::{
    LogCosh, Logistic, Loss, LossError, Poisson, SmoothHuber, Softmax, Squared, WeightedSquares,
};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::slice;
use crate::failure::value_error;

/// A loss as Python says it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct LossSaid<'py> {
    name: String,
    /// As long as the outputs, row after row.
    targets: PyReadonlyArray1<'py, f64>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
    /// The scale of "huber", the curvature of "log-cosh".
    parameter: f64,
    /// Outputs of a row, for "softmax".
    classes: usize,
}

impl LossSaid<'_> {
    /// The loss.
    ///
    /// # Errors
    /// An unknown name, and targets that the loss refuses.
    pub(crate) fn loss(&self) -> PyResult<Box<dyn Loss>> {
        let targets = slice(&self.targets)?.to_vec();
        let loss = match (self.name.as_str(), &self.weights) {
            ("squared", Some(weights)) => {
                WeightedSquares::new(targets, slice(weights)?.to_vec()).map(boxed)
            }
            (_, Some(_)) => {
                let name = &self.name;
                return Err(PyValueError::new_err(format!(
                    "weights are given with loss {name:?}; accepted: with \"squared\""
                )));
            }
            ("squared", None) => Squared::new(targets).map(boxed),
            ("logistic", None) => Logistic::new(targets).map(boxed),
            ("softmax", None) => Softmax::new(targets, self.classes).map(boxed),
            ("poisson", None) => Poisson::new(targets).map(boxed),
            ("huber", None) => SmoothHuber::new(targets, self.parameter).map(boxed),
            ("log-cosh", None) => LogCosh::new(targets, self.parameter).map(boxed),
            (name, None) => {
                return Err(PyValueError::new_err(format!(
                    "loss is {name:?}; accepted: \"squared\", \"logistic\", \"softmax\", \"poisson\", \"huber\", \"log-cosh\""
                )));
            }
        };
        loss.map_err(|error: LossError| value_error(error))
    }
}

fn boxed<L: Loss + 'static>(loss: L) -> Box<dyn Loss> {
    Box::new(loss)
}
