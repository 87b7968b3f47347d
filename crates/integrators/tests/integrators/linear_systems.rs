//! Random linear systems against the matrix exponential: `x(t) = e^{tA} x(0)`.

use crate::fields::{adaptive, distance, linear, run, stiff};
use gaussflow_integrators::{End, Method};
use proptest::prelude::*;

/// `e^A` by scaling and squaring of the Taylor series: with `|A/2^s| <= 1/2`, 20 terms leave a
/// remainder below `2^-21/21! < 1e-25`.
fn exponential(a: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = a.len();
    let norm = a.iter().map(|row| row.iter().map(|x| x.abs()).sum::<f64>()).fold(0.0, f64::max);
    let mut halvings = 0;
    while norm / f64::from(1 << halvings) > 0.5 {
        halvings += 1;
    }
    let scaled: Vec<Vec<f64>> =
        a.iter().map(|row| row.iter().map(|x| x / f64::from(1 << halvings)).collect()).collect();
    let identity = |i: usize, j: usize| if i == j { 1.0 } else { 0.0 };
    let mut sum: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| identity(i, j)).collect()).collect();
    // Horner: I + A/1 (I + A/2 (I + A/3 (...))).
    for term in (1..=20).rev() {
        sum = product(&scaled, &sum);
        for (i, row) in sum.iter_mut().enumerate() {
            for (j, entry) in row.iter_mut().enumerate() {
                *entry = *entry / f64::from(term) + identity(i, j);
            }
        }
    }
    for _ in 0..halvings {
        sum = product(&sum, &sum);
    }
    sum
}

fn product(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = a.len();
    let entry = |i: usize, j: usize| (0..n).map(|k| a[i][k] * b[k][j]).sum();
    (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect()
}

/// A square matrix with entries in `[-2, 2]`, and a state, of one to seven components.
fn system() -> impl Strategy<Value = (Vec<Vec<f64>>, Vec<f64>)> {
    (1..8usize).prop_flat_map(|n| {
        let row = prop::collection::vec(-2.0..2.0f64, n);
        (prop::collection::vec(row, n), prop::collection::vec(-1.0..1.0f64, n))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// An error made at time s grows at most by `e^{|A|(t - s)}`; the bound is that growth times
    /// a multiple of the tolerance on the largest state.
    #[test]
    fn solutions_follow_the_matrix_exponential((a, x) in system()) {
        let norm = a.iter().map(|row| row.iter().map(|x| x.abs()).sum::<f64>()).fold(0.0, f64::max);
        let horizon = 1.0;
        let exact: Vec<f64> = exponential(&a)
            .iter()
            .map(|row| row.iter().zip(&x).map(|(a, x)| a * x).sum())
            .collect();
        let growth = norm.exp();
        for (method, bound) in [
            (adaptive(1e-9), 1e-8),
            (stiff(1e-9), 1e-7),
            (Method::RungeKutta4 { step: 1.0 / 512.0 }, (norm / 512.0).powi(4)),
            (Method::Euler { step: 1.0 / 512.0 }, norm * norm / 512.0),
        ] {
            let outcome = run(method, horizon, &mut linear(a.clone()), &x, &mut []);
            prop_assert_eq!(&outcome.end, &End::Horizon);
            let error = distance(&outcome.state, &exact);
            prop_assert!(error <= bound * growth + 1e-14 * growth, "{:?}: {} > {}", method, error, bound * growth);
        }
    }
}
