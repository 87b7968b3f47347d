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
//! **What happens where the Jacobian loses rank.** A run stops and its [`Outcome`] says so; [`RankPolicy`] has other choices.
//! [`Settings::paper`] is the setting of the paper's experiment.
//!
//! **How to see how a run or fit went.** [`Outcome`], [`Fit`], [`SolveReport`] and [`SlopeCheck`] display as a few lines of
//! text. Errors contain the numbers that led to them. The reason why a run stopped is part of its result, not an error.
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

/// Imports the names that most programs need: models, networks, losses, flows, fits, linearizations, geometry and solves.
pub mod prelude {
    /// Models: maps with values, first or second derivatives, and checks of the derivatives.
    pub use gaussflow_objective::{
        ExactDerivatives, FiniteDifferences, GenericResiduals, JacobianDifferences, MapError,
        ResidualFn, Residuals, Scalar, SecondOrderMap, SlopeCheck, SmoothMap, SparseDifferences,
        check_jacobian, check_second_derivative,
    };

    /// Networks: their architecture and initial weights.
    pub use gaussflow_network::{
        Activation, Architecture, InitialPoint, Initialization, Layer, Network, OutputWeights,
        Scale,
    };

    /// Losses of the outputs, and the objective of a map and a loss.
    pub use gaussflow_objective::{
        LogCosh, Logistic, Loss, Metric, Objective, Poisson, SmoothHuber, Softmax, Squared,
        WeightedSquares,
    };

    /// Flows: settings, runs, records and outcomes.
    pub use gaussflow_dynamics::{
        Diagnostics, EventKind, Flow, Integrator, Outcome, Preconditioner, RankPolicy, Settings,
        SimulationError, SolveSettings, StopReason, Tolerances, Trace, simulate,
    };
    /// The type that an observer returns to stop a run.
    pub use std::ops::ControlFlow;

    /// Fits: problems, settings and results.
    pub use gaussflow_dynamics::{
        Acceleration, Damping, Fit, FitError, FitSettings, FitStop, LeastSquares, RobustLoss,
        StepRecord, Verdict,
    };

    /// Values, gradients, spectra and solves at one parameter vector.
    pub use gaussflow_objective::Linearization;

    /// The geometry of the output manifold.
    pub use gaussflow_manifold::{Geodesic, GeodesicSettings, ManifoldPoint, OutputManifold};

    /// Damped Gauss-Newton solves with a Jacobian of your own.
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
