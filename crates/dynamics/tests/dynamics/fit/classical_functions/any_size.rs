//! Residuals of the functions of any number of parameters.

use super::{constant, square};
use num_dual::{Dual64 as Dual, DualNum};

pub fn watson(x: &[Dual]) -> Vec<Dual> {
    let mut found = Vec::new();
    for i in 1..=29 {
        let t = f64::from(i) / 29.0;
        let (mut slope, mut sum) = (constant(0.0), constant(0.0));
        for (k, &x) in (0..).zip(x) {
            sum += x * t.powi(k);
            if k > 0 {
                slope += x * (f64::from(k) * t.powi(k - 1));
            }
        }
        found.push(slope - square(sum) - 1.0);
    }
    found.extend([x[0], x[1] - square(x[0]) - 1.0]);
    found
}

pub fn chebyquad(x: &[Dual], outputs: usize) -> Vec<Dual> {
    let n = x.len();
    let mut sums = vec![constant(0.0); outputs];
    for &x in x {
        let argument = x * 2.0 - 1.0;
        let (mut before, mut at) = (constant(1.0), argument);
        for sum in &mut sums {
            *sum += at;
            (before, at) = (at, argument * at * 2.0 - before);
        }
    }
    let mean = |(degree, sum): (u32, Dual)| {
        let degree = f64::from(degree);
        let integral = if degree % 2.0 == 0.0 { -1.0 / (degree * degree - 1.0) } else { 0.0 };
        sum / n as f64 - integral
    };
    (1..).zip(sums).map(mean).collect()
}

pub fn brown_almost_linear(x: &[Dual]) -> Vec<Dual> {
    let (n, last) = (x.len(), x.len() - 1);
    let sum = x.iter().fold(constant(0.0), |sum, &x| sum + x);
    let product = x.iter().fold(constant(1.0), |product, &x| product * x);
    let mut found: Vec<Dual> = x[..last].iter().map(|&x| x + sum - (n as f64 + 1.0)).collect();
    found.push(product - 1.0);
    found
}

pub fn linear_full_rank(x: &[Dual], outputs: usize) -> Vec<Dual> {
    let share = sum_of(x, |x| x) * (-2.0 / outputs as f64);
    (0..outputs).map(|k| share - 1.0 + x.get(k).copied().unwrap_or(constant(0.0))).collect()
}

pub fn linear_rank_one(x: &[Dual], outputs: u32) -> Vec<Dual> {
    let sum = weighted_sum(x, 1);
    (1..=outputs).map(|i| sum * f64::from(i) - 1.0).collect()
}

/// The one with zero columns and rows.
pub fn linear_rank_one_zeros(x: &[Dual], outputs: u32) -> Vec<Dual> {
    let sum = weighted_sum(&x[1..x.len() - 1], 2);
    let inner = (1..outputs - 1).map(|i| sum * f64::from(i) - 1.0);
    [constant(-1.0)].into_iter().chain(inner).chain([constant(-1.0)]).collect()
}

pub fn extended_rosenbrock(x: &[Dual]) -> Vec<Dual> {
    x.chunks_exact(2).flat_map(super::fixed_size::rosenbrock).collect()
}

pub fn extended_powell_singular(x: &[Dual]) -> Vec<Dual> {
    x.chunks_exact(4).flat_map(super::fixed_size::powell_singular).collect()
}

pub fn penalty_one(x: &[Dual]) -> Vec<Dual> {
    let mut found: Vec<Dual> = x.iter().map(|&x| (x - 1.0) * 1e-5_f64.sqrt()).collect();
    found.push(sum_of(x, square) - 0.25);
    found
}

pub fn penalty_two(x: &[Dual]) -> Vec<Dual> {
    let n = x.len();
    let grown: Vec<Dual> = x.iter().map(|&x| (x * 0.1).exp()).collect();
    let mut found = vec![x[0] - 0.2];
    for (k, pair) in (2..).zip(grown.windows(2)) {
        let y = (0.1 * f64::from(k)).exp() + (0.1 * f64::from(k - 1)).exp();
        found.push((pair[1] + pair[0] - y) * 1e-5_f64.sqrt());
    }
    found.extend(grown[1..].iter().map(|&e| (e - (-0.1_f64).exp()) * 1e-5_f64.sqrt()));
    let squares = x.iter().enumerate().map(|(k, &x)| square(x) * (n - k) as f64);
    found.push(squares.fold(constant(-1.0), |sum, term| sum + term));
    found
}

pub fn variably_dimensioned(x: &[Dual]) -> Vec<Dual> {
    let mut found: Vec<Dual> = x.iter().map(|&x| x - 1.0).collect();
    let sum = weighted_sum(&found, 1);
    found.extend([sum, square(sum)]);
    found
}

pub fn trigonometric(x: &[Dual]) -> Vec<Dual> {
    let cosines = sum_of(x, |x| x.cos());
    let rest = -cosines + x.len() as f64;
    let rows = (1..).map(f64::from).zip(x);
    rows.map(|(i, &x)| rest + (-x.cos() + 1.0) * i - x.sin()).collect()
}

pub fn discrete_boundary_value(x: &[Dual]) -> Vec<Dual> {
    let step = 1.0 / (x.len() as f64 + 1.0);
    let at = |k: usize| x.get(k).copied().unwrap_or(constant(0.0));
    (0..x.len())
        .map(|k| {
            let before = if k == 0 { constant(0.0) } else { x[k - 1] };
            x[k] * 2.0 - before - at(k + 1) + cube(x, k) * (0.5 * step * step)
        })
        .collect()
}

pub fn discrete_integral_equation(x: &[Dual]) -> Vec<Dual> {
    let step = 1.0 / (x.len() as f64 + 1.0);
    let t = |k: usize| step * (k as f64 + 1.0);
    let row = |i: usize| {
        let term = |k: usize| {
            let kernel = if k <= i { (1.0 - t(i)) * t(k) } else { t(i) * (1.0 - t(k)) };
            cube(x, k) * (0.5 * step * kernel)
        };
        (0..x.len()).map(term).fold(x[i], |sum, term| sum + term)
    };
    (0..x.len()).map(row).collect()
}

pub fn broyden_tridiagonal(x: &[Dual]) -> Vec<Dual> {
    let at = |k: usize| x.get(k).copied().unwrap_or(constant(0.0));
    (0..x.len())
        .map(|k| {
            let before = if k == 0 { constant(0.0) } else { x[k - 1] };
            (-x[k] * 2.0 + 3.0) * x[k] - before - at(k + 1) * 2.0 + 1.0
        })
        .collect()
}

pub fn broyden_banded(x: &[Dual]) -> Vec<Dual> {
    let row = |i: usize| {
        let band = (i.saturating_sub(5)..x.len().min(i + 2)).filter(|&k| k != i);
        let around = band.fold(constant(0.0), |sum, k| sum + x[k] * (x[k] + 1.0));
        x[i] * (square(x[i]) * 5.0 + 2.0) + 1.0 - around
    };
    (0..x.len()).map(row).collect()
}

/// `(x_k + t_k + 1)^3` on the grid of the discrete equations.
fn cube(x: &[Dual], k: usize) -> Dual {
    let base = x[k] + (k as f64 + 1.0) / (x.len() as f64 + 1.0) + 1.0;
    base * base * base
}

fn sum_of(x: &[Dual], term: impl Fn(Dual) -> Dual) -> Dual {
    x.iter().fold(constant(0.0), |sum, &x| sum + term(x))
}

/// `sum_k (first + k) x_k`.
fn weighted_sum(x: &[Dual], first: u32) -> Dual {
    (first..).map(f64::from).zip(x).fold(constant(0.0), |sum, (k, &x)| sum + x * k)
}
