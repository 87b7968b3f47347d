//! From errors of Rust to exceptions of Python, with the same text.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gaussflow::solvers::DampedSolver;
use pyo3::PyErr;
use pyo3::exceptions::{PyMemoryError, PyOSError, PyRuntimeError, PyValueError};

/// What a caller gave is not accepted.
pub(crate) fn value_error(error: impl Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The input was proper, and there is no answer.
pub(crate) fn runtime_error(error: impl Display) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// The exception for an error of the driver by its exit status: 3 is of files, all else of the input.
pub(crate) fn by_status(status: u8, error: impl Display) -> PyErr {
    // What the command line calls so.
    let words = [
        ("--overwrite", "overwrite=True"),
        ("--resume", "resume=True"),
        ("`gaussflow sweep`", "gf.sweep"),
        ("`gaussflow run`", "gf.run"),
    ];
    let said = words.iter().fold(error.to_string(), |said, (from, to)| said.replace(from, to));
    match status {
        gaussflow_driver::IO_FAILED => PyOSError::new_err(said),
        _ => value_error(said),
    }
}

/// Refuses an allocation of `numbers` float64 that this machine cannot hold; Rust would end the process.
pub(crate) fn require_memory(what: &str, numbers: &[usize]) -> Result<(), PyErr> {
    let product = numbers.iter().try_fold(8_usize, |all, &each| all.checked_mul(each));
    let bytes = product.unwrap_or(usize::MAX) as u64;
    let held = gaussflow_driver::needs::machine_memory().unwrap_or(isize::MAX as u64);
    if bytes <= held {
        return Ok(());
    }
    let shape: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let (shape, gibibyte) = (shape.join(" x "), (1_u64 << 30) as f64);
    Err(PyMemoryError::new_err(format!(
        "{what} ({shape} numbers) would take {:.1} GiB; this machine has {:.1} GiB",
        bytes as f64 / gibibyte,
        held as f64 / gibibyte
    )))
}

/// Refuses a system of n x p whose solver would take more than this machine has.
pub(crate) fn require_solver(
    solver: DampedSolver,
    rows: usize,
    columns: usize,
) -> Result<(), PyErr> {
    let shape: &[usize] = match solver {
        DampedSolver::PrimalCholesky => &[columns, columns],
        DampedSolver::DualCholesky => &[rows, rows],
        // The damped system has p rows more.
        DampedSolver::HouseholderQr => &[rows.saturating_add(columns), columns],
        _ => return Ok(()),
    };
    require_memory("the matrix that the solver factors", shape)
}

/// Does `work`; a panic, which is a fault of this library, becomes an ordinary exception.
pub(crate) fn without_panic<T>(work: impl FnOnce() -> T) -> Result<T, PyErr> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|cause| {
        let said = said(&*cause);
        if said.contains("AllocError") {
            return PyMemoryError::new_err("the matrices of this problem do not fit into memory");
        }
        runtime_error(format_args!("a fault of gaussflow, please report it: {said}"))
    })
}

/// The words of a panic.
fn said(cause: &(dyn Any + Send)) -> &str {
    let words = cause.downcast_ref::<&str>().copied();
    words.or_else(|| cause.downcast_ref::<String>().map(String::as_str)).unwrap_or("no words")
}
