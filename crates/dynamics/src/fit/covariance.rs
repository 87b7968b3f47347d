//! What the data say about the parameters: covariance, standard deviations, rank and null directions.
//!
//! `Cov = s^2 (J^T J)^-1` with `s^2 = loss / (n - rank)`, J with its row factors. Where J loses rank the
//! inverse is the pseudo-inverse in the scaled variables, and parameters that a null direction moves have an
//! infinite standard deviation.

use gaussflow_solvers::SecularFactor;

/// Most null directions that are listed.
const LISTED: usize = 32;
/// Share of a parameter in a null direction (scaled, of norm 1) from which the direction moves it.
const SHARE: f64 = 1e-5;

/// A direction in which the residuals do not change to first order: `J direction = 0` up to the cutoff.
#[derive(Clone, Debug, PartialEq)]
pub struct NullDirection {
    /// The direction in parameters (length p), 2-norm 1.
    pub direction: Vec<f64>,
    /// Its part in each parameter relative to the parameter's scale D_k (length p), 2-norm 1.
    pub shares: Vec<f64>,
    /// Its singular value relative to the largest.
    pub singular_value_ratio: f64,
}

/// Covariance and rank of a fit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Uncertainty {
    /// p x p, row-major; NaN without degrees of freedom.
    pub(crate) covariance: Vec<f64>,
    pub(crate) standard_deviations: Vec<f64>,
    pub(crate) rank: usize,
    pub(crate) null_directions: Vec<NullDirection>,
    pub(crate) residual_deviation: f64,
}

impl Uncertainty {
    /// From a factor of the free columns divided by `scales`; `n` observations.
    pub(crate) fn of(
        factor: &SecularFactor,
        free: &[usize],
        scales: &[f64],
        loss: f64,
        n: usize,
        cutoff: f64,
    ) -> Self {
        let p = scales.len();
        let values = if free.is_empty() { &[][..] } else { factor.singular_values() };
        let largest = values.iter().copied().fold(0.0, f64::max);
        let kept: Vec<usize> =
            (0..values.len()).filter(|&i| values[i] > cutoff * largest).collect();
        let rank = kept.len();
        let freedom = n as f64 - rank as f64;
        let variance = if freedom > 0.0 { loss / freedom } else { f64::NAN };
        let mut covariance = vec![0.0; p * p];
        for &i in &kept {
            let (v, s) = (factor.right(i), values[i]);
            for (a, &row) in free.iter().enumerate() {
                let left = v[a] / s / scales[row];
                for (b, &column) in free.iter().enumerate() {
                    covariance[row * p + column] += left * (v[b] / s / scales[column]) * variance;
                }
            }
        }
        let null_directions = null_directions(factor, free, scales, &kept, largest);
        let mut standard_deviations: Vec<f64> =
            (0..p).map(|k| covariance[k * p + k].sqrt()).collect();
        for null in &null_directions {
            for (deviation, share) in standard_deviations.iter_mut().zip(&null.shares) {
                if share.abs() > SHARE {
                    *deviation = f64::INFINITY;
                }
            }
        }
        let residual_deviation = variance.sqrt();
        Self { covariance, standard_deviations, rank, null_directions, residual_deviation }
    }
}

/// Right singular vectors below the cutoff and, for wide systems, the rest of the kernel.
fn null_directions(
    factor: &SecularFactor,
    free: &[usize],
    scales: &[f64],
    kept: &[usize],
    largest: f64,
) -> Vec<NullDirection> {
    let f = free.len();
    if kept.len() == f {
        return Vec::new();
    }
    let values = factor.singular_values();
    let small = (0..values.len()).filter(|i| !kept.contains(i));
    let mut found: Vec<(Vec<f64>, f64)> = Vec::new();
    // Without a singular value, vectors of the factor may be zero: those are left to the complement.
    for i in small {
        let v = factor.right(i).to_vec();
        let size: f64 = v.iter().map(|x| x * x).sum();
        if size > 0.5 {
            let ratio = if largest > 0.0 { values[i] / largest } else { 0.0 };
            found.push((v, ratio));
        }
    }
    let mut basis: Vec<Vec<f64>> = kept.iter().map(|&i| factor.right(i).to_vec()).collect();
    basis.extend(found.iter().map(|(v, _)| v.clone()));
    let wanted = (f - kept.len()).min(LISTED);
    // Gram-Schmidt (twice) of the unit vectors: those that keep half of their length or more come first.
    for bound in [0.5, 1e-3] {
        for k in 0..f {
            if found.len() >= wanted {
                break;
            }
            let mut v = vec![0.0; f];
            v[k] = 1.0;
            for _ in 0..2 {
                for known in &basis {
                    let product: f64 = known.iter().zip(&v).map(|(a, b)| a * b).sum();
                    v.iter_mut().zip(known).for_each(|(v, a)| *v -= product * a);
                }
            }
            let size = v.iter().map(|x| x * x).sum::<f64>().sqrt();
            if size > bound {
                v.iter_mut().for_each(|x| *x /= size);
                basis.push(v.clone());
                found.push((v, 0.0));
            }
        }
    }
    found.truncate(wanted);
    found
        .into_iter()
        .map(|(v, singular_value_ratio)| {
            let mut shares = vec![0.0; scales.len()];
            let mut direction = vec![0.0; scales.len()];
            for (a, &k) in free.iter().enumerate() {
                shares[k] = v[a];
                direction[k] = v[a] / scales[k];
            }
            let size = gaussflow_solvers::norm(&direction);
            direction.iter_mut().for_each(|x| *x /= size);
            NullDirection { direction, shares, singular_value_ratio }
        })
        .collect()
}
