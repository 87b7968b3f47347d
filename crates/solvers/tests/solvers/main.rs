//! The solvers, judged by their defining equations, floor by floor as in `src`.

// Compared with what was put in or must be the same bits: zeros, ones, powers of two, a second run.
#![allow(clippy::float_cmp)]

mod allocation_counter;
mod cases;
mod dense;
mod double_double;
mod draws;
mod jacobian;
mod matrix_free;
mod no_allocation;
mod path;
mod point;
mod range;
mod secular;
mod systems;
