//! How long does the Gram matrix take, by shape, against the product of the formed J?

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use criterion::{Criterion, criterion_group, criterion_main};
use gaussflow_benches::questions::gram_by_shape;

fn gram_by_shape(criterion: &mut Criterion) {
    support::measure(criterion, "gram_by_shape", gram_by_shape::cases);
}

#[path = "support/mod.rs"]
mod support;

criterion_group!(benches, gram_by_shape);
criterion_main!(benches);
