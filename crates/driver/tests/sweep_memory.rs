//! What tells of all runs is written row by row: memory does not grow with the number of traces.

// The trait of a global allocator is unsafe to implement; this one only counts and passes on.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use gaussflow_driver::config::Source;
use gaussflow_driver::sweep::{Existing, Request, sweep};

struct Peak;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on unchanged to the system's allocator; the counters allocate nothing.
unsafe impl GlobalAlloc for Peak {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's obligations are those of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Peak = Peak;

/// Most bytes held beyond those at its beginning while a finished sweep of this many groups is told of again.
fn peak(folder: &Path, groups: usize) -> usize {
    let scalings: Vec<String> = (0..groups).map(|k| format!("{:.1}", 8 + k)).collect();
    let text = format!(
        "data.samples = 20\nnetwork.hidden = 2\ndynamics.step = 1e-3\ndynamics.horizon = 1.0\n\
         record = {{ snapshot_every = 0, hessian_every = 0, held_out_every = 0 }}\n\
         [sweep]\nseeds = 2\n'dynamics.scaling' = [{}]\n",
        scalings.join(", ")
    );
    let config = folder.join(format!("{groups}.toml"));
    std::fs::write(&config, text).unwrap();
    let out = folder.join(groups.to_string());
    let config = Source::File(config);
    let request = Request { config, out, existing: Existing::Resume, jobs: Some(1), quiet: true };
    sweep(&request).unwrap();
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    assert_eq!(sweep(&request).unwrap().resumed, 2 * groups);
    MOST.load(Ordering::Relaxed) - before
}

#[test]
fn memory_does_not_grow_with_the_number_of_traces() {
    let folder = tempfile::tempdir().unwrap();
    let (few, many) = (peak(folder.path(), 3), peak(folder.path(), 18));
    // Each run more has a trace of 1001 rows of 19 numbers, 150 kB; its line of summary.csv takes 1 kB or so.
    let (trace, runs) = (1001 * 19 * 8, 2 * 15);
    assert!(few > trace, "{few} bytes do not even hold a trace");
    assert!(many - few.min(many) < runs * trace / 20, "{few} bytes for 6 runs, {many} for 36");
}
