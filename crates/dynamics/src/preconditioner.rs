//! The preconditioner of equation (1), `H_rho = (1 - rho) J^T J + rho I`, and what happens when it fails.

use gaussflow_objective::Metric;

/// Chooses the flow by its damping factor rho: `dw/dt = -(1/alpha) [(1-rho) J^T J + rho I]^-1 J^T grad g`.
///
/// # Source
/// Equation (1) of the paper.
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
    /// Returns the damping factor rho in [0, 1].
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

/// Says what to do where `H_rho = (1-rho) J^T J + rho I` cannot be inverted.
///
/// It applies to steps of fixed length. Runs with error control ([`Integrator::Adaptive`](crate::Integrator::Adaptive) and
/// [`Integrator::Stiff`](crate::Integrator::Stiff)) always stop, because the field with the pseudo-inverse is discontinuous
/// where the rank drops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RankPolicy {
    /// Stop the run, with an event that says where. This is the default, because what would follow may be no flow of the problem.
    #[default]
    Stop,
    /// Continue with the pseudo-inverse, which drops singular values below the cutoff, as the paper's experiment does.
    PseudoInverse,
    /// Continue with larger damping for this solve only: `rho/(1-rho) = sqrt(eps) sigma_max^2`, but never less than was
    /// requested, and rho = 1 where J = 0. Here eps = 2.2e-16.
    RaiseDamping,
}

impl RankPolicy {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::Stop, Self::PseudoInverse, Self::RaiseDamping];

    /// Returns the name that configuration files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::PseudoInverse => "pseudo-inverse",
            Self::RaiseDamping => "raise-damping",
        }
    }
}
