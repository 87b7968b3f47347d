//! What records ask of the file system, so that a test can let each request fail in turn.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// One method a request; every write of a record goes through here.
pub(crate) trait FileLayer: Sync {
    /// Creates `folder` and those above it.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;
    /// Opens a new file of a temporary name in `folder`; it vanishes with its handle.
    fn create_temporary(&self, folder: &Path) -> io::Result<NamedTempFile>;
    /// Writes some of `bytes`, and says how many.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize>;
    /// Brings the file's content to the disk.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Gives a temporary file its name, in place of what was there.
    fn persist(&self, file: NamedTempFile, path: &Path) -> io::Result<()>;
    /// Renames a folder to a name that is free.
    fn rename_folder(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Brings the names in `folder` to the disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The file system itself.
struct System;

/// What temporary files and folders begin with.
pub(crate) const UNFINISHED: &str = ".unfinished-";

impl FileLayer for System {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    fn create_temporary(&self, folder: &Path) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED);
        // Temporary files are private by default; a record is as readable as any other file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(folder)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn persist(&self, file: NamedTempFile, path: &Path) -> io::Result<()> {
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    fn rename_folder(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[cfg(unix)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    // Elsewhere a folder cannot be opened as a file; its names are in the journal's hands.
    #[cfg(not(unix))]
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// The file system, or the double that a test has installed on this thread.
pub(crate) fn layer() -> &'static dyn FileLayer {
    if let Some(double) = super::faults::installed() {
        return double;
    }
    &System
}

/// The file system itself, for a double to pass requests on to.
pub(super) fn system() -> &'static dyn FileLayer {
    &System
}
