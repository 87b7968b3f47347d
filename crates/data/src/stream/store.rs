//! Rows of numbers, kept in memory or in a scratch file, and read back by ranges.

use std::ops::Range;

use super::Moments;
use super::placed::{PIECE, Placed};
use crate::DataError;

/// Keeps rows of numbers, each the features and then the targets, and counts their [`Moments`] as they come.
///
/// Rows are kept in memory, or on the disk as 64-bit numbers, least byte first. The scratch file lies in the system's folder for
/// temporary files ([`std::env::temp_dir`]) and has no name there, so that the system frees its space when the store is dropped or
/// the process ends, for whatever reason.
///
/// ```
/// use gaussflow_data::RowStore;
///
/// let mut store = RowStore::on_disk(2)?;
/// store.append(&[1.0, 10.0, 2.0, 20.0, 3.0, 60.0])?;
/// let mut rows = Vec::new();
/// store.read(1..3, &mut rows)?;
/// assert_eq!(rows, [2.0, 20.0, 3.0, 60.0]);
/// assert_eq!(store.moments().columns()[1].mean, 30.0);
/// # Ok::<(), gaussflow_data::DataError>(())
/// ```
#[derive(Debug)]
pub struct RowStore {
    width: usize,
    rows: usize,
    kept: Kept,
    moments: Moments,
}

/// Where the rows are.
#[derive(Debug)]
enum Kept {
    Memory(Vec<f64>),
    Disk(Placed),
}

/// Bytes of a number.
const NUMBER: usize = size_of::<f64>();

impl RowStore {
    /// Creates a store in memory for rows of `width` numbers.
    pub fn in_memory(width: usize) -> Self {
        Self::of(width, Kept::Memory(Vec::new()))
    }

    /// Creates a store in a scratch file for rows of `width` numbers, 8 bytes each.
    ///
    /// On many systems the folder for temporary files is itself in memory; the environment variable TMPDIR names another.
    ///
    /// # Errors
    /// [`DataError::Scratch`] where no file can be created.
    pub fn on_disk(width: usize) -> Result<Self, DataError> {
        let file = tempfile::tempfile().map_err(scratch)?;
        Ok(Self::of(width, Kept::Disk(Placed::new(file))))
    }

    fn of(width: usize, kept: Kept) -> Self {
        Self { width, rows: 0, kept, moments: Moments::new(width) }
    }

    /// Returns how many rows are kept.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns how many numbers a row has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the moments of all rows that were appended.
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Appends whole rows `[n][width]`, row-major.
    ///
    /// # Cost
    /// One pass over the numbers, and on the disk one write for every 8,192 of them.
    ///
    /// # Errors
    /// [`DataError::Length`] where `rows` ends within a row; [`DataError::Scratch`] where the disk is full or fails. Nothing is
    /// appended then.
    pub fn append(&mut self, rows: &[f64]) -> Result<(), DataError> {
        let count = rows.len().checked_div(self.width).unwrap_or(0);
        if count * self.width != rows.len() {
            let what = "rows to be appended to a store";
            let expected = (count + 1) * self.width;
            return Err(DataError::Length { what, expected, found: rows.len() });
        }
        match &mut self.kept {
            Kept::Memory(kept) => kept.extend_from_slice(rows),
            Kept::Disk(file) => {
                let mut bytes = Vec::with_capacity(PIECE.min(rows.len() * NUMBER));
                let mut at = self.rows as u64 * self.width as u64 * NUMBER as u64;
                for piece in rows.chunks(PIECE / NUMBER) {
                    bytes.clear();
                    bytes.extend(piece.iter().flat_map(|value| value.to_le_bytes()));
                    file.write_all_at(&bytes, at).map_err(scratch)?;
                    at += bytes.len() as u64;
                }
            }
        }
        self.moments.add(rows);
        self.rows += count;
        Ok(())
    }

    /// Reads the rows `rows`, counted from 0 in the order of appending, into `out` `[n][width]`, in place of what it held.
    ///
    /// Several threads may read at once.
    ///
    /// # Cost
    /// One copy of the numbers; from the disk, one read for every 8,192 of them, through a buffer of 64 KiB.
    ///
    /// # Errors
    /// [`DataError::NoSuchRows`] where the store has fewer rows; [`DataError::Scratch`] where the disk fails.
    pub fn read(&self, rows: Range<usize>, out: &mut Vec<f64>) -> Result<(), DataError> {
        let Range { start: first, end } = rows;
        if first > end || end > self.rows {
            return Err(DataError::NoSuchRows { first, end, rows: self.rows });
        }
        out.clear();
        let (from, to) = (first * self.width, end * self.width);
        match &self.kept {
            Kept::Memory(kept) => out.extend_from_slice(&kept[from..to]),
            Kept::Disk(file) => {
                out.reserve(to - from);
                let [from, to] = [from, to].map(|number| number as u64 * NUMBER as u64);
                let convert = |_, bytes: &[u8]| {
                    out.extend(
                        bytes.as_chunks().0.iter().map(|&number| f64::from_le_bytes(number)),
                    );
                    None::<()>
                };
                file.scan(from, to, convert).map_err(scratch)?;
            }
        }
        Ok(())
    }
}

fn scratch(source: std::io::Error) -> DataError {
    DataError::Scratch { folder: std::env::temp_dir(), source }
}
