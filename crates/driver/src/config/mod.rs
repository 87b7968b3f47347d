//! The configuration of a run: config.toml as Rust values, with section 5's choices as defaults.
//!
//! A [`Config`] that came from [`Config::read`] or [`Config::parse`] has passed every check; one
//! that a program puts together is checked by [`Config::validate`]. [`Config::to_toml`] writes the
//! resolved configuration: reading that text back gives an equal `Config`.

mod checks;
mod choices;
mod data;
mod error;
mod keys;
mod parse;
mod setting;
mod source;
mod sweep;
#[cfg(test)]
mod tests;
mod widths;

use serde::Deserialize;

pub use gaussflow::dynamics::RankPolicy;
pub use gaussflow::network::{Activation, Initialization, OutputWeights};
use gaussflow::network::{Architecture, Layer, Scale};
pub use gaussflow::objective::Metric;
pub use gaussflow::solvers::DampedSolver;
pub use gaussflow_data::{Standardize, TargetScale};

pub(crate) use self::choices::choice;
pub use self::choices::{
    AtExit, BundledData, Integrator, LayerScale, LossName, Preconditioner, Reading,
};
pub use self::data::{DataSettings, DataSource, TooFew};
pub use self::error::{ConfigError, ConfigProblem, Location};
pub use self::setting::Setting;
pub use self::source::Source;
pub use self::sweep::{Sweep, SweptKey};
pub use self::widths::Widths;

/// A whole configuration.
///
/// ```
/// # use gaussflow_driver::config::{Config, Preconditioner};
/// let text = "dynamics.preconditioner = 'gradient'\ndynamics.scaling = 16";
/// let config = Config::parse(text)?;
/// assert_eq!(config.dynamics.preconditioner, Preconditioner::Gradient);
/// assert_eq!(config.data.samples, 256);
/// # Ok::<(), gaussflow_driver::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Which rows, and how they are scaled.
    pub data: DataSettings,
    /// The network.
    pub network: NetworkSettings,
    /// The objective g.
    pub loss: LossSettings,
    /// The flow and how it is integrated.
    pub dynamics: DynamicsSettings,
    /// What is watched for along the run.
    pub events: EventSettings,
    /// What is written, and how often.
    pub record: RecordSettings,
}

/// `[network]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSettings {
    /// The widths of the hidden layers: 1 to 1000000 each, even for the antisymmetric start. Default: one of 18.
    pub hidden: Widths,
    /// Whether hidden units have biases. Default: false.
    pub bias: bool,
    /// What layers that feed another one are divided by. Default: the root of their width.
    pub scale: LayerScale,
    /// The weights of the output. Default: fixed signs.
    #[serde(deserialize_with = "choices::output")]
    pub output: OutputWeights,
    /// sigma. Default tanh.
    #[serde(deserialize_with = "choices::activation")]
    pub activation: Activation,
    /// Default: nullified.
    #[serde(deserialize_with = "choices::initialization")]
    pub initialization: Initialization,
}

impl Default for NetworkSettings {
    fn default() -> Self {
        Self {
            hidden: Widths::from(18),
            bias: false,
            scale: LayerScale::Width,
            output: OutputWeights::Signs,
            activation: Activation::Tanh,
            initialization: Initialization::Nullified,
        }
    }
}

impl NetworkSettings {
    /// What the network is made of, with so many outputs.
    pub fn architecture(&self, outputs: usize) -> Architecture {
        let last = self.hidden.0.len().saturating_sub(1);
        let layer = |(l, &width): (usize, &usize)| Layer {
            width,
            bias: self.bias,
            scale: if l < last && self.scale == LayerScale::Width {
                Scale::InverseRootWidth
            } else {
                Scale::Unit
            },
            activation: self.activation,
        };
        let layers = self.hidden.0.iter().enumerate().map(layer).collect();
        Architecture { layers, output: self.output, outputs }
    }
}

/// `[loss]`: the objective g with the numbers that it needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum LossSettings {
    /// norm(psi - y)^2.
    #[default]
    Squared,
    /// Smooth and strongly convex, but not quadratic.
    LogCosh {
        /// Curvature added to log cosh, which is nu (and mu - 1): above 0. Default 1.
        curvature: f64,
    },
    /// Squares with one weight a row.
    Weighted {
        /// The weights of the drawn rows in drawn order `[n]`: each above 0.
        weights: Vec<f64>,
    },
    /// Squares of small residuals, a linear loss of large ones.
    Huber {
        /// The residual from which on they count as large: above 0. Default 1.
        scale: f64,
    },
    /// Two classes.
    Logistic,
    /// Several classes.
    Softmax,
    /// Counts.
    Poisson,
}

impl LossSettings {
    /// The word for it in config.toml.
    pub fn name(&self) -> LossName {
        match self {
            Self::Squared => LossName::Squared,
            Self::LogCosh { .. } => LossName::LogCosh,
            Self::Weighted { .. } => LossName::Weighted,
            Self::Huber { .. } => LossName::Huber,
            Self::Logistic => LossName::Logistic,
            Self::Softmax => LossName::Softmax,
            Self::Poisson => LossName::Poisson,
        }
    }

    /// Whether targets are classes.
    pub fn has_classes(&self) -> bool {
        matches!(self, Self::Logistic | Self::Softmax)
    }

    /// Whether targets mean what they say, so that they cannot be standardized.
    pub fn keeps_targets(&self) -> bool {
        self.has_classes() || matches!(self, Self::Poisson)
    }
}

/// rho of a Levenberg-Marquardt run whose configuration names none.
pub const LEVENBERG_MARQUARDT_DAMPING: f64 = 0.1;

/// `[dynamics]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DynamicsSettings {
    /// Default: Gauss-Newton.
    pub preconditioner: Preconditioner,
    /// G in `(1 - rho) J^T G J + rho I`. Default: Euclidean.
    #[serde(deserialize_with = "choices::metric")]
    pub metric: Metric,
    /// Rows of a step's batch, for the discrete iteration and Euler; 0 takes all. Default 0.
    pub batch: usize,
    /// mu of steps on batches: in [0, 1). Default 0.
    pub momentum: f64,
    /// rho: 0 for Gauss-Newton, in (0, 1) for Levenberg-Marquardt; gradient flow is rho = 1 and
    /// takes 0 or 1 here. Default 0, and where it is left out of a text for Levenberg-Marquardt
    /// [`LEVENBERG_MARQUARDT_DAMPING`]. See [`Self::effective_damping`].
    pub damping: f64,
    /// alpha: above 0. Default 8.
    pub scaling: f64,
    /// Default: explicit Euler.
    pub integrator: Integrator,
    /// Time step, eta for the discrete iteration: above 0. Default 0.01.
    pub step: f64,
    /// End of the run: at least the time of one step. Default 5.
    pub horizon: f64,
    /// For adaptive and stiff: in (0, 1). Default 1e-8.
    pub relative_tolerance: f64,
    /// For adaptive and stiff: above 0. Default 1e-10.
    pub absolute_tolerance: f64,
    /// Adaptive and stiff runs always stop at loss of rank, whatever is set. Default:
    /// pseudo-inverse.
    #[serde(deserialize_with = "choices::rank_policy")]
    pub rank_policy: RankPolicy,
    /// Of the pseudo-inverse, on sigma / `sigma_max` of the Jacobian: in (0, 1). Default 1e-14.
    pub rank_cutoff: f64,
    /// Default: auto.
    #[serde(deserialize_with = "choices::solver")]
    pub solver: DampedSolver,
    /// Of a refined or iterated solve, on `norm(J^T b - H_rho v) / norm(J^T b)`: in (0, 1). Default
    /// 1e-12.
    pub solve_tolerance: f64,
    /// MiB that the matrices of a solve may take, at least 1. A run that needs more than this, and more than 4096,
    /// without any such matrix is refused before it begins (`needs`). Default 4096.
    pub memory_limit: usize,
    /// Of rows (stream 0), signs (1) and weights (2): at most 2^63 - 1. Default 0.
    pub seed: u64,
}

impl DynamicsSettings {
    /// rho of equation (1): 1 for gradient flow, whatever is written, otherwise `damping`.
    pub fn effective_damping(&self) -> f64 {
        match self.preconditioner {
            Preconditioner::Gradient => 1.0,
            Preconditioner::GaussNewton | Preconditioner::LevenbergMarquardt => self.damping,
        }
    }

    /// The rank policy that holds: adaptive and stiff runs always stop.
    pub fn effective_rank_policy(&self) -> RankPolicy {
        match self.integrator {
            Integrator::Adaptive | Integrator::Stiff => RankPolicy::Stop,
            Integrator::Euler | Integrator::Rk4 | Integrator::Discrete => self.rank_policy,
        }
    }
}

impl Default for DynamicsSettings {
    fn default() -> Self {
        Self {
            preconditioner: Preconditioner::GaussNewton,
            metric: Metric::Euclidean,
            batch: 0,
            momentum: 0.0,
            damping: 0.0,
            scaling: 8.0,
            integrator: Integrator::Euler,
            step: 0.01,
            horizon: 5.0,
            relative_tolerance: 1e-8,
            absolute_tolerance: 1e-10,
            rank_policy: RankPolicy::PseudoInverse,
            rank_cutoff: 1e-14,
            solver: DampedSolver::Auto,
            solve_tolerance: 1e-12,
            memory_limit: 4096,
            seed: 0,
        }
    }
}

/// `[events]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventSettings {
    /// Radius of the ball around `w_0` whose exit is an event: above 0. Default: none.
    pub ball_radius: Option<f64>,
    /// What the run does at that exit. Default: continue.
    pub at_exit: AtExit,
    /// Stop where the Riemannian gradient has fallen to this fraction of its initial norm: above 0.
    /// Default: none.
    pub stationary_fraction: Option<f64>,
    /// The rank-lost event fires at or below this `sigma_min / sigma_max` of the Jacobian: in
    /// (0, 1). Default 1e-6, which is 1e-12 on the eigenvalues of `J^T J`.
    pub rank_threshold: f64,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            ball_radius: None,
            at_exit: AtExit::Continue,
            stationary_fraction: None,
            rank_threshold: 1e-6,
        }
    }
}

/// `[record]`: all counts are of steps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordSettings {
    /// From one row of the trace to the next: at least 1. Default 1.
    pub every: usize,
    /// From one snapshot of the weights to the next; 0 takes none. Default 50.
    pub snapshot_every: usize,
    /// From one loss on the rows that were not drawn to the next; 0 takes none. Default 10.
    pub held_out_every: usize,
    /// From one Riemannian Hessian's extreme eigenvalues to the next; 0 takes none, and with more than
    /// 512 weights none are taken. Default 10.
    pub hessian_every: usize,
    /// From one checkpoint to the next, a multiple of `every`; 0 makes none. Default 0.
    pub checkpoint_every: usize,
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self {
            every: 1,
            snapshot_every: 50,
            held_out_every: 10,
            hessian_every: 10,
            checkpoint_every: 0,
        }
    }
}

impl Config {
    /// The resolved configuration as TOML: every key that has a value, defaults included.
    pub fn to_toml(&self) -> String {
        keys::render(self, keys::Explain::Nothing)
    }

    /// The default configuration with a comment on each key: its meaning and what it accepts.
    /// Keys without a default stand there as commented examples. Parses to `Config::default()`.
    pub fn commented_default() -> String {
        format!(
            "# A gaussflow configuration: the defaults are the paper's section 5 at alpha = 8.\n\
             # A key left out keeps its default.\n\n{}",
            keys::render(&Self::default(), keys::Explain::EveryKey)
        )
    }
}
