//! `gaussflow sweep`: from one configuration to thousands of runs, whole on disk one by one.
//!
//! The bytes of the finished folder (timing.json aside) depend on the configuration alone: not on
//! order, on the number of workers, nor on how often the sweep was killed and resumed.

pub(crate) mod bands;
mod error;
mod folder;
mod plan;
mod summary;
#[cfg(test)]
mod tests;
pub mod work;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Instant;

use gaussflow_records::{RecordError, RunEntry, Timing, read_json, write_json};

use crate::config::Source;
use crate::console;
use crate::exit_status::IO_FAILED;
use crate::needs::machine_memory;
use crate::progress::Progress;
use crate::run::{INTERRUPT, RunError, RunFolder, new_manifest};
use crate::threads;

pub use self::error::SweepError;
pub use self::folder::{Existing, Found, SweepFolder};
pub use self::plan::{Plan, PlannedRun};
pub use self::summary::{RunSummary, SUMMARY_COLUMNS};

/// What the command line asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The configuration with its `[sweep]` section.
    pub config: Source,
    /// The folder to write.
    pub out: PathBuf,
    /// What happens to runs that are there.
    pub existing: Existing,
    /// Runs at a time, at least 1; one a core when `None`.
    pub jobs: Option<usize>,
    /// Whether to print errors only.
    pub quiet: bool,
}

/// What a finished sweep came to.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report {
    /// The folder.
    pub out: PathBuf,
    /// All runs.
    pub runs: usize,
    /// Those that were there before.
    pub resumed: usize,
    /// Names of the runs that were there, but damaged, and were made again.
    pub damaged: Vec<String>,
    /// Names of the runs without an answer.
    pub failed: Vec<String>,
    /// Names of the runs that lost rank, fell back or rose in loss, each with its sentence.
    pub remarks: Vec<(String, String)>,
    /// Seconds that this command took.
    pub seconds: f64,
}

/// Makes every run of a sweep that is not there yet, then summary.csv, bands.csv and manifest.json.
///
/// # Errors
/// [`SweepError`]; a run without an answer is not one: it is recorded with its error.
pub fn sweep(request: &Request) -> Result<Report, SweepError> {
    let begun = Instant::now();
    if request.jobs == Some(0) {
        return Err(SweepError::NoJobs);
    }
    let plan = Plan::read(&request.config)?;
    let folder = SweepFolder::open(&request.out, &plan, request.existing)?;
    for said in plan.notices.iter().filter(|_| !request.quiet) {
        console::note(said);
    }
    let Pending { runs: pending, damaged } = pending(&plan, &folder)?;
    let (all, resumed) = (plan.runs.len(), plan.runs.len() - pending.len());
    if resumed > 0 && !request.quiet {
        console::note(format_args!("{resumed} of {all} runs are there already"));
    }
    for (id, what) in damaged.iter().filter(|_| !request.quiet) {
        console::note(format_args!("{id} is made again, its files are damaged: {what}"));
    }
    let jobs = jobs(request, &plan, pending.len());
    let progress = Progress::new(pending.len(), request.quiet);
    let done = Mutex::new(resumed);
    let worked = work::on_all_cores(&pending, jobs, |&index| {
        let planned = &plan.runs[index];
        work::one(planned, &plan, &folder)?;
        // A poisoned lock only means that another worker panicked; the count is whole.
        *done.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += 1;
        progress.advance(&planned.id);
        Ok(())
    });
    progress.finish();
    let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let command = || {
        let (config, out) = (&request.config, request.out.display());
        format!("gaussflow sweep {config} --out {out} --resume")
    };
    if INTERRUPT.load(Ordering::Relaxed) && done < all {
        return Err(SweepError::Interrupted { done, all, command: command() });
    }
    let finished = worked.and_then(|()| Ok(finish(&plan, &folder, begun)?));
    let Told { failed, remarks } = finished.map_err(|error| match error {
        SweepError::Run(RunError::Record(error)) if error.exit_status() == IO_FAILED => {
            let (reason, command) = (error.to_string(), command());
            SweepError::Stopped { reason, done, all, command }
        }
        other => other,
    })?;
    let strangers = folder::strangers(&folder, &plan)?;
    if strangers > 0 && !request.quiet {
        console::note(format_args!(
            "{strangers} folders below runs/ are not of this sweep; they stay as they are"
        ));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let damaged = damaged.into_iter().map(|(id, _)| id).collect();
    Ok(Report { out: request.out.clone(), runs: all, resumed, damaged, failed, remarks, seconds })
}

/// Runs at a time: what was asked for, or one a core, as far as threads and the machine's memory go.
fn jobs(request: &Request, plan: &Plan, pending: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = request.jobs.unwrap_or(cores).min(pending);
    let held = machine_memory().map_or(u64::MAX, |bytes| bytes / plan.largest.max(1));
    let most = usize::try_from(held).unwrap_or(usize::MAX).min(threads::most()).max(1);
    if wanted > most && !request.quiet {
        let (largest, mebibyte) = (plan.largest, 1 << 20);
        console::note(format_args!(
            "{most} runs at a time instead of {wanted}: the largest needs up to {} MiB, and {} threads at most are \
             started",
            largest.div_ceil(mebibyte),
            threads::most()
        ));
    }
    wanted.min(most)
}

/// What is left to do of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// Indices in [`Plan::runs`].
    pub runs: Vec<usize>,
    /// Names of those among them that were finished and then damaged, each with what is wrong.
    pub damaged: Vec<(String, String)>,
}

/// The planned runs that are not in the folder, whole: every file of the others is read for its checksum.
pub fn pending(plan: &Plan, folder: &SweepFolder) -> Result<Pending, SweepError> {
    let mut found = Pending::default();
    for (index, planned) in plan.runs.iter().enumerate() {
        match folder.find(planned)? {
            Found::Whole => continue,
            Found::Damaged(what) => found.damaged.push((planned.id.clone(), what)),
            Found::Nothing => {}
        }
        found.runs.push(index);
    }
    Ok(found)
}

/// What the files of all runs tell.
pub struct Told {
    /// Names of the runs without an answer.
    pub failed: Vec<String>,
    /// Names of the runs that have a remark, each with it.
    pub remarks: Vec<(String, String)>,
}

/// Writes what tells of all runs, from their files.
pub fn finish(plan: &Plan, folder: &SweepFolder, begun: Instant) -> Result<Told, RecordError> {
    let root = folder.root();
    // One trace at a time: all of them together may not fit.
    let lines = plan
        .runs
        .iter()
        .map(|run| summary::Line::read(&run.id, &folder.run(&run.id)))
        .collect::<Result<Vec<_>, _>>()?;
    summary::write(&root.join("summary.csv"), plan, &lines)?;
    bands::write(&root.join("bands.csv"), plan, folder)?;
    let mut parts = BTreeMap::new();
    for run in &plan.runs {
        let timing: Timing = read_json(&folder.run(&run.id).join("timing.json"))?;
        parts.insert(run.id.clone(), timing.seconds);
    }
    let (seconds, threads) = (begun.elapsed().as_secs_f64(), rayon::current_num_threads());
    write_json(&root.join("timing.json"), &Timing::ending_now(seconds, parts, threads))?;
    folder.remove_checkpoints(plan)?;
    let mut manifest = new_manifest(plan.seed(), &plan.identity());
    let entry = |id: &String| RunEntry { id: id.clone(), path: RunFolder::run_path(id) };
    manifest.runs = plan.runs.iter().map(|run| entry(&run.id)).collect();
    // Last: a manifest that lists the runs is of a finished sweep.
    write_json(&root.join("manifest.json"), &manifest)?;
    let told = || plan.runs.iter().map(|run| &run.id).zip(&lines);
    let failed = told().filter(|(_, line)| line.has_failed).map(|(id, _)| id.clone()).collect();
    let remarks =
        told().filter_map(|(id, line)| Some((id.clone(), line.remark.clone()?))).collect();
    Ok(Told { failed, remarks })
}
