//! What do the extreme eigenvalues of the Riemannian Hessian cost beside a step by QR?

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use criterion::{Criterion, criterion_group, criterion_main};
use gaussflow_benches::questions::hessian_range;

fn hessian_range(criterion: &mut Criterion) {
    support::measure(criterion, "hessian_range", hessian_range::cases);
}

#[path = "support/mod.rs"]
mod support;

criterion_group!(benches, hessian_range);
criterion_main!(benches);
