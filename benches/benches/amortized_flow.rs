//! How long does a step of a flow take when it may use what earlier steps factored?

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use criterion::{Criterion, criterion_group, criterion_main};
use gaussflow_benches::questions::amortized_flow;

fn amortized_flow(criterion: &mut Criterion) {
    support::measure(criterion, "amortized_flow", amortized_flow::cases);
}

#[path = "support/mod.rs"]
mod support;

criterion_group!(benches, amortized_flow);
criterion_main!(benches);
