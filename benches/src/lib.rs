//! Systems for the benchmarks: Jacobians of prescribed shape and condition, built from a seed.

use gaussflow::prelude::*;

/// A dense n x p Jacobian whose columns fall from 1 to `smallest`, made of seeded sines.
///
/// It needs no generator: sines of incommensurable frequencies are as good as random numbers for a
/// timing, and the same everywhere.
pub fn graded_jacobian(rows: usize, columns: usize, smallest: f64) -> DenseJacobian {
    let mut jacobian = DenseJacobian::zeros(rows, columns);
    let mut matrix = jacobian.matrix_mut();
    for c in 0..columns {
        let share = c as f64 / columns.max(2).saturating_sub(1) as f64;
        let scale = smallest.powf(share) / (rows as f64).sqrt();
        for r in 0..rows {
            let (r_, c_) = (r as f64 + 1.0, c as f64 + 1.0);
            matrix[(r, c)] = scale * (r_ * c_ * 1.234_567 + r_ * r_ * 0.618_034).sin();
        }
    }
    jacobian
}

/// An output vector of length n, likewise.
pub fn output_vector(rows: usize) -> Vec<f64> {
    (0..rows).map(|r| (0.7 * r as f64 + 0.3).cos()).collect()
}
