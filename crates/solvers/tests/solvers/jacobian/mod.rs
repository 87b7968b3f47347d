//! Jacobians by structure and by nonzero entries, against their definitions.

mod sparse;
mod structured;
mod threads;
