//! Extreme singular values of `J`: Householder bidiagonalization, then bisection by Sturm counts.
//!
//! `J = U B V^T` with B upper bidiagonal has a backward error of a modest multiple of
//! `eps sigma_max`, and the inertia of the Golub-Kahan matrix of B (zero diagonal, off-diagonals
//! `d_1, e_1, d_2, e_2, ...`) counts the singular values below any number to high relative accuracy.
//! Nothing converges by luck here: a count is a proof for B. (Values-only eigenvalues of `J^T J`
//! would carry an error of `eps sigma_max^2`, useless below `sigma_max sqrt(eps)`.)

use faer::MatRef;

use crate::dense::bidiagonal::Bidiagonalization;
use crate::powers::binary_scale;

/// Holds the smallest and the largest of the min(n, p) singular values of an n x p Jacobian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExtremeSingularValues {
    /// The smallest singular value, at least 0, with an error of at most a small multiple of `eps largest`, eps = 2.2e-16.
    pub smallest: f64,
    /// Largest singular value.
    pub largest: f64,
}

impl ExtremeSingularValues {
    /// Returns `smallest / largest`, and 0 for a zero matrix.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_solvers::ExtremeSingularValues;
    /// assert_eq!(ExtremeSingularValues { smallest: 1.0, largest: 4.0 }.ratio(), 0.25);
    /// ```
    pub fn ratio(self) -> f64 {
        if self.largest > 0.0 { self.smallest / self.largest } else { 0.0 }
    }
}

/// Points of one multisection sweep: independent recurrences that hide the divider's latency.
const POINTS: usize = 8;

/// Buffers for the extreme singular values of square matrices of one order.
pub(crate) struct Extremes {
    bidiagonalization: Bidiagonalization,
    /// `d_1, e_1, d_2, e_2, ..., d_p`, then their squares, scaled to a largest entry of 1.
    squares: Vec<f64>,
}

impl Extremes {
    /// Buffers for order `order`.
    pub(crate) fn new(order: usize) -> Self {
        Self {
            bidiagonalization: Bidiagonalization::new(order),
            squares: vec![0.0; (2 * order).saturating_sub(1)],
        }
    }

    /// Extreme singular values of the upper triangular matrix in the upper triangle of `upper`.
    pub(crate) fn of_upper(&mut self, upper: MatRef<'_, f64>) -> ExtremeSingularValues {
        let order = upper.ncols();
        let mut size = 0.0_f64;
        for c in 0..order {
            for r in 0..=c {
                size = size.max(upper[(r, c)].abs());
            }
        }
        // A power of two: no product of entries overflows, none that matters underflows.
        let scale = binary_scale(size);
        let inverse = scale.recip();
        for c in 0..order {
            let column = self.bidiagonalization.column_mut(c);
            column.fill(0.0);
            for (r, entry) in column[..=c].iter_mut().enumerate() {
                *entry = upper[(r, c)] * inverse;
            }
        }
        let found = self.extremes();
        ExtremeSingularValues { smallest: found.smallest * scale, largest: found.largest * scale }
    }

    /// Extreme singular values of the matrix that was written to the bidiagonalization.
    fn extremes(&mut self) -> ExtremeSingularValues {
        self.bidiagonalization.run(&mut self.squares);
        of_bidiagonal(&mut self.squares)
    }
}

/// Extreme singular values of the bidiagonal matrix `d_1, e_1, d_2, ..., d_p`, whose entries are overwritten.
pub(crate) fn of_bidiagonal(entries: &mut [f64]) -> ExtremeSingularValues {
    let order = entries.len().div_ceil(2);
    if entries.iter().any(|x| !x.is_finite()) {
        return ExtremeSingularValues { smallest: f64::NAN, largest: f64::NAN };
    }
    let scale = entries.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    if scale == 0.0 {
        return ExtremeSingularValues { smallest: 0.0, largest: 0.0 };
    }
    for x in entries.iter_mut() {
        *x = (*x / scale) * (*x / scale);
    }
    // Gershgorin: no eigenvalue of the Golub-Kahan matrix, scaled to 1, exceeds 2.
    let smallest = bisect(entries, 1, 2.0);
    let largest = bisect(entries, order, 2.0);
    ExtremeSingularValues { smallest: smallest * scale, largest: largest * scale }
}

/// How many singular values of the bidiagonal matrix `d_1, e_1, d_2, ..., d_p`, of entries near 1, lie below `x` > 0.
pub(crate) fn count_below(entries: &[f64], x: f64) -> usize {
    let squares: Vec<f64> = entries.iter().map(|x| x * x).collect();
    counts_below(&squares, [x; POINTS])[0]
}

/// The `rank`-th smallest singular value (from 1) in `[0, upper]`, by multisection.
fn bisect(squares: &[f64], rank: usize, upper: f64) -> f64 {
    let (mut low, mut high) = (0.0, upper);
    loop {
        // Close to zero relative accuracy is worth nothing: the matrix itself carries eps.
        let tolerance = 2.0 * f64::EPSILON * f64::max(high, f64::EPSILON);
        let width: f64 = (high - low) / (POINTS + 1) as f64;
        if high - low <= tolerance || width <= 0.0 {
            // Nothing found above 2 eps^2 of the largest: rounding far below what J carries.
            return if low == 0.0 { 0.0 } else { 0.5 * (low + high) };
        }
        // While the bracket spans decades, cut it geometrically.
        let geometric = high > 16.0 * low;
        let floor = f64::max(low, f64::EPSILON * f64::EPSILON * 0.5);
        let ratio = (high / floor).powf(1.0 / (POINTS + 1) as f64);
        let mut points = [0.0; POINTS];
        let mut grid = floor;
        for (k, point) in points.iter_mut().enumerate() {
            grid *= ratio;
            *point = if geometric { grid } else { low + width * (k + 1) as f64 };
        }
        let counts = counts_below(squares, points);
        let (before_low, before_high) = (low, high);
        for (point, count) in points.into_iter().zip(counts) {
            if count >= rank {
                high = f64::min(high, f64::max(point, low));
                break;
            }
            low = f64::max(low, point);
        }
        if (low, high) == (before_low, before_high) {
            return 0.5 * (low + high);
        }
    }
}

/// Numbers of singular values below each of `points` (positive).
///
/// The pivots q of `T - x I = L D L^T` with zero diagonal are `q_1 = -x, q_k = -x - b_k^2 / q_{k-1}`;
/// of the order 2p matrix, p + (number of singular values below x) pivots are negative.
fn counts_below(squares: &[f64], points: [f64; POINTS]) -> [usize; POINTS] {
    let mut pivots = points.map(|x| -x);
    let mut negative = [1_u32; POINTS];
    for &square in squares {
        for lane in 0..POINTS {
            let next = -points[lane] - square / pivots[lane];
            // A zero pivot is moved to a negative number that keeps the quotient finite, and
            // counted as what it became: the count stays that of a matrix nearby.
            let safe = if next.abs() < f64::MIN_POSITIVE { -f64::MIN_POSITIVE } else { next };
            negative[lane] += u32::from(safe < 0.0);
            pivots[lane] = safe;
        }
    }
    let order = squares.len().div_ceil(2);
    negative.map(|count| (count as usize).saturating_sub(order))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Order 3 with d = (1, 2, 3), e = (0, 0): the singular values are the diagonal.
    #[test]
    fn counts_of_a_diagonal_matrix() {
        let squares = [1.0, 0.0, 4.0, 0.0, 9.0];
        let points = [0.5, 0.999, 1.001, 1.5, 2.5, 2.999, 3.001, 9.0];
        assert_eq!(counts_below(&squares, points), [0, 0, 1, 1, 2, 2, 3, 3]);
    }

    /// B = [[1, 1], [0, 1]] has 0.618 and 1.618; its second pivot at x = 1 is exactly zero.
    #[test]
    fn a_zero_pivot_does_not_lose_a_count() {
        assert_eq!(counts_below(&[1.0, 1.0, 1.0], [1.0; POINTS]), [1; POINTS]);
    }

    #[test]
    fn a_graded_bidiagonal_matrix_keeps_its_smallest_value() {
        // B = [[1, t], [0, s]] has sigma_min sigma_max = s and sigma_max^2 + sigma_min^2 = 1+t^2+s^2.
        let (t, s) = (0.5_f64, 1e-13_f64);
        let squares = [1.0, t * t, s * s];
        let largest = bisect(&squares, 2, 2.0);
        let smallest = bisect(&squares, 1, 2.0);
        assert!((largest - (1.0 + t * t).sqrt()).abs() < 4.0 * f64::EPSILON);
        assert!((smallest * largest / s - 1.0).abs() < 1e-12, "{smallest:e}");
    }

    #[test]
    fn zero_and_order_one() {
        let mut one = Extremes::new(1);
        one.bidiagonalization.column_mut(0)[0] = -3.0;
        let found = one.extremes();
        assert!((found.smallest - 3.0).abs() < 1e-15 && (found.largest - 3.0).abs() < 1e-15);
        let mut zero = Extremes::new(4);
        assert_eq!(zero.extremes(), ExtremeSingularValues { smallest: 0.0, largest: 0.0 });
        let mut deficient = Extremes::new(3);
        deficient.bidiagonalization.column_mut(0)[0] = 1.0;
        let found = deficient.extremes();
        assert_eq!((found.smallest, found.largest.to_bits()), (0.0, found.largest.to_bits()));
        assert!((found.largest - 1.0).abs() < 1e-15);
    }

    /// What a collapsing network gives: all but one column below any finite reciprocal.
    #[test]
    fn columns_down_to_the_smallest_number_stay_finite() {
        let order = 6;
        let upper = faer::Mat::from_fn(order, order, |r, c| match (r, c) {
            (0, 0) => 2.0,
            (r, c) if r <= c => 3e-310 * (1.0 + r as f64),
            _ => 0.0,
        });
        let found = Extremes::new(order).of_upper(upper.as_ref());
        assert!((found.largest / 2.0 - 1.0).abs() < 1e-15, "{found:?}");
        assert!((0.0..=1e-16 * found.largest).contains(&found.smallest), "{found:?}");
    }
}
