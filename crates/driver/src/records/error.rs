//! Why a record could not be written or read: always with the file's name.

use std::io;
use std::path::{Path, PathBuf};

/// A record that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file or its folder could not be written; a file that was there before is untouched.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// The file could not be read.
    #[error("{}: cannot read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// The file is not the JSON that its name promises.
    #[error("{}: not the expected JSON: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What was found where.
        source: serde_json::Error,
    },
    /// A trace without one of the columns that every trace has.
    #[error("{}: the trace has no column {column}", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column's name.
        column: &'static str,
    },
    /// A trace's row with more or fewer cells than its header, or bytes that are not text.
    #[error("{}:{line}: malformed row: {detail}", path.display())]
    MalformedRow {
        /// The file.
        path: PathBuf,
        /// The row's line, the header being 1.
        line: u64,
        /// The reader's explanation.
        detail: String,
    },
    /// A trace's cell that is no number.
    #[error("{}:{line}: column {column} holds {text:?}, which is not a number", path.display())]
    MalformedCell {
        /// The file.
        path: PathBuf,
        /// The row's line, the header being 1.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// The cell as written.
        text: String,
    },
    /// Arrays whose sizes contradict each other.
    #[error("{}: {what} has {found} entries, expected {expected}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Which array.
        what: &'static str,
        /// Entries that it must have.
        expected: usize,
        /// Entries that it has.
        found: usize,
    },
    /// A file whose content is not what its name promises.
    #[error("{}: damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
}

impl RecordError {
    /// The exit status of a program that ends for this: 3 where reading or writing failed, 2 where
    /// the content is wrong.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Write { .. } | Self::Read { .. } => 3,
            Self::Json { .. }
            | Self::MissingColumn { .. }
            | Self::MalformedRow { .. }
            | Self::MalformedCell { .. }
            | Self::Shape { .. }
            | Self::Damaged { .. } => 2,
        }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}
