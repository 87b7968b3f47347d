//! How long does one damped step take as the network widens?

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use criterion::{Criterion, criterion_group, criterion_main};
use gaussflow_benches::questions::step_by_width;

fn step_by_width(criterion: &mut Criterion) {
    support::measure(criterion, "step_by_width", step_by_width::cases);
}

#[path = "support/mod.rs"]
mod support;

criterion_group!(benches, step_by_width);
criterion_main!(benches);
