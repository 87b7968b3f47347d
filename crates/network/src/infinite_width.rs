//! The infinite-width tangent kernel, section 3: `K_ij = x_i.x_j E[sigma'(w.x_i) sigma'(w.x_j)]`, w ~ N(0, I).
//!
//! `u = w.x_i` and `v = w.x_j` are correlated normals, `u = s_i z_1`, `v = s_j (r z_1 + sqrt(1-r^2) z_2)`
//! with z_1, z_2 independent: a double integral against the Gaussian weight. It is taken by the
//! trapezoidal rule, whose error for analytic functions is `exp(-2 pi d / h)`, d the distance of the
//! nearest singularity and h the spacing. Gauss-Hermite nodes of the same reach lie `pi / sqrt(N)` apart:
//! tanh' of a row of norm 15 would need N near 10^4 a direction, the trapezoidal rule needs 300.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{inner_product, norm};
use rayon::prelude::*;

use crate::activation::ActivationFunction;

/// Where the Gaussian weight has fallen to 2e-17 of its peak.
const REACH: f64 = 8.8;
/// The finest spacing tried: far below what rows of norm 100 need.
const FINEST: f64 = 1.0 / 512.0;

/// The n x n infinite-width kernel of `inputs` (row-major n x `features`), with an estimate of its
/// largest error relative to `sigma_1^2 norm(x_i) norm(x_j)`.
///
/// The spacing is halved until no entry changes by more than `tolerance` times that scale (the last change
/// is the estimate: the error after it is smaller, as it squares with each halving).
///
/// # Examples
/// ```
/// use gaussflow_network::{Activation, infinite_width_kernel};
/// // One row x = 1 and erf: E[(2/sqrt(pi))^2 exp(-2 z^2)] = (4/pi) / sqrt(5).
/// let (kernel, _) = infinite_width_kernel(&[1.0], 1, &Activation::Erf, 1e-12);
/// assert!((kernel[(0, 0)] - 4.0 / std::f64::consts::PI / 5_f64.sqrt()).abs() < 1e-12);
/// ```
pub fn infinite_width_kernel<A: ActivationFunction>(
    inputs: &[f64],
    features: usize,
    activation: &A,
    tolerance: f64,
) -> (Mat<f64>, f64) {
    let rows: Vec<&[f64]> = inputs.chunks_exact(features.max(1)).collect();
    let n = rows.len();
    let bound = activation.bounds().first;
    let entries: Vec<(f64, f64)> = (0..n * n)
        .into_par_iter()
        .map(|e| {
            let (i, j) = (e / n, e % n);
            if j > i {
                return (0.0, 0.0);
            }
            let (s, t) = (norm(rows[i]), norm(rows[j]));
            if s == 0.0 || t == 0.0 {
                return (0.0, 0.0);
            }
            let product = inner_product(rows[i], rows[j]);
            let correlation = if i == j { 1.0 } else { (product / (s * t)).clamp(-1.0, 1.0) };
            let (mean, change) =
                mean_of_product(activation, s, t, correlation, tolerance * bound * bound);
            (product * mean, change / (bound * bound))
        })
        .collect();
    let kernel = Mat::from_fn(n, n, |i, j| entries[i.max(j) * n + i.min(j)].0);
    (kernel, entries.iter().map(|(_, change)| *change).fold(0.0, f64::max))
}

/// `E[sigma'(s z_1) sigma'(t (r z_1 + sqrt(1-r^2) z_2))]` and the change of the last halving.
fn mean_of_product<A: ActivationFunction>(
    activation: &A,
    s: f64,
    t: f64,
    r: f64,
    tolerance: f64,
) -> (f64, f64) {
    // Half of the strip |Im z| < 1 of the activations that ship, at the larger of both norms.
    let mut h = (0.5 / s.max(t)).clamp(FINEST, 0.5);
    let mut coarse = double_sum(activation, s, t, r, h);
    loop {
        h *= 0.5;
        let fine = double_sum(activation, s, t, r, h);
        let change = (fine - coarse).abs();
        if change <= tolerance || h < FINEST {
            return (fine, change);
        }
        coarse = fine;
    }
}

/// The trapezoidal sum with spacing h in both directions.
fn double_sum<A: ActivationFunction>(activation: &A, s: f64, t: f64, r: f64, h: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the reach over the spacing is between 17 and 10,000"
    )]
    let half = (REACH / h).ceil() as usize;
    let nodes: Vec<f64> = (0..=2 * half).map(|k| (k as f64 - half as f64) * h).collect();
    let weights: Vec<f64> = nodes
        .iter()
        .map(|z| h * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt())
        .collect();
    let slopes = |z: &[f64]| {
        let (mut value, mut slope) = (vec![0.0; z.len()], vec![0.0; z.len()]);
        activation.value_and_slope(z, &mut value, &mut slope);
        slope
    };
    let outer = slopes(&nodes.iter().map(|z| s * z).collect::<Vec<_>>());
    let other = (1.0 - r * r).max(0.0).sqrt();
    let mut shifted = vec![0.0; nodes.len()];
    let mut total = 0.0;
    for (k, (&z, (&weight, &slope))) in nodes.iter().zip(weights.iter().zip(&outer)).enumerate() {
        if other == 0.0 {
            // Fully correlated: a single integral.
            shifted[k] = t * r * z;
            continue;
        }
        for (x, node) in shifted.iter_mut().zip(&nodes) {
            *x = t * (r * z + other * node);
        }
        total += weight * slope * inner_product(&weights, &slopes(&shifted));
    }
    if other == 0.0 {
        let inner = slopes(&shifted);
        let terms = weights.iter().zip(&outer).zip(&inner);
        return terms.map(|((w, a), b)| w * a * b).sum();
    }
    total
}
