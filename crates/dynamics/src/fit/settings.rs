//! Settings of a fit: how steps are damped, when the iteration ends, how much it may cost.

use gaussflow_solvers::SecularMethod;

use crate::schedule::{DampingSchedule, StepLength};

/// Chooses what limits the length of steps.
#[derive(Clone, Debug)]
pub enum Damping {
    /// A trust region, whose radius follows the gain ratio and determines lambda of `(J^T J + lambda D^2) d = -J^T b` (More
    /// 1978).
    TrustRegion {
        /// The first radius relative to `norm(D w_0)` (to 1 where that is 0), with D the norms of the columns of J; default
        /// 0.1. The size of the parameters says little about where the linear model holds. A first step that is too long may
        /// lead to another minimum, whereas one that is too short costs one evaluation per doubling of the radius.
        initial_radius: f64,
    },
    /// The iteration of Theorem 2, `w <- w - eta [(1-rho_k) J^T J + rho_k I]^-1 J^T grad g`, where the schedule decides which
    /// steps are kept. The sum of squares has grad g = 2 r, so that eta = 1/2 is a whole Gauss-Newton step at rho = 0.
    Schedule {
        /// The schedule of rho_k; each fit works with a clone.
        schedule: Box<dyn DampingSchedule>,
        /// The length eta.
        length: StepLength,
    },
}

impl Default for Damping {
    fn default() -> Self {
        Self::TrustRegion { initial_radius: 0.1 }
    }
}

/// Chooses whether a trust-region method uses the curvature of the residuals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acceleration {
    /// Geodesic acceleration where the plain step does badly, and the structured secant method near a minimum. Second
    /// derivatives are estimated from trial steps and cost no evaluation.
    #[default]
    Geodesic,
    /// The same, with the map's own second derivatives
    /// ([`SmoothMap::second_order`](gaussflow_objective::SmoothMap::second_order)) for the acceleration.
    Exact,
    /// Neither: the method of More.
    None,
}

/// Holds the settings of [`LeastSquares::fit`](crate::LeastSquares::fit).
///
/// # Examples
/// ```
/// use gaussflow_dynamics::FitSettings;
/// let quick = FitSettings { max_evaluations: 50, ..FitSettings::default() };
/// assert_eq!(quick.gradient_tolerance, 1e-8);
/// ```
#[derive(Clone, Debug)]
pub struct FitSettings {
    /// How steps are damped; default a trust region.
    pub damping: Damping,
    /// Use of second derivatives; default geodesic acceleration.
    pub acceleration: Acceleration,
    /// The factorization of the linear systems; by default it is chosen by size.
    pub method: SecularMethod,
    /// Converged where `norm(P r) / norm(r)`, the cosine between the residuals and the range of J, is at most this; default
    /// 1e-8. A full Gauss-Newton step would then change the loss by 1e-16 of itself, and each parameter by about
    /// `1e-8 sqrt(n - p)` of its standard deviation.
    pub gradient_tolerance: f64,
    /// Converged where an accepted, undamped step d has `abs(d_k) / abs(w_k)` at most this for every parameter; default
    /// 1e-12.
    pub step_tolerance: f64,
    /// Converged where the predicted and the measured relative decrease of an accepted, undamped step are at most this;
    /// default 1e-15.
    pub loss_tolerance: f64,
    /// The most evaluations of the residuals (Jacobians are counted apart); default 2000.
    pub max_evaluations: usize,
    /// The most accepted steps; default 1000.
    pub max_iterations: usize,
    /// Singular values of `J D^-1` (columns scaled to norm 1) up to this multiple of the largest count as lost rank in the
    /// result; default 1e-12, and never below four times the map's `jacobian_error` or
    /// [`SecularFactor::resolution`](gaussflow_solvers::SecularFactor::resolution). Steps leave out only what is below that
    /// error.
    pub rank_cutoff: f64,
}

impl Default for FitSettings {
    fn default() -> Self {
        Self {
            damping: Damping::default(),
            acceleration: Acceleration::default(),
            method: SecularMethod::default(),
            gradient_tolerance: 1e-8,
            step_tolerance: 1e-12,
            loss_tolerance: 1e-15,
            max_evaluations: 2000,
            max_iterations: 1000,
            rank_cutoff: 1e-12,
        }
    }
}
