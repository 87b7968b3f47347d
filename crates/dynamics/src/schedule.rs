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

/// What a [`DampingSchedule`] sees of the point w_k that a step leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduleState {
    /// k, the number of accepted steps before.
    pub iteration: usize,
    /// The loss at w_k.
    pub loss: f64,
    /// `norm(J^T grad g)` at w_k, grad g the loss's gradient in output space.
    pub gradient_norm: f64,
    /// The smallest eigenvalue of K (p >= n) or H (n > p) at w_k; `None` beyond the memory limit. In a fit K
    /// and H are those of the free columns, with the rows' factors.
    pub smallest_eigenvalue: Option<f64>,
}

/// Chooses rho before each step, and learns from it.
///
/// [`iterate_scheduled`](crate::iterate_scheduled) runs it along any objective, [`Damping::Schedule`](crate::Damping::Schedule) in a fit. A fit
/// works with a clone of its own, so that settings serve many fits.
///
/// # Examples
/// ```
/// use gaussflow_dynamics::{DampingSchedule, ScheduleState};
///
/// #[derive(Clone, Debug)]
/// struct Falling;
///
/// impl DampingSchedule for Falling {
///     fn damping(&self, state: ScheduleState) -> f64 {
///         0.5 / (1.0 + state.iteration as f64)
///     }
/// }
/// let state = ScheduleState {
///     iteration: 4,
///     loss: 2.0,
///     gradient_norm: 1.0,
///     smallest_eigenvalue: None,
/// };
/// assert_eq!(Falling.damping(state), 0.1);
/// ```
pub trait DampingSchedule: CloneSchedule + std::fmt::Debug + Send + Sync {
    /// rho in [0, 1] for a step from the present point. Anything else, NaN too, is refused by the iteration.
    fn damping(&self, state: ScheduleState) -> f64;

    /// Sees the ratio of the loss's actual decrease to that of its quadratic model, negative infinity where the
    /// step led to no value. Every step is accepted where this is left out.
    fn judge(&mut self, _gain: f64) -> StepVerdict {
        StepVerdict::Accepted
    }
}

/// Clones a schedule behind its trait; every schedule that is [`Clone`] has it.
pub trait CloneSchedule {
    /// A schedule of its own in the same state.
    fn clone_schedule(&self) -> Box<dyn DampingSchedule>;
}

impl<S: DampingSchedule + Clone + 'static> CloneSchedule for S {
    fn clone_schedule(&self) -> Box<dyn DampingSchedule> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn DampingSchedule> {
    fn clone(&self) -> Self {
        // Through the reference: the box itself is no schedule.
        (**self).clone_schedule()
    }
}

/// The length eta of scheduled steps, `w <- w - eta H_rho^-1 J^T grad g`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepLength {
    /// Theorem 2's: eta itself, positive, the same in each step.
    Constant(f64),
    /// `alpha eta = (1-rho)/mu`: for squares the Levenberg-Marquardt step
    /// `-(1/alpha) (J^T J + rho0 I)^-1 J^T (alpha f - y)`, free of the conditioning.
    Whole,
}

impl StepLength {
    /// alpha eta at this rho, for a loss of smoothness mu and a scaling alpha.
    pub(crate) fn scaled(self, damping: f64, smoothness: f64, scaling: f64) -> f64 {
        match self {
            Self::Constant(eta) => scaling * eta,
            Self::Whole => (1.0 - damping) / smoothness,
        }
    }
}

/// The least and the greatest rho of the schedules that compute it: both systems stay solvable.
const DAMPING_RANGE: [f64; 2] = [1e-14, 1.0 - 1e-14];

/// The largest rho0 of the gain ratio.
const LARGEST_RATIO: f64 = 1e14;

fn clamped(damping: f64) -> f64 {
    damping.clamp(DAMPING_RANGE[0], DAMPING_RANGE[1])
}

/// The paper's: rho constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConstantDamping {
    /// rho in [0, 1].
    pub damping: f64,
}

impl DampingSchedule for ConstantDamping {
    fn damping(&self, _state: ScheduleState) -> f64 {
        self.damping
    }
}

/// `rho = lambda/(1 + lambda)` along the run; NaN, which iterations refuse, where lambda is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelEigenvalueDamping;

impl DampingSchedule for KernelEigenvalueDamping {
    fn damping(&self, state: ScheduleState) -> f64 {
        state.smallest_eigenvalue.map_or(f64::NAN, |lambda| clamped(lambda / (1.0 + lambda)))
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
    fn damping(&self, _state: ScheduleState) -> f64 {
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

    fn state(smallest_eigenvalue: Option<f64>) -> ScheduleState {
        ScheduleState { iteration: 0, loss: 1.0, gradient_norm: 1.0, smallest_eigenvalue }
    }

    #[test]
    fn an_unknown_eigenvalue_gives_no_damping() {
        assert!(KernelEigenvalueDamping.damping(state(None)).is_nan());
    }

    #[test]
    fn the_eigenvalue_schedule_keeps_every_mode_within_a_factor_two() {
        for lambda in [1e-8, 1e-3, 1.0, 50.0] {
            let rho = KernelEigenvalueDamping.damping(state(Some(lambda)));
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
