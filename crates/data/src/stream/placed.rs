//! A file that is read and written at given places, by several threads at once.
//!
//! Systems other than Unix have one place for all who share a file; there, a lock keeps each move and what follows together.

use std::fs::File;
use std::io;

/// Bytes that are read at a time where bytes are searched for or converted.
pub(super) const PIECE: usize = 1 << 16;

/// A file without a place of its own.
#[derive(Debug)]
pub(super) struct Placed {
    file: File,
    #[cfg(not(unix))]
    turn: std::sync::Mutex<()>,
}

impl Placed {
    pub fn new(file: File) -> Self {
        Self {
            file,
            #[cfg(not(unix))]
            turn: std::sync::Mutex::new(()),
        }
    }

    /// Reads some bytes from byte `offset` on, and returns how many; 0 at the end of the file.
    #[cfg(unix)]
    pub fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, bytes, offset)
    }

    /// Writes all `bytes` from byte `offset` on.
    #[cfg(unix)]
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, offset)
    }

    /// Reads some bytes from byte `offset` on, and returns how many; 0 at the end of the file.
    #[cfg(not(unix))]
    pub fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        use std::io::{Read, Seek, SeekFrom};
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (&self.file).seek(SeekFrom::Start(offset))?;
        (&self.file).read(bytes)
    }

    /// Writes all `bytes` from byte `offset` on.
    #[cfg(not(unix))]
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (&self.file).seek(SeekFrom::Start(offset))?;
        (&self.file).write_all(bytes)
    }

    /// Fills `bytes` from byte `offset` on; an error where the file ends before.
    pub fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Calls `piece` with the bytes `from..end`, at most 64 KiB at a time, until it returns a value.
    pub fn scan<T>(
        &self,
        from: u64,
        end: u64,
        mut piece: impl FnMut(u64, &[u8]) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let mut buffer = vec![0; PIECE];
        let mut at = from;
        while at < end {
            let length = (end - at).min(PIECE as u64);
            #[allow(clippy::cast_possible_truncation, reason = "at most 64 KiB")]
            let bytes = &mut buffer[..length as usize];
            self.read_exact_at(bytes, at)?;
            if let Some(found) = piece(at, bytes) {
                return Ok(Some(found));
            }
            at += length;
        }
        Ok(None)
    }

    /// The place of the first byte of `from..end` that `wanted` accepts; `end` where there is none.
    pub fn find(&self, from: u64, end: u64, wanted: impl Fn(u8) -> bool) -> io::Result<u64> {
        let found = self.scan(from, end, |at, bytes| {
            bytes.iter().position(|&byte| wanted(byte)).map(|place| at + place as u64)
        })?;
        Ok(found.unwrap_or(end))
    }
}
