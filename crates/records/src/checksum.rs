//! Computes length and SHA-256 checksum of a run's files, which show whether one was damaged later.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{RecordError, open_file};

/// The files that outcome.json vouches for: all of a run but itself and the measured times.
const SEALED: [&str; 5] =
    ["config.toml", "problem.json", "trace.csv", "weights.npy", "weights_steps.npy"];

/// Holds the length and checksum that a file had when its run finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// The length.
    pub bytes: u64,
    /// The SHA-256 checksum, 64 hexadecimal digits.
    pub sha256: String,
}

impl FileSum {
    /// Computes both for the file at `path`, which is read piece by piece.
    pub fn of(path: &Path) -> Result<Self, RecordError> {
        let mut digest = Sha256::new();
        let mut bytes = 0;
        let mut piece = vec![0; 1 << 16];
        let fail = |source| RecordError::read(path, source);
        let mut file = open_file(path).map_err(fail)?;
        loop {
            match file.read(&mut piece).map_err(fail)? {
                0 => break,
                count => {
                    digest.update(&piece[..count]);
                    bytes += count as u64;
                }
            }
        }
        Ok(Self { bytes, sha256: hexadecimal(&digest.finalize()) })
    }
}

/// Returns the sums of the files that a finished run in `folder` has, by name.
pub fn seal(folder: &Path) -> Result<BTreeMap<String, FileSum>, RecordError> {
    let present = SEALED.iter().filter(|name| folder.join(name).exists());
    present.map(|name| Ok(((*name).to_owned(), FileSum::of(&folder.join(name))?))).collect()
}

/// Returns the first of `files` that is missing in `folder` or differs, and how; `None` where all are as they were.
///
/// Only names that [`seal`] gives are read, so that a manipulated outcome.json cannot lead out of the folder.
///
/// # Errors
/// [`RecordError::Read`] where a file exists but cannot be read.
pub fn damage(
    folder: &Path,
    files: &BTreeMap<String, FileSum>,
) -> Result<Option<String>, RecordError> {
    for name in SEALED {
        let Some(expected) = files.get(name) else { continue };
        let path = folder.join(name);
        let length = match path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Some(format!("{name} is missing")));
            }
            found => found.map_err(|source| RecordError::read(&path, source))?.len(),
        };
        if length != expected.bytes {
            return Ok(Some(format!("{name} has {length} bytes instead of {}", expected.bytes)));
        }
        if FileSum::of(&path)? != *expected {
            return Ok(Some(format!("{name} has another checksum")));
        }
    }
    Ok(None)
}

/// Computes the SHA-256 checksum of `bytes` as 64 hexadecimal digits.
pub fn sha256_of(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// `bytes` as hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect()
}
