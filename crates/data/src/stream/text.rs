//! A CSV file by parts: a part takes the lines that begin in its share of the bytes.
//!
//! A line's end always ends a row here, also within quotes: the cells are numbers, which have none. So where a row begins is known
//! from the byte before it, without the text above, and a share that begins within a row leaves that row to the share before.

use std::ops::Range;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Trim};

use super::placed::Placed;
use super::{Columns, RowStore};
use crate::DataError;
use crate::form;
use crate::table::{header, number};

/// Bytes of text that are read at a time, 1 MiB.
const BLOCK: usize = 1 << 20;
/// The longest line that is read, 16 MiB.
const LONGEST_LINE: usize = 1 << 24;
const BYTE_ORDER_MARK: &[u8; 3] = b"\xef\xbb\xbf";

/// Where the rows of a CSV file are.
#[derive(Debug)]
pub(super) struct Text {
    /// The bytes below the header.
    body: Range<u64>,
    /// Bytes of text that are read at a time; more where a line is longer.
    block: usize,
}

const fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

impl Text {
    /// Reads the header of a file of `length` bytes: the names of the columns, and where the rows are.
    pub fn open(path: &Path, file: &Placed, length: u64) -> Result<(Vec<String>, Self), DataError> {
        let failed = |source| DataError::read(path, source);
        let mut mark = [0; BYTE_ORDER_MARK.len()];
        let is_marked = length >= mark.len() as u64
            && file
                .read_exact_at(&mut mark, 0)
                .map(|()| mark == *BYTE_ORDER_MARK)
                .map_err(failed)?;
        let top = if is_marked { mark.len() as u64 } else { 0 };
        // The header is the first line that is not blank.
        let begin = file.find(top, length, |byte| !ends_line(byte)).map_err(failed)?;
        let limit = length.min(begin + LONGEST_LINE as u64);
        let end = file.find(begin, limit, ends_line).map_err(failed)?;
        if end == limit && limit < length {
            return Err(long_line(path, begin));
        }
        let mut line = vec![0; usize::try_from(end - begin).unwrap_or(LONGEST_LINE)];
        file.read_exact_at(&mut line, begin).map_err(failed)?;
        let names = names(path, &line).map_err(|error| match lines_above(file, begin) {
            Ok(above) => error.below(above),
            Err(source) => failed(source),
        })?;
        if file.find(end, length, |byte| !ends_line(byte)).map_err(failed)? == length {
            return Err(DataError::NoRows { path: path.to_owned() });
        }
        Ok((names, Self { body: end..length, block: BLOCK }))
    }

    /// Appends the rows of a part to `sink`.
    pub fn read(
        &self,
        columns: &Columns<'_>,
        part: usize,
        parts: usize,
        sink: &mut RowStore,
    ) -> Result<(), DataError> {
        let file = columns.file;
        let failed = |source| DataError::read(columns.path, source);
        let share = super::share(self.body.end - self.body.start, part, parts);
        let end = self.line_start(file, share.end).map_err(failed)?;
        let mut at = self.line_start(file, share.start).map_err(failed)?;
        let mut block = vec![0; self.block];
        let (mut row, mut values) = (Vec::new(), Vec::new());
        while at < end {
            // Whole lines of one block.
            let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(block.len());
            file.read_exact_at(&mut block[..length], at).map_err(failed)?;
            let whole = match block[..length].iter().rposition(|&byte| ends_line(byte)) {
                _ if at + length as u64 == end => length,
                Some(last) => last + 1,
                None if length >= LONGEST_LINE => return Err(long_line(columns.path, at)),
                None => {
                    block.resize((2 * length).min(LONGEST_LINE), 0);
                    continue;
                }
            };
            // Its rows, in the order of the columns of the store.
            values.clear();
            let mut begin = at;
            for line in block[..whole].split(|&byte| ends_line(byte)) {
                if !line.is_empty() {
                    cells(columns, line, &mut row).map_err(|error| {
                        lines_above(file, begin).map_or_else(failed, |above| error.below(above))
                    })?;
                    values.extend(columns.order.iter().map(|&k| row[k]));
                }
                begin += line.len() as u64 + 1;
            }
            sink.append(&values)?;
            at += whole as u64;
        }
        Ok(())
    }

    /// The first place from byte `offset` of the body on where a line begins.
    fn line_start(&self, file: &Placed, offset: u64) -> std::io::Result<u64> {
        // The body begins with the header's end of line, so that each line has one before it.
        let before = self.body.start + offset.saturating_sub(1);
        Ok((file.find(before, self.body.end, ends_line)? + 1).min(self.body.end))
    }

    /// Lets tests see many blocks in a short file.
    #[cfg(test)]
    pub(super) fn set_block(&mut self, block: usize) {
        self.block = block;
    }
}

/// The names in the header `line`; an error counts lines from it.
fn names(path: &Path, line: &[u8]) -> Result<Vec<String>, DataError> {
    form::check(path, line)?;
    header(path, line, &record(line))
}

/// The numbers of a line that is not blank, into `row`, in the order of the file; an error counts lines from it.
fn cells(columns: &Columns<'_>, line: &[u8], row: &mut Vec<f64>) -> Result<(), DataError> {
    row.clear();
    if line.iter().any(|byte| matches!(byte, b'"' | 0)) {
        form::check(columns.path, line)?;
        return numbers(columns, record(line).iter(), row);
    }
    numbers(columns, line.split(|&byte| byte == b',').map(<[u8]>::trim_ascii), row)
}

fn numbers<'a>(
    columns: &Columns<'_>,
    cells: impl Iterator<Item = &'a [u8]> + Clone,
    row: &mut Vec<f64>,
) -> Result<(), DataError> {
    let Columns { path, names, .. } = *columns;
    let mut left = cells.clone();
    let filled = names.iter().zip(left.by_ref()).try_for_each(|(name, cell)| {
        row.push(number(path, name, cell)?);
        Ok(())
    });
    if row.len() == names.len() && left.next().is_none() {
        return filled;
    }
    // A wrong number of cells explains a cell that is no number, not the other way round.
    match cells.count() {
        found if found == names.len() => filled,
        found => {
            let (expected, found) = (names.len() as u64, found as u64);
            Err(DataError::RaggedRow { path: path.to_owned(), line: 1, expected, found })
        }
    }
}

/// The cells of a line whose quotes are sound.
fn record(line: &[u8]) -> ByteRecord {
    let mut reader = ReaderBuilder::new()
        .trim(Trim::All)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(line.len() + 1)
        .from_reader(line);
    let mut record = ByteRecord::new();
    // From memory, and with bytes for cells, only the number of cells could be wrong.
    let _ = reader.read_byte_record(&mut record);
    record
}

fn long_line(path: &Path, offset: u64) -> DataError {
    DataError::LongLine { path: path.to_owned(), offset, accepted: LONGEST_LINE as u64 }
}

/// How many lines end before byte `offset`, at which a line begins: its number, from 1, less 1.
fn lines_above(file: &Placed, offset: u64) -> std::io::Result<u64> {
    let (mut count, mut previous) = (0, 0);
    file.scan(0, offset, |_, bytes| {
        for &byte in bytes {
            // A CR ends a line, and an LF one that no CR before it has ended.
            count += u64::from(byte == b'\r' || (byte == b'\n' && previous != b'\r'));
            previous = byte;
        }
        None::<()>
    })?;
    Ok(count)
}
