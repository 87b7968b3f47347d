//! Injects faults of the file system for tests: one request of this thread fails, or all from one on.

use std::cell::Cell;
use std::io;

thread_local! {
    static INSTALLED: Cell<Option<Installed>> = const { Cell::new(None) };
}

/// Names a fault that a test injects into file operations.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// A write takes only half of the bytes, as it may.
    ShortWrite,
    /// One request fails with this error number.
    Once(i32),
    /// From that request on, all fail with this error number; a write takes half of its bytes before.
    Onwards(i32),
}

/// The disk is full.
pub const ENOSPC: i32 = 28;
/// The device failed.
pub const EIO: i32 = 5;

impl Fault {
    /// The faults that tests try.
    pub const ALL: [Self; 5] = [
        Self::ShortWrite,
        Self::Once(ENOSPC),
        Self::Once(EIO),
        Self::Onwards(ENOSPC),
        Self::Onwards(EIO),
    ];
}

#[derive(Clone, Copy)]
struct Installed {
    fault: Fault,
    at: usize,
    requests: usize,
}

/// Runs `work` with `fault` at request `at`, and returns its result and the number of requests that it made.
pub fn with_fault<R>(fault: Fault, at: usize, work: impl FnOnce() -> R) -> (R, usize) {
    INSTALLED.set(Some(Installed { fault, at, requests: 0 }));
    let result = work();
    (result, INSTALLED.take().map_or(0, |installed| installed.requests))
}

/// The fault of the request now made, which is counted.
pub(super) fn of_request() -> Option<Fault> {
    let Installed { fault, at, requests } = INSTALLED.get()?;
    INSTALLED.set(Some(Installed { fault, at, requests: requests + 1 }));
    let is_due = if matches!(fault, Fault::Onwards(_)) { requests >= at } else { requests == at };
    is_due.then_some(fault)
}

/// Fails where the request now made has a fault; short writes are those of writes.
pub(super) fn request() -> io::Result<()> {
    match of_request() {
        Some(Fault::Once(number) | Fault::Onwards(number)) => {
            Err(io::Error::from_raw_os_error(number))
        }
        Some(Fault::ShortWrite) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::*;
    use super::*;

    type Writer = fn(&Path) -> Result<(), RecordError>;

    #[test]
    fn whatever_fails_the_old_or_the_whole_new_file_is_there_and_nothing_else() {
        let long = |path: &Path| write_bytes(path, &vec![b'x'; 100_000]);
        let rows = |path: &Path| write_trace(path, &vec![TraceRow::default(); 1000]);
        let json = |path: &Path| write_json(path, &vec![0.5; 3000]);
        let array = |path: &Path| write_npy(path, &[2, 1500], &vec![1.5; 3000]);
        let steps = |path: &Path| write_npy_integers(path, &vec![7; 3000]);
        let writers: [Writer; 5] = [long, rows, json, array, steps];
        for write in writers {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("record");
            let (result, requests) = with_fault(Fault::ShortWrite, usize::MAX, || write(&path));
            result.unwrap();
            let new = fs::read(&path).unwrap();
            assert!(
                requests >= 5 && new.len() > 10_000,
                "{requests} requests, {} bytes",
                new.len()
            );
            for fault in Fault::ALL {
                for at in 0..requests {
                    fs::write(&path, b"old").unwrap();
                    let (result, _) = with_fault(fault, at, || write(&path));
                    let found = fs::read(&path).unwrap();
                    match result {
                        Ok(()) => assert!(found == new, "{fault:?} at {at}"),
                        Err(error) => {
                            assert!(!matches!(fault, Fault::ShortWrite), "{error}");
                            assert_eq!((found.as_slice(), error.exit_status()), (&b"old"[..], 3));
                            assert!(error.to_string().contains("record"), "{error}");
                        }
                    }
                    let names = fs::read_dir(folder.path()).unwrap().count();
                    assert_eq!(names, 1, "{fault:?} at {at} left a temporary file");
                }
            }
        }
    }
}
