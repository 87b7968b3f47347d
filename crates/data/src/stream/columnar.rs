//! A Parquet file by parts: a part takes its share of the row numbers, from the groups of rows that hold them.
//!
//! Each group holds a chunk of every column, in pages that are unpacked one after the other. The columns are read side by side, some
//! rows at a time, so that no more than one page of each is in memory.

use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{ConvertedType, Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{
    ChunkReader, FileReader, Length, RowGroupReader, SerializedFileReader,
};
use parquet::schema::types::ColumnDescriptor;

use super::chunk::Chunk;
use super::placed::Placed;
use super::{Columns, RowStore};
use crate::DataError;
use crate::error::excerpt;
use crate::table::check_names;

/// Bytes of numbers that are read at a time, 1 MiB.
const BLOCK: usize = 1 << 20;

/// The metadata of a Parquet file.
pub(super) struct Columnar {
    reader: SerializedFileReader<Source>,
    /// The numbers of the first row of each group, counted from 0, and the number of all rows.
    starts: Vec<u64>,
    /// Which columns hold integers without a sign, in the order of the file.
    unsigned: Vec<bool>,
}

impl std::fmt::Debug for Columnar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Columnar").field("starts", &self.starts).finish_non_exhaustive()
    }
}

fn failed(path: &Path) -> impl Fn(ParquetError) -> DataError {
    |error| DataError::Parquet { path: path.to_owned(), reason: error.to_string() }
}

/// Turns a panic of the Parquet reader, which some damaged files cause, into an error.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, DataError>) -> Result<T, DataError> {
    // What a panic leaves half done is dropped with the reader; rows reach the store only whole.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let reason = "it is damaged, which its reader met with the panic above".to_owned();
        Err(DataError::Parquet { path: path.to_owned(), reason })
    })
}

impl Columnar {
    /// Reads the metadata of a file of `length` bytes: the names of the columns, and where the rows are.
    pub fn open(
        path: &Path,
        file: &Arc<Placed>,
        length: u64,
    ) -> Result<(Vec<String>, Self), DataError> {
        guarded(path, || Self::parse(path, file, length))
    }

    fn parse(
        path: &Path,
        file: &Arc<Placed>,
        length: u64,
    ) -> Result<(Vec<String>, Self), DataError> {
        let source = Source { file: Arc::clone(file), length };
        let reader = SerializedFileReader::new(source).map_err(failed(path))?;
        let metadata = reader.metadata();
        let columns = metadata.file_metadata().schema_descr().columns();
        let names: Vec<String> = columns.iter().map(|column| column.path().string()).collect();
        check_names(path, &names)?;
        for (column, name) in columns.iter().zip(&names) {
            if let Some(found) = other_than_number(column) {
                let (path, column) = (path.to_owned(), excerpt(name));
                return Err(DataError::UnsupportedColumn { path, column, found });
            }
        }
        let mut starts = vec![0];
        for (group, before) in metadata.row_groups().iter().zip(0..) {
            let start: u64 = starts[before];
            let end = u64::try_from(group.num_rows()).ok().and_then(|rows| start.checked_add(rows));
            let Some(end) = end else {
                let reason = format!("group {before} has {} rows", group.num_rows());
                return Err(DataError::Parquet { path: path.to_owned(), reason });
            };
            starts.push(end);
        }
        if starts.last() == Some(&0) {
            return Err(DataError::NoRows { path: path.to_owned() });
        }
        let unsigned = columns.iter().map(|column| is_unsigned(column)).collect();
        Ok((names, Self { reader, starts, unsigned }))
    }

    /// How many rows the file has.
    pub fn rows(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Appends the rows of a part to `sink`.
    pub fn read(
        &self,
        columns: &Columns<'_>,
        part: usize,
        parts: usize,
        sink: &mut RowStore,
    ) -> Result<(), DataError> {
        let share = super::share(self.rows(), part, parts);
        for (group, bounds) in self.starts.windows(2).enumerate() {
            let rows = share.start.max(bounds[0])..share.end.min(bounds[1]);
            if !rows.is_empty() {
                guarded(columns.path, || {
                    let reader = self.reader.get_row_group(group).map_err(failed(columns.path))?;
                    self.read_group(columns, reader.as_ref(), bounds[0], rows, sink)
                })?;
            }
        }
        Ok(())
    }

    /// Appends the rows `rows` of the file, which lie in one group that begins with row `start`.
    fn read_group(
        &self,
        columns: &Columns<'_>,
        group: &dyn RowGroupReader,
        start: u64,
        rows: Range<u64>,
        sink: &mut RowStore,
    ) -> Result<(), DataError> {
        let Columns { path, names, order, .. } = *columns;
        let width = order.len();
        let too_many = |_| {
            let reason = format!("a group of more than {} rows", usize::MAX);
            DataError::Parquet { path: path.to_owned(), reason }
        };
        let skipped = usize::try_from(rows.start - start).map_err(too_many)?;
        let mut left = usize::try_from(rows.end - rows.start).map_err(too_many)?;
        let opened = order.iter().map(|&k| {
            let mut chunk = Chunk::new(group.get_column_reader(k)?, self.unsigned[k]);
            chunk.skip(skipped)?;
            Ok(chunk)
        });
        let mut chunks = opened.collect::<Result<Vec<_>, _>>().map_err(failed(path))?;
        let mut block = Vec::new();
        while left > 0 {
            let count = left.min((BLOCK / (8 * width)).max(1));
            block.resize(count * width, 0.0);
            for (place, (chunk, &k)) in chunks.iter_mut().zip(order).enumerate() {
                let found = chunk.read(count).map_err(failed(path))?;
                if let Some((offset, text)) = found {
                    let row = rows.end - left as u64 + offset as u64 + 1;
                    let (path, column) = (path.to_owned(), excerpt(&names[k]));
                    return Err(DataError::UnusableValue { path, row, column, text });
                }
                let slots = block.iter_mut().skip(place).step_by(width);
                slots.zip(chunk.numbers()).for_each(|(slot, &number)| *slot = number);
            }
            sink.append(&block)?;
            left -= count;
        }
        Ok(())
    }
}

/// What a column holds, if it is not one number a row.
fn other_than_number(column: &ColumnDescriptor) -> Option<String> {
    use ConvertedType::{INT_8, INT_16, INT_32, INT_64, NONE};
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return Some("nested".to_owned());
    }
    let (physical, logical) = (column.physical_type(), column.logical_type_ref());
    let is_plain = is_unsigned(column)
        || match meaning(column) {
            INT_8 | INT_16 | INT_32 | INT_64 => true,
            NONE => logical.is_none(),
            _ => false,
        };
    match physical {
        Type::BOOLEAN | Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE if is_plain => None,
        _ => Some(match logical {
            Some(logical) => format!("of type {physical} for {logical:?}"),
            None => format!("of type {physical} for {}", column.converted_type()),
        }),
    }
}

fn is_unsigned(column: &ColumnDescriptor) -> bool {
    use ConvertedType::{UINT_8, UINT_16, UINT_32, UINT_64};
    matches!(meaning(column), UINT_8 | UINT_16 | UINT_32 | UINT_64)
}

/// What the numbers of a column stand for, in the words of the format's first version.
fn meaning(column: &ColumnDescriptor) -> ConvertedType {
    match column.logical_type_ref() {
        Some(logical) => ConvertedType::from(Some(logical.clone())),
        None => column.converted_type(),
    }
}

/// The file, as the Parquet reader asks for it: by places, so that threads do not move each other's.
struct Source {
    file: Arc<Placed>,
    length: u64,
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Source {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(From { file: Arc::clone(&self.file), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // Before memory is asked for: a damaged file may name any length.
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            let reason = format!("{length} bytes from byte {start} on, in {} bytes", self.length);
            return Err(ParquetError::EOF(reason));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// The bytes from a place on.
struct From {
    file: Arc<Placed>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(bytes, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
