//! `NumPy`'s .npy files, version 1.0: a magic string, a header that is a Python literal padded to a
//! multiple of 64 bytes, then the numbers, little-endian, in C order.
//!
//! Source: the description of the format in `NumPy`'s `numpy.lib.format` (NEP 1).

use std::io::Write;
use std::path::Path;

use super::error::read_bytes;
use super::{AtomicFile, RecordError};

/// What version 1.0 begins with.
const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";

/// Writes `values` as a NumPy array of 64-bit floats of the given shape, row-major; numbers that are not finite are kept.
///
/// The snapshots of a run are `weights.npy` with the shape `[k, m, d]`.
///
/// # Errors
/// [`RecordError::Shape`] where the shape asks for another number of values; [`RecordError::Write`].
pub fn write_npy(path: &Path, shape: &[usize], values: &[f64]) -> Result<(), RecordError> {
    write(path, "<f8", shape, values.iter().map(|value| value.to_le_bytes()))
}

/// Writes `values` as a one-dimensional NumPy array of 64-bit integers, such as `weights_steps.npy`.
pub fn write_npy_integers(path: &Path, values: &[i64]) -> Result<(), RecordError> {
    write(path, "<i8", &[values.len()], values.iter().map(|value| value.to_le_bytes()))
}

/// Holds an array that was read: 64-bit floats, or integers as floats (exact below 2^53).
#[derive(Clone, Debug, PartialEq)]
pub struct NpyArray {
    /// The lengths of the dimensions.
    pub shape: Vec<usize>,
    /// The entries, row-major.
    pub values: Vec<f64>,
}

/// Reads a file that [`write_npy`] or [`write_npy_integers`] wrote.
///
/// # Errors
/// [`RecordError::Read`]; [`RecordError::Damaged`] where the file has another header or size.
pub fn read_npy(path: &Path) -> Result<NpyArray, RecordError> {
    let bytes = read_bytes(path)?;
    let damaged =
        |detail: &str| RecordError::Damaged { path: path.to_owned(), detail: detail.to_owned() };
    if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
        return Err(damaged("no array of NumPy's format 1.0"));
    }
    let length = bytes.get(8..10).map(|l| usize::from(u16::from_le_bytes([l[0], l[1]])));
    let literal = length
        .and_then(|length| bytes.get(10..10 + length))
        .and_then(|text| std::str::from_utf8(text).ok())
        .ok_or_else(|| damaged("the header is cut off"))?;
    let start = 10 + literal.len();
    let shape = literal
        .split_once("'shape': (")
        .and_then(|(_, rest)| rest.split_once(')'))
        .and_then(|(lengths, _)| {
            let parts = lengths.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| part.parse().ok()).collect::<Option<Vec<usize>>>()
        })
        .ok_or_else(|| damaged("the header names no shape"))?;
    let count = shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
    let body = bytes.get(start..).unwrap_or_default();
    if count.and_then(|count| count.checked_mul(8)) != Some(body.len()) {
        return Err(damaged("the entries do not fill the shape"));
    }
    let words = body.chunks_exact(8).map(|word| {
        let mut raw = [0; 8];
        raw.copy_from_slice(word);
        raw
    });
    let values = if literal.contains("'<f8'") {
        words.map(f64::from_le_bytes).collect()
    } else if literal.contains("'<i8'") {
        words.map(|raw| i64::from_le_bytes(raw) as f64).collect()
    } else {
        return Err(damaged("the entries are neither 64-bit floats nor integers"));
    };
    Ok(NpyArray { shape, values })
}

fn write(
    path: &Path,
    kind: &str,
    shape: &[usize],
    values: impl ExactSizeIterator<Item = [u8; 8]>,
) -> Result<(), RecordError> {
    let expected = shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
    if expected != Some(values.len()) {
        return Err(RecordError::Shape {
            path: path.to_owned(),
            what: "the array",
            expected: expected.unwrap_or(usize::MAX),
            found: values.len(),
        });
    }
    let fail = |source| RecordError::write(path, source);
    let mut file = AtomicFile::create(path)?;
    file.write_all(&header(kind, shape)).map_err(fail)?;
    for bytes in values {
        file.write_all(&bytes).map_err(fail)?;
    }
    file.finish()
}

fn header(kind: &str, shape: &[usize]) -> Vec<u8> {
    const ALIGNMENT: usize = 64;
    // Python writes a tuple of one entry with a comma.
    let lengths = match shape {
        [length] => format!("({length},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    };
    let mut literal =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {lengths}, }}");
    // Magic, two bytes of length, literal and line end together fill whole blocks.
    let unpadded = MAGIC.len() + 2 + literal.len() + 1;
    literal.push_str(&" ".repeat(unpadded.next_multiple_of(ALIGNMENT) - unpadded));
    literal.push('\n');
    let mut header = MAGIC.to_vec();
    // Version 1.0 counts in 16 bits: thousands of dimensions would be needed to pass them.
    let length = u16::try_from(literal.len()).unwrap_or(u16::MAX);
    header.extend(length.to_le_bytes());
    header.extend(literal.bytes());
    header
}
