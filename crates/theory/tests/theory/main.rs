//! Constants and judged statements of the paper, with wrong ones planted.

mod constants;
mod later;
mod papers;
mod planted;
mod planted_descent;
mod planted_lazy;
mod planted_natural;
mod planted_remarks;
mod questions;
