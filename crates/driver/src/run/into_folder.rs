//! One run from its configuration to its folder on disk: what `gaussflow run` does.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use gaussflow::objective::{LipschitzConstants, Loss, SecondOrderMap};
use gaussflow_records::{DataIdentity, Overwrite, RunEntry};

use super::{
    CheckpointFile, Experiment, INTERRUPT, Keeping, Over, Part, RunError, RunFolder, RunRecord,
    Start, execute_on, identity, load, remove_empty_folder, write,
};
use crate::config::{Config, Reading};

/// What becomes of a run that is written.
#[derive(Clone, Copy, Debug)]
pub struct RunRequest<'r> {
    /// The folder that holds `runs/`: new, empty, or written by an earlier run, whose runs stay.
    pub out: &'r Path,
    /// Whether to begin anew or at the last checkpoint.
    pub start: Start,
    /// Whether other results of ours may be replaced.
    pub overwrite: Overwrite,
}

/// A run that is on disk.
pub struct WrittenRun {
    /// What it came to.
    pub record: RunRecord,
    /// Its folder.
    pub folder: PathBuf,
    /// How far it came: an interrupted run lies on disk up to where it was stopped.
    pub extent: Extent,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To its end.
    Whole,
    /// The user interrupted it, and it can go on from its last checkpoint.
    Resumable,
    /// The user interrupted it, and it has no checkpoint.
    Partial,
}

/// Runs a configuration and writes its folder; `notice` hears what the user should know before it begins.
///
/// # Errors
/// [`RunError`]: nothing of ours is replaced without [`Overwrite::Yes`], and no file is left half-written.
pub fn run_into(
    config: Config,
    request: RunRequest<'_>,
    mut notice: impl FnMut(&str),
) -> Result<WrittenRun, RunError> {
    let folder = RunFolder::open(request.out)?;
    if config.data.reading == Reading::Parts {
        let part = Part::only(&config)?;
        let identity = part.identity()?;
        let experiment = Experiment::of_part(config, part)?;
        if let Some(said) = experiment.blocks_told() {
            notice(&said);
        }
        return follow(&folder, &experiment, (&identity, Over::alone), request, &mut notice);
    }
    let data = load(&config)?;
    if let Some(said) = config.sample_taken(data.rows()) {
        notice(&said);
    }
    let experiment = Experiment::new(config, &data)?;
    follow(&folder, &experiment, (&identity(&data), Over::whole), request, &mut notice)
}

/// Follows an experiment and writes what comes of it.
fn follow<'e, N: SecondOrderMap + LipschitzConstants>(
    folder: &RunFolder,
    experiment: &'e Experiment<N>,
    (identity, over): (&DataIdentity, impl FnOnce(&'e Experiment<N>) -> Over<'e, N, Box<dyn Loss>>),
    request: RunRequest<'_>,
    notice: &mut dyn FnMut(&str),
) -> Result<WrittenRun, RunError> {
    let seed = experiment.config.dynamics.seed;
    let id = Experiment::id(&experiment.config);
    let sample = (!experiment.is_part()).then_some(&experiment.sample);
    folder.admit(&id, &experiment.config, sample, request.overwrite)?;
    if let Some(said) = experiment.needs.notice() {
        notice(&format!("{id}: {said}"));
    }
    let checkpoints = CheckpointFile::new(folder.root(), &id, &identity.sha256, request.start);
    let keeps_checkpoints = experiment.config.record.checkpoint_every > 0;
    if keeps_checkpoints {
        // Before the first file, which is then the checkpoint's.
        folder.claim(seed, identity)?;
    }
    let keeping = Keeping::of(experiment, Some(&checkpoints));
    let record = execute_on(&over(experiment), experiment, keeping)?;
    folder.claim(seed, identity)?;
    let path = RunFolder::run_path(&record.id);
    let written = folder.root().join(&path);
    write(&record, &written)?;
    folder.add_run(seed, identity, RunEntry { id, path })?;
    let extent = match (INTERRUPT.load(Ordering::Relaxed), keeps_checkpoints) {
        (false, _) => Extent::Whole,
        (true, true) if checkpoints.path().exists() => Extent::Resumable,
        (true, _) => Extent::Partial,
    };
    if extent == Extent::Whole {
        checkpoints.remove();
        remove_empty_folder(folder.root());
    }
    Ok(WrittenRun { record, folder: written, extent })
}
