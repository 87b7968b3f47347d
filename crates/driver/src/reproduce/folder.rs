//! The output folder: manifest.json at its root, one folder a run below `runs/`.

use std::path::{Path, PathBuf};

use crate::data::Dataset;
use crate::error::DriverError;
use crate::records::{
    DataIdentity, Manifest, RecordError, RunEntry, SCHEMA, read_manifest, write_json,
};

/// A folder that is new, empty, or holds a manifest of ours.
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// Opens `root`, without writing anything yet.
    ///
    /// # Errors
    /// [`DriverError::ForeignFolder`] when it holds files but no manifest;
    /// [`DriverError::Record`] when it cannot be read.
    pub fn open(root: &Path) -> Result<Self, DriverError> {
        let manifest = root.join("manifest.json");
        if root.exists() && !manifest.exists() {
            let mut entries = std::fs::read_dir(root)
                .map_err(|source| RecordError::Read { path: root.to_owned(), source })?;
            if entries.next().is_some() {
                return Err(DriverError::ForeignFolder { path: root.to_owned() });
            }
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

    /// Marks the folder as ours before anything else is written, so that an interrupted command can
    /// be run again; a manifest that is there stays as it is.
    ///
    /// # Errors
    /// [`DriverError::Record`].
    pub fn claim(&self, seed: u64, data: &DataIdentity) -> Result<(), DriverError> {
        if self.root.join("manifest.json").exists() {
            return Ok(());
        }
        self.write_manifest(&new_manifest(seed, data))
    }

    /// Adds a run to the manifest, or replaces the run of the same name.
    ///
    /// # Errors
    /// [`DriverError::Record`] when the manifest there is damaged or cannot be written.
    pub fn add_run(
        &self,
        seed: u64,
        data: &DataIdentity,
        entry: RunEntry,
    ) -> Result<(), DriverError> {
        let path = self.root.join("manifest.json");
        self.claim(seed, data)?;
        let mut manifest = read_manifest(&self.root)?;
        manifest.runs.retain(|run| run.id != entry.id);
        manifest.runs.push(entry);
        manifest.runs.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(write_json(&path, &manifest)?)
    }

    /// Writes the manifest of a whole reproduction.
    ///
    /// # Errors
    /// [`DriverError::Record`].
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), DriverError> {
        Ok(write_json(&self.root.join("manifest.json"), manifest)?)
    }
}

/// Name, size and checksum of the data, for the manifest.
pub fn identity(data: &Dataset) -> DataIdentity {
    DataIdentity { name: data.name.clone(), rows: data.rows(), sha256: data.sha256.clone() }
}

/// A manifest without runs and figures yet. `GAUSSFLOW_COMMIT` names the source's commit, if known.
pub fn new_manifest(seed: u64, data: &DataIdentity) -> Manifest {
    Manifest {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: std::env::var("GAUSSFLOW_COMMIT").ok().filter(|commit| !commit.is_empty()),
        seed,
        data: data.clone(),
        runs: Vec::new(),
        figures: Vec::new(),
    }
}
