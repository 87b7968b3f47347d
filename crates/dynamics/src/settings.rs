//! Settings of a run: defaults for a problem of your own, and the paper's experiment as a preset.

use gaussflow_integrators::Grid;

use crate::flow::SolveSettings;
use crate::preconditioner::{Preconditioner, RankPolicy};

/// Chooses how the flow is carried forward in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Integrator {
    /// Explicit Euler with the step of the run, as in the paper's experiment.
    Euler,
    /// The classical Runge-Kutta method of order 4 with the step of the run.
    RungeKutta4,
    /// An explicit method with error control, for flows that are not stiff, such as Gauss-Newton flow while J keeps its rank.
    Adaptive(Tolerances),
    /// An implicit method with error control, for gradient flow, whose decay rates spread like the spectrum of the kernel
    /// `J J^T`. It needs [`SmoothMap::second_order`](gaussflow_objective::SmoothMap::second_order) of the map.
    Stiff(Tolerances),
    /// The iteration of Theorem 2, `w <- w - eta H_rho^-1 J^T grad g`: eta is the step of the run, and step k has the time
    /// `k alpha eta`.
    Discrete,
}

impl Integrator {
    /// Returns whether the method chooses its steps by error control; such runs always stop where rank is lost.
    pub fn is_error_controlled(self) -> bool {
        matches!(self, Self::Adaptive(_) | Self::Stiff(_))
    }
}

/// Sets the tolerances of error control, which apply to the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerances {
    /// The relative tolerance; default 1e-8.
    pub relative: f64,
    /// The absolute tolerance; default 1e-10.
    pub absolute: f64,
}

impl Default for Tolerances {
    fn default() -> Self {
        Self { relative: 1e-8, absolute: 1e-10 }
    }
}

/// Says what the run does when it leaves the ball around w_0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtExit {
    /// Record the exit time and go on.
    #[default]
    Continue,
    /// Stop there.
    Stop,
}

/// Holds the settings of [`simulate`](crate::simulate).
///
/// The defaults are safe for a problem of your own: where the Jacobian loses rank, the run stops and says so. For Gauss-Newton
/// with more parameters than outputs this happens at once. [`Self::paper`] is the setting of the paper's section 5.
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
    /// The flow; default Gauss-Newton.
    pub preconditioner: Preconditioner,
    /// The method in time; default Euler.
    pub integrator: Integrator,
    /// The time step, and under error control the spacing of the recorded times; for [`Integrator::Discrete`] the step eta.
    /// Default 0.01.
    pub step: f64,
    /// The last time; default 5.
    pub horizon: f64,
    /// Record every this many steps, and at the last; default 1.
    pub record_every: usize,
    /// Write a checkpoint every this many steps, a multiple of `record_every`; 0 for none, the default. The integrator and all
    /// caches start anew at each, so that a run with checkpoints may differ in rounding from one without.
    pub checkpoint_every: usize,
    /// How systems are solved, and what happens at loss of rank (default: the run stops).
    pub solve: SolveSettings,
    /// The threshold on sigma_min / sigma_max of the rank-lost event; default 1e-6, which is 1e-12 on the eigenvalues of `J^T J`.
    /// It is watched only for Gauss-Newton with n >= p, on all rows, and within the memory limit.
    pub rank_threshold: f64,
    /// The radius of the ball around w_0 whose exit is located; default none.
    pub ball_radius: Option<f64>,
    /// What happens at that exit; the run goes on by default.
    pub at_exit: AtExit,
    /// Stop where the norm of the Riemannian gradient has fallen to this fraction of its initial value; default none.
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
    /// Returns the settings of the paper's section 5: the defaults, but with the pseudo-inverse where rank is lost.
    pub fn paper() -> Self {
        let rank_policy = RankPolicy::PseudoInverse;
        Self { solve: SolveSettings { rank_policy, ..SolveSettings::default() }, ..Self::default() }
    }

    /// Returns the times at which the run is recorded, for an objective with the scaling alpha: a step of the discrete iteration
    /// takes the time `alpha eta`.
    pub fn grid(&self, scaling: f64) -> Grid {
        let step = match self.integrator {
            Integrator::Discrete => scaling * self.step,
            _ => self.step,
        };
        Grid { step, every: self.record_every, horizon: self.horizon }
    }
}
