//! Where a value falls through zero, by interpolate-truncate-project (ITP).
//!
//! Oliveira and Takahashi, ACM Trans. Math. Softw. 47 (2020), with `kappa_1 = 0.2/(b - a)`,
//! `kappa_2 = 2`, `n_0 = 1`: superlinear on smooth values, and never more than one evaluation
//! above bisection, which matters where a value costs a factorization.

/// Bound on the evaluations of one location; the tolerance is met long before (see
/// [`fall_through_zero`]), this only guards against a time axis without a midpoint.
const MOST_EVALUATIONS: usize = 128;

/// A bracket `(low, high]` of times with a positive value at `low` and one at or below zero at
/// `high`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bracket {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) low_value: f64,
    pub(crate) high_value: f64,
}

/// Returns a time at which the value is at or below zero and before which, by at most
/// `4 eps |high|` (four units in the last place of the bracket's end), it is positive.
///
/// # Errors
/// What `value_at` returns.
pub(crate) fn fall_through_zero<E>(
    bracket: Bracket,
    mut value_at: impl FnMut(f64) -> Result<f64, E>,
) -> Result<f64, E> {
    let Bracket { mut low, mut high, mut low_value, mut high_value } = bracket;
    let tolerance = 4.0 * f64::EPSILON * high.abs();
    let width = high - low;
    // Width that bisection would have left, doubled by n_0 = 1: the projection radius below
    // forces the bracket under it, which bounds the count by that of bisection plus one.
    let mut allowed = tolerance * (width / tolerance).log2().ceil().exp2();
    for _ in 0..MOST_EVALUATIONS {
        if high - low <= tolerance {
            break;
        }
        let middle = low + (high - low) / 2.0;
        let radius = allowed - (high - low) / 2.0;
        let secant = low + (high - low) * (low_value / (low_value - high_value));
        let toward_middle = (middle - secant).signum();
        // At least half the tolerance: once the secant's own error is below the rounding, the
        // estimate must still step over the root, or only one end of the bracket would move.
        let truncation = (0.2 / width * (high - low) * (high - low)).max(tolerance / 2.0);
        let truncated = if truncation <= (middle - secant).abs() {
            secant + toward_middle * truncation
        } else {
            middle
        };
        let projected = if (truncated - middle).abs() <= radius {
            truncated
        } else {
            middle - toward_middle * radius
        };
        // Infinite values, and brackets of neighbouring numbers, leave the interior: bisect.
        let time = if projected > low && projected < high { projected } else { middle };
        if time <= low || time >= high {
            break;
        }
        let value = value_at(time)?;
        if value > 0.0 {
            (low, low_value) = (time, value);
        } else {
            (high, high_value) = (time, value);
        }
        allowed /= 2.0;
    }
    Ok(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the location and returns the time and the number of evaluations.
    fn locate(low: f64, high: f64, value: impl Fn(f64) -> f64) -> (f64, usize) {
        let mut count = 0;
        let bracket = Bracket { low, high, low_value: value(low), high_value: value(high) };
        let time = fall_through_zero::<()>(bracket, |t| {
            count += 1;
            Ok(value(t))
        })
        .unwrap();
        (time, count)
    }

    #[test]
    fn smooth_roots_take_few_evaluations() {
        type Case = (fn(f64) -> f64, f64);
        let cases: [Case; 4] = [
            (|t| 0.5 - t, 0.5),
            (|t| 2.0 - t * t, std::f64::consts::SQRT_2),
            (|t| (-t).exp() - 0.25, 4f64.ln()),
            (|t: f64| t.cos(), std::f64::consts::FRAC_PI_2),
        ];
        for (value, root) in cases {
            let (time, count) = locate(0.0, 3.0, value);
            assert!((time - root).abs() <= 8.0 * f64::EPSILON * 3.0, "{time} {root}");
            assert!(value(time) <= 0.0);
            assert!(count <= 15, "{count} evaluations");
        }
    }

    #[test]
    fn hard_values_cost_at_most_two_evaluations_above_bisection() {
        let cases: [fn(f64) -> f64; 5] = [
            |t| if t < 0.7 { 1.0 } else { -1.0 },
            |t| if t < 1e-3 { f64::INFINITY } else { -1.0 },
            |t| -(t - 0.3).powi(9),
            |t| if t < 0.9 { 1e-300 } else { -1e300 },
            |t| if t < 0.2 { 1.0 } else { 0.0 },
        ];
        let bisections = (1.0 / (4.0 * f64::EPSILON)).log2().ceil();
        for value in cases {
            let (time, count) = locate(0.0, 1.0, value);
            assert!(value(time) <= 0.0 && value(time - 8.0 * f64::EPSILON) > 0.0, "{time}");
            assert!(count as f64 <= bisections + 2.0, "{count} evaluations");
        }
    }

    #[test]
    fn neighbouring_times_and_failures_end_at_once() {
        let low = 1.0_f64;
        assert_eq!(locate(low, low.next_up(), |t| low - t), (low.next_up(), 0));
        let bracket = Bracket { low: 0.0, high: 1.0, low_value: 1.0, high_value: -1.0 };
        assert_eq!(fall_through_zero(bracket, |_| Err("no value")), Err("no value"));
    }
}
