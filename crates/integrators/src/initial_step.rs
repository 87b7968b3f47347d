//! The first step of an error-controlled method.
//!
//! Hairer, Norsett, Wanner, Solving ODEs I, section II.4: one explicit Euler step of a hundredth
//! of `|x|/|v|` estimates the second derivative, and the step is the one whose leading error term
//! is a hundredth of the tolerance. It depends on the field alone, not on the horizon, so that a
//! shorter run is the beginning of a longer one.

use crate::field::SharedProbe;
use crate::method::Tolerances;

/// How often the trial step is cut by ten where the field has no value at its end.
const MOST_TRIALS: usize = 16;

/// The first step of a method whose error test has order `order`, at time 0; always positive.
///
/// Allocates; it runs once.
pub(crate) fn initial_step(
    probe: &SharedProbe<'_>,
    state: &[f64],
    slope: &[f64],
    tolerances: Tolerances,
    order: i32,
) -> f64 {
    let norm = |vector: &[f64]| -> f64 {
        let sum: f64 = vector
            .iter()
            .zip(state)
            .map(|(v, x)| (v / (tolerances.absolute + tolerances.relative * x.abs())).powi(2))
            .sum();
        (sum / vector.len() as f64).sqrt()
    };
    let (state_norm, slope_norm) = (norm(state), norm(slope));
    let mut trial = if state_norm < 1e-5 || slope_norm < 1e-5 {
        1e-6
    } else {
        0.01 * (state_norm / slope_norm)
    };
    let mut ahead = vec![0.0; state.len()];
    let mut ahead_slope = vec![0.0; state.len()];
    for _ in 0..MOST_TRIALS {
        for ((ahead, x), v) in ahead.iter_mut().zip(state).zip(slope) {
            *ahead = x + trial * v;
        }
        if probe.borrow_mut().evaluate_bounded(trial, &ahead, &mut ahead_slope).is_ok() {
            break;
        }
        ahead_slope.copy_from_slice(slope);
        trial /= 10.0;
    }
    for (ahead, v) in ahead_slope.iter_mut().zip(slope) {
        *ahead -= v;
    }
    let steepest = slope_norm.max(norm(&ahead_slope) / trial);
    let by_error = if steepest <= 1e-15 {
        (1e-3 * trial).max(1e-6)
    } else {
        (0.01 / steepest).powf(1.0 / f64::from(order + 1))
    };
    let step = by_error.min(100.0 * trial);
    // A norm can overflow where the tolerance is tiny and the field huge.
    if step > 0.0 && step.is_finite() { step } else { f64::MIN_POSITIVE.sqrt() }
}
