//! A second solve at the same Jacobian allocates nothing, whatever the damping.

// The trait of a global allocator is unsafe to implement; this one only counts and passes on.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use gaussflow_solvers::{IterativeSettings, JacobianOperator, MatrixFree};

use crate::random::{dense, gaussian, generator, network};

struct Counting;

thread_local! {
    // Of this thread alone: the test harness allocates in its own.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.with(|n| n.set(n.get() + 1));
}

// SAFETY: every call is passed on unchanged to the system's allocator; the counter is a constant
// initialized cell without a destructor, so that touching it allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's obligations are those of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

/// All methods on one Jacobian.
fn solve_all(solver: &mut MatrixFree, jacobian: &dyn JacobianOperator, b: &[f64], v: &mut [f64]) {
    for preconditioner_memory in [0, 1 << 20] {
        let settings = IterativeSettings { preconditioner_memory, ..IterativeSettings::default() };
        for rho in [0.3, 0.1, 1.0] {
            solver.solve_cg(jacobian, rho, settings, b, v).unwrap();
            solver.solve_lsmr(jacobian, rho, settings, b, v).unwrap();
        }
    }
}

#[test]
fn a_second_solve_allocates_nothing() {
    let rng = &mut generator(3);
    let structured = [network(rng, 120, 4, 20), network(rng, 60, 4, 40)];
    let plain = [dense(rng, 50, 30, 4.0), dense(rng, 30, 50, 4.0)];
    let jacobians: [&dyn JacobianOperator; 4] =
        [&structured[0], &structured[1], &plain[0], &plain[1]];
    for (k, jacobian) in jacobians.into_iter().enumerate() {
        let (rows, columns) = (jacobian.rows(), jacobian.columns());
        let (b, mut v) = (gaussian(rng, rows), vec![0.0; columns]);
        let mut solver = MatrixFree::new(rows, columns).unwrap();
        solve_all(&mut solver, jacobian, &b, &mut v);
        let count = allocations(|| solve_all(&mut solver, jacobian, &b, &mut v));
        assert_eq!(count, 0, "Jacobian {k}");
    }
}
