//! Constants and judged statements of the paper, with wrong ones planted.

mod constants;
mod planted;
mod planted_remarks;
