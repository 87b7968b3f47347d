//! How long does a geodesic of unit output length take beside a step by QR?

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use criterion::{Criterion, criterion_group, criterion_main};
use gaussflow_benches::questions::exponential;

fn exponential(criterion: &mut Criterion) {
    support::measure(criterion, "exponential", exponential::cases);
}

#[path = "support/mod.rs"]
mod support;

criterion_group!(benches, exponential);
criterion_main!(benches);
