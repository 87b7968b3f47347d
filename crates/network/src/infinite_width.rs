//! The infinite-width tangent kernel, section 3, of any depth by its recursion over layers.
//!
//! With `Sigma_0(x, x') = x . x'` (and 1 where the first layer has biases), (u, v) normal with the covariances
//! `Sigma_(l-1)` of x and x', `q_l = E[sigma_l(u) sigma_l(v)]` and `p_l = E[sigma_l'(u) sigma_l'(v)]`:
//! `Sigma_l = q_l` (and 1 where the next layer has biases), `Theta_l = p_l (Sigma_(l-1) + Theta_(l-1))`, `Theta_0 = 0`.
//! The limit of `K / m_L`, m_L the width of the last layer, is Theta_L, and `Theta_L + q_L` where c is trained. One layer:
//! `K_ij = x_i.x_j E[sigma'(w.x_i) sigma'(w.x_j)]`, w ~ N(0, I).
//!
//! `u = s z_1` and `v = t (r z_1 + sqrt(1-r^2) z_2)` with z_1, z_2 independent: a double integral against the Gaussian
//! weight. It is taken by the trapezoidal rule, whose error for analytic functions is `exp(-2 pi d / h)`, d the distance
//! of the nearest singularity and h the spacing. Gauss-Hermite nodes of the same reach lie `pi / sqrt(N)` apart: tanh' of
//! a row of norm 15 would need N near 10^4 a direction, the trapezoidal rule needs 300.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{inner_product, norm};
use rayon::prelude::*;

use crate::NetworkError;
use crate::activation::ActivationFunction;
use crate::architecture::{Architecture, OutputWeights, Scale};

/// Where the Gaussian weight has fallen to 2e-17 of its peak.
const REACH: f64 = 8.8;
/// The finest spacing tried: far below what rows of norm 100 need.
const FINEST: f64 = 1.0 / 512.0;

/// Computes the infinite-width tangent kernel of `architecture` on `inputs` (row-major n x `features`), and an estimate of
/// its error.
///
/// The n x n kernel is the limit of `K_0 / m_L` for weights drawn from N(0, 1) and signs c, with m_L the width of the last
/// hidden layer; widths do not matter. Expectations are integrated numerically with a spacing that is halved until no one
/// changes by more than `tolerance` relative to `sigma_1^2` (for the variances of the layers, also times their roots). The
/// error estimate is the sum over layers of the largest last change, in the same scale; the true error is smaller.
///
/// # Cost
/// Two double integrals per pair of rows and layer, one for a last layer with fixed signs.
///
/// # Errors
/// [`NetworkError::Empty`]; [`NetworkError::SeveralOutputs`] (the limit for several outputs is this kernel for each of them,
/// and 0 between two); [`NetworkError::NoInfiniteWidth`] where a layer that feeds another one is not scaled by the root of
/// its width, so that there is no limit.
/// the root of its width: there is no limit then.
///
/// # Examples
/// ```
/// use gaussflow_network::{Activation, Architecture, infinite_width_kernel};
/// // One row x = 1 and erf: E[(2/sqrt(pi))^2 exp(-2 z^2)] = (4/pi) / sqrt(5).
/// let one_layer = Architecture::one_layer(1, Activation::Erf);
/// let (kernel, _) = infinite_width_kernel(&[1.0], 1, &one_layer, 1e-12)?;
/// assert!((kernel[(0, 0)] - 4.0 / std::f64::consts::PI / 5_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), gaussflow_network::NetworkError>(())
/// ```
pub fn infinite_width_kernel<A: ActivationFunction>(
    inputs: &[f64],
    features: usize,
    architecture: &Architecture<A>,
    tolerance: f64,
) -> Result<(Mat<f64>, f64), NetworkError> {
    let rows: Vec<&[f64]> = inputs.chunks_exact(features.max(1)).collect();
    let n = rows.len();
    architecture.require_shapes(n, features)?;
    if architecture.outputs > 1 {
        let (what, outputs) = ("the infinite-width kernel", architecture.outputs);
        return Err(NetworkError::SeveralOutputs { what, outputs });
    }
    let layers = &architecture.layers;
    let inner = &layers[..layers.len() - 1];
    if let Some(layer) = inner.iter().position(|layer| layer.scale != Scale::InverseRootWidth) {
        return Err(NetworkError::NoInfiniteWidth { layer });
    }
    let bias = |l: usize| if layers.get(l).is_some_and(|layer| layer.bias) { 1.0 } else { 0.0 };
    // Of rows, without rounding of squares: norms and inner products.
    let mut sizes: Vec<f64> =
        rows.iter().map(|x| if layers[0].bias { norm(x).hypot(1.0) } else { norm(x) }).collect();
    let mut covariance =
        Mat::from_fn(n, n, |i, j| inner_product(rows[i.max(j)], rows[i.min(j)]) + bias(0));
    let (mut theta, mut error) = (Mat::<f64>::zeros(n, n), 0.0);
    for (l, layer) in layers.iter().enumerate() {
        let (activation, last) = (&layer.activation, l + 1 == layers.len());
        let first = activation.bounds().first;
        let values_too = !last || architecture.output == OutputWeights::Trained;
        let found: Vec<[(f64, f64); 2]> = (0..n * n)
            .into_par_iter()
            .map(|e| {
                let (i, j) = (e / n, e % n);
                if j > i {
                    return [(0.0, 0.0); 2];
                }
                let (s, t) = (sizes[i], sizes[j]);
                let correlation = match covariance[(i, j)] / (s * t) {
                    _ if i == j => 1.0,
                    // A row of zeros without bias: both integrals are products of means at 0.
                    quotient if quotient.is_nan() => 0.0,
                    quotient => quotient.clamp(-1.0, 1.0),
                };
                let place = (s, t, correlation);
                let accuracy = tolerance * first * first;
                let slopes = |z: &[f64]| {
                    let (mut value, mut slope) = (vec![0.0; z.len()], vec![0.0; z.len()]);
                    activation.value_and_slope(z, &mut value, &mut slope);
                    slope
                };
                let values = |z: &[f64]| {
                    let mut value = vec![0.0; z.len()];
                    activation.value(z, &mut value);
                    value
                };
                let (p, of_p) = mean_of_product(&slopes, place, accuracy);
                let spread = s.max(1.0) * t.max(1.0);
                let (q, of_q) = if values_too {
                    mean_of_product(&values, place, accuracy * spread)
                } else {
                    (0.0, 0.0)
                };
                [(p, of_p / (first * first)), (q, of_q / (first * first * spread))]
            })
            .collect();
        let entry = |i: usize, j: usize| found[i.max(j) * n + i.min(j)];
        error += found.iter().flatten().map(|(_, change)| *change).fold(0.0, f64::max);
        theta = Mat::from_fn(n, n, |i, j| (covariance[(i, j)] + theta[(i, j)]) * entry(i, j)[0].0);
        if last {
            if values_too {
                theta += Mat::from_fn(n, n, |i, j| entry(i, j)[1].0);
            }
            break;
        }
        covariance = Mat::from_fn(n, n, |i, j| entry(i, j)[1].0 + bias(l + 1));
        sizes = (0..n).map(|i| covariance[(i, i)].max(0.0).sqrt()).collect();
    }
    Ok((theta, error))
}

/// `E[g(s z_1) g(t (r z_1 + sqrt(1-r^2) z_2))]` and the change of the last halving.
fn mean_of_product(
    g: &impl Fn(&[f64]) -> Vec<f64>,
    (s, t, r): (f64, f64, f64),
    tolerance: f64,
) -> (f64, f64) {
    // Half of the strip |Im z| < 1 of the activations that ship, at the larger of both norms.
    let mut h = (0.5 / s.max(t)).clamp(FINEST, 0.5);
    let mut coarse = double_sum(g, (s, t, r), h);
    loop {
        h *= 0.5;
        let fine = double_sum(g, (s, t, r), h);
        let change = (fine - coarse).abs();
        if change <= tolerance || h < FINEST {
            return (fine, change);
        }
        coarse = fine;
    }
}

/// The trapezoidal sum with spacing h in both directions.
fn double_sum(g: &impl Fn(&[f64]) -> Vec<f64>, (s, t, r): (f64, f64, f64), h: f64) -> f64 {
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
    let outer = g(&nodes.iter().map(|z| s * z).collect::<Vec<_>>());
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
        total += weight * slope * inner_product(&weights, &g(&shifted));
    }
    if other == 0.0 {
        let inner = g(&shifted);
        let terms = weights.iter().zip(&outer).zip(&inner);
        return terms.map(|((w, a), b)| w * a * b).sum();
    }
    total
}
