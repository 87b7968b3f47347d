//! Length and sha256 of a run's files, by which one that was damaged later is found.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{RecordError, open_file};

/// The files that outcome.json vouches for: all of a run but itself and the measured times.
const SEALED: [&str; 5] =
    ["config.toml", "problem.json", "trace.csv", "weights.npy", "weights_steps.npy"];

/// What a file held when its run was finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Its length.
    pub bytes: u64,
    /// Its checksum, 64 hexadecimal digits.
    pub sha256: String,
}

impl FileSum {
    /// Of the file at `path`, which is read piece by piece.
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

/// The sums of the files that a finished run in `folder` has, by name.
pub fn seal(folder: &Path) -> Result<BTreeMap<String, FileSum>, RecordError> {
    let present = SEALED.iter().filter(|name| folder.join(name).exists());
    present.map(|name| Ok(((*name).to_owned(), FileSum::of(&folder.join(name))?))).collect()
}

/// The first of `files` that is not in `folder` as it was, and how it differs.
///
/// Only names that [`seal`] gives are looked at: none of a strange outcome.json leads out of the folder.
///
/// # Errors
/// [`RecordError::Read`] where a file is there and cannot be read.
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

/// The sha256 of `bytes` as 64 hexadecimal digits.
pub fn sha256_of(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// `bytes` as hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect()
}
