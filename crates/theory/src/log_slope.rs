//! Orders by measurement: the exponent of a power law.

/// The slope of log(value) over log(x) by least squares, and what the errors of the values may change it by.
///
/// Points are `(x, (value, error))`, x and values positive, at two x or more.
pub(crate) fn log_slope(points: &[(f64, (f64, f64))]) -> (f64, f64) {
    let count = points.len() as f64;
    let mean = points.iter().map(|(x, _)| x.ln()).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(x, _)| (x.ln() - mean).powi(2)).sum();
    let weigh = |x: f64| (x.ln() - mean) / spread;
    let slope = points.iter().map(|(x, (value, _))| weigh(*x) * value.ln()).sum();
    let error = points.iter().map(|(x, (value, error))| weigh(*x).abs() * error / value).sum();
    (slope, error)
}
