//! The questions: each names what it measures, and yields its cases one after the other.

pub mod amortized_flow;
pub mod eigenvalue_tracking;
pub mod exponential;
pub mod gram_by_shape;
pub mod hessian_range;
pub mod matrix_free_scaling;
pub mod ntk_by_width;
pub mod solve_by_condition;
pub mod step_by_width;

use crate::case::{Effort, Fallible, Visit};

/// A question and its cases.
pub struct Question {
    /// Its name.
    pub name: &'static str,
    /// Yields the cases.
    pub cases: fn(Effort, Visit<'_>) -> Fallible<()>,
}

/// Every question.
pub const QUESTIONS: [Question; 9] = [
    Question { name: gram_by_shape::NAME, cases: gram_by_shape::cases },
    Question { name: solve_by_condition::NAME, cases: solve_by_condition::cases },
    Question { name: step_by_width::NAME, cases: step_by_width::cases },
    Question { name: ntk_by_width::NAME, cases: ntk_by_width::cases },
    Question { name: eigenvalue_tracking::NAME, cases: eigenvalue_tracking::cases },
    Question { name: hessian_range::NAME, cases: hessian_range::cases },
    Question { name: exponential::NAME, cases: exponential::cases },
    Question { name: amortized_flow::NAME, cases: amortized_flow::cases },
    Question { name: matrix_free_scaling::NAME, cases: matrix_free_scaling::cases },
];
