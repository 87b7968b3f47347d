//! What do the diagnostics of every step cost beside the step itself?

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use criterion::{Criterion, criterion_group, criterion_main};
use gaussflow_benches::questions::eigenvalue_tracking;

fn eigenvalue_tracking(criterion: &mut Criterion) {
    support::measure(criterion, "eigenvalue_tracking", eigenvalue_tracking::cases);
}

#[path = "support/mod.rs"]
mod support;

criterion_group!(benches, eigenvalue_tracking);
criterion_main!(benches);
