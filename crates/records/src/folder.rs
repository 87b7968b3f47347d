//! Writes folders of runs, which appear in their place complete; unfinished ones of a killed writer have a name of their own.

use std::fs;
use std::io;
use std::path::Path;

use super::layer::{self, UNFINISHED};
use super::{RecordError, ownership};

/// Writes a run's folder at once: `write` fills a temporary folder beside `target`, which is then renamed to `target` and
/// replaces a run that was there.
///
/// A failed write leaves nothing behind. The temporary folder is called `.unfinished-NAME`, and its files are synced before
/// it is renamed, so that a folder under its real name is complete.
///
/// # Errors
/// Those of `write`; [`RecordError::Write`]; [`RecordError::Foreign`] where something other than a run is at `target`.
pub fn write_run<E: From<RecordError>>(
    target: &Path,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let (runs, name) = (target.parent().unwrap_or(Path::new("")), target.file_name());
    let name = name.unwrap_or_default().to_string_lossy();
    let temporary = runs.join(format!("{UNFINISHED}{name}"));
    let fail = |source| RecordError::write(target, source);
    let filled = layer::create_folder(&temporary)
        .map_err(|source| fail(source).into())
        .and_then(|()| write(&temporary))
        .and_then(|()| {
            layer::sync_folder(&temporary).map_err(fail)?;
            // Without an outcome, damaged since, or to be replaced; and nobody else's.
            ownership::removable_run(target)?;
            delete(target).map_err(fail)?;
            layer::rename_folder(&temporary, target).map_err(fail)?;
            Ok(layer::sync_folder(runs).map_err(fail)?)
        });
    if filled.is_err() {
        // The first failure is the one to report.
        drop(delete(&temporary));
    }
    filled
}

/// Returns whether a file or folder of this name was left behind by a writer that was killed.
pub fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

/// Returns the names in a folder; none where there is no folder.
pub fn names_in(folder: &Path) -> Result<Vec<String>, RecordError> {
    let fail = |source| RecordError::read(folder, source);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(fail)?,
    };
    entries
        .map(|entry| Ok(entry.map_err(fail)?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// Removes a file, or a folder with all that it holds, if it exists; links are removed, never followed.
pub fn remove(path: &Path) -> Result<(), RecordError> {
    delete(path).map_err(|source| RecordError::write(path, source))
}

fn delete(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
