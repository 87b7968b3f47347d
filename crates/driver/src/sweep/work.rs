//! Planned runs on all cores: one run a worker, single-threaded inside where there are enough of them.
//!
//! Which worker takes which run, and when, changes nothing: a run depends on its configuration alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gaussflow_records::{Timing, write_bytes, write_json};

use super::error::SweepError;
use super::folder::SweepFolder;
use super::plan::{Plan, PlannedRun};
use crate::run::{self, CheckpointFile, Experiment, INTERRUPT, RunError, Start};
use crate::threads::ThreadError;

/// Calls `work` on each of `pending`, `jobs` at a time, until one fails or the user interrupts.
///
/// # Errors
/// The failure of the first of `pending` that failed; those under way are finished before.
pub(super) fn on_all_cores<T: Sync>(
    pending: &[T],
    jobs: usize,
    work: impl Fn(&T) -> Result<(), RunError> + Sync,
) -> Result<(), SweepError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = jobs.min(pending.len()).max(1);
    let threads = (cores / jobs).max(1);
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let failure: Mutex<Option<(usize, SweepError)>> = Mutex::new(None);
    let note = |index: usize, error: SweepError| {
        stop.store(true, Ordering::Relaxed);
        // A poisoned lock only means that another worker panicked; its value is whole.
        let mut first = failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if first.as_ref().is_none_or(|(other, _)| index < *other) {
            *first = Some((index, error));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let pool = match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
                    Ok(pool) => pool,
                    Err(error) => {
                        return note(0, ThreadError { message: error.to_string() }.into());
                    }
                };
                while !stop.load(Ordering::Relaxed) && !INTERRUPT.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = pending.get(index) else { return };
                    if let Err(error) = pool.install(|| work(item)) {
                        return note(index, error.into());
                    }
                }
            });
        }
    });
    match failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// Runs and writes one planned run; one without an answer is written with its error.
///
/// # Errors
/// [`RunError::Record`] where a file cannot be written, [`RunError::Interrupted`].
pub fn one(planned: &PlannedRun, plan: &Plan, folder: &SweepFolder) -> Result<(), RunError> {
    let data = &plan.data[planned.data];
    let checkpoints =
        CheckpointFile::new(folder.root(), &planned.id, &data.sha256, Start::LastCheckpoint);
    let computed = catch_unwind(AssertUnwindSafe(|| {
        run::execute_with(&Experiment::new(planned.config.clone(), data)?, Some(&checkpoints))
    }));
    // An interrupted run is not a result: it will be run again.
    if INTERRUPT.load(Ordering::Relaxed) {
        return Err(RunError::Interrupted);
    }
    let error = match computed {
        Ok(Ok(record)) => {
            folder.add_run(&planned.id, |path| run::write(&record, path))?;
            checkpoints.remove();
            return Ok(());
        }
        Ok(Err(error @ (RunError::Record(_) | RunError::Interrupted))) => return Err(error),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => format!("a defect of this program: {}", message(panic.as_ref())),
    };
    folder.add_run(&planned.id, |path| {
        write_bytes(&path.join("config.toml"), planned.config.to_toml().as_bytes())?;
        write_json(&path.join("timing.json"), &Timing::default())?;
        run::write_outcome(path, run::failed_outcome(error))
    })?;
    Ok(())
}

/// What a panic said.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
