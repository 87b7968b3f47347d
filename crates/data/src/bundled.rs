//! Unpacking of the data that this crate carries, each behind its checksum.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use super::DataError;
use super::table::Table;
use gaussflow_records::checksum::sha256_of;

/// A compressed CSV file of this crate.
pub(super) struct Bundled<'a> {
    pub(super) name: &'static str,
    /// Of the uncompressed file.
    pub(super) sha256: &'static str,
    pub(super) compressed: &'a [u8],
}

impl Bundled<'_> {
    /// Its columns.
    ///
    /// # Errors
    /// [`DataError::Checksum`] where what unpacks is not the file that was bundled. (The parsing errors of
    /// [`super::load_csv`] cannot occur behind a matching checksum.)
    pub(super) fn table(&self) -> Result<Table, DataError> {
        let mut bytes = Vec::new();
        let unpacked = GzDecoder::new(self.compressed).read_to_end(&mut bytes);
        let found = match unpacked {
            Ok(_) => sha256_of(&bytes),
            Err(error) => format!("unknown ({error})"),
        };
        if found == self.sha256 {
            return Table::parse(Path::new(self.name), &bytes);
        }
        Err(DataError::Checksum { name: self.name, expected: self.sha256, found })
    }
}
