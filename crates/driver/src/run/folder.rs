//! The output folder: manifest.json at its root, one folder a run below `runs/`.

use std::fs;
use std::path::{Path, PathBuf};

use gaussflow_data::{Dataset, Sample};
use gaussflow_records::checksum::sha256_of;
use gaussflow_records::ownership::{self, Overwrite};
use gaussflow_records::{
    DataIdentity, Manifest, Outcome, Problem, RecordError, RunEntry, SCHEMA, read_json,
    read_manifest, write_json,
};

use super::error::RunError;
use crate::config::Config;

/// A folder that is new, empty, or holds a manifest of ours.
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// Opens `root`, without writing anything yet.
    ///
    /// # Errors
    /// [`RunError::ForeignFolder`] when it holds files but no manifest; [`RunError::Record`] when it cannot be
    /// read, or its manifest.json is not ours.
    pub fn open(root: &Path) -> Result<Self, RunError> {
        let manifest = root.join("manifest.json");
        if manifest.symlink_metadata().is_ok() {
            read_manifest(root)?;
            ownership::replaceable(&manifest)?;
        } else if !ownership::is_vacant(root)? {
            return Err(RunError::ForeignFolder { path: root.to_owned() });
        }
        Ok(Self { root: root.to_owned() })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a run's folder lies, relative to the root.
    pub fn run_path(id: &str) -> String {
        format!("runs/{id}")
    }

    /// Tests that the run `id` of `config` may be written: its folder is free, or holds the run of the same
    /// configuration (and, where a `sample` is given, of the same rows), or `overwrite` says that another run
    /// of ours may be replaced.
    ///
    /// # Errors
    /// [`RunError::OtherRun`]; [`RunError::Record`] where something in the folder is not ours.
    pub fn admit(
        &self,
        id: &str,
        config: &Config,
        sample: Option<&Sample>,
        overwrite: Overwrite,
    ) -> Result<(), RunError> {
        let path = self.root.join(Self::run_path(id));
        if path.is_symlink() {
            let accepted = "no such folder, or a run's";
            return Err(RecordError::foreign(&path, "is a link", accepted).into());
        }
        if ownership::is_vacant(&path)? {
            return Ok(());
        }
        if !ownership::holds_run(&path) {
            let accepted = "no such folder, an empty one, or a run's; name another folder";
            let found = "holds files, but no run that gaussflow wrote";
            return Err(RecordError::foreign(&path, found, accepted).into());
        }
        if overwrite == Overwrite::Yes {
            return Ok(());
        }
        match difference(&path, config, sample) {
            Some(what) => Err(RunError::OtherRun { path, what }),
            None => Ok(()),
        }
    }

    /// Tests that a command that makes the runs `planned`, and tells of these alone, may write manifest.json.
    ///
    /// # Errors
    /// [`RunError::OtherRuns`] where the manifest there tells of others, and `overwrite` does not say that they may
    /// be dropped from it.
    pub fn admit_plan<'p>(
        &self,
        planned: impl Iterator<Item = &'p str>,
        overwrite: Overwrite,
    ) -> Result<(), RunError> {
        if overwrite == Overwrite::Yes || !self.root.join("manifest.json").exists() {
            return Ok(());
        }
        let listed = read_manifest(&self.root)?.runs;
        let known: std::collections::BTreeSet<&str> = planned.collect();
        let mut others = listed.iter().filter(|run| !known.contains(run.id.as_str()));
        match others.next() {
            None => Ok(()),
            Some(first) => Err(RunError::OtherRuns {
                path: self.root.clone(),
                first: first.id.clone(),
                count: 1 + others.count(),
            }),
        }
    }

    /// Marks the folder as ours before anything else is written, so that an interrupted command can
    /// be run again; a manifest that is there stays as it is.
    pub fn claim(&self, seed: u64, data: &DataIdentity) -> Result<(), RecordError> {
        if self.root.join("manifest.json").exists() {
            return Ok(());
        }
        self.write_manifest(&new_manifest(seed, data))
    }

    /// Adds a run to the manifest, or replaces the run of the same name.
    ///
    /// # Errors
    /// [`RecordError`] when the manifest there is damaged or cannot be written.
    pub fn add_run(
        &self,
        seed: u64,
        data: &DataIdentity,
        entry: RunEntry,
    ) -> Result<(), RecordError> {
        let path = self.root.join("manifest.json");
        self.claim(seed, data)?;
        let mut manifest = read_manifest(&self.root)?;
        manifest.runs.retain(|run| run.id != entry.id);
        manifest.runs.push(entry);
        manifest.runs.sort_by(|a, b| a.id.cmp(&b.id));
        write_json(&path, &manifest)
    }

    /// Writes the manifest of a whole reproduction.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), RecordError> {
        write_json(&self.root.join("manifest.json"), manifest)
    }
}

/// How the run in the folder `path` differs from that of `config` on `sample`; `None` where it does not.
///
/// A config.toml of an earlier version says the same with fewer keys, so that meanings are compared, not bytes. Where it
/// is damaged, the checksum in outcome.json tells what it was.
fn difference(path: &Path, config: &Config, sample: Option<&Sample>) -> Option<String> {
    let here = config.to_toml();
    let text = fs::read_to_string(path.join("config.toml")).unwrap_or_default();
    let there = match Config::parse(&text) {
        Ok(there) if !text.is_empty() => there.to_toml(),
        _ => {
            let outcome = read_json::<Outcome>(&path.join("outcome.json")).ok();
            let sum = outcome.as_ref().and_then(|outcome| outcome.files.get("config.toml"));
            return match sum {
                Some(sum) if sum.sha256 == sha256_of(here.as_bytes()) => None,
                _ => Some("its config.toml is missing or damaged".to_owned()),
            };
        }
    };
    if there != here {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (there, here) = (lines(&there), lines(&here));
        let only_there = there.iter().find(|line| !here.contains(line));
        let only_here = here.iter().find(|line| !there.contains(line));
        let name = |line: Option<&String>| line.map_or("no such key", String::as_str).to_owned();
        return Some(format!("it has {}, this one {}", name(only_there), name(only_here)));
    }
    let problem = Problem::read(&path.join("problem.json")).ok()?;
    let same = sample.is_none_or(|sample| {
        problem.rows == sample.rows
            && agree(&problem.inputs.concat(), &sample.inputs)
            && agree(&problem.targets.to_vec(), &sample.targets)
    });
    (!same).then(|| "its data are others".to_owned())
}

/// Whether two lists agree to far more than another processor's rounding changes.
fn agree(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3))
}

/// Name, size and checksum of the data, for the manifest.
pub fn identity(data: &Dataset) -> DataIdentity {
    DataIdentity { name: data.name.clone(), rows: data.rows(), sha256: data.sha256.clone() }
}

/// The commit of the source that this program was built from, as `build.rs` found it; `-modified` marks a source that
/// differed from it.
const COMMIT: Option<&str> = option_env!("GAUSSFLOW_SOURCE_COMMIT");

/// A manifest without runs and figures yet.
pub fn new_manifest(seed: u64, data: &DataIdentity) -> Manifest {
    Manifest {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: COMMIT.map(str::to_owned),
        seed,
        data: data.clone(),
        runs: Vec::new(),
        figures: Vec::new(),
    }
}
