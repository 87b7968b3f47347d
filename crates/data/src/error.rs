//! What can be wrong with data: a file, a cell, a column or a number of rows, always named.

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no data set or no sample of it.
///
/// Lines and columns of a file count from 1, the header being line 1 as an editor shows it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file could not be read.
    #[error("{}: cannot read the data: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// More bytes than are read into memory.
    #[error("{}: {bytes} bytes are more than the {accepted} that are accepted", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes found before reading ended.
        bytes: u64,
        /// The most that is accepted.
        accepted: u64,
    },
    /// Not even a header.
    #[error("{}: the file is empty; expected a header and rows of numbers", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A header, but no rows below it.
    #[error("{}: no rows below the header", path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// Text in another encoding.
    #[error("{}: the file is {found}; save it as UTF-8", path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The encoding.
        found: &'static str,
    },
    /// Bytes that no CSV file has.
    #[error("{}:{line}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, that of the opening quote where it is about one.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Cells that something else than commas separates.
    #[error(
        "{}: the header has no comma but {found}; accepted: cells separated by commas, numbers with a \
         decimal point",
        path.display()
    )]
    Separator {
        /// The file.
        path: PathBuf,
        /// What was found.
        found: &'static str,
    },
    /// The header is not UTF-8 text.
    #[error("{}: the header is not UTF-8 text", path.display())]
    HeaderNotText {
        /// The file.
        path: PathBuf,
    },
    /// A column without a name.
    #[error("{}: column {column} has no name in the header", path.display())]
    UnnamedColumn {
        /// The file.
        path: PathBuf,
        /// Its position, from 1.
        column: usize,
    },
    /// Two columns of one name.
    #[error("{}: columns {first} and {second} are both named {name:?}", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// The target is not among the columns.
    #[error("{}: no column {target:?}; the columns are {}", path.display(), listed(columns))]
    NoSuchTarget {
        /// The file.
        path: PathBuf,
        /// The name looked for.
        target: String,
        /// The names in the header.
        columns: Vec<String>,
    },
    /// The target is the only column.
    #[error("{}: there is no column besides the target {target:?}", path.display())]
    NoFeatures {
        /// The file.
        path: PathBuf,
        /// The target.
        target: String,
    },
    /// A row with more or fewer cells than the header.
    #[error("{}:{line}: {found} cells, but the header has {expected}", path.display())]
    RaggedRow {
        /// The file.
        path: PathBuf,
        /// The row's line.
        line: u64,
        /// Cells in the header.
        expected: u64,
        /// Cells in the row.
        found: u64,
    },
    /// A cell that is no number.
    #[error(
        "{}:{line}: column {column:?} holds {text:?}, which is not a number; accepted: digits with a decimal \
         point, as 12.5 or -3e-4",
        path.display()
    )]
    NonNumericCell {
        /// The file.
        path: PathBuf,
        /// The row's line.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell as written, cut where it is long.
        text: String,
    },
    /// A cell that is NaN, infinite, or too large for 64 bits.
    #[error("{}:{line}: column {column:?} holds {text:?}, which is not finite", path.display())]
    NonFiniteCell {
        /// The file.
        path: PathBuf,
        /// The row's line.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell as written.
        text: String,
    },
    /// Bundled data that is not what was bundled.
    #[error("the bundled data {name} is damaged: its sha256 is {found}, not {expected}")]
    Checksum {
        /// The data set.
        name: &'static str,
        /// The recorded checksum.
        expected: &'static str,
        /// The checksum of what was unpacked.
        found: String,
    },
    /// Fewer rows than are to be drawn.
    #[error("{samples} rows are to be drawn, but {name} has only {rows}")]
    TooFewRows {
        /// The data set.
        name: String,
        /// Its rows.
        rows: usize,
        /// Rows asked for.
        samples: usize,
    },
    /// No rows are to be drawn.
    #[error("a sample needs at least 1 row; 0 were asked for")]
    EmptySample,
    /// A column without spread cannot be standardized.
    #[error(
        "column {column:?} has the same value {value:?} in all {rows} rows that scale it; leave it \
         out, draw more rows, or do not standardize"
    )]
    ConstantColumn {
        /// The column's name.
        column: String,
        /// Its value.
        value: f64,
        /// The rows looked at.
        rows: usize,
    },
    /// A column so large or so small that its mean or deviation leaves the range of f64.
    #[error(
        "column {column:?} cannot be standardized in 64-bit numbers: mean {mean:?}, deviation \
         {deviation:?}; change its unit"
    )]
    ScaleOutOfRange {
        /// The column's name.
        column: String,
        /// The mean found.
        mean: f64,
        /// The population deviation found.
        deviation: f64,
    },
}

impl DataError {
    /// The exit status of a program that ends for this: 3 where reading failed, otherwise 2.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Read { .. } => 3,
            _ => 2,
        }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}

/// Characters of a name or cell that a message shows.
const LONGEST: usize = 60;
/// Names of columns that a message lists.
const MOST_COLUMNS: usize = 40;

/// The beginning of a text that may be very long.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Names of columns, the first of many.
fn listed(columns: &[String]) -> String {
    let names: Vec<String> = columns.iter().take(MOST_COLUMNS).map(|name| excerpt(name)).collect();
    match columns.len().saturating_sub(MOST_COLUMNS) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
