//! How long does each kernel take for `((1-rho) J^T J + rho I) v = J^T b`, and how accurate is it?

#![allow(missing_docs, reason = "criterion's macros generate public items without docs")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gaussflow::prelude::*;
use gaussflow_benches::{graded_jacobian, output_vector};
use std::hint::black_box;

/// The paper's size, a taller one, and a wide one.
const SHAPES: [(usize, usize); 3] = [(256, 144), (1024, 144), (144, 512)];

/// Every kernel at every shape where it is defined; the backward error stands in the name's line.
fn solve_by_kernel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("solve_by_kernel");
    for (n, p) in SHAPES {
        let jacobian = graded_jacobian(n, p, 1e-3);
        let b = output_vector(n);
        for damping in [0.0, 1e-2] {
            for solver in DampedSolver::ALL {
                let request = SolveRequest { damping, solver, ..SolveRequest::default() };
                let Ok(mut factors) = Factors::new(n, p) else { continue };
                let mut v = vec![0.0; p];
                let Ok(report) = factors.solve(&jacobian, request, &b, &mut v) else { continue };
                let name = format!("{}-rho_{damping}", solver.name());
                println!("{name} {n}x{p}: backward error {:.1e}", report.relative_residual);
                group.bench_function(BenchmarkId::new(name, format!("{n}x{p}")), |bencher| {
                    bencher.iter(|| {
                        factors.invalidate();
                        black_box(factors.solve(&jacobian, request, black_box(&b), &mut v))
                    });
                });
            }
        }
    }
    group.finish();
}

/// Extreme singular values and the projection, on top of a factorization and from scratch.
fn diagnostics(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("diagnostics");
    for (n, p) in SHAPES {
        let jacobian = graded_jacobian(n, p, 1e-3);
        let u = output_vector(n);
        let Ok(mut factors) = Factors::new(n, p) else { continue };
        group.bench_function(BenchmarkId::new("extremes", format!("{n}x{p}")), |bencher| {
            bencher.iter(|| {
                factors.invalidate();
                black_box(factors.extreme_singular_values(&jacobian))
            });
        });
        let mut out = vec![0.0; n];
        group.bench_function(BenchmarkId::new("projection", format!("{n}x{p}")), |bencher| {
            bencher.iter(|| {
                factors.invalidate();
                black_box(factors.project_on_range(&jacobian, 1e-14, &u, &mut out))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, solve_by_kernel, diagnostics);
criterion_main!(benches);
