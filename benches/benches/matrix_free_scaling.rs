//! How do J v and J^T u grow with n, m and d beyond the last-level cache?

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use criterion::{Criterion, criterion_group, criterion_main};
use gaussflow_benches::questions::matrix_free_scaling;

fn matrix_free_scaling(criterion: &mut Criterion) {
    support::measure(criterion, "matrix_free_scaling", matrix_free_scaling::cases);
}

#[path = "support/mod.rs"]
mod support;

criterion_group!(benches, matrix_free_scaling);
criterion_main!(benches);
