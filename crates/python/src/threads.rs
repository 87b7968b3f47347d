//! Where work may run: not too deep within itself, and in a forked process on threads of its own.

use std::cell::{Cell, OnceCell};
use std::sync::OnceLock;

use pyo3::PyErr;
use pyo3::exceptions::PyRecursionError;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Calls within calls that a thread's stack surely holds.
const DEEPEST: usize = 24;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// One call within others: functions of a user may call this library again.
pub(crate) struct Nesting;

impl Nesting {
    /// Counts a call.
    ///
    /// # Errors
    /// `RecursionError` where there are too many.
    pub(crate) fn enter() -> Result<Self, PyErr> {
        let depth = DEPTH.get();
        if depth >= DEEPEST {
            let message = format!("gaussflow is called within itself, {depth} calls deep");
            return Err(PyRecursionError::new_err(message));
        }
        DEPTH.set(depth + 1);
        Ok(Self)
    }
}

impl Drop for Nesting {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Does `work` where parallel loops find threads. A fork copies none of the parent's: in a child each calling thread gets
/// others, of which it is one itself.
pub(crate) fn on_threads<T>(work: impl FnOnce() -> T) -> T {
    static FIRST: OnceLock<u32> = OnceLock::new();
    thread_local! {
        static OWN: OnceCell<Option<ThreadPool>> = const { OnceCell::new() };
    }
    let here = std::process::id();
    if *FIRST.get_or_init(|| here) != here {
        // Where there are no threads to be had, the loops run on this one.
        OWN.with(|own| {
            own.get_or_init(|| ThreadPoolBuilder::new().use_current_thread().build().ok());
        });
    }
    work()
}
