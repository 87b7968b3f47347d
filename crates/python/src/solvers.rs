//! Damped solves, singular values and trust-region steps for a matrix.

use gaussflow::solvers::{
    DampedSolver, Factors, JacobianOperator, SecularFactor, SecularMethod, SolveError, SolveRequest,
};
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{dense, slice, vector};
use crate::choice::named;
use crate::failure::{require_solver, runtime_error, value_error, without_panic};
use crate::threads::on_threads;

/// How a damped system is solved.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct System {
    damping: f64,
    solver: String,
    rank_cutoff: f64,
    tolerance: f64,
}

/// Solves `((1 - rho) A^T A + rho I) v = A^T b`: v (p) and how it was found.
#[pyfunction]
pub(crate) fn damped_solve<'py>(
    py: Python<'py>,
    a: PyReadonlyArray2<'py, f64>,
    b: PyReadonlyArray1<'py, f64>,
    said: System,
) -> PyResult<(Bound<'py, PyArray1<f64>>, Bound<'py, PyDict>)> {
    let (jacobian, b) = (dense(&a)?, &slice(&b)?.to_vec()[..]);
    let request = SolveRequest {
        damping: said.damping,
        solver: named("solver", &said.solver, &DampedSolver::ALL, DampedSolver::name)?,
        rank_cutoff: said.rank_cutoff,
        tolerance: said.tolerance,
    };
    require_solver(request.solver, jacobian.rows(), jacobian.columns())?;
    let found = py.detach(|| {
        without_panic(|| {
            on_threads(|| {
                let mut v = vec![0.0; jacobian.columns()];
                let mut factors = Factors::new(jacobian.rows(), jacobian.columns())?;
                let report = factors.solve(&jacobian, request, b, &mut v)?;
                Ok((v, report))
            })
        })
    })?;
    let (v, report) = found.map_err(refused)?;
    let told = PyDict::new(py);
    told.set_item("solver", report.solver.name())?;
    told.set_item("rank", report.rank)?;
    told.set_item("residual", report.residual)?;
    told.set_item("backward_error", report.relative_residual)?;
    told.set_item("condition", report.condition_estimate)?;
    told.set_item("iterations", report.iterations)?;
    Ok((vector(py, v), told))
}

/// A system without an answer is no wrong input.
fn refused(error: SolveError) -> PyErr {
    match error {
        SolveError::RankDeficient { .. }
        | SolveError::NotPositiveDefinite { .. }
        | SolveError::NoConvergence { .. } => runtime_error(error),
        _ => value_error(error),
    }
}

/// The smallest and the largest singular value.
#[pyfunction]
pub(crate) fn extreme_singular_values(
    py: Python<'_>,
    a: PyReadonlyArray2<'_, f64>,
) -> PyResult<(f64, f64)> {
    let jacobian = dense(&a)?;
    let found = py.detach(|| {
        without_panic(|| {
            on_threads(|| {
                let mut factors = Factors::new(jacobian.rows(), jacobian.columns())?;
                factors.extreme_singular_values(&jacobian)
            })
        })
    })?;
    let extremes = found.map_err(refused)?;
    Ok((extremes.smallest, extremes.largest))
}

/// The minimizer d of `norm(b + A d)` with `norm(D d)` within a tenth of `radius`, and its damping.
#[pyfunction]
pub(crate) fn secular_step<'py>(
    py: Python<'py>,
    a: PyReadonlyArray2<'py, f64>,
    b: PyReadonlyArray1<'py, f64>,
    scales: PyReadonlyArray1<'py, f64>,
    radius: f64,
    damping: Option<f64>,
) -> PyResult<(Bound<'py, PyArray1<f64>>, f64)> {
    let (b, scales) = (slice(&b)?.to_vec(), slice(&scales)?.to_vec());
    let (jacobian, b, scales) = (dense(&a)?, &b[..], &scales[..]);
    let found = py.detach(|| {
        without_panic(|| {
            on_threads(|| {
                let p = jacobian.columns();
                let mut factor = SecularFactor::new(jacobian.rows(), p);
                factor.load(&jacobian, None, SecularMethod::Auto)?;
                let free: Vec<usize> = (0..p).collect();
                factor.factor(scales, &free)?;
                if factor.takes_gradient() {
                    let mut pulled = vec![0.0; p];
                    jacobian.apply_transposed(b, &mut pulled);
                    factor.project_gradient(&pulled, scales);
                } else {
                    factor.project(b);
                }
                let damping = damping.unwrap_or_else(|| factor.damping_for(radius, 0.0));
                let mut step = vec![0.0; p];
                factor.step(damping, &mut step);
                step.iter_mut().zip(scales).for_each(|(d, scale)| *d /= scale);
                Ok((step, damping))
            })
        })
    })?;
    let (step, damping) = found.map_err(refused)?;
    Ok((vector(py, step), damping))
}
