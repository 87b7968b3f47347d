//! Gauss-Newton, Levenberg-Marquardt and gradient-flow dynamics of a model, fits of it, and the geometry of its outputs.
//!
//! One dependency and one import, `use gaussflow::prelude::*;`, bring every name on this page.
//!
//! | you want to | start with |
//! |---|---|
//! | write a model f(w) once and have exact derivatives | [`GenericResiduals`] over any [`Scalar`], then [`ExactDerivatives`] |
//! | have derivatives of a model that can only be called | [`ResidualFn`], then [`FiniteDifferences`] or [`SparseDifferences`] |
//! | give its Jacobian yourself | implement [`SmoothMap`] and try [`check_jacobian`]; [`JacobianDifferences`] adds second derivatives |
//! | take a network with one hidden layer | [`InitialPoint::draw`], then [`Network::from_initial_point`] |
//! | take a deep network | an [`Architecture`] of [`Layer`]s, [`InitialPoint::draw_for`], [`Network::with_architecture`] |
//! | have several outputs, classes or counts | [`Architecture::with_outputs`]; the losses [`Logistic`], [`Softmax`], [`Poisson`], [`SmoothHuber`] |
//! | follow a flow of the loss g(alpha f(w)) | [`Objective`], [`Settings`], [`simulate`]; a [`Trace`] records it |
//! | fit a model to observations | [`LeastSquares::with_observations`], then [`LeastSquares::fit`] |
//! | know the spectrum of `J J^T` or `J^T J` | [`Linearization::kernel_spectrum`], [`Linearization::gram_spectrum`] |
//! | measure curvature, geodesics, distances | [`OutputManifold`] |
//! | solve `((1 - rho) J^T J + rho I) v = J^T b` alone | [`Factors::solve`] |
//! | read off the constants of the paper's theorems | [`theory`] |
//!
//! **One model for everything.** A map of outputs f(w) serves [`simulate`] through an [`Objective`], and a fit through
//! [`LeastSquares`]; both borrow it, as `&map` is a map too.
//!
//! **What a run needs.** A Jacobian is enough for all but [`Integrator::Stiff`] and the geometry, which take second
//! derivatives. [`Network`], [`ExactDerivatives`] and [`FiniteDifferences`] have them.
//!
//! **What happens at loss of rank.** A run stops and its [`Outcome`] says so; [`RankPolicy`] has the other ways.
//! [`Settings::paper`] is the setting of the paper's experiment.
//!
//! **How a run or fit went.** [`Outcome`], [`Fit`], [`SolveReport`] and [`SlopeCheck`] print as a few lines of text.
//! Errors carry the numbers that decided. Reasons to stop are data, not errors.
#![doc = include_str!("../README.md")]

// The front page links to names of the prelude.
#[cfg(doc)]
use prelude::*;

#[doc(inline)]
pub use gaussflow_dynamics as dynamics;
#[doc(inline)]
pub use gaussflow_integrators as integrators;
#[doc(inline)]
pub use gaussflow_manifold as manifold;
#[doc(inline)]
pub use gaussflow_network as network;
#[doc(inline)]
pub use gaussflow_objective as objective;
#[doc(inline)]
pub use gaussflow_solvers as solvers;
#[doc(inline)]
pub use gaussflow_theory as theory;

/// The names that most programs need, by task: a model, a network, a loss, a flow, a fit, one point, geometry, solves.
pub mod prelude {
    /// A model: maps of values, with first or second derivatives, and checks of them.
    pub use gaussflow_objective::{
        ExactDerivatives, FiniteDifferences, GenericResiduals, JacobianDifferences, MapError,
        ResidualFn, Residuals, Scalar, SecondOrderMap, SlopeCheck, SmoothMap, SparseDifferences,
        check_jacobian, check_second_derivative,
    };

    /// A network, what it is made of, and where it starts.
    pub use gaussflow_network::{
        Activation, Architecture, InitialPoint, Initialization, Layer, Network, OutputWeights,
        Scale,
    };

    /// A loss of the outputs, and the objective that it makes with a map.
    pub use gaussflow_objective::{
        LogCosh, Logistic, Loss, Metric, Objective, Poisson, SmoothHuber, Softmax, Squared,
        WeightedSquares,
    };

    /// A flow: its settings, its run, what is recorded and how it ended.
    pub use gaussflow_dynamics::{
        Diagnostics, EventKind, Flow, Integrator, Outcome, Preconditioner, RankPolicy, Settings,
        SimulationError, SolveSettings, StopReason, Tolerances, Trace, simulate,
    };
    /// What an observer returns to interrupt a run.
    pub use std::ops::ControlFlow;

    /// A fit: its problem, its settings, its result.
    pub use gaussflow_dynamics::{
        Acceleration, Damping, Fit, FitError, FitSettings, FitStop, LeastSquares, RobustLoss,
        StepRecord, Verdict,
    };

    /// Everything first-order at one point, the spectrum included.
    pub use gaussflow_objective::Linearization;

    /// The geometry of the outputs.
    pub use gaussflow_manifold::{Geodesic, GeodesicSettings, ManifoldPoint, OutputManifold};

    /// Damped solves with a Jacobian of your own.
    pub use gaussflow_solvers::{
        DampedSolver, DenseJacobian, Factors, JacobianOperator, RowKronecker, SolveReport,
        SolveRequest, SparseJacobian, SparsityPattern,
    };
}

/// The programs of the workspace's pages, compiled and run with the documentation's tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/do/fits.md")]
    struct Fits;
    #[doc = include_str!("../../../docs/do/own-model.md")]
    struct OwnModel;
}
