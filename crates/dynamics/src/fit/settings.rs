//! Settings of a fit: how steps are damped, when the iteration ends, how much it may cost.

use gaussflow_solvers::SecularMethod;

use crate::schedule::{DampingSchedule, StepLength};

/// How the length of steps is governed.
#[derive(Clone, Debug)]
pub enum Damping {
    /// lambda from a trust region whose radius follows the gain ratio (More 1978).
    TrustRegion {
        /// First radius relative to `norm(D w_0)` (to 1 where that is 0), D the columns' norms; default 0.1: the
        /// parameters' size says little about where the linear model holds, and a first step too long decides for
        /// another valley, where one too short costs an evaluation each time that the radius doubles.
        initial_radius: f64,
    },
    /// Theorem 2: `w <- w - eta [(1-rho_k) J^T J + rho_k I]^-1 J^T grad g`, steps taken as the schedule judges
    /// them. With the sum of squares grad g = 2 f, so that eta = 1/2 is a whole Gauss-Newton step at rho = 0.
    Schedule {
        /// rho_k; each fit works with a clone.
        schedule: Box<dyn DampingSchedule>,
        /// eta.
        length: StepLength,
    },
}

impl Default for Damping {
    fn default() -> Self {
        Self::TrustRegion { initial_radius: 0.1 }
    }
}

/// What is done about curvature of the residuals, in a trust region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acceleration {
    /// Geodesic acceleration where the plain step does badly, and the structured secant near a minimum.
    #[default]
    Geodesic,
    /// The same with the map's own second derivatives ([`SmoothMap::second_order`](gaussflow_objective::SmoothMap::second_order))
    /// in place of a difference along the step that was tried.
    Exact,
    /// Neither: the method of More.
    None,
}

/// Settings of [`LeastSquares::fit`](crate::LeastSquares::fit).
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
    /// How the linear systems are factored; default chosen by size.
    pub method: SecularMethod,
    /// Bound on `norm(P r) / norm(r)`, the cosine between the residuals and the tangent space; default
    /// 1e-8. Met, a full Gauss-Newton step would change the loss by 1e-16 of itself, and each parameter by
    /// about 1e-8 sqrt(n - p) of its standard deviation.
    pub gradient_tolerance: f64,
    /// Bound on `abs(d_k) / abs(w_k)` for every parameter, of an accepted, undamped step d; default 1e-12.
    pub step_tolerance: f64,
    /// Bound on the predicted and on the measured relative decrease of an accepted, undamped step; default
    /// 1e-15.
    pub loss_tolerance: f64,
    /// Most evaluations of the residuals (Jacobians are counted apart); default 2000.
    pub max_evaluations: usize,
    /// Most accepted steps; default 1000.
    pub max_iterations: usize,
    /// Singular values of `J D^-1` at most this multiple of the largest count as lost rank in the result;
    /// default 1e-12, and never below four times the map's `jacobian_error` or
    /// `gaussflow_solvers::SecularFactor::resolution`. Steps leave out what is below that error alone.
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
