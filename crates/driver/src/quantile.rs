//! Quantiles over runs, linear between neighbours: at place `(n - 1) q` of n sorted values (Hyndman and Fan 1996, definition 7,
//! the default of `numpy.quantile` and of R). Tables, figures and charts take theirs from here.

/// The quantile `q`, from 0 to 1, of sorted values; NaN of none.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = q * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the last index"
    )]
    let below = (position.floor() as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let weight = position - below as f64;
    let between = low + weight * (high - low);
    // The difference of two large values may overflow where a mean of them does not.
    if between.is_finite() { between } else { (1.0 - weight) * low + weight * high }
}

/// The median of sorted values; NaN of none.
pub fn median(sorted: &[f64]) -> f64 {
    quantile(sorted, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of `numpy.quantile`.
    #[test]
    fn quantiles_are_numpys() {
        for (q, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            let found = quantile(&[1.0, 2.0, 4.0, 8.0], q);
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
            assert!((quantile(&[7.0], q) - 7.0).abs() < f64::EPSILON);
            assert!(quantile(&[], q).is_nan());
        }
        let quarters = |values: &[f64]| [0.25, 0.5, 0.75].map(|q| quantile(values, q)).to_vec();
        assert_eq!(quarters(&[1.0, 2.0, 4.0, 8.0]), [1.75, 3.0, 5.0]);
        assert_eq!(quarters(&[1.0, 2.0, 4.0, 8.0, 16.0]), [2.0, 4.0, 8.0]);
        assert_eq!(quarters(&[-3.0, 1.0, 2.0, 4.0, 8.0, 16.0]), [1.25, 3.0, 7.0]);
        assert_eq!(quarters(&[7.0]), [7.0, 7.0, 7.0]);
        assert!(quarters(&[-f64::MAX, f64::MAX]).iter().all(|value| value.is_finite()));
    }

    #[test]
    fn the_median_of_two_large_numbers_is_finite() {
        assert_eq!(median(&[1e308, 1.5e308]).to_bits(), 1.25e308_f64.to_bits());
        assert_eq!(median(&[1.0, 2.0, 9.0]).to_bits(), 2.0_f64.to_bits());
    }
}
