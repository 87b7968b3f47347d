//! Timing.
use gaussflow_solvers::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::time::Instant;
fn time(name: &str, mut f: impl FnMut()) {
    for _ in 0..30 {
        f()
    }
    let mut t: Vec<f64> = (0..200)
        .map(|_| {
            let s = Instant::now();
            f();
            s.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    t.sort_by(|a, b| a.total_cmp(b));
    println!("{name}: median {:.0} us, min {:.0}", t[100], t[0]);
}
fn main() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut g =
        |n: usize| -> Vec<f64> { (0..n).map(|_| StandardNormal.sample(&mut rng)).collect() };
    let x = g(256 * 8);
    let mut j = RowKronecker::new(&x, 8, 18);
    for c in 0..18 {
        let s = g(256);
        j.left_mut().col_as_slice_mut(c).copy_from_slice(&s);
    }
    let b = g(256);
    let mut v = vec![0.0; 144];
    let mut out = vec![0.0; 256];
    let mut f = Factors::new(256, 144).unwrap();
    let mut m = faer::Mat::zeros(256, 144);
    time("write_dense", || j.write_dense(m.as_mut()));
    time("dense_norm+write", || {
        f.invalidate();
        f.dense(&j).unwrap();
    });
    for s in DampedSolver::ALL {
        for rho in [0.0, 0.1] {
            time(&format!("{s:?} rho {rho} with report"), || {
                f.invalidate();
                let _ = f.solve(
                    &j,
                    SolveRequest { damping: rho, solver: s, ..Default::default() },
                    &b,
                    &mut v,
                );
            });
        }
    }
    time("QR solve then extremes", || {
        f.invalidate();
        f.solve(&j, SolveRequest::default(), &b, &mut v).unwrap();
        f.extreme_singular_values(&j).unwrap();
    });
    time("QR solve, extremes, projection", || {
        f.invalidate();
        f.solve(&j, SolveRequest::default(), &b, &mut v).unwrap();
        f.extreme_singular_values(&j).unwrap();
        f.project_on_range(&j, 1e-14, &b, &mut out).unwrap();
    });
    time("projection warm", || {
        f.project_on_range(&j, 1e-14, &b, &mut out).unwrap();
    });
    time("solve warm", || {
        f.solve(&j, SolveRequest::default(), &b, &mut v).unwrap();
    });
    // collapsed: duplicate unit
    let s0 = j.left_mut().col_as_slice(0).to_vec();
    j.left_mut().col_as_slice_mut(1).copy_from_slice(&s0);
    time("collapsed extremes", || {
        f.invalidate();
        f.extreme_singular_values(&j).unwrap();
    });
}
