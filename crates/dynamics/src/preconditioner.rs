//! The preconditioner of equation (1), `H_rho = (1 - rho) J^T J + rho I`, and what happens when it fails.

use gaussflow_objective::Metric;

/// Which flow: the damping factor rho of equation (1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Preconditioner {
    /// rho = 0: `dw/dt = -(1/alpha) (J^T J)^-1 J^T grad g`.
    GaussNewton,
    /// 0 < rho < 1, constant along the run.
    LevenbergMarquardt {
        /// rho, above 0 and below 1.
        damping: f64,
    },
    /// rho = 1: `dw/dt = -(1/alpha) J^T grad g`.
    Gradient,
}

impl Preconditioner {
    /// The damping factor rho.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_dynamics::Preconditioner;
    /// assert_eq!(Preconditioner::GaussNewton.damping(), 0.0);
    /// assert_eq!(Preconditioner::Gradient.damping(), 1.0);
    /// ```
    pub fn damping(self) -> f64 {
        match self {
            Self::GaussNewton => 0.0,
            Self::LevenbergMarquardt { damping } => damping,
            Self::Gradient => 1.0,
        }
    }

    /// The metric that counts where `metric` is asked for: the gradient flow has none.
    pub(crate) fn metric(self, metric: Metric) -> Metric {
        match self {
            Self::Gradient => Metric::Euclidean,
            Self::GaussNewton | Self::LevenbergMarquardt { .. } => metric,
        }
    }
}

/// What to do where `H_rho` cannot be inverted.
///
/// Adaptive and stiff runs always stop: the pseudo-inverse field is discontinuous where the rank
/// drops, and an error-controlled method makes no progress on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RankPolicy {
    /// Stop the run; the event says where. The default: what comes after may be no flow of the problem.
    #[default]
    Stop,
    /// Go on with the pseudo-inverse, singular values below the cutoff dropped: the paper's experiment does.
    PseudoInverse,
    /// Go on with `rho0 = rho/(1-rho) = sqrt(eps) sigma_max^2` for this one solve.
    RaiseDamping,
}

impl RankPolicy {
    /// Every variant.
    pub const ALL: [Self; 3] = [Self::Stop, Self::PseudoInverse, Self::RaiseDamping];

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::PseudoInverse => "pseudo-inverse",
            Self::RaiseDamping => "raise-damping",
        }
    }
}
