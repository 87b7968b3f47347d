//! A sweep's folder: runs appear in it whole, and what a killed sweep left unfinished is removed.
//!
//! A run is written below `runs/.unfinished-ID`, each file synced, then renamed; its folder under the
//! real name is the proof that it is complete.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use gaussflow_records::checksum::{damage, sha256_of};
use gaussflow_records::folder::{is_unfinished, names_in, remove, write_run};
use gaussflow_records::{FileSum, Outcome, RecordError, ownership, read_json, read_manifest};

use super::error::SweepError;
use super::plan::{Plan, PlannedRun};
use crate::run::{CHECKPOINTS, RunFolder, new_manifest, remove_empty_folder};

/// What happens to runs that are in the folder already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Any of them is a reason not to begin.
    Refuse,
    /// Those that are planned count as done.
    Resume,
    /// Those that are planned are made again, and replace what of ours is there.
    Overwrite,
}

/// What a sweep's folder has of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing, or no outcome.
    Nothing,
    /// A finished run, one of whose files is not what it was; which, and how it differs.
    Damaged(String),
    /// A finished run.
    Whole,
}

/// An output folder that this sweep alone writes to.
#[derive(Debug)]
pub struct SweepFolder {
    root: PathBuf,
    existing: Existing,
    /// Released when it is closed, also by a process that dies.
    _lock: Option<File>,
}

impl SweepFolder {
    /// Opens `root` for `plan`: creates it where it is missing, and removes what is unfinished.
    ///
    /// # Errors
    /// [`SweepError`]: a folder that is not ours, busy, not empty, or of other data.
    pub fn open(root: &Path, plan: &Plan, existing: Existing) -> Result<Self, SweepError> {
        let folder = RunFolder::open(root)?;
        ownership::all_replaceable(root, ["summary.csv", "bands.csv", "timing.json"])?;
        let runs = names_in(&root.join("runs"))?.iter().filter(|name| !is_unfinished(name)).count();
        if existing == Existing::Refuse && runs > 0 {
            return Err(SweepError::NotEmpty { path: root.to_owned(), runs });
        }
        let identity = plan.identity();
        folder.claim(plan.seed(), &identity)?;
        let opened = Self { root: root.to_owned(), existing, _lock: lock(root)? };
        if existing == Existing::Overwrite {
            for run in &plan.runs {
                ownership::removable_run(&opened.run(&run.id))?;
            }
            folder.write_manifest(&new_manifest(plan.seed(), &identity))?;
        }
        let before = read_manifest(root)?.data;
        if runs > 0 && before.sha256 != identity.sha256 {
            let (before, now) = [before, identity]
                .map(|data| format!("{} (sha256 {})", data.name, data.sha256))
                .into();
            return Err(SweepError::OtherData { path: root.to_owned(), before, now });
        }
        opened.remove_unfinished()?;
        Ok(opened)
    }

    /// The folder that another process of the same sweep has opened and holds.
    pub fn shared(root: &Path) -> Self {
        Self { root: root.to_owned(), existing: Existing::Resume, _lock: None }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a run lies.
    pub fn run(&self, id: &str) -> PathBuf {
        self.root.join(RunFolder::run_path(id))
    }

    /// What is there of the planned run.
    ///
    /// # Errors
    /// [`SweepError::OtherConfiguration`]; [`SweepError::Run`] where it cannot be read.
    pub fn find(&self, planned: &PlannedRun) -> Result<Found, SweepError> {
        let path = self.run(&planned.id);
        if self.existing == Existing::Overwrite {
            return Ok(Found::Nothing);
        }
        let read = match read_json::<Outcome>(&path.join("outcome.json")) {
            Err(RecordError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                ownership::removable_run(&path)?;
                return Ok(Found::Nothing);
            }
            read => read,
        };
        let vouched = read.as_ref().ok().and_then(|outcome| outcome.files.get("config.toml"));
        let config = path.join("config.toml");
        // A damaged config.toml does not make the run another one.
        let sum = match vouched {
            Some(sum) => Some(sum.clone()),
            None if config.exists() => Some(FileSum::of(&config)?),
            None => None,
        };
        if sum.is_none_or(|sum| sum.sha256 != sha256_of(planned.config.to_toml().as_bytes())) {
            return Err(SweepError::OtherConfiguration { path });
        }
        match read {
            Ok(outcome) => Ok(damage(&path, &outcome.files)?.map_or(Found::Whole, Found::Damaged)),
            Err(RecordError::Json { source, .. }) => {
                Ok(Found::Damaged(format!("outcome.json is none: {source}")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the planned run is there, whole.
    pub fn is_finished(&self, planned: &PlannedRun) -> Result<bool, SweepError> {
        Ok(self.find(planned)? == Found::Whole)
    }

    /// Lets `write` fill a run's folder, then gives it its name; nothing is left of one that fails.
    pub fn add_run(
        &self,
        id: &str,
        write: impl FnOnce(&Path) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        write_run(&self.run(id), write)
    }

    /// Removes the checkpoints of `plan`: all its runs are finished.
    pub fn remove_checkpoints(&self, plan: &Plan) -> Result<(), RecordError> {
        for run in &plan.runs {
            remove(&self.root.join(CHECKPOINTS).join(format!("{}.json", run.id)))?;
        }
        remove_empty_folder(&self.root);
        Ok(())
    }

    /// Removes temporary files and folders of a process that was killed.
    fn remove_unfinished(&self) -> Result<(), RecordError> {
        for folder in [&self.root, &self.root.join("runs"), &self.root.join(CHECKPOINTS)] {
            for name in names_in(folder)?.iter().filter(|name| is_unfinished(name)) {
                remove(&folder.join(name))?;
            }
        }
        Ok(())
    }
}

/// Names of a sweep's folder that no run of `plan` has, for a notice.
pub(super) fn strangers(folder: &SweepFolder, plan: &Plan) -> Result<usize, RecordError> {
    let planned: std::collections::BTreeSet<&str> =
        plan.runs.iter().map(|run| run.id.as_str()).collect();
    let names = names_in(&folder.root.join("runs"))?;
    Ok(names.iter().filter(|name| !planned.contains(name.as_str())).count())
}

/// Locks the folder itself, which leaves no file behind; where folders cannot be locked, nothing.
fn lock(root: &Path) -> Result<Option<File>, SweepError> {
    let Ok(folder) = File::open(root) else { return Ok(None) };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(SweepError::Busy { path: root.to_owned() }),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}
