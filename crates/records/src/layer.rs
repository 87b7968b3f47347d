//! What records ask of the file system: one function a request, so that a test can let each fail in turn.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::faults::{self, Fault};

/// What temporary files and folders begin with.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// Creates `folder` and those above it.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    faults::request()?;
    fs::create_dir_all(folder)
}

/// Opens a new file of a temporary name in `folder`; it vanishes with its handle.
pub(crate) fn create_temporary(folder: &Path) -> io::Result<NamedTempFile> {
    faults::request()?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // Temporary files are private by default; a record is as readable as any other file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Writes some of `bytes`, and says how many.
pub(crate) fn write(file: &mut File, bytes: &[u8]) -> io::Result<usize> {
    let half = &bytes[..bytes.len().div_ceil(2)];
    match faults::of_request() {
        None => file.write(bytes),
        Some(Fault::ShortWrite) => file.write(half),
        Some(Fault::Once(number)) => Err(io::Error::from_raw_os_error(number)),
        Some(Fault::Onwards(number)) => {
            // What did get through must not be taken for the file.
            file.write(half).map(drop)?;
            Err(io::Error::from_raw_os_error(number))
        }
    }
}

/// Brings the file's content to the disk.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    faults::request()?;
    file.sync_all()
}

/// Gives a temporary file its name, in place of what was there.
pub(crate) fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    faults::request()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Renames a folder to a name that is free.
pub(crate) fn rename_folder(from: &Path, to: &Path) -> io::Result<()> {
    faults::request()?;
    fs::rename(from, to)
}

/// Brings the names in `folder` to the disk; where a folder cannot be opened as a file, its names are in the
/// journal's hands.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    faults::request()?;
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
