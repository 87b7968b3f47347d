//! manifest.json read from a folder that someone else may have made: no path in it leaves the folder.

use std::path::{Path, PathBuf};

use super::{Manifest, RecordError, RunEntry, SCHEMA, read_json};

/// What a folder that is read or written may be.
const ACCEPTED: &str =
    "a folder that gaussflow wrote (schema 1) or, to write to, a new or empty one";

/// Reads manifest.json of `folder`.
///
/// # Errors
/// [`RecordError::Read`]; [`RecordError::Foreign`] for other JSON or another schema; [`RecordError::Escape`] where a run or a
/// figure lies outside of the folder: an absolute path, or one with `..`.
pub fn read_manifest(folder: &Path) -> Result<Manifest, RecordError> {
    let path = folder.join("manifest.json");
    let manifest: Manifest = read_json(&path).map_err(|error| match error {
        RecordError::Json { source, .. } => {
            let found = format!("was not written by gaussflow (not the expected JSON: {source})");
            RecordError::foreign(&path, found, ACCEPTED)
        }
        other => other,
    })?;
    if manifest.schema != SCHEMA {
        let found = format!("is of schema {}", manifest.schema);
        return Err(RecordError::foreign(&path, found, ACCEPTED));
    }
    let runs = manifest.runs.iter().map(|run| ("the run's path", &run.path));
    let figures = manifest.figures.iter().map(|figure| ("the figure", figure));
    for (what, named) in runs.chain(figures) {
        if !stays_inside(named) {
            return Err(RecordError::Escape { path, what, named: named.clone() });
        }
    }
    Ok(manifest)
}

/// Returns the folder of a run in the manifest of `folder`, with every link on the way followed.
///
/// # Errors
/// [`RecordError::Read`] where it is missing; [`RecordError::Escape`] where a link leads out of `folder`.
pub fn run_folder(folder: &Path, run: &RunEntry) -> Result<PathBuf, RecordError> {
    let resolved =
        |path: &Path| path.canonicalize().map_err(|source| RecordError::read(path, source));
    let (root, path) = (resolved(folder)?, resolved(&folder.join(&run.path))?);
    if stays_inside(&run.path) && path.starts_with(&root) {
        return Ok(path);
    }
    let (what, named) = ("the run's path", run.path.clone());
    Err(RecordError::Escape { path: folder.join("manifest.json"), what, named })
}

/// Whether a path is a name, or names between slashes, below where it starts, on every system: a backslash
/// and a drive's colon separate on some.
fn stays_inside(named: &str) -> bool {
    !named.contains(['\\', ':', '\0'])
        && named.split('/').all(|part| !["", ".", ".."].contains(&part))
}
