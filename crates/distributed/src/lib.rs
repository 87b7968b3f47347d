//! Many machines: the rows of one run, or the runs of a sweep, over the ranks of a communicator.
#![doc = include_str!("../README.md")]

pub mod agreement;
pub mod communicator;
pub mod cost;
pub mod exchange;
mod gathered;
pub mod machine;
mod message;
#[cfg(feature = "mpi")]
pub mod mpi_ranks;
pub mod partition;
pub mod reduce;
pub mod row_split;
pub mod run;
pub mod scaling;
pub mod split_map;
pub mod sweep;
pub mod tall_qr;
pub mod threads;

pub use communicator::Communicator;
