//! Which runs the reproduction of section 5 makes: method x alpha x seed.

use crate::config::{Config, Integrator, Preconditioner};
pub use crate::reproduction_mode::Mode;
use crate::run::Experiment;

/// The scaling factor whose Jacobian collapses.
pub const COLLAPSING: f64 = 0.125;

/// Flow and integrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Gauss-Newton by Euler with step 0.01, as printed.
    GaussNewton,
    /// Gauss-Newton by the adaptive integrator: the flow itself, to its tolerance.
    GaussNewtonAdaptive,
    /// Levenberg-Marquardt with the damping of [`DAMPING`], by Euler: the deep networks with more weights than rows.
    LevenbergMarquardt,
    /// Gradient flow by the stiff integrator.
    Gradient,
    /// Gradient flow by Euler with step 0.01, as printed; unstable, for the default seed only.
    GradientEuler,
}

impl Method {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::GaussNewton => "Gauss-Newton",
            Self::GaussNewtonAdaptive => "Gauss-Newton, adaptive",
            Self::LevenbergMarquardt => "Levenberg-Marquardt",
            Self::Gradient => "gradient",
            Self::GradientEuler => "gradient, Euler",
        }
    }
}

/// rho of the runs with more weights than rows: below the smallest eigenvalues of their K but for a few.
pub const DAMPING: f64 = 1e-3;

/// One planned run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its name.
    pub id: String,
    /// Flow and integrator.
    pub method: Method,
    /// alpha.
    pub scaling: f64,
    /// The seed of rows, signs and weights.
    pub seed: u64,
    /// The whole configuration.
    pub config: Config,
}

/// The runs of a mode for seeds 0 to `seeds - 1`, in the order of the manifest.
pub fn plan(mode: Mode, seeds: u64) -> Vec<Planned> {
    let mut planned = Vec::new();
    let methods =
        [Method::GaussNewton, Method::GaussNewtonAdaptive, Method::Gradient, Method::GradientEuler];
    for method in methods {
        let seeds = if method == Method::GradientEuler { seeds.min(1) } else { seeds };
        for &scaling in mode.scalings() {
            for seed in 0..seeds {
                let config = config(method, scaling, seed, mode.horizon());
                let id = Experiment::id(&config);
                planned.push(Planned { id, method, scaling, seed, config });
            }
        }
    }
    planned
}

/// The configuration of one run.
pub fn config(method: Method, scaling: f64, seed: u64, horizon: f64) -> Config {
    let mut config = Config::default();
    let dynamics = &mut config.dynamics;
    (dynamics.preconditioner, dynamics.integrator) = match method {
        Method::GaussNewton => (Preconditioner::GaussNewton, Integrator::Euler),
        Method::GaussNewtonAdaptive => (Preconditioner::GaussNewton, Integrator::Adaptive),
        Method::LevenbergMarquardt => (Preconditioner::LevenbergMarquardt, Integrator::Euler),
        Method::Gradient => (Preconditioner::Gradient, Integrator::Stiff),
        Method::GradientEuler => (Preconditioner::Gradient, Integrator::Euler),
    };
    (dynamics.scaling, dynamics.seed, dynamics.horizon) = (scaling, seed, horizon);
    if method == Method::LevenbergMarquardt {
        dynamics.damping = DAMPING;
    }
    if method == Method::GaussNewtonAdaptive && seed == 0 {
        // The run that figure_geometry shows: nu_eff dips for a few steps only.
        config.record.hessian_every = 1;
    }
    config
}
