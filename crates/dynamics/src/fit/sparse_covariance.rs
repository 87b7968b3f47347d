//! What the data say about the parameters of a sparse Jacobian: deviations from the diagonal of the inverse of its factor.

use super::covariance::{Covariance, NullDirection, Scaled, UNSEEN, Uncertainty};

impl Uncertainty {
    /// From a sparse factor; `variance` of the residuals is given the rank. By the rule of `covariance.rs`: a direction
    /// that is left out would add `(v_k / s)^2` to what the others give, `q_k^2`.
    pub(super) fn of_sparse(scaled: &mut Scaled<'_>, variance: impl Fn(usize) -> f64) -> Self {
        let Scaled { factor, free, scales, error, cutoff } = scaled;
        let p = scales.len();
        let Some(Ok(found)) = factor.sparse_inverse(*cutoff) else { return Self::unknown(p) };
        let variance = variance(found.rank);
        let least = error.max(4.0 * f64::EPSILON) * found.largest;
        let (mut standard_deviations, mut rows) = (vec![0.0; p], vec![None; p]);
        for (a, &k) in free.iter().enumerate() {
            let reach = found.diagonal.as_ref().map_or(f64::NAN, |diagonal| diagonal[a]);
            let terms = found.lost.iter().map(|(v, s)| (v[a] / (UNSEEN * s).max(least)).powi(2));
            let left_out: f64 = terms.sum();
            let undetermined = left_out > reach || (reach == 0.0 && left_out > 0.0);
            standard_deviations[k] =
                if undetermined { f64::INFINITY } else { (variance * reach).sqrt() / scales[k] };
            rows[k] = Some(a);
        }
        let null_directions = found
            .lost
            .iter()
            .map(|(v, s)| NullDirection::new(v, free, scales, s / found.largest))
            .collect();
        let covariance = Covariance::unknown(rows);
        Self { covariance, standard_deviations, rank: found.rank, null_directions }
    }
}
