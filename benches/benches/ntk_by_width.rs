//! How long does the tangent kernel take as the network widens?

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use criterion::{Criterion, criterion_group, criterion_main};
use gaussflow_benches::questions::ntk_by_width;

fn ntk_by_width(criterion: &mut Criterion) {
    support::measure(criterion, "ntk_by_width", ntk_by_width::cases);
}

#[path = "support/mod.rs"]
mod support;

criterion_group!(benches, ntk_by_width);
criterion_main!(benches);
