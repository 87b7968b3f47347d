//! A map as Python holds it: a network, or functions of Python.

use std::sync::Mutex;

use gaussflow::network::{Network, NetworkJacobian};
use gaussflow::objective::{MapError, Residuals, SecondOrderMap, SmoothMap};
use gaussflow::solvers::JacobianOperator;
use gaussflow::solvers::faer::Mat;
use numpy::{PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::arrays::{by_rows, matrix, slice, vector};
use crate::callable::Callable;
use crate::failure::{require_memory, value_error, without_panic};
use crate::interrupts::{Interrupts, Watched};
use crate::threads::{Nesting, on_threads};

/// What is done with a map of any kind, without the interpreter.
pub(crate) trait Task: Send {
    /// What comes of it.
    type Output: Send;

    /// Does it. A loop looks at `interrupts` where the map does not.
    fn perform<M: SecondOrderMap>(self, map: &M, interrupts: &Interrupts) -> Self::Output;
}

/// A map: a network, or functions of Python.
#[pyclass(frozen, module = "gaussflow._core")]
pub(crate) struct Map {
    kind: Kind,
    workspace: Mutex<Workspace>,
}

enum Kind {
    Network(Box<Network>),
    Callable(Callable),
}

/// What a network's kernel is made in, kept from call to call: the memory costs as much time as the numbers.
#[derive(Default)]
struct Workspace {
    jacobian: Option<NetworkJacobian>,
    kernel: Option<Mat<f64>>,
    work: Vec<f64>,
}

impl Map {
    /// A network as a map.
    pub(crate) fn of_network(network: Network) -> Self {
        Self { kind: Kind::Network(Box::new(network)), workspace: Mutex::default() }
    }

    /// Does a task with the interpreter released; what was raised meanwhile comes beside its output.
    ///
    /// # Errors
    /// A fault of this library, and scales that no difference takes.
    pub(crate) fn attempt<T: Task>(
        &self,
        py: Python<'_>,
        task: T,
    ) -> PyResult<(T::Output, Option<PyErr>)> {
        let interrupts = Interrupts::new();
        let _nested = Nesting::enter()?;
        let output = py.detach(|| {
            without_panic(|| {
                on_threads(|| match &self.kind {
                    Kind::Network(network) => {
                        let inner = &**network;
                        Ok(task.perform(&Watched { inner, interrupts: &interrupts }, &interrupts))
                    }
                    Kind::Callable(callable) => {
                        callable.map(&interrupts).map(|map| task.perform(&map, &interrupts))
                    }
                })
            })
        })?;
        let output = output.map_err(value_error)?;
        Ok((output, interrupts.into_raised()))
    }

    /// As [`Self::attempt`], where an exception leaves nothing.
    ///
    /// # Errors
    /// The exception.
    pub(crate) fn perform<T: Task>(&self, py: Python<'_>, task: T) -> PyResult<T::Output> {
        match self.attempt(py, task)? {
            (_, Some(raised)) => Err(raised),
            (output, None) => Ok(output),
        }
    }

    /// Outputs n and parameters p.
    pub(crate) fn shape(&self) -> (usize, usize) {
        match &self.kind {
            Kind::Network(network) => (network.outputs(), network.parameters()),
            Kind::Callable(callable) => (callable.outputs, callable.parameters),
        }
    }
}

#[pymethods]
impl Map {
    /// The map of `fun(w)` and, where it is not None, `jac(w)`, of which a point (p) and the value there (n) are known.
    #[staticmethod]
    fn callable(
        fun: Py<PyAny>,
        jac: Option<Py<PyAny>>,
        convert: Py<PyAny>,
        known: (PyReadonlyArray1<'_, f64>, PyReadonlyArray1<'_, f64>),
        scales: Option<Vec<f64>>,
    ) -> PyResult<Self> {
        let known = (slice(&known.0)?.to_vec(), slice(&known.1)?.to_vec());
        let (parameters, outputs) = (known.0.len(), known.1.len());
        require_memory("the Jacobian", &[outputs, parameters])?;
        let callable = Callable { fun, jac, convert, outputs, parameters, scales, known };
        Ok(Self { kind: Kind::Callable(callable), workspace: Mutex::default() })
    }

    /// n.
    #[getter]
    fn outputs(&self) -> usize {
        self.shape().0
    }

    /// p.
    #[getter]
    fn parameters(&self) -> usize {
        self.shape().1
    }

    /// f(w).
    fn value<'py>(
        &self,
        py: Python<'py>,
        w: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let value = self.perform(py, Value { w: slice(&w)?.to_vec() })?.map_err(value_error)?;
        Ok(vector(py, value))
    }

    /// Df(w), n x p.
    fn jacobian<'py>(
        &self,
        py: Python<'py>,
        w: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (n, p) = self.shape();
        require_memory("the Jacobian", &[n, p])?;
        let found =
            self.perform(py, Derivative { w: slice(&w)?.to_vec(), wanted: Wanted::Jacobian })?;
        matrix(py, found.map_err(value_error)?, n, p)
    }

    /// J J^T, n x n.
    fn kernel<'py>(
        &self,
        py: Python<'py>,
        w: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (n, _) = self.shape();
        require_memory("the tangent kernel", &[3, n, n])?;
        let w = slice(&w)?.to_vec();
        let rows = match &self.kind {
            Kind::Network(network) => py.detach(|| {
                without_panic(|| on_threads(|| network_kernel(network, &self.workspace, &w)))
            })?,
            Kind::Callable(_) => self.perform(py, Derivative { w, wanted: Wanted::Kernel })?,
        };
        matrix(py, rows.map_err(value_error)?, n, n)
    }
}

/// `J J^T` of a network, row after row.
fn network_kernel(
    network: &Network,
    workspace: &Mutex<Workspace>,
    w: &[f64],
) -> Result<Vec<f64>, MapError> {
    // Another thread may be at work there.
    let mut own = Workspace::default();
    let mut kept = workspace.try_lock();
    let Workspace { jacobian, kernel, work } = kept.as_deref_mut().unwrap_or(&mut own);
    let jacobian = jacobian.get_or_insert_with(|| network.new_jacobian());
    let n = network.outputs();
    network.linearize(w, &mut vec![0.0; n], jacobian)?;
    let kernel = kernel.get_or_insert_with(|| Mat::zeros(n, n));
    jacobian.kernel(kernel.as_mut(), work);
    Ok(both_triangles(kernel))
}

/// A symmetric matrix, row after row, from its lower triangle.
fn both_triangles(lower: &Mat<f64>) -> Vec<f64> {
    let n = lower.nrows();
    let mut rows = vec![0.0; n * n];
    for (j, column) in lower.col_iter().enumerate() {
        for (i, entry) in column.iter().enumerate().skip(j) {
            rows[j * n + i] = *entry;
            rows[i * n + j] = *entry;
        }
    }
    rows
}

/// f(w).
struct Value {
    w: Vec<f64>,
}

impl Task for Value {
    type Output = Result<Vec<f64>, MapError>;

    fn perform<M: SecondOrderMap>(self, map: &M, _: &Interrupts) -> Self::Output {
        let mut value = vec![0.0; map.outputs()];
        map.value(&self.w, &mut value)?;
        Ok(value)
    }
}

/// What a [`Derivative`] gives.
enum Wanted {
    Jacobian,
    Kernel,
}

/// J or `J J^T` at w, row after row.
struct Derivative {
    w: Vec<f64>,
    wanted: Wanted,
}

impl Task for Derivative {
    type Output = Result<Vec<f64>, MapError>;

    fn perform<M: SecondOrderMap>(self, map: &M, _: &Interrupts) -> Self::Output {
        let (n, p) = (map.outputs(), map.parameters());
        let (mut value, mut jacobian) = (vec![0.0; n], map.new_jacobian());
        map.linearize(&self.w, &mut value, &mut jacobian)?;
        Ok(match self.wanted {
            Wanted::Jacobian => {
                let mut dense = Mat::zeros(n, p);
                jacobian.write_dense(dense.as_mut());
                by_rows(dense.as_ref())
            }
            Wanted::Kernel => {
                let mut kernel = Mat::zeros(n, n);
                jacobian.kernel(kernel.as_mut(), &mut Vec::new());
                both_triangles(&kernel)
            }
        })
    }
}
