//! The extension module `gaussflow._core`: what the Python package computes with.
//!
//! It takes C-contiguous float64 arrays and plain values, which the package's Python modules have checked, and returns
//! arrays and dictionaries. Names, defaults and documentation for users are theirs.
#![doc = include_str!("../README.md")]
#![allow(clippy::needless_pass_by_value, reason = "arguments from Python come by value")]

mod arrays;
mod callable;
mod choice;
mod commands;
mod failure;
mod fit;
mod flow;
mod geometry;
mod interrupts;
mod losses;
mod map;
mod network;
mod solvers;
mod threads;

/// What the package computes with.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::commands::{audit, california_housing, config, report, run, sweep};
    #[pymodule_export]
    use crate::fit::fit;
    #[pymodule_export]
    use crate::flow::flow;
    #[pymodule_export]
    use crate::geometry::Manifold;
    #[pymodule_export]
    use crate::map::Map;
    #[pymodule_export]
    use crate::network::draw;
    #[pymodule_export]
    use crate::solvers::{damped_solve, extreme_singular_values, secular_step};
}
