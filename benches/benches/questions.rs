//! Every question of the harness by criterion: `cargo bench --bench questions --features criterion -- NAME`.
//!
//! Setup and accuracy stay outside of the timing.

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gaussflow_benches::case::{Case, Effort, Fallible, Visit};
use gaussflow_benches::questions::QUESTIONS;

fn questions(criterion: &mut Criterion) {
    for question in QUESTIONS {
        measure(criterion, question.name, question.cases);
    }
}

/// Benchmarks every side of every case of `question`; accuracy stands in a line of its own.
fn measure(
    criterion: &mut Criterion,
    question: &str,
    cases: fn(Effort, Visit<'_>) -> Fallible<()>,
) {
    let mut group = criterion.benchmark_group(question);
    group.sample_size(10);
    let outcome = cases(Effort::Quick, &mut |mut case: Case| {
        let shape = case.shape;
        for side in &mut case.sides {
            let name = match &side.peer {
                None => case.variant.clone(),
                Some(peer) => format!("{} ({peer})", case.variant),
            };
            let id = BenchmarkId::new(name, shape);
            let mut failure = None;
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|calls| {
                    let calls = usize::try_from(calls).unwrap_or(usize::MAX);
                    (side.run)(calls).map_or_else(
                        |error| {
                            failure = Some(error);
                            Duration::from_secs(1)
                        },
                        Duration::from_secs_f64,
                    )
                });
            });
            if let Some(error) = failure {
                return Err(error);
            }
            if let Some(error) = (side.error)()? {
                println!("    relative error {error:.1e}");
            }
        }
        Ok(())
    });
    if let Err(error) = outcome {
        eprintln!("{question}: {error}");
    }
    group.finish();
}

criterion_group!(benches, questions);
criterion_main!(benches);
