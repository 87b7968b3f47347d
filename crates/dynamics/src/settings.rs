//! Settings of a run: defaults for a problem of your own, and the paper's experiment as a preset.

use gaussflow_integrators::Grid;

use crate::flow::SolveSettings;
use crate::preconditioner::{Preconditioner, RankPolicy};

/// How the flow is carried forward in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Integrator {
    /// Explicit Euler with the run's step: the paper's method.
    Euler,
    /// The classical Runge-Kutta method of order 4 with the run's step.
    RungeKutta4,
    /// Explicit with error control: accurate where the flow is not stiff.
    Adaptive(Tolerances),
    /// Implicit with error control: for gradient flow, whose rates spread like the kernel's spectrum. It needs the
    /// map's [`SmoothMap::second_order`](gaussflow_objective::SmoothMap::second_order).
    Stiff(Tolerances),
    /// The iteration of Theorem 2, `w <- w - eta H_rho^-1 J^T grad g`: eta is the run's step, and
    /// step k has time k alpha eta.
    Discrete,
}

impl Integrator {
    /// Whether steps are chosen by error control; such runs always stop at loss of rank.
    pub fn is_error_controlled(self) -> bool {
        matches!(self, Self::Adaptive(_) | Self::Stiff(_))
    }
}

/// Tolerances of error control, on the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerances {
    /// Relative; default 1e-8.
    pub relative: f64,
    /// Absolute; default 1e-10.
    pub absolute: f64,
}

impl Default for Tolerances {
    fn default() -> Self {
        Self { relative: 1e-8, absolute: 1e-10 }
    }
}

/// What the run does when it leaves the ball.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtExit {
    /// Notes the exit time and goes on.
    #[default]
    Continue,
    /// Stops there.
    Stop,
}

/// Settings of [`simulate`](crate::simulate).
///
/// The defaults are safe for a problem of your own: where the Jacobian loses rank the run stops and says so, which for
/// Gauss-Newton with more parameters than outputs is at once. [`Self::paper`] is the setting of the paper's section 5.
///
/// # Examples
/// ```
/// use gaussflow_dynamics::{Integrator, Preconditioner, RankPolicy, Settings};
/// let settings = Settings { horizon: 1.0, ..Settings::default() };
/// assert_eq!(settings.preconditioner, Preconditioner::GaussNewton);
/// assert_eq!((settings.integrator, settings.step), (Integrator::Euler, 0.01));
/// assert_eq!(settings.solve.rank_policy, RankPolicy::Stop);
/// assert_eq!(Settings::paper().solve.rank_policy, RankPolicy::PseudoInverse);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Which flow; default Gauss-Newton.
    pub preconditioner: Preconditioner,
    /// How it is integrated; default Euler.
    pub integrator: Integrator,
    /// Time step, and grid of the records; for `Discrete` the step eta. Default 0.01.
    pub step: f64,
    /// Last time; default 5.
    pub horizon: f64,
    /// A record every so many steps (and at the last); default 1.
    pub record_every: usize,
    /// A checkpoint every so many steps, a multiple of `record_every`; 0 for none. Integrator and caches
    /// start anew at each. Default 0.
    pub checkpoint_every: usize,
    /// How systems are solved, and what happens at loss of rank (default: the run stops).
    pub solve: SolveSettings,
    /// Threshold on sigma_min / sigma_max of the rank-lost event; default 1e-6, which is 1e-12 on
    /// the eigenvalues of `J^T J`. Only watched at rho = 0, and within the memory limit.
    pub rank_threshold: f64,
    /// Radius of the ball around w_0 whose exit is located; default none.
    pub ball_radius: Option<f64>,
    /// What happens at that exit.
    pub at_exit: AtExit,
    /// Stop where the Riemannian gradient has fallen to this fraction of its initial norm; default
    /// none.
    pub stationary_fraction: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            preconditioner: Preconditioner::GaussNewton,
            integrator: Integrator::Euler,
            step: 0.01,
            horizon: 5.0,
            record_every: 1,
            checkpoint_every: 0,
            solve: SolveSettings::default(),
            rank_threshold: 1e-6,
            ball_radius: None,
            at_exit: AtExit::Continue,
            stationary_fraction: None,
        }
    }
}

impl Settings {
    /// The settings of the paper's section 5: the defaults, but at loss of rank the run goes on with the pseudo-inverse.
    pub fn paper() -> Self {
        let rank_policy = RankPolicy::PseudoInverse;
        Self { solve: SolveSettings { rank_policy, ..SolveSettings::default() }, ..Self::default() }
    }

    /// The times at which the run is recorded, of an objective with the given scaling `alpha`: a step of the discrete
    /// iteration takes the time `alpha eta`.
    pub fn grid(&self, scaling: f64) -> Grid {
        let step = match self.integrator {
            Integrator::Discrete => scaling * self.step,
            _ => self.step,
        };
        Grid { step, every: self.record_every, horizon: self.horizon }
    }
}
