//! The two largest eigenvalues of a small symmetric tridiagonal matrix, with the vector of the first.
//!
//! What a few steps of the Lanczos process leave: `diagonal` of length k, `off` of length k - 1.

/// The largest eigenvalue, the second largest (the largest again for k = 1), and the unit vector of the
/// first in `vector` (length k). `work` has length k.
pub(crate) fn largest_pair(
    diagonal: &[f64],
    off: &[f64],
    vector: &mut [f64],
    work: &mut [f64],
) -> (f64, f64) {
    let k = diagonal.len();
    // Gershgorin.
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for i in 0..k {
        let left = if i > 0 { off[i - 1].abs() } else { 0.0 };
        let radius = left + off.get(i).map_or(0.0, |b| b.abs());
        low = low.min(diagonal[i] - radius);
        high = high.max(diagonal[i] + radius);
    }
    let first = bisect((diagonal, off), k, (low, high), 2.0 * f64::EPSILON);
    // Of the second only the distance is asked.
    let second =
        if k > 1 { bisect((diagonal, off), k - 1, (low, first), SECOND_WIDTH) } else { first };
    // Inverse iteration from a shift just above: there all pivots of the elimination are negative.
    let shift = first + 4.0 * f64::EPSILON * first.abs().max(f64::MIN_POSITIVE);
    vector.fill(1.0);
    for _ in 0..3 {
        solve_shifted(diagonal, off, shift, vector, work);
        let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        if !(length.is_finite() && length > 0.0) {
            vector.fill(0.0);
            vector[0] = 1.0;
            break;
        }
        vector.iter_mut().for_each(|x| *x /= length);
    }
    (first, second)
}

/// Relative accuracy of the second eigenvalue.
const SECOND_WIDTH: f64 = 1e-6;

/// The `rank`-th smallest eigenvalue, to the relative `width` of the bracket's ends.
fn bisect(
    (diagonal, off): (&[f64], &[f64]),
    rank: usize,
    (mut low, mut high): (f64, f64),
    width: f64,
) -> f64 {
    loop {
        let middle = 0.5 * (low + high);
        if high - low <= width * high.abs().max(low.abs()) || middle <= low || middle >= high {
            return high;
        }
        if count_below(diagonal, off, middle) >= rank {
            high = middle;
        } else {
            low = middle;
        }
    }
}

/// How many eigenvalues lie below `x`: the negative pivots of `T - x I`.
fn count_below(diagonal: &[f64], off: &[f64], x: f64) -> usize {
    let mut count = 0;
    let mut pivot = 1.0;
    for (i, a) in diagonal.iter().enumerate() {
        let coupling = if i > 0 { off[i - 1] * off[i - 1] / pivot } else { 0.0 };
        pivot = a - x - coupling;
        if pivot.abs() < f64::MIN_POSITIVE {
            pivot = -f64::MIN_POSITIVE;
        }
        count += usize::from(pivot < 0.0);
    }
    count
}

/// `vector <- (T - shift I)^-1 vector` by elimination without pivoting.
fn solve_shifted(
    diagonal: &[f64],
    off: &[f64],
    shift: f64,
    vector: &mut [f64],
    pivots: &mut [f64],
) {
    let k = diagonal.len();
    for i in 0..k {
        let mut pivot = diagonal[i] - shift;
        if i > 0 {
            let factor = off[i - 1] / pivots[i - 1];
            pivot -= factor * off[i - 1];
            vector[i] -= factor * vector[i - 1];
        }
        pivots[i] = if pivot.abs() < f64::MIN_POSITIVE { -f64::MIN_POSITIVE } else { pivot };
    }
    for i in (0..k).rev() {
        let later = if i + 1 < k { off[i] * vector[i + 1] } else { 0.0 };
        vector[i] = (vector[i] - later) / pivots[i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second difference matrix of order k has the eigenvalues `2 - 2 cos(j pi / (k+1))` with
    /// vectors `sin(i j pi / (k+1))`.
    #[test]
    fn eigenpairs_of_the_second_difference() {
        for k in 1..30_usize {
            let (diagonal, off) = (vec![2.0; k], vec![-1.0; k - 1]);
            let (mut vector, mut work) = (vec![0.0; k], vec![0.0; k]);
            let (first, second) = largest_pair(&diagonal, &off, &mut vector, &mut work);
            let angle = std::f64::consts::PI / (k + 1) as f64;
            let value = |j: usize| 2.0 - 2.0 * (j as f64 * angle).cos();
            assert!((first - value(k)).abs() < 1e-14, "{k}");
            assert!((second - value(k.max(2) - 1)).abs() < 5e-6, "{k}");
            let exact: Vec<f64> = (1..=k).map(|i| ((i * k) as f64 * angle).sin()).collect();
            let length = exact.iter().map(|x| x * x).sum::<f64>().sqrt();
            let cosine: f64 = exact.iter().zip(&vector).map(|(a, b)| a * b / length).sum();
            assert!((cosine.abs() - 1.0).abs() < 1e-12, "{k}: {cosine}");
        }
    }

    #[test]
    fn a_decoupled_matrix_and_one_of_order_one() {
        let (mut vector, mut work) = ([0.0; 3], [0.0; 3]);
        let found = largest_pair(&[1.0, 5.0, 2.0], &[0.0, 0.0], &mut vector, &mut work);
        assert!((found.0 - 5.0).abs() < 1e-14 && (found.1 - 2.0).abs() < 1e-5, "{found:?}");
        assert!((vector[1].abs() - 1.0).abs() < 1e-12, "{vector:?}");
        let found = largest_pair(&[3.0], &[], &mut vector[..1], &mut work[..1]);
        assert!((found.0 - 3.0).abs() < 1e-15);
    }
}
