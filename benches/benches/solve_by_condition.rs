//! How long does each kernel take, and how accurate is it, as the condition of J grows?

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use criterion::{Criterion, criterion_group, criterion_main};
use gaussflow_benches::questions::solve_by_condition;

fn solve_by_condition(criterion: &mut Criterion) {
    support::measure(criterion, "solve_by_condition", solve_by_condition::cases);
}

#[path = "support/mod.rs"]
mod support;

criterion_group!(benches, solve_by_condition);
criterion_main!(benches);
