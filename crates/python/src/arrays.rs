//! NumPy arrays in and out: float64, C-contiguous as the package's Python modules hand them over.

use gaussflow::solvers::DenseJacobian;
use gaussflow::solvers::faer::MatRef;
use numpy::{
    PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

/// The name of a column, and its number in a row.
pub(crate) type Column<R> = (&'static str, fn(&R) -> f64);

/// The numbers of a vector, without a copy.
pub(crate) fn slice<'a>(vector: &'a PyReadonlyArray1<'_, f64>) -> PyResult<&'a [f64]> {
    Ok(vector.as_slice()?)
}

/// A matrix (n x p) as an operator of its own: one copy, by columns.
pub(crate) fn dense(matrix: &PyReadonlyArray2<'_, f64>) -> PyResult<DenseJacobian> {
    let (rows, columns) = (matrix.shape()[0], matrix.shape()[1]);
    crate::failure::require_memory("the matrix", &[rows, columns])?;
    let from = MatRef::from_row_major_slice(matrix.as_slice()?, rows, columns);
    Ok(DenseJacobian::from_matrix(from.to_owned()))
}

/// A vector for Python.
pub(crate) fn vector(py: Python<'_>, numbers: Vec<f64>) -> Bound<'_, PyArray1<f64>> {
    PyArray1::from_vec(py, numbers)
}

/// A matrix for Python, from its rows one after the other.
pub(crate) fn matrix(
    py: Python<'_>,
    numbers: Vec<f64>,
    rows: usize,
    columns: usize,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    PyArray1::from_vec(py, numbers).reshape([rows, columns])
}

/// The entries of a matrix, row after row.
pub(crate) fn by_rows(matrix: MatRef<'_, f64>) -> Vec<f64> {
    matrix.row_iter().flat_map(|row| row.iter().copied()).collect()
}
