//! Rows and runs on several ranks: threads that stand for ranks, and MPI where it was asked for.

mod common;
mod costs;
#[cfg(feature = "mpi")]
mod mpi;
mod operators;
mod parts;
mod runs;
mod scaling;
mod sweeps;
