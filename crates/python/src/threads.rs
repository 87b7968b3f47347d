//! Where work may run: not too deep within itself, and in a forked process on threads of its own.

use std::cell::Cell;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

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

/// The threads of one process.
type Pool = Option<(u32, Arc<ThreadPool>)>;

/// Does `work` where parallel loops find threads. A fork copies none of the parent's: a child starts its own.
pub(crate) fn on_threads<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static FIRST: OnceLock<u32> = OnceLock::new();
    static OWN: Mutex<Pool> = Mutex::new(None);
    let here = std::process::id();
    if *FIRST.get_or_init(|| here) == here {
        return work();
    }
    let pool = {
        let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
        match &*own {
            Some((process, pool)) if *process == here => Some(Arc::clone(pool)),
            _ => {
                // Without threads the work is done on this one.
                let pool = ThreadPoolBuilder::new().build().ok().map(Arc::new);
                let old = std::mem::replace(&mut *own, pool.clone().map(|pool| (here, pool)));
                // The parent's threads are not here to be joined.
                std::mem::forget(old);
                pool
            }
        }
    };
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}
