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
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use toml::{Table, Value};

use crate::arrays::{matrix, vector};
use crate::failure::{by_status, runtime_error, value_error, without_panic};
use crate::interrupts::{PERIOD, signals};
use crate::threads::on_threads;

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
                Source::Text(toml::to_string(&table(sections, "config", 0)?).map_err(value_error)?)
            }
        })
    }
}

/// Dictionaries within dictionaries that a configuration may hold.
const DEEPEST: usize = 32;

/// A dictionary as TOML; `place` names it in errors.
fn table(sections: &Bound<'_, PyDict>, place: &str, depth: usize) -> PyResult<Table> {
    let mut found = Table::new();
    // A copy of the list: converting a value may run code that changes the dictionary.
    for pair in sections.items() {
        let (key, value) = pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        let Ok(key) = key.extract::<String>() else {
            return Err(PyValueError::new_err(format!(
                "{place} has a key of type {}; accepted: strings",
                key.get_type().name()?
            )));
        };
        // None is what is not set.
        if !value.is_none() {
            found.insert(key.clone(), toml_value(&value, &format!("{place}[{key:?}]"), depth + 1)?);
        }
    }
    Ok(found)
}

fn toml_value(value: &Bound<'_, PyAny>, place: &str, depth: usize) -> PyResult<Value> {
    let refused = |accepted: &str| {
        let kind = value.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
        PyValueError::new_err(format!("{place} is of type {kind}; accepted: {accepted}"))
    };
    if depth > DEEPEST {
        let place: String = place.chars().take(80).collect();
        return Err(PyValueError::new_err(format!(
            "{place}... is nested more than {DEEPEST} deep; accepted: sections and lists"
        )));
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        return Ok(Value::Table(table(dict, place, depth)?));
    }
    if value.cast::<PyBool>().is_ok() {
        return Ok(Value::Boolean(value.extract()?));
    }
    if value.cast::<PyInt>().is_ok() {
        let number = value.extract::<i64>();
        return number.map(Value::Integer).map_err(|_| refused("integers of 64 bits"));
    }
    if value.cast::<PyFloat>().is_ok() {
        return Ok(Value::Float(value.extract()?));
    }
    if value.cast::<PyString>().is_ok() {
        let text = value.extract::<String>();
        return text.map(Value::String).map_err(|_| refused("text that UTF-8 can hold"));
    }
    if value.cast::<PyList>().is_ok() || value.cast::<PyTuple>().is_ok() {
        let items = value.try_iter()?.enumerate();
        let all = items.map(|(i, item)| toml_value(&item?, &format!("{place}[{i}]"), depth + 1));
        return Ok(Value::Array(all.collect::<PyResult<_>>()?));
    }
    // Numbers and arrays of NumPy, paths.
    for method in ["tolist", "__fspath__"] {
        if value.hasattr(method)? {
            return toml_value(&value.call_method0(method)?, place, depth + 1);
        }
    }
    Err(refused("numbers, strings, booleans, lists, dictionaries"))
}

/// What happens to work that Ctrl-C comes upon.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Upon {
    /// It looks for that itself, ends at its next step, and says what there is.
    Await,
    /// It does not: it is left to end on its own thread.
    Leave,
}

/// Works on a thread of its own, so that Ctrl-C is seen here.
///
/// Gives what the work came to, and what a handler of signals raised meanwhile.
fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    upon: Upon,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<(T, Option<PyErr>)> {
    INTERRUPT.store(false, Ordering::Relaxed);
    let (done, wait) = channel();
    let worker = move || {
        // Nobody may be waiting any more.
        let _ = done.send(without_panic(|| on_threads(work)));
    };
    std::thread::Builder::new().spawn(worker).map_err(runtime_error)?;
    let (found, raised) = py.detach(move || {
        let mut raised: Option<PyErr> = None;
        loop {
            match wait.recv_timeout(Duration::from_millis(PERIOD)) {
                Ok(found) => return (Some(found), raised),
                Err(RecvTimeoutError::Disconnected) => return (None, raised),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Err(error) = signals() {
                INTERRUPT.store(true, Ordering::Relaxed);
                raised.get_or_insert(error);
                if upon == Upon::Leave {
                    return (None, raised);
                }
            }
        }
    });
    match (found, raised) {
        // A handler may raise anything; only Ctrl-C is answered by the work itself, in words of its own.
        (_, Some(error)) if !error.is_instance_of::<PyKeyboardInterrupt>(py) => Err(error),
        (Some(found), raised) => {
            INTERRUPT.store(false, Ordering::Relaxed);
            Ok((found?, raised))
        }
        (None, Some(error)) => Err(error),
        (None, None) => Err(runtime_error("the thread of the work ended")),
    }
}

/// The words of a configuration's error; places in a text that nobody wrote are left out.
fn config_error(source: &Source, error: &ConfigError) -> PyErr {
    match source {
        Source::File(_) | Source::Altered { .. } => by_status(error.exit_status(), error),
        Source::Text(_) => value_error(&error.problem),
    }
}

fn run_error(source: &Source, error: &RunError) -> PyErr {
    match error {
        RunError::Config(error) => config_error(source, error),
        other => by_status(other.exit_status(), other),
    }
}

/// The commented default configuration.
#[pyfunction]
pub(crate) fn config() -> String {
    gaussflow_driver::config::Config::commented_default()
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
    let of = source.clone();
    let (written, raised) = interruptible(py, Upon::Await, move || {
        let config = of.config()?;
        let request = RunRequest {
            out: &out,
            start: if resume { Start::LastCheckpoint } else { Start::Fresh },
            overwrite: if overwrite { Overwrite::Yes } else { Overwrite::No },
        };
        run_into(config, request, |_| ())
    })?;
    let written = written.map_err(|error: RunError| run_error(&source, &error))?;
    match written.extent {
        Extent::Whole => raised.map_or(Ok(written.folder), Err),
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
    let (report, raised) =
        interruptible(py, Upon::Await, move || gaussflow_driver::sweep::sweep(&request))?;
    match report {
        Ok(report) => raised.map_or(Ok((report.failed, report.remarks)), Err),
        Err(SweepError::Interrupted { done, all, .. }) => Err(PyKeyboardInterrupt::new_err(
            format!("{done} of {all} runs are on disk; to go on: the same call with resume=True"),
        )),
        Err(SweepError::Stopped { reason, done, all, .. }) => Err(PyOSError::new_err(format!(
            "{reason}; {done} of {all} runs are on disk; to go on: the same call with resume=True"
        ))),
        Err(SweepError::Run(error)) => Err(run_error(&source, &error)),
        Err(error) => Err(by_status(error.exit_status(), &error)),
    }
}

/// Audits a run's folder, or all runs below one: writes audit.json and audit.md there.
#[pyfunction]
pub(crate) fn audit(py: Python<'_>, folder: PathBuf) -> PyResult<()> {
    let (found, raised) =
        interruptible(py, Upon::Leave, move || audit_folder(&folder, Quiet::Yes))?;
    found.map_err(|error: AuditError| by_status(error.exit_status(), &error))?;
    raised.map_or(Ok(()), Err)
}

/// Writes `folder/report.html`; gives its path, and what is missing or damaged in the folder.
#[pyfunction]
pub(crate) fn report(py: Python<'_>, folder: PathBuf) -> PyResult<(PathBuf, Vec<String>)> {
    let report = move || gaussflow_driver::report::write(Path::new(&folder));
    let (written, raised) = interruptible(py, Upon::Leave, report)?;
    let written = written.map_err(|error| by_status(error.exit_status(), &error))?;
    raised.map_or(Ok((written.path, written.problems)), Err)
}

/// A bundled data set: features (rows x columns), targets, names of the features, name of the target.
type Bundled<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<f64>>, Vec<String>, String);

/// The rows of California Housing.
#[pyfunction]
pub(crate) fn california_housing(py: Python<'_>) -> PyResult<Bundled<'_>> {
    let found = gaussflow_data::california_housing().map_err(runtime_error)?;
    let (rows, columns, target) = (found.rows(), found.dimension(), found.target_name());
    let inputs = matrix(py, found.features, rows, columns)?;
    Ok((inputs, vector(py, found.targets), found.feature_names, target))
}
