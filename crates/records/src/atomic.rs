//! Atomic files: written under a temporary name beside the target, flushed, synced, then renamed.
//!
//! A reader sees the old file or the whole new one, never a part, also after a crash. (The folder
//! itself is not synced: after a crash the old file may still be there, which costs nothing but the
//! last run, while a sync a file is what makes many small records slow.)

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::RecordError;
use super::layer;

/// Writes a file that appears under its name only when [`AtomicFile::finish`] succeeds; dropped before that, it leaves
/// nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    writer: BufWriter<Temporary>,
}

impl AtomicFile {
    /// Opens a temporary file in the folder of `path`, and creates the folder where it is missing.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let fail = |source| RecordError::write(path, source);
        let folder = folder_of(path);
        layer::create_folder(folder).map_err(fail)?;
        let file = layer::create_temporary(folder).map_err(fail)?;
        Ok(Self { path: path.to_owned(), writer: BufWriter::new(Temporary(file)) })
    }

    /// Returns the name that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes the file, syncs it to the disk, and renames it to its name.
    ///
    /// # Errors
    /// [`RecordError::Write`]; the file that was at the path before is then still there.
    pub fn finish(self) -> Result<(), RecordError> {
        let Self { path, writer } = self;
        let fail = |source| RecordError::write(&path, source);
        let Temporary(file) = writer.into_inner().map_err(|error| fail(error.into_error()))?;
        layer::sync(file.as_file()).map_err(fail)?;
        layer::persist(file, &path).map_err(fail)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// An open temporary file.
#[derive(Debug)]
struct Temporary(NamedTempFile);

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        layer::write(self.0.as_file_mut(), bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Creates `folder` and those above it, where they are missing.
pub fn create_folder(folder: &Path) -> Result<(), RecordError> {
    layer::create_folder(folder).map_err(|source| RecordError::write(folder, source))
}

/// Writes `bytes` as the whole content of `path`, which is replaced at once or not at all.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(|source| RecordError::write(path, source))?;
    file.finish()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
