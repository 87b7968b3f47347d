//! Gauss-Newton, Levenberg-Marquardt and gradient-flow dynamics and their geometry, in one dependency.
#![doc = include_str!("../README.md")]

pub use gaussflow_dynamics as dynamics;
pub use gaussflow_integrators as integrators;
pub use gaussflow_manifold as manifold;
pub use gaussflow_network as network;
pub use gaussflow_objective as objective;
pub use gaussflow_solvers as solvers;
pub use gaussflow_theory as theory;

/// The names that most programs need.
pub mod prelude {
    pub use gaussflow_dynamics::{
        Damping, Diagnostics, EventKind, Fit, FitSettings, FitStop, Flow, Integrator, LeastSquares,
        Preconditioner, RankPolicy, RobustLoss, Settings, SolveSettings, StopReason, Tolerances,
        Unobserved, simulate,
    };
    pub use gaussflow_manifold::{Geodesic, GeodesicSettings, ManifoldPoint, OutputManifold};
    pub use gaussflow_network::{Activation, InitialPoint, Initialization, Network};
    pub use gaussflow_objective::{
        FiniteDifferences, JacobianDifferences, Linearization, LogCosh, Loss, MapError, Objective,
        ResidualFn, Residuals, SecondOrderMap, SmoothMap, SparseDifferences, Squared,
        WeightedSquares, check_jacobian, check_second_derivative,
    };
    pub use gaussflow_solvers::{
        DampedSolver, DenseJacobian, Factors, JacobianOperator, RowKronecker, SolveRequest,
        SparseJacobian, SparsityPattern,
    };
    pub use std::ops::ControlFlow;
}

/// The programs in the workspace's README, compiled and run with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct WorkspaceReadme;
