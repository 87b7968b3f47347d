//! Damping schedules: rho chosen at each point, from the kernel's smallest eigenvalue or from how steps went.
//!
//! With lambda the smallest eigenvalue of K and `rho = lambda/(1 + lambda)`, a mode of eigenvalue s decays
//! at the rate `s/((1-rho) s + rho) = (1 + lambda) s/(s + lambda)`, between `(1 + lambda)/2` and
//! `1 + lambda`: free of the conditioning, and with the least damping that costs no more than a factor 2.

/// Whether a step is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepVerdict {
    /// The iteration moves on.
    Accepted,
    /// It tries again from the same point.
    Rejected,
}

/// Chooses rho in (0, 1) before each step, and learns from it.
///
/// # Examples
/// ```
/// use gaussflow_dynamics::{DampingSchedule, KernelEigenvalueDamping};
/// assert_eq!(KernelEigenvalueDamping.damping(1.0), 0.5);
/// ```
pub trait DampingSchedule {
    /// rho for a step from a point where K (p >= n) or H (n > p) has this smallest eigenvalue.
    fn damping(&self, smallest_eigenvalue: f64) -> f64;

    /// Sees the ratio of the loss's actual decrease to that of its quadratic model.
    fn judge(&mut self, gain: f64) -> StepVerdict;
}

/// The least and the greatest rho that a schedule gives: both systems stay solvable.
const DAMPING_RANGE: [f64; 2] = [1e-14, 1.0 - 1e-14];

/// The largest rho0 of the gain ratio.
const LARGEST_RATIO: f64 = 1e14;

fn clamped(damping: f64) -> f64 {
    damping.clamp(DAMPING_RANGE[0], DAMPING_RANGE[1])
}

/// The paper's: rho constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConstantDamping {
    /// rho, above 0 and below 1.
    pub damping: f64,
}

impl DampingSchedule for ConstantDamping {
    fn damping(&self, _smallest_eigenvalue: f64) -> f64 {
        clamped(self.damping)
    }

    fn judge(&mut self, _gain: f64) -> StepVerdict {
        StepVerdict::Accepted
    }
}

/// `rho = lambda/(1 + lambda)` along the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelEigenvalueDamping;

impl DampingSchedule for KernelEigenvalueDamping {
    fn damping(&self, smallest_eigenvalue: f64) -> f64 {
        let lambda = smallest_eigenvalue.max(0.0);
        clamped(lambda / (1.0 + lambda))
    }

    fn judge(&mut self, _gain: f64) -> StepVerdict {
        StepVerdict::Accepted
    }
}

/// Gain ratio: `rho0 = rho/(1-rho)` shrinks by `max(1/3, 1 - (2 gain - 1)^3)` after a step that lowers the
/// loss, and grows by 2, 4, 8, ... while steps raise it (H. B. Nielsen's rule for Levenberg-Marquardt).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainRatioDamping {
    ratio: f64,
    growth: f64,
}

impl GainRatioDamping {
    /// Starts at `rho0 = ratio`, above 0.
    pub fn new(ratio: f64) -> Self {
        Self { ratio, growth: 2.0 }
    }
}

impl DampingSchedule for GainRatioDamping {
    fn damping(&self, _smallest_eigenvalue: f64) -> f64 {
        clamped(self.ratio / (1.0 + self.ratio))
    }

    fn judge(&mut self, gain: f64) -> StepVerdict {
        if gain > 0.0 {
            let shrink = 1.0 - (2.0 * gain.min(1.0) - 1.0).powi(3);
            (self.ratio, self.growth) = (self.ratio * shrink.max(1.0 / 3.0), 2.0);
            return StepVerdict::Accepted;
        }
        // NaN, a loss that overflowed, is as bad as a rise.
        // Beyond the cap steps are gradient steps of no length, as at a minimum, where gains are rounding.
        self.ratio = (self.ratio * self.growth).min(LARGEST_RATIO);
        self.growth = (2.0 * self.growth).min(LARGEST_RATIO);
        StepVerdict::Rejected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eigenvalue_schedule_keeps_every_mode_within_a_factor_two() {
        for lambda in [1e-8, 1e-3, 1.0, 50.0] {
            let rho = KernelEigenvalueDamping.damping(lambda);
            for factor in [1.0, 2.0, 1e3, 1e9] {
                let s = lambda * factor;
                let rate = s / ((1.0 - rho) * s + rho);
                let expected = (1.0 + lambda) * s / (s + lambda);
                assert!((rate / expected - 1.0).abs() < 1e-6, "{lambda} {factor}");
                assert!(rate >= 0.5 * (1.0 + lambda) * (1.0 - 1e-6), "{lambda} {factor}");
                assert!(rate <= (1.0 + lambda) * (1.0 + 1e-6), "{lambda} {factor}");
            }
        }
    }

    #[test]
    fn gain_ratio_shrinks_after_good_steps_and_grows_while_steps_fail() {
        let mut schedule = GainRatioDamping::new(1.0);
        assert_eq!(schedule.judge(1.0), StepVerdict::Accepted);
        assert!((schedule.ratio - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(schedule.judge(-1.0), StepVerdict::Rejected);
        assert_eq!(schedule.judge(f64::NAN), StepVerdict::Rejected);
        assert!((schedule.ratio - 8.0 / 3.0).abs() < 1e-14); // 2, then 4 times
        assert_eq!(schedule.judge(0.5), StepVerdict::Accepted);
        assert!(
            (schedule.ratio - 8.0 / 3.0).abs() < 1e-14
                && schedule.growth.to_bits() == 2f64.to_bits()
        );
    }
}
