//! Row files that no machine holds: read by parts (one a rank), by blocks, into memory or a scratch file.
//!
//! [`RowFile`] reads (`text.rs` CSV, `columnar.rs` and `chunk.rs` Parquet), [`RowStore`] keeps (`store.rs`), [`Moments`] (`moments.rs`) counts means
//! and deviations as the rows come. The parts of a file, in order, are all of its rows, whatever their number.

#[cfg(feature = "parquet")]
mod chunk;
#[cfg(feature = "parquet")]
mod columnar;
mod moments;
mod placed;
mod store;
#[cfg(test)]
mod tests;
mod text;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gaussflow_records::{FileSum, RecordError, open_file};

pub use self::moments::{ColumnMoments, Moments};
use self::placed::Placed;
pub use self::store::RowStore;
use self::text::Text;
use super::table::{Roles, load_csv, named};
use super::{DataError, Dataset};

/// Reads the rows of a CSV or Parquet file of any size, one part at a time.
///
/// # Cost
/// Memory: 1 MiB of text, or as much as the longest line (16 MiB at most), and the numbers in it (4 MiB for each MiB of text at
/// most). Of a Parquet file, 1 MiB of numbers and one page and one dictionary of every column (mostly 1 MiB each, as the writer
/// chose).
///
/// ```
/// use gaussflow_data::{RowFile, RowStore};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("rows.csv");
/// std::fs::write(&path, "a,y,b\n1,10,100\n2,20,200\n3,30,300\n")?;
///
/// let file = RowFile::open(&path, &["y"])?;
/// let mut store = RowStore::in_memory(file.width());
/// for part in 0..2 {
///     file.read_part(part, 2, &mut store)?; // on a rank: its own part alone
/// }
/// let mut rows = Vec::new();
/// store.read(0..2, &mut rows)?;
/// assert_eq!(rows, [1.0, 100.0, 10.0, 2.0, 200.0, 20.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RowFile {
    path: PathBuf,
    file: Arc<Placed>,
    /// All columns, in the order of the file.
    names: Vec<String>,
    feature_names: Vec<String>,
    target_names: Vec<String>,
    /// The positions of the features, then of the targets.
    order: Vec<usize>,
    format: Format,
}

#[derive(Debug)]
enum Format {
    Text(Text),
    #[cfg(feature = "parquet")]
    Columnar(columnar::Columnar),
}

/// What the reading of either format needs to know.
struct Columns<'a> {
    path: &'a Path,
    file: &'a Placed,
    names: &'a [String],
    order: &'a [usize],
}

impl RowFile {
    /// Opens a file and reads the header of a CSV file, or the metadata of a Parquet file, which its first bytes tell apart.
    ///
    /// The columns `targets` become the targets; every other column is a feature, in the order of the file. Of
    /// what [`load_csv`] accepts, only a line's end within the quotes of a cell is refused.
    ///
    /// # Errors
    /// [`DataError`]: the file cannot be read, or is not an ordinary file, which alone can be read by parts; it is empty, or has
    /// no rows; a column is unnamed or named twice, or is not of numbers; a target is missing or named twice; a Parquet file where
    /// the feature `parquet` was not built.
    pub fn open(path: &Path, targets: &[impl AsRef<str>]) -> Result<Self, DataError> {
        let failed = |source| DataError::read(path, source);
        let file = open_file(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() {
            let why = "rows are read by parts, for which it must be an ordinary file";
            return Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidInput, why)));
        }
        let file = Arc::new(Placed::new(file));
        let (names, format) = Format::open(path, &file, found.len())?;
        let Roles { features, targets } = Roles::of(path, &names, targets)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            feature_names: named(&names, &features),
            target_names: named(&names, &targets),
            order: features.into_iter().chain(targets).collect(),
            names,
            format,
        })
    }

    /// Returns the names of the features `[d]`, in the order of the file.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Returns the names of the targets `[t]`, in the order in which they were asked for.
    pub fn target_names(&self) -> &[String] {
        &self.target_names
    }

    /// Returns d + t, how many numbers a row has.
    pub fn width(&self) -> usize {
        self.order.len()
    }

    /// Appends the rows of part `part` of `parts` to `sink`, each `[features..., targets...]`, in the order of the file.
    ///
    /// The parts `0..parts` are consecutive and make up the whole file. A CSV file is divided by bytes, so that no part reads what
    /// another has; a Parquet file by rows. A part may be empty.
    ///
    /// # Cost
    /// One pass over the bytes of the part; for memory see [`RowFile`]. Only for an error, the lines above it are counted.
    ///
    /// # Errors
    /// [`DataError`]: there is no such part; rows of the sink have another width; the file cannot be read, or has changed; a row is
    /// ragged; a cell is not a finite number. Rows before it may then be in `sink`.
    pub fn read_part(
        &self,
        part: usize,
        parts: usize,
        sink: &mut RowStore,
    ) -> Result<(), DataError> {
        if part >= parts {
            return Err(DataError::NoSuchPart { part, parts });
        }
        let (expected, found) = (self.width(), sink.width());
        if expected != found {
            return Err(DataError::Length { what: "a row of the store", expected, found });
        }
        let Self { path, file, names, order, .. } = self;
        let columns = Columns { path, file, names, order };
        match &self.format {
            Format::Text(text) => text.read(&columns, part, parts, sink),
            #[cfg(feature = "parquet")]
            Format::Columnar(columnar) => columnar.read(&columns, part, parts, sink),
        }
    }

    /// Computes the SHA-256 checksum of the file, 64 hexadecimal digits: the one of the [`Dataset`] that [`load_table`] reads.
    ///
    /// # Cost
    /// One pass over the file, with 64 KiB of memory.
    ///
    /// # Errors
    /// [`DataError::Read`].
    pub fn sha256(&self) -> Result<String, DataError> {
        let sum = FileSum::of(&self.path).map_err(|error| match error {
            RecordError::Read { path, source } => DataError::Read { path, source },
            other => DataError::read(&self.path, std::io::Error::other(other)),
        })?;
        Ok(sum.sha256)
    }
}

impl Format {
    fn open(
        path: &Path,
        file: &Arc<Placed>,
        length: u64,
    ) -> Result<(Vec<String>, Self), DataError> {
        if !is_parquet(path, file, length)? {
            let (names, text) = Text::open(path, file, length)?;
            return Ok((names, Self::Text(text)));
        }
        #[cfg(feature = "parquet")]
        return columnar::Columnar::open(path, file, length)
            .map(|(names, columnar)| (names, Self::Columnar(columnar)));
        #[cfg(not(feature = "parquet"))]
        Err(DataError::ParquetNotBuilt { path: path.to_owned() })
    }
}

/// Whether a file is a Parquet file: `PAR1`, and then what no header of a CSV file has.
fn is_parquet(path: &Path, file: &Placed, length: u64) -> Result<bool, DataError> {
    let mut magic = [0; 5];
    if length < magic.len() as u64 {
        return Ok(false);
    }
    file.read_exact_at(&mut magic, 0).map_err(|source| DataError::read(path, source))?;
    let [name @ .., next] = magic;
    Ok(name == *b"PAR1" && next.is_ascii_control() && !next.is_ascii_whitespace())
}

/// Part `part` of `0..total`, divided as evenly as possible; the first parts have one more.
fn share(total: u64, part: usize, parts: usize) -> Range<u64> {
    let (part, parts) = (part as u64, parts as u64);
    let (each, more) = (total / parts, total % parts);
    let start = |part: u64| part * each + part.min(more);
    start(part)..start(part + 1)
}

/// Reads a whole CSV or Parquet file into memory; [`load_csv`] says what a CSV file may hold.
///
/// # Cost
/// Of a Parquet file, 16 bytes a number while it is read, and half of that afterwards.
///
/// # Errors
/// Those of [`load_csv`] for a CSV file; those of [`RowFile`] for a Parquet file, and [`DataError::TooLarge`] where its numbers need
/// more than [`MAXIMUM_BYTES`](crate::MAXIMUM_BYTES).
pub fn load_table(path: &Path, targets: &[impl AsRef<str>]) -> Result<Dataset, DataError> {
    let file = open_file(path).map_err(|source| DataError::read(path, source))?;
    let found = file.metadata().map_err(|source| DataError::read(path, source))?;
    // What is piped to this program can be read only once, from its beginning.
    if !found.is_file() || !is_parquet(path, &Placed::new(file), found.len())? {
        return load_csv(path, targets);
    }
    let file = RowFile::open(path, targets)?;
    #[cfg(feature = "parquet")]
    if let Format::Columnar(columnar) = &file.format {
        let bytes = columnar.rows().saturating_mul(8 * file.width() as u64);
        let accepted = crate::MAXIMUM_BYTES;
        if bytes > accepted {
            return Err(DataError::TooLarge { path: path.to_owned(), bytes, accepted });
        }
    }
    let mut store = RowStore::in_memory(file.width());
    file.read_part(0, 1, &mut store)?;
    let (mut rows, d) = (Vec::new(), file.feature_names.len());
    store.read(0..store.rows(), &mut rows)?;
    drop(store);
    let rows = rows.chunks_exact(file.width());
    Ok(Dataset {
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        sha256: file.sha256()?,
        features: rows.clone().flat_map(|row| &row[..d]).copied().collect(),
        targets: rows.flat_map(|row| &row[d..]).copied().collect(),
        feature_names: file.feature_names,
        target_names: file.target_names,
    })
}
