//! The papers under audit, one folder each.
#![doc = include_str!("../../ADDING_A_PAPER.md")]

pub mod descent;
pub mod gauss_newton;
pub mod later;
pub mod lazy;
pub mod natural;
pub mod questions;

use crate::referee::Paper;

/// Every paper, the one that this library implements first.
pub const ALL: &[&Paper] = &[
    &gauss_newton::PAPER,
    &lazy::PAPER,
    &descent::PAPER,
    &natural::PAPER,
    &later::PAPER,
    &questions::PAPER,
];
