//! A double of the file layer that lets one request fail, or all from one on: for the tests of whatever writes records.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::NamedTempFile;

use super::layer::{FileLayer, system};

thread_local! {
    static INSTALLED: Cell<Option<&'static Faulty>> = const { Cell::new(None) };
}

pub(super) fn installed() -> Option<&'static dyn FileLayer> {
    INSTALLED.get().map(|double| double as &dyn FileLayer)
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// A write takes half of the bytes, as it may.
    ShortWrite,
    /// One request fails with this error number.
    Once(i32),
    /// From that request on all fail with this error number; a write gets half of its bytes through.
    Onwards(i32),
}

/// The disk is full.
pub const ENOSPC: i32 = 28;
/// The device failed.
pub const EIO: i32 = 5;

impl Fault {
    /// What a test tries.
    pub const ALL: [Self; 5] = [
        Self::ShortWrite,
        Self::Once(ENOSPC),
        Self::Once(EIO),
        Self::Onwards(ENOSPC),
        Self::Onwards(EIO),
    ];
}

#[derive(Debug)]
struct Faulty {
    fault: Fault,
    at: usize,
    requests: AtomicUsize,
}

/// Runs `work` with `fault` at request `at`; its result and the number of requests that it made.
pub fn with_fault<R>(fault: Fault, at: usize, work: impl FnOnce() -> R) -> (R, usize) {
    let double: &'static Faulty =
        Box::leak(Box::new(Faulty { fault, at, requests: AtomicUsize::new(0) }));
    INSTALLED.set(Some(double));
    let result = work();
    INSTALLED.set(None);
    (result, double.requests.load(Ordering::Relaxed))
}

impl Faulty {
    /// The error of the request now made, if it fails.
    fn error(&self) -> Option<io::Error> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        match self.fault {
            Fault::Once(number) if request == self.at => Some(io::Error::from_raw_os_error(number)),
            Fault::Onwards(number) if request >= self.at => {
                Some(io::Error::from_raw_os_error(number))
            }
            _ => None,
        }
    }

    fn pass<R>(&self, request: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.error().map_or_else(request, Err)
    }
}

impl FileLayer for Faulty {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.pass(|| system().create_folder(folder))
    }
    fn create_temporary(&self, folder: &Path) -> io::Result<NamedTempFile> {
        self.pass(|| system().create_temporary(folder))
    }
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        let is_now = self.requests.load(Ordering::Relaxed) == self.at;
        let half = &bytes[..bytes.len().div_ceil(2)];
        match self.error() {
            Some(error) => {
                // What did get through must not be taken for the file.
                if matches!(self.fault, Fault::Onwards(_)) {
                    system().write(file, half)?;
                }
                Err(error)
            }
            None if is_now => system().write(file, half),
            None => system().write(file, bytes),
        }
    }
    fn sync(&self, file: &File) -> io::Result<()> {
        self.pass(|| system().sync(file))
    }
    fn persist(&self, file: NamedTempFile, path: &Path) -> io::Result<()> {
        self.pass(|| system().persist(file, path))
    }
    fn rename_folder(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass(|| system().rename_folder(from, to))
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.pass(|| system().sync_folder(folder))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
