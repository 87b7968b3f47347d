//! A CSV file of numbers with a header, read so that each complaint names line, column and text.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use csv::{ByteRecord, ErrorKind, ReaderBuilder, Trim};

use super::error::excerpt;
use super::form::{self, line_at};
use super::{DataError, Dataset};
use gaussflow_records::checksum::sha256_of;
use gaussflow_records::open_file;

/// The largest data file that is read, 1 GiB, because a file is held in memory.
pub const MAXIMUM_BYTES: u64 = 1 << 30;

/// Reads a CSV file: a header, then rows of finite numbers separated by commas.
///
/// The columns `targets` become the targets; every other column is a feature, in the order of the file. A UTF-8 byte order
/// mark, CRLF line ends, blank lines, quotes around cells and spaces are accepted. The error for other separators and
/// encodings names them.
///
/// # Errors
/// [`DataError`]: the file cannot be read, is too large, empty or damaged (an unclosed quote, a NUL byte); a column is
/// unnamed or named twice, or a target is missing; a row is ragged; a cell is not a finite number.
pub fn load_csv(path: &Path, targets: &[impl AsRef<str>]) -> Result<Dataset, DataError> {
    let bytes = read_at_most(path, MAXIMUM_BYTES)?;
    let table = Table::parse(path, &bytes)?;
    let sha256 = sha256_of(&bytes);
    drop(bytes);
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    table.with_targets(targets, &name, &sha256)
}

/// Named columns of finite numbers.
pub(super) struct Table {
    /// The header.
    pub names: Vec<String>,
    /// The numbers, row-major: whole rows of `names.len()` each, at least one row.
    pub values: Vec<f64>,
    path: std::path::PathBuf,
}

impl Table {
    pub fn rows(&self) -> usize {
        self.values.len() / self.names.len()
    }

    /// The data set `name` of these columns, the `targets` apart from the features.
    ///
    /// # Errors
    /// [`DataError`] on a target that is missing or named twice, and where no column is left.
    pub fn with_targets(
        self,
        targets: &[impl AsRef<str>],
        name: &str,
        sha256: &str,
    ) -> Result<Dataset, DataError> {
        let Roles { features: others, targets: chosen } =
            Roles::of(&self.path, &self.names, targets)?;
        let mut features = Vec::with_capacity(self.rows() * others.len());
        let mut values = Vec::with_capacity(self.rows() * chosen.len());
        for row in self.values.chunks_exact(self.names.len()) {
            features.extend(others.iter().map(|&k| row[k]));
            values.extend(chosen.iter().map(|&k| row[k]));
        }
        Ok(Dataset {
            name: name.to_owned(),
            sha256: sha256.to_owned(),
            feature_names: named(&self.names, &others),
            target_names: named(&self.names, &chosen),
            features,
            targets: values,
        })
    }

    /// The position of column `name`.
    pub fn column(&self, name: &str) -> Result<usize, DataError> {
        column(&self.path, &self.names, name)
    }

    /// Parses the whole of a file; `path` only names it in errors.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, DataError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        form::check(path, bytes)?;
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
        let names =
            header(path, bytes, reader.byte_headers().map_err(|e| refused(path, bytes, e))?)?;
        let mut values = Vec::new();
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(|error| refused(path, bytes, error))? {
            for (cell, name) in record.iter().zip(&names) {
                values.push(number(path, name, cell).map_err(|error| {
                    let offset = record.position().map_or(0, csv::Position::byte);
                    error.below(line_at(bytes, offset) - 1)
                })?);
            }
        }
        if values.is_empty() {
            return Err(DataError::NoRows { path: path.to_owned() });
        }
        Ok(Self { names, values, path: path.to_owned() })
    }
}

/// Which columns are features and which are targets, by position.
pub(super) struct Roles {
    pub features: Vec<usize>,
    pub targets: Vec<usize>,
}

impl Roles {
    /// # Errors
    /// [`DataError`] on a target that is missing or named twice, and where no column is left.
    pub fn of(
        path: &Path,
        names: &[String],
        targets: &[impl AsRef<str>],
    ) -> Result<Self, DataError> {
        let found = targets.iter().map(|target| column(path, names, target.as_ref()));
        let targets = found.collect::<Result<Vec<usize>, _>>()?;
        let path = path.to_owned();
        if let Some(twice) = (1..targets.len()).find(|&k| targets[..k].contains(&targets[k])) {
            let target = names[targets[twice]].clone();
            return Err(DataError::RepeatedTarget { path, target });
        }
        let features: Vec<usize> = (0..names.len()).filter(|k| !targets.contains(k)).collect();
        if features.is_empty() || targets.is_empty() {
            let target = named(names, &targets).join(", ");
            return Err(DataError::NoFeatures { path, target });
        }
        Ok(Self { features, targets })
    }
}

/// The names of the columns at `places`.
pub(super) fn named(names: &[String], places: &[usize]) -> Vec<String> {
    places.iter().map(|&k| names[k].clone()).collect()
}

fn column(path: &Path, names: &[String], name: &str) -> Result<usize, DataError> {
    names.iter().position(|known| known == name).ok_or_else(|| DataError::NoSuchTarget {
        path: path.to_owned(),
        target: name.to_owned(),
        columns: names.to_owned(),
    })
}

/// The names of the columns that the header `cells` of a CSV file holds.
pub(super) fn header(
    path: &Path,
    bytes: &[u8],
    cells: &ByteRecord,
) -> Result<Vec<String>, DataError> {
    let path = path.to_owned();
    if cells.is_empty() {
        return Err(DataError::Empty { path });
    }
    let mut names = Vec::with_capacity(cells.len());
    for cell in cells {
        let Ok(name) = str::from_utf8(cell) else {
            return Err(DataError::HeaderNotText { path });
        };
        if let (1, Some(found)) = (cells.len(), form::other_separator(name)) {
            return Err(DataError::Separator { path, found });
        }
        // A line's end in a name is more likely two quotes astray, with rows between them.
        if name.chars().any(char::is_control) {
            let what =
                "the name of a column holds a line's end, a tab or another control character";
            return Err(DataError::Damaged { path, line: form::line_at(bytes, 0), what });
        }
        names.push(name.to_owned());
    }
    check_names(&path, &names)?;
    Ok(names)
}

/// Tests that each column has a name of its own.
///
/// # Errors
/// [`DataError::UnnamedColumn`], [`DataError::DuplicateColumn`].
pub(super) fn check_names(path: &Path, names: &[String]) -> Result<(), DataError> {
    let mut seen = BTreeMap::new();
    for (name, column) in names.iter().zip(1..) {
        if name.is_empty() {
            return Err(DataError::UnnamedColumn { path: path.to_owned(), column });
        }
        if let Some(first) = seen.insert(name, column) {
            let (path, name) = (path.to_owned(), name.clone());
            return Err(DataError::DuplicateColumn { path, name, first, second: column });
        }
    }
    Ok(())
}

/// The number in a cell of column `name`; an error names line 1, for the caller to add the lines above.
pub(super) fn number(path: &Path, name: &str, cell: &[u8]) -> Result<f64, DataError> {
    match str::from_utf8(cell).ok().and_then(|text| text.parse::<f64>().ok()) {
        Some(value) if value.is_finite() => Ok(value),
        found => {
            let (path, line, column) = (path.to_owned(), 1, excerpt(name));
            let text = excerpt(&String::from_utf8_lossy(cell));
            Err(match found {
                Some(_) => DataError::NonFiniteCell { path, line, column, text },
                None => DataError::NonNumericCell { path, line, column, text },
            })
        }
    }
}

/// A complaint of the CSV reader. From memory, and with bytes for records, only the number of
/// cells can be wrong.
fn refused(path: &Path, bytes: &[u8], error: csv::Error) -> DataError {
    match error.into_kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => DataError::RaggedRow {
            path: path.to_owned(),
            line: line_at(bytes, pos.map_or(0, |pos| pos.byte())),
            expected: expected_len,
            found: len,
        },
        ErrorKind::Io(source) => DataError::read(path, source),
        _ => DataError::HeaderNotText { path: path.to_owned() },
    }
}

/// The bytes of `path`, up to a limit: a wrong path (a disk image, a device) must not fill memory.
pub(super) fn read_at_most(path: &Path, accepted: u64) -> Result<Vec<u8>, DataError> {
    let file = open_file(path).map_err(|source| DataError::read(path, source))?;
    let mut bytes = Vec::new();
    file.take(accepted + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| DataError::read(path, source))?;
    let found = bytes.len() as u64;
    if found > accepted {
        return Err(DataError::TooLarge { path: path.to_owned(), bytes: found, accepted });
    }
    Ok(bytes)
}
