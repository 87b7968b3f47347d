//! What can be wrong with data: a file, a cell, a column or a number of rows, always named.

use std::io;
use std::path::{Path, PathBuf};

/// Says why there is no data set, or no sample of it.
///
/// Lines and columns of a file count from 1; the header is line 1.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields hold")]
#[non_exhaustive]
pub enum DataError {
    /// The file could not be read.
    #[error("{}: cannot read the data: {source}{}", path.display(), beginning(path))]
    Read { path: PathBuf, source: io::Error },
    /// The file is larger than [`MAXIMUM_BYTES`](crate::MAXIMUM_BYTES).
    #[error("{}: {bytes} bytes are more than the {accepted} that are accepted", path.display())]
    TooLarge { path: PathBuf, bytes: u64, accepted: u64 },
    /// The file has not even a header.
    #[error("{}: the file is empty; expected a header and rows of numbers", path.display())]
    Empty { path: PathBuf },
    /// The file has a header, but no rows.
    #[error("{}: no rows below the header", path.display())]
    NoRows { path: PathBuf },
    /// The text has another encoding than UTF-8.
    #[error("{}: the file is {found}; save it as UTF-8", path.display())]
    Encoding { path: PathBuf, found: &'static str },
    /// The file holds bytes that no CSV file has.
    #[error("{}:{line}: {what}", path.display())]
    Damaged {
        path: PathBuf,
        /// The line, that of the opening quote where it is about one.
        line: u64,
        what: &'static str,
    },
    /// Cells that something else than commas separates.
    #[error(
        "{}: the header has no comma but {found}; accepted: cells separated by commas, numbers with a \
         decimal point",
        path.display()
    )]
    Separator { path: PathBuf, found: &'static str },
    /// The header is not UTF-8 text.
    #[error("{}: the header is not UTF-8 text", path.display())]
    HeaderNotText { path: PathBuf },
    /// A column without a name.
    #[error("{}: column {column} has no name in the header", path.display())]
    UnnamedColumn { path: PathBuf, column: usize },
    /// Two columns of one name.
    #[error("{}: columns {first} and {second} are both named {name:?}", path.display())]
    DuplicateColumn { path: PathBuf, name: String, first: usize, second: usize },
    /// The target is not among the columns.
    #[error("{}: no column {target:?}; the columns are {}", path.display(), listed(columns))]
    NoSuchTarget { path: PathBuf, target: String, columns: Vec<String> },
    /// A column is named twice among the targets.
    #[error("{}: the target {target:?} is named twice", path.display())]
    RepeatedTarget { path: PathBuf, target: String },
    /// The target is the only column.
    #[error("{}: there is no column besides the target {target:?}", path.display())]
    NoFeatures { path: PathBuf, target: String },
    /// A row with more or fewer cells than the header.
    #[error("{}:{line}: {found} cells, but the header has {expected}", path.display())]
    RaggedRow { path: PathBuf, line: u64, expected: u64, found: u64 },
    /// A cell that is no number.
    #[error(
        "{}:{line}: column {column:?} holds {text:?}, which is not a number; accepted: digits with a decimal \
         point, as 12.5 or -3e-4",
        path.display()
    )]
    NonNumericCell {
        path: PathBuf,
        line: u64,
        column: String,
        /// The cell as written, cut where it is long.
        text: String,
    },
    /// A cell is NaN, infinite, or too large for a 64-bit number.
    #[error("{}:{line}: column {column:?} holds {text:?}, which is not finite", path.display())]
    NonFiniteCell { path: PathBuf, line: u64, column: String, text: String },
    /// The bundled file does not have its checksum.
    #[error("the bundled data {name} is damaged: its sha256 is {found}, not {expected}")]
    Checksum { name: &'static str, expected: &'static str, found: String },
    /// The data set has fewer rows than are to be drawn.
    #[error("{samples} rows are to be drawn, but {name} has only {rows}")]
    TooFewRows { name: String, rows: usize, samples: usize },
    /// No rows are to be drawn.
    #[error("a sample needs at least 1 row; 0 were asked for")]
    EmptySample,
    /// A column without spread cannot be standardized.
    #[error(
        "column {column:?} has the same value {value:?} in all {rows} rows that scale it; leave it \
         out, draw more rows, or do not standardize"
    )]
    ConstantColumn { column: String, value: f64, rows: usize },
    /// A column so large or so small that its mean or deviation leaves the range of f64.
    #[error(
        "column {column:?} cannot be standardized in 64-bit numbers: mean {mean:?}, deviation \
         {deviation:?}; change its unit"
    )]
    ScaleOutOfRange { column: String, mean: f64, deviation: f64 },
    /// A line that is longer than what is held in memory of a file that is read by blocks.
    #[error(
        "{}: the line at byte {offset} is longer than the {accepted} bytes that are accepted; is this a CSV file?",
        path.display()
    )]
    LongLine { path: PathBuf, offset: u64, accepted: u64 },
    /// A part of a file that does not exist.
    #[error(
        "part {part} of {parts} was asked for; parts count from 0 to one less than their number"
    )]
    NoSuchPart { part: usize, parts: usize },
    /// Rows behind the last one of a store.
    #[error("rows {first} to {end} (exclusive) were asked for, but only {rows} are kept")]
    NoSuchRows { first: usize, end: usize, rows: usize },
    /// Numbers of another count than the columns need.
    #[error("{what}: {found} numbers, expected {expected}")]
    Length { what: &'static str, expected: usize, found: usize },
    /// The scratch file of a store could not be created, written or read.
    #[error(
        "cannot keep rows in a scratch file in {}: {source}; name a folder with more space by the environment \
         variable TMPDIR",
        folder.display()
    )]
    Scratch { folder: PathBuf, source: io::Error },
    /// A Parquet file, which this build cannot read.
    #[error(
        "{}: this is a Parquet file, which this program was built without; build it with `--features parquet`, or \
         save the rows as CSV",
        path.display()
    )]
    ParquetNotBuilt { path: PathBuf },
    /// A Parquet file that cannot be read.
    #[error("{}: not a readable Parquet file: {reason}", path.display())]
    Parquet { path: PathBuf, reason: String },
    /// A column of a Parquet file whose type is not a number.
    #[error(
        "{}: column {column:?} is {found}; accepted: boolean, 32-bit and 64-bit integer, float, double; leave it \
         out, or convert it",
        path.display()
    )]
    UnsupportedColumn { path: PathBuf, column: String, found: String },
    /// A value of a Parquet file that is missing, NaN or infinite; rows count from 1.
    #[error("{}: column {column:?} holds {text} in row {row}, which is not a finite number", path.display())]
    UnusableValue { path: PathBuf, row: u64, column: String, text: String },
}

/// Where a relative path begins, for those who called the program elsewhere.
fn beginning(path: &Path) -> &'static str {
    if path.is_relative() { "; a relative path begins in the folder of the call" } else { "" }
}

impl DataError {
    /// Returns the exit status of a program that ends for this reason: 3 where reading failed, otherwise 2.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Read { .. } | Self::Scratch { .. } => 3,
            _ => 2,
        }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// The error for a line that follows `above` other lines, where it counted lines from itself on.
    pub(super) fn below(mut self, above: u64) -> Self {
        if let Self::Damaged { line, .. }
        | Self::RaggedRow { line, .. }
        | Self::NonNumericCell { line, .. }
        | Self::NonFiniteCell { line, .. } = &mut self
        {
            *line += above;
        }
        self
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
