//! One column of one group of rows of a Parquet file, as 64-bit numbers.
//!
//! Integers of more than 53 bits are rounded to the nearest number, as they are where they stand as text in a CSV file.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;

/// One column of one group.
pub(super) struct Chunk {
    reader: ColumnReader,
    is_unsigned: bool,
    /// 1 for each value that is there, 0 for each that is missing; empty where none may be missing.
    levels: Vec<i16>,
    /// The numbers that were read last.
    numbers: Vec<f64>,
}

impl Chunk {
    pub fn new(reader: ColumnReader, is_unsigned: bool) -> Self {
        Self { reader, is_unsigned, levels: Vec::new(), numbers: Vec::new() }
    }

    /// The numbers that were read last.
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// Skips `count` numbers.
    pub fn skip(&mut self, count: usize) -> Result<(), ParquetError> {
        let skipped = match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => reader.skip_records(count),
            ColumnReader::Int32ColumnReader(reader) => reader.skip_records(count),
            ColumnReader::Int64ColumnReader(reader) => reader.skip_records(count),
            ColumnReader::FloatColumnReader(reader) => reader.skip_records(count),
            ColumnReader::DoubleColumnReader(reader) => reader.skip_records(count),
            // Refused where the file is opened.
            _ => return Err(ParquetError::NYI("columns of other types".to_owned())),
        }?;
        whole(skipped, count)
    }

    /// Reads the next `count` numbers; gives the place and the text of the first that is missing or not finite.
    #[allow(
        clippy::cast_precision_loss,
        reason = "as for the text of a large integer, to the nearest"
    )]
    pub fn read(&mut self, count: usize) -> Result<Option<(usize, String)>, ParquetError> {
        let Self { reader, is_unsigned, levels, numbers } = self;
        levels.clear();
        match (reader, is_unsigned) {
            (ColumnReader::BoolColumnReader(reader), _) => {
                fill(reader, count, levels, numbers, |&value| f64::from(value))
            }
            (ColumnReader::Int32ColumnReader(reader), false) => {
                fill(reader, count, levels, numbers, |&value| f64::from(value))
            }
            (ColumnReader::Int32ColumnReader(reader), true) => {
                fill(reader, count, levels, numbers, |value| f64::from(value.cast_unsigned()))
            }
            (ColumnReader::Int64ColumnReader(reader), false) => {
                fill(reader, count, levels, numbers, |&value| value as f64)
            }
            (ColumnReader::Int64ColumnReader(reader), true) => {
                fill(reader, count, levels, numbers, |value| value.cast_unsigned() as f64)
            }
            (ColumnReader::FloatColumnReader(reader), _) => {
                fill(reader, count, levels, numbers, |&value| f64::from(value))
            }
            (ColumnReader::DoubleColumnReader(reader), _) => {
                fill(reader, count, levels, numbers, |&value| value)
            }
            // Refused where the file is opened.
            _ => return Err(ParquetError::NYI("columns of other types".to_owned())),
        }?;
        if let Some(place) = levels.iter().position(|&level| level == 0) {
            return Ok(Some((place, "no value (null)".to_owned())));
        }
        whole(numbers.len(), count)?;
        let wrong = numbers.iter().position(|number| !number.is_finite());
        Ok(wrong.map(|place| (place, numbers[place].to_string())))
    }
}

/// Reads values, which are fewer than `count` where `levels` says that some are missing.
fn fill<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    levels: &mut Vec<i16>,
    numbers: &mut Vec<f64>,
    number: impl Fn(&T::T) -> f64,
) -> Result<(), ParquetError> {
    let mut values = Vec::with_capacity(count);
    let (records, _, _) = reader.read_records(count, Some(levels), None, &mut values)?;
    whole(records, count)?;
    numbers.clear();
    numbers.extend(values.iter().map(number));
    Ok(())
}

fn whole(found: usize, expected: usize) -> Result<(), ParquetError> {
    if found == expected {
        return Ok(());
    }
    let reason = format!("a column ends {} values before its group of rows", expected - found);
    Err(ParquetError::EOF(reason))
}
