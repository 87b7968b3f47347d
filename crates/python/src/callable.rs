//! A map given by functions of Python, evaluated with the interpreter attached.

use std::sync::{Mutex, PoisonError};

use gaussflow::objective::{
    FiniteDifferences, JacobianDifferences, MapError, Residuals, SecondOrderMap, SmoothMap,
};
use gaussflow::solvers::DenseJacobian;
use numpy::ndarray::Dimension;
use numpy::{Ix1, Ix2, PyArray, PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::interrupts::Interrupts;

/// `fun(w)` and, where it is given, `jac(w)`.
pub(crate) struct Callable {
    pub(crate) fun: Py<PyAny>,
    pub(crate) jac: Option<Py<PyAny>>,
    /// `convert(name, returned, dimensions)`: a C-contiguous float64 array of what is none yet.
    pub(crate) convert: Py<PyAny>,
    pub(crate) outputs: usize,
    pub(crate) parameters: usize,
    /// What the steps of differences are relative to.
    pub(crate) scales: Option<Vec<f64>>,
    /// A point and the value there, if one is known: p and n numbers.
    pub(crate) known: (Vec<f64>, Vec<f64>),
}

/// A map whose derivatives of second order exist in some way.
pub(crate) type AnyMap<'a> = dyn SecondOrderMap<Jacobian = DenseJacobian> + Send + Sync + 'a;

impl Callable {
    /// The map for one call into this module.
    ///
    /// # Errors
    /// [`MapError`] on improper scales.
    pub(crate) fn map<'a>(
        &'a self,
        interrupts: &'a Interrupts,
    ) -> Result<Box<AnyMap<'a>>, MapError> {
        let called = Called { callable: self, interrupts, last: Mutex::new(self.known.clone()) };
        Ok(if self.jac.is_some() {
            Box::new(JacobianDifferences::new(called))
        } else {
            let differences = FiniteDifferences::new(called);
            Box::new(match &self.scales {
                Some(scales) => differences.with_scales(scales.clone())?,
                None => differences,
            })
        })
    }
}

/// The functions during one call.
struct Called<'a> {
    callable: &'a Callable,
    interrupts: &'a Interrupts,
    /// The last point and the value there: a linearization follows a value at the same point.
    last: Mutex<(Vec<f64>, Vec<f64>)>,
}

impl Called<'_> {
    /// Calls `function(w)`, and lets `read` take what it returns.
    fn call(
        &self,
        function: &Py<PyAny>,
        w: &[f64],
        read: impl FnOnce(&Callable, &Bound<'_, PyAny>) -> PyResult<()>,
    ) -> Result<(), MapError> {
        self.interrupts.check()?;
        Python::attach(|py| {
            // A copy each: the function may keep it or write to it.
            let point = PyArray1::from_slice(py, w);
            read(self.callable, &function.bind(py).call1((point,))?)
        })
        .map_err(|error| self.interrupts.stop(error))
    }
}

impl Residuals for Called<'_> {
    fn parameters(&self) -> usize {
        self.callable.parameters
    }

    fn outputs(&self) -> usize {
        self.callable.outputs
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 == w {
            out.copy_from_slice(&last.1);
            return Ok(());
        }
        self.call(&self.callable.fun, w, |callable, found| callable.read_value(found, out))?;
        let (point, value) = &mut *last;
        point.clear();
        point.extend_from_slice(w);
        value.clear();
        value.extend_from_slice(out);
        Ok(())
    }
}

impl SmoothMap for Called<'_> {
    type Jacobian = DenseJacobian;

    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.outputs(), self.parameters())
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let Some(jac) = &self.callable.jac else {
            return Err(MapError::Undefined { reason: "there is no jac".to_owned() });
        };
        self.call(jac, w, |callable, found| callable.read_jacobian(found, jacobian))
    }
}

impl Callable {
    /// What the function called `name` returned as an array of `D` dimensions, without a copy where it is one.
    fn array<'py, D: Dimension>(
        &self,
        name: &str,
        found: &Bound<'py, PyAny>,
        dimensions: usize,
    ) -> PyResult<Bound<'py, PyArray<f64, D>>> {
        if let Ok(array) = found.cast::<PyArray<f64, D>>()
            && array.is_c_contiguous()
            // Aligned as well.
            && array.readonly().as_slice().is_ok()
        {
            return Ok(array.clone());
        }
        let converted = self.convert.bind(found.py()).call1((name, found, dimensions))?;
        Ok(converted.cast_into::<PyArray<f64, D>>()?)
    }

    /// Copies what `fun` returned.
    fn read_value(&self, found: &Bound<'_, PyAny>, out: &mut [f64]) -> PyResult<()> {
        let array = self.array::<Ix1>("fun", found, 1)?;
        if array.len() != out.len() {
            return Err(other_shape("fun", array.shape(), &[out.len()]));
        }
        out.copy_from_slice(array.readonly().as_slice()?);
        Ok(())
    }

    /// Copies what `jac` returned.
    fn read_jacobian(&self, found: &Bound<'_, PyAny>, out: &mut DenseJacobian) -> PyResult<()> {
        let array = self.array::<Ix2>("jac", found, 2)?;
        let mut matrix = out.matrix_mut();
        let expected = [matrix.nrows(), matrix.ncols()];
        if array.shape() != expected {
            return Err(other_shape("jac", array.shape(), &expected));
        }
        let array = array.readonly();
        for (j, row) in array.as_slice()?.chunks_exact(expected[1].max(1)).enumerate() {
            row.iter().enumerate().for_each(|(k, entry)| matrix[(j, k)] = *entry);
        }
        Ok(())
    }
}

/// Says what shape a function should have returned.
fn other_shape(name: &str, found: &[usize], expected: &[usize]) -> PyErr {
    let tuple = |shape: &[usize]| match shape {
        [only] => format!("({only},)"),
        all => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            format!("({})", all.join(", "))
        }
    };
    PyValueError::new_err(format!(
        "{name} returned an array of shape {}; expected {}",
        tuple(found),
        tuple(expected)
    ))
}
