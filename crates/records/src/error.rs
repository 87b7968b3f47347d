//! Why a record could not be written or read: always with the file's name.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Says why a record could not be written or read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields hold")]
#[non_exhaustive]
pub enum RecordError {
    /// The file or its folder could not be written; a file that was there before is unchanged.
    #[error("{}: cannot write: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// The file could not be read.
    #[error("{}: cannot read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The file is not the JSON that its name promises.
    #[error("{}: not the expected JSON: {source}", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    /// A trace lacks one of the columns that every trace has.
    #[error("{}: the trace has no column {column}", path.display())]
    MissingColumn { path: PathBuf, column: &'static str },
    /// A row of a trace has more or fewer cells than its header, or holds bytes that are not text.
    #[error("{}:{line}: malformed row: {detail}", path.display())]
    MalformedRow { path: PathBuf, line: u64, detail: String },
    /// A cell of a trace is not a number.
    #[error("{}:{line}: column {column} holds {text:?}, which is not a number", path.display())]
    MalformedCell { path: PathBuf, line: u64, column: &'static str, text: String },
    /// The file is larger than what is read into memory.
    #[error("{}: larger than the {accepted} bytes that are accepted", path.display())]
    TooLarge { path: PathBuf, accepted: u64 },
    /// A manifest that names a place outside its folder.
    #[error(
        "{}: {what} {named:?} is not a place inside this folder: accepted are relative paths without `..`",
        path.display()
    )]
    Escape { path: PathBuf, what: &'static str, named: String },
    /// Something that this program did not write is where it would write, or where it was told to read.
    #[error("{}: {found}, and is left as it is; accepted: {accepted}", path.display())]
    Foreign { path: PathBuf, found: String, accepted: &'static str },
    /// The sizes of arrays contradict each other.
    #[error("{}: {what} has {found} entries, expected {expected}", path.display())]
    Shape { path: PathBuf, what: &'static str, expected: usize, found: usize },
    /// The content of a file is not what its name promises.
    #[error("{}: damaged: {detail}", path.display())]
    Damaged { path: PathBuf, detail: String },
}

impl RecordError {
    /// Returns the exit status of a program that ends for this reason: 3 where reading or writing failed, 2 where the content
    /// is wrong.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Write { .. } | Self::Read { .. } => 3,
            _ => 2,
        }
    }

    /// Returns the message without the full path of the file, so that reports about equal folders are equal wherever they
    /// are.
    pub fn reason(&self) -> String {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "missing".to_owned(),
                kind => format!("cannot be read: {kind}"),
            },
            Self::Json { source, .. } => format!("damaged: {source}"),
            Self::MissingColumn { column, .. } => format!("damaged: no column {column}"),
            Self::MalformedRow { line, detail, .. } => {
                format!("damaged at line {line}: {detail}")
            }
            Self::MalformedCell { line, column, text, .. } => {
                let short: String = text.chars().take(40).collect();
                format!("damaged at line {line}: column {column} holds {short:?}")
            }
            Self::Shape { what, expected, found, .. } => {
                format!("damaged: {what} has {found} entries, expected {expected}")
            }
            Self::TooLarge { accepted, .. } => format!("larger than {accepted} bytes"),
            Self::Escape { what, named, .. } => {
                format!("{what} {named:?} is not a place inside the folder")
            }
            Self::Damaged { detail, .. } => format!("damaged: {detail}"),
            Self::Foreign { found, .. } => found.clone(),
        }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    /// Creates the error for something at `path` that this program did not write; `accepted` says what may be there.
    pub fn foreign(path: &Path, found: impl Into<String>, accepted: &'static str) -> Self {
        Self::Foreign { path: path.to_owned(), found: found.into(), accepted }
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}

/// Opens a file that is to be read to its end: an ordinary file, or what is piped to this program.
///
/// Devices and named pipes are refused, because they may never end.
///
/// # Errors
/// The error of the system, and [`io::ErrorKind::InvalidInput`].
pub fn open_file(path: &Path) -> io::Result<File> {
    let found = path.metadata()?;
    // What a shell pipes to us (`<(command)`, /dev/stdin) has a writer, but no name of its own.
    let is_refused =
        cfg!(unix) && !found.is_file() && !found.is_dir() && path.canonicalize().is_ok();
    if is_refused {
        let why = "it is a device or a named pipe; accepted: an ordinary file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    File::open(path)
}

/// A text is read into memory, so that larger ones are refused: this is 64 MiB.
const MAXIMUM_TEXT: u64 = 1 << 26;

/// Reads the text of a problem or configuration, of at most 64 MiB.
///
/// # Errors
/// The error of the system; [`io::ErrorKind::InvalidData`] for bytes that are not UTF-8; [`io::ErrorKind::FileTooLarge`].
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open_file(path)?.take(MAXIMUM_TEXT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAXIMUM_TEXT {
        let why = format!("larger than the {MAXIMUM_TEXT} bytes that are accepted");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(text)
}

/// A record is read into memory, so that larger files are refused: this is 4 GiB.
const MAXIMUM_BYTES: u64 = 1 << 32;

/// The bytes of a record; a device or a disk image in its place does not fill the memory.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, RecordError> {
    let mut bytes = Vec::new();
    open_file(path)
        .and_then(|file| file.take(MAXIMUM_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| RecordError::read(path, source))?;
    if bytes.len() as u64 > MAXIMUM_BYTES {
        return Err(RecordError::TooLarge { path: path.to_owned(), accepted: MAXIMUM_BYTES });
    }
    Ok(bytes)
}
