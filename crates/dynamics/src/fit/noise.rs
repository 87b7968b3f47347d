//! Whether the trials at a point show noise of the residuals: changes of the loss that do not shrink with the step.
//!
//! The gain ratio `decrease / predicted` stays the same for shorter steps where the Jacobian is wrong, and falls
//! with the step where curvature rules. Where the decrease is noise it grows, as `1 / predicted` does.

/// Gain ratio from which the linear model explains nothing of a decrease.
pub(crate) const UNEXPLAINED: f64 = 10.0;
/// Growth of the gain ratio, for half the step or less, that is a rise.
const RISE: f64 = 1.5;
/// Rises in a row that count as noise.
const RISES: usize = 2;

/// The last trial at a point.
pub(crate) struct NoiseWatch {
    length: f64,
    gain: f64,
    rises: usize,
}

impl Default for NoiseWatch {
    fn default() -> Self {
        Self { length: f64::INFINITY, gain: f64::INFINITY, rises: 0 }
    }
}

impl NoiseWatch {
    /// Takes in a trial of `length` with its gain ratio (not finite where undefined); whether this is noise.
    pub(crate) fn sees(&mut self, length: f64, gain: f64) -> bool {
        if length > 0.5 * self.length && gain.is_finite() {
            return false;
        }
        let gain = gain.abs();
        let rises = gain.is_finite() && gain > RISE * self.gain && gain > UNEXPLAINED;
        self.rises = if rises { self.rises + 1 } else { 0 };
        (self.length, self.gain) = (length, gain);
        self.rises >= RISES
    }
}

#[cfg(test)]
mod tests {
    use super::NoiseWatch;

    /// Whether ten trials of halved length, with the decrease `decrease(length)`, count as noise; `predicted = length`.
    fn found(decrease: impl Fn(i32, f64) -> f64) -> bool {
        let mut watch = NoiseWatch::default();
        (0..10).any(|k| {
            let length = 0.5_f64.powi(k);
            watch.sees(length, decrease(k, length) / length)
        })
    }

    #[test]
    fn noise_is_told_from_wrong_derivatives_and_from_curvature() {
        assert!(found(|k, _| if k % 3 == 0 { 50.0 } else { -60.0 }));
        assert!(!found(|_, length| -2000.0 * length * 0.999), "a wrong Jacobian");
        assert!(!found(|_, length| -2000.0 * length * length), "curvature");
        assert!(!found(|_, length| length * (1.0 - length)), "a good model");
        assert!(!found(|_, _| f64::NEG_INFINITY), "undefined ground");
    }
}
