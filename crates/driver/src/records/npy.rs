//! `NumPy`'s .npy files, version 1.0: a magic string, a header that is a Python literal padded to a
//! multiple of 64 bytes, then the numbers, little-endian, in C order.
//!
//! Source: the description of the format in `NumPy`'s `numpy.lib.format` (NEP 1).

use std::io::Write;
use std::path::Path;

use super::{AtomicFile, RecordError};

/// Writes `values` as an array of 64-bit floats of the given shape, row-major.
///
/// A run's snapshots are `weights.npy` with the shape `[k, m, d]`. Non-finite numbers are kept.
///
/// # Errors
/// [`RecordError::Shape`] where the shape asks for another number of values;
/// [`RecordError::Write`].
pub fn write_npy(path: &Path, shape: &[usize], values: &[f64]) -> Result<(), RecordError> {
    write(path, "<f8", shape, values.iter().map(|value| value.to_le_bytes()))
}

/// Writes `values` as an array of 64-bit integers of one dimension: `weights_steps.npy`.
///
/// # Errors
/// [`RecordError::Write`].
pub fn write_npy_integers(path: &Path, values: &[i64]) -> Result<(), RecordError> {
    write(path, "<i8", &[values.len()], values.iter().map(|value| value.to_le_bytes()))
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
    const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";
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
