//! What the data say about many parameters, without singular vectors: by `R^-1`, or by the inverse of a sparse factor.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{SecularFactor, norm};

use super::covariance::{NullDirection, Uncertainty};

/// Share of what the data determine that a direction left out may add to a parameter's deviation unseen.
const UNSEEN: f64 = 0.1;

/// The uncertainty where the factor is sparse, or of a larger order and full rank; `None` where singular vectors are
/// wanted: they are then there.
pub(super) fn uncertainty(
    factor: &mut SecularFactor,
    free: &[usize],
    scales: &[f64],
    loss: f64,
    n: usize,
    (error, cutoff): (f64, f64),
) -> Option<Uncertainty> {
    if free.is_empty() {
        return None;
    }
    if factor.is_sparse() {
        return Some(of_sparse(factor, free, scales, loss, n, (error, cutoff)));
    }
    let f = free.len();
    let mut inverse = Mat::zeros(f, f);
    if !factor.inverse_gram(cutoff, inverse.as_mut()) {
        factor.decompose();
        return None;
    }
    let p = scales.len();
    let variance = variance(loss, n, f);
    let mut covariance = vec![0.0; p * p];
    for (a, &row) in free.iter().enumerate() {
        for (b, &column) in free.iter().enumerate().take(a + 1) {
            let entry = inverse[(a, b)] / scales[row] / scales[column] * variance;
            (covariance[row * p + column], covariance[column * p + row]) = (entry, entry);
        }
    }
    Some(Uncertainty {
        standard_deviations: (0..p).map(|k| covariance[k * p + k].sqrt()).collect(),
        covariance,
        rank: f,
        null_directions: Vec::new(),
        residual_deviation: variance.sqrt(),
    })
}

/// `loss / (n - rank)`, NaN without degrees of freedom.
fn variance(loss: f64, n: usize, rank: usize) -> f64 {
    if n > rank { loss / (n - rank) as f64 } else { f64::NAN }
}

/// Standard deviations from the diagonal of the inverse.
///
/// A direction that is left out would add `(v_k / s)^2` to what the others give, q_k^2. Where its root is more than a
/// tenth of q_k, parameter k is not determined; s is known to the error of the Jacobian at best.
fn of_sparse(
    factor: &SecularFactor,
    free: &[usize],
    scales: &[f64],
    loss: f64,
    n: usize,
    (error, cutoff): (f64, f64),
) -> Uncertainty {
    let p = scales.len();
    let found = factor.sparse_inverse(cutoff).and_then(Result::ok);
    let rank = found.as_ref().map_or(0, |found| found.rank);
    let (lost, largest) = found.as_ref().map_or((&[][..], 1.0), |x| (&x.lost[..], x.largest));
    let least = error.max(4.0 * f64::EPSILON) * largest;
    let variance = variance(loss, n, rank);
    let mut standard_deviations = vec![0.0; p];
    for (a, &k) in free.iter().enumerate() {
        let diagonal = found.as_ref().and_then(|found| found.diagonal.as_ref());
        let reach = diagonal.map_or(f64::NAN, |diagonal| diagonal[a]);
        let terms = lost.iter().map(|(v, s)| (v[a] / (UNSEEN * s).max(least)).powi(2));
        let left_out: f64 = terms.sum();
        let undetermined = left_out > reach || (reach == 0.0 && left_out > 0.0);
        standard_deviations[k] =
            if undetermined { f64::INFINITY } else { (variance * reach).sqrt() / scales[k] };
    }
    let null_directions = lost
        .iter()
        .map(|(v, s)| {
            let (mut shares, mut direction) = (vec![0.0; p], vec![0.0; p]);
            for (a, &k) in free.iter().enumerate() {
                (shares[k], direction[k]) = (v[a], v[a] / scales[k]);
            }
            let size = norm(&direction);
            direction.iter_mut().for_each(|x| *x /= size);
            NullDirection { direction, shares, singular_value_ratio: s / largest }
        })
        .collect();
    Uncertainty {
        covariance: Vec::new(),
        standard_deviations,
        rank,
        null_directions,
        residual_deviation: variance.sqrt(),
    }
}
