//! The commands `run`, `sweep`, `audit` and `report`, and the bundled data.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use gaussflow_driver::audit::{AuditError, Quiet, audit_folder};
use gaussflow_driver::config::{ConfigError, Source};
use gaussflow_driver::run::{Extent, INTERRUPT, RunError, RunRequest, Start, run_into};
use gaussflow_driver::sweep::{Existing, Request, SweepError};
use gaussflow_records::Overwrite;
use numpy::{PyArray1, PyArray2};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use toml::{Table, Value};

use crate::arrays::{matrix, vector};
use crate::failure::{by_status, runtime_error, value_error, without_panic};
use crate::interrupts::signals;

/// A configuration: a path, or a dictionary of sections.
#[derive(FromPyObject)]
pub(crate) enum Config<'py> {
    Sections(Bound<'py, PyDict>),
    File(PathBuf),
}

impl Config<'_> {
    fn source(&self) -> PyResult<Source> {
        Ok(match self {
            Self::File(path) => Source::File(path.clone()),
            Self::Sections(sections) => {
                Source::Text(toml::to_string(&table(sections, "config")?).map_err(value_error)?)
            }
        })
    }
}

/// A dictionary as TOML; `place` names it in errors.
fn table(sections: &Bound<'_, PyDict>, place: &str) -> PyResult<Table> {
    let mut found = Table::new();
    for (key, value) in sections {
        let Ok(key) = key.extract::<String>() else {
            return Err(PyValueError::new_err(format!(
                "{place} has the key {key}; accepted: strings"
            )));
        };
        // None is what is not set.
        if !value.is_none() {
            found.insert(key.clone(), toml_value(&value, &format!("{place}[{key:?}]"))?);
        }
    }
    Ok(found)
}

fn toml_value(value: &Bound<'_, PyAny>, place: &str) -> PyResult<Value> {
    if let Ok(dict) = value.cast::<PyDict>() {
        return Ok(Value::Table(table(dict, place)?));
    }
    if value.cast::<PyBool>().is_ok() {
        return Ok(Value::Boolean(value.extract()?));
    }
    if value.cast::<PyInt>().is_ok() {
        return Ok(Value::Integer(value.extract()?));
    }
    if value.cast::<PyFloat>().is_ok() {
        return Ok(Value::Float(value.extract()?));
    }
    if value.cast::<PyString>().is_ok() {
        return Ok(Value::String(value.extract()?));
    }
    if value.cast::<PyList>().is_ok() || value.cast::<PyTuple>().is_ok() {
        let items = value.try_iter()?.enumerate();
        let all = items.map(|(i, item)| toml_value(&item?, &format!("{place}[{i}]")));
        return Ok(Value::Array(all.collect::<PyResult<_>>()?));
    }
    // Numbers and arrays of NumPy, paths.
    for method in ["tolist", "__fspath__"] {
        if value.hasattr(method)? {
            return toml_value(&value.call_method0(method)?, place);
        }
    }
    Err(PyValueError::new_err(format!(
        "{place} is of type {}; accepted: numbers, strings, booleans, lists, dictionaries",
        value.get_type().name()?
    )))
}

/// Time between two looks at the signals.
const PERIOD: Duration = Duration::from_millis(50);

/// Works on a thread of its own, so that Ctrl-C is seen here: the work then ends at its next step.
fn interruptible<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    INTERRUPT.store(false, Ordering::Relaxed);
    let (done, wait) = channel::<()>();
    let found = py.detach(move || {
        std::thread::scope(|scope| {
            let worker = scope.spawn(move || {
                let found = without_panic(work);
                drop(done);
                found
            });
            let mut raised = None;
            while wait.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = signals() {
                    INTERRUPT.store(true, Ordering::Relaxed);
                    raised.get_or_insert(error);
                }
            }
            (worker.join(), raised)
        })
    });
    INTERRUPT.store(false, Ordering::Relaxed);
    match found {
        // A handler may raise anything; only Ctrl-C is answered by the work itself, in words of its own.
        (_, Some(error)) if !error.is_instance_of::<PyKeyboardInterrupt>(py) => Err(error),
        (Ok(found), _) => found,
        (Err(_), _) => Err(runtime_error("the thread of the work ended")),
    }
}

/// The words of a configuration's error; places in a text that nobody wrote are left out.
fn config_error(source: &Source, error: &ConfigError) -> PyErr {
    match source {
        Source::File(_) => by_status(error.exit_status(), error),
        Source::Text(_) => value_error(&error.problem),
    }
}

fn run_error(source: &Source, error: &RunError) -> PyErr {
    match error {
        RunError::Config(error) => config_error(source, error),
        other => by_status(other.exit_status(), other),
    }
}

/// Runs a configuration into `out`; gives the run's folder.
#[pyfunction]
pub(crate) fn run(
    py: Python<'_>,
    config: Config<'_>,
    out: PathBuf,
    overwrite: bool,
    resume: bool,
) -> PyResult<PathBuf> {
    let source = config.source()?;
    let written = interruptible(py, || {
        let config = source.config()?;
        let request = RunRequest {
            out: &out,
            start: if resume { Start::LastCheckpoint } else { Start::Fresh },
            overwrite: if overwrite { Overwrite::Yes } else { Overwrite::No },
        };
        run_into(config, request, |_| ())
    })?;
    let written = written.map_err(|error: RunError| run_error(&source, &error))?;
    match written.extent {
        Extent::Whole => Ok(written.folder),
        Extent::Resumable => Err(PyKeyboardInterrupt::new_err(
            "the run up to here is on disk; to go on: the same call with resume=True",
        )),
        Extent::Partial => Err(PyKeyboardInterrupt::new_err(
            "the run up to here is on disk; runs with config[\"record\"][\"checkpoint_every\"] can go on",
        )),
    }
}

/// Names of runs without an answer, and remarks by the names of runs.
type Swept = (Vec<String>, Vec<(String, String)>);

/// Makes every run of a sweep; gives names of runs without an answer, and remarks by the names of runs.
#[pyfunction]
pub(crate) fn sweep(
    py: Python<'_>,
    config: Config<'_>,
    out: PathBuf,
    overwrite: bool,
    resume: bool,
    jobs: Option<usize>,
) -> PyResult<Swept> {
    let source = config.source()?;
    let request = Request {
        config: source.clone(),
        out,
        existing: match (resume, overwrite) {
            (true, _) => Existing::Resume,
            (false, true) => Existing::Overwrite,
            (false, false) => Existing::Refuse,
        },
        jobs,
        quiet: true,
    };
    let report = interruptible(py, || gaussflow_driver::sweep::sweep(&request))?;
    match report {
        Ok(report) => Ok((report.failed, report.remarks)),
        Err(SweepError::Interrupted { done, all, .. }) => Err(PyKeyboardInterrupt::new_err(
            format!("{done} of {all} runs are on disk; to go on: the same call with resume=True"),
        )),
        Err(SweepError::Run(error)) => Err(run_error(&source, &error)),
        Err(error) => Err(by_status(error.exit_status(), &error)),
    }
}

/// Audits a run's folder, or all runs below one: writes audit.json and audit.md there.
#[pyfunction]
pub(crate) fn audit(py: Python<'_>, folder: PathBuf) -> PyResult<()> {
    let found = interruptible(py, || audit_folder(&folder, Quiet::Yes))?;
    found.map_err(|error: AuditError| by_status(error.exit_status(), &error))
}

/// Writes `folder/report.html`; gives its path, and what is missing or damaged in the folder.
#[pyfunction]
pub(crate) fn report(py: Python<'_>, folder: PathBuf) -> PyResult<(PathBuf, Vec<String>)> {
    let written = interruptible(py, || gaussflow_driver::report::write(Path::new(&folder)))?;
    let written = written.map_err(|error| by_status(error.exit_status(), &error))?;
    Ok((written.path, written.problems))
}

/// A bundled data set: features (rows x columns), targets, names of the features, name of the target.
type Bundled<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<f64>>, Vec<String>, String);

/// A bundled data set by its name.
#[pyfunction]
pub(crate) fn data<'py>(py: Python<'py>, name: &str) -> PyResult<Bundled<'py>> {
    let loaded = match name {
        "california-housing" => gaussflow_data::california_housing(),
        "digits" => gaussflow_data::digits(),
        "breast-cancer" => gaussflow_data::breast_cancer(),
        other => {
            return Err(PyValueError::new_err(format!(
                "no data set is called {other:?}; accepted: \"california-housing\", \"digits\", \"breast-cancer\""
            )));
        }
    };
    let found = loaded.map_err(runtime_error)?;
    let (rows, columns, target) = (found.rows(), found.dimension(), found.target_name());
    let inputs = matrix(py, found.features, rows, columns)?;
    Ok((inputs, vector(py, found.targets), found.feature_names, target))
}
