//! Damping schedules: rho chosen at each point, from the kernel's smallest eigenvalue or from how steps went.
//!
//! With lambda the smallest eigenvalue of K and `rho = lambda/(1 + lambda)`, a mode of eigenvalue s decays
//! at the rate `s/((1-rho) s + rho) = (1 + lambda) s/(s + lambda)`, between `(1 + lambda)/2` and
//! `1 + lambda`: free of the conditioning, and with the least damping that costs no more than a factor 2.

/// Says whether a step is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepVerdict {
    /// The iteration moves to the new parameters.
    Accepted,
    /// The iteration tries again from the same parameters.
    Rejected,
}

/// Holds what a [`DampingSchedule`] may use: the state at the parameters w_k from which the step starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduleState {
    /// k, the number of steps accepted so far.
    pub iteration: usize,
    /// The loss at w_k.
    pub loss: f64,
    /// `norm(J^T grad g)` at w_k, with grad g the gradient of the loss with respect to the outputs.
    pub gradient_norm: f64,
    /// The smallest eigenvalue of `K = J J^T` (p >= n) or of `J^T J` (n > p) at w_k; `None` beyond the memory limit. In a fit,
    /// J holds only the columns of parameters that no bound holds, and its rows carry the factors of weights and loss.
    pub smallest_eigenvalue: Option<f64>,
}

/// Chooses the damping rho before each step, and learns from how the step went.
///
/// [`iterate_scheduled`](crate::iterate_scheduled) uses it for any objective, [`Damping::Schedule`](crate::Damping::Schedule)
/// in a fit. Each fit works with its own clone, so that one setting serves many fits.
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
    /// Returns rho in [0, 1] for a step from the current parameters. The iteration ends with an error on any other value, NaN
    /// included.
    fn damping(&self, state: ScheduleState) -> f64;

    /// Decides whether the step is kept, given `gain`, the decrease of the loss over the decrease that its quadratic model
    /// predicted.
    ///
    /// `gain` is negative infinity where the loss is undefined after the step, and 0 where the model predicts no decrease. The
    /// default keeps every step.
    fn judge(&mut self, _gain: f64) -> StepVerdict {
        StepVerdict::Accepted
    }
}

/// Clones a schedule behind its trait; every schedule that is [`Clone`] implements it.
pub trait CloneSchedule {
    /// Returns a copy in the same state.
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

/// Chooses the length eta of scheduled steps, `w <- w - eta H_rho^-1 J^T grad g`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepLength {
    /// The same positive eta in each step, as in Theorem 2.
    Constant(f64),
    /// `eta = (1-rho) / (alpha mu)`, with mu the smoothness of the loss. For squares and rho0 = rho/(1-rho) it is the
    /// Levenberg-Marquardt step `-(1/alpha) (J^T J + rho0 I)^-1 J^T (alpha f - y)`.
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

/// Keeps rho constant, as the paper does.
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

/// Sets `rho = lambda/(1 + lambda)`, with lambda the smallest eigenvalue of the current kernel, so that no mode of
/// eigenvalue s >= lambda decays more than twice as slowly as another.
///
/// rho is kept within [1e-14, 1 - 1e-14]. Where lambda is not known it is NaN, which the iteration refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelEigenvalueDamping;

impl DampingSchedule for KernelEigenvalueDamping {
    fn damping(&self, state: ScheduleState) -> f64 {
        state.smallest_eigenvalue.map_or(f64::NAN, |lambda| clamped(lambda / (1.0 + lambda)))
    }
}

/// Adapts `rho0 = rho/(1-rho)` to the gain ratio, the decrease of the loss over that of its quadratic model.
///
/// After a step with gain > 0 the step is kept and rho0 is multiplied by `max(1/3, 1 - (2 min(gain, 1) - 1)^3)`, which is
/// below 1 for a gain above 1/2. Other steps are rejected, and multiply rho0 by 2, 4, 8, ... in a row. rho0 stays below 1e14.
///
/// # Source
/// H. B. Nielsen, "Damping parameter in Marquardt's method", 1999.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainRatioDamping {
    ratio: f64,
    growth: f64,
}

impl GainRatioDamping {
    /// Starts at `rho0 = ratio`, which must be positive.
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
