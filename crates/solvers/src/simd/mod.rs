//! The processor's vectors and threads: everything that touches registers.
//!
//! `arch` finds the instruction set, `tile` and `column_kernels` hold the micro-kernels (the only unsafe code),
//! `parallel` says which products several threads share. Results never depend on the number of threads.
//!
//! Uses nothing of this crate.

pub(crate) mod arch;
pub(crate) mod column_kernels;
pub(crate) mod parallel;
pub(crate) mod tile;
