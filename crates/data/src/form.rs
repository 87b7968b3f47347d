//! Whether the bytes of a CSV file are one: its encoding, its quotes, and what separates its cells.
//!
//! RFC 4180 leaves open what a reader does with a quote that is never closed, and readers differ: most take the rest of the
//! file for one cell, so that rows vanish without a word. Here every departure is an error with its line.

use std::path::Path;

use super::DataError;

/// Tests encoding and quotes of a whole file, without its byte order mark.
///
/// # Errors
/// [`DataError::Encoding`], [`DataError::Damaged`].
pub(super) fn check(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(DataError::Encoding { path: path.to_owned(), found: "UTF-16" });
    }
    let damaged = |offset: usize, what| DataError::Damaged {
        path: path.to_owned(),
        line: line_at(bytes, offset as u64),
        what,
    };
    if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
        let what = "a NUL byte: the file is damaged, or not UTF-8 but UTF-16 or UTF-32";
        return Err(damaged(offset, what));
    }
    let mut place = Place::CellStart;
    for (offset, &byte) in bytes.iter().enumerate() {
        place = match (place, byte) {
            (Place::Quoted { since }, b'"') => Place::Closed { since },
            (Place::Quoted { .. }, _) => place,
            // Two quotes within a quoted cell stand for one.
            (Place::Closed { since }, b'"') => Place::Quoted { since },
            (_, b',' | b'\n' | b'\r') => Place::CellStart,
            (Place::CellStart, b'"') => Place::Quoted { since: offset },
            (Place::Closed { since } | Place::Behind { since }, b' ' | b'\t') => {
                Place::Behind { since }
            }
            (Place::Closed { since } | Place::Behind { since }, _) => {
                let what = "the quoted cell that begins here has text behind its closing quote";
                return Err(damaged(since, what));
            }
            (Place::Bare, b'"') => {
                let what = "a quote within a cell; a quoted cell begins with one, directly behind the comma";
                return Err(damaged(offset, what));
            }
            (Place::CellStart | Place::Bare, _) => Place::Bare,
        };
    }
    match place {
        Place::Quoted { since } => Err(damaged(since, "the quote that opens here is never closed")),
        _ => Ok(()),
    }
}

/// Where in a row a byte stands; `since` is the opening quote's offset.
#[derive(Clone, Copy)]
enum Place {
    CellStart,
    Bare,
    Quoted { since: usize },
    Closed { since: usize },
    Behind { since: usize },
}

/// What separates the cells of a header that has no comma, if it looks like that.
pub(super) fn other_separator(header: &str) -> Option<&'static str> {
    let known = [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")];
    known.iter().find(|(sign, _)| header.contains(*sign)).map(|(_, name)| *name)
}

/// The line (from 1) of the record that the reader found from byte `offset` on.
///
/// The reader's own count is not used: it starts a record before the blank lines above it, and
/// between the CR and the LF of the line above.
pub(super) fn line_at(bytes: &[u8], offset: u64) -> u64 {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let blank = bytes[offset..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let above = &bytes[..offset + blank];
    let ends = above.iter().enumerate().filter(|&(at, &byte)| match byte {
        b'\n' => true,
        // A CR on its own also ends a line.
        b'\r' => above.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    ends.count() as u64 + 1
}
