//! Differentiable maps, losses and the shared linearization of `w -> g(alpha f(w))`, section 2.1.
//!
//! | I want to | I use |
//! |---|---|
//! | write a model once and have exact derivatives | [`GenericResiduals`] over any [`Scalar`], then [`ExactDerivatives`] |
//! | have derivatives of a model that can only be called | [`ResidualFn`], then [`FiniteDifferences`]; with a sparse Jacobian [`SparseDifferences`] |
//! | give the Jacobian myself | implement [`Residuals`] and [`SmoothMap`]; [`JacobianDifferences`] adds second derivatives |
//! | have more rows than fit into memory | [`MapBlocks`], then [`BlockedMap`], which reads them block by block |
//! | check derivatives | [`check_jacobian`], [`check_second_derivative`] and [`adjoint_defect`], which give a [`SlopeCheck`] |
//! | choose a loss, or write one | [`Squared`], [`Logistic`], [`Softmax`], [`Poisson`], [`SmoothHuber`], [`LogCosh`], [`WeightedSquares`], or your own [`Loss`] |
//! | join a map and a loss | an [`Objective`], which is `g(alpha f(w))` |
//! | know value, gradient, kernel and spectrum at one parameter vector | a [`Linearization`], for example [`Linearization::kernel_spectrum`] |
//! | measure steps by the Hessian of the loss | a [`Metric`] |
//!
#![doc = include_str!("../README.md")]

mod blocked;
mod checker;
mod closure;
mod difference_quotient;
mod difference_step;
mod exact;
mod finite_difference;
mod jacobian_difference;
mod linearization;
mod loss;
mod map;
mod metric;
mod objective;
mod sparse_differences;
mod spectrum;

pub use blocked::{BlockedJacobian, BlockedMap, MapBlocks};
pub use checker::{
    SlopeCheck, SlopeVerdict, adjoint_defect, check_jacobian, check_second_derivative,
};
pub use closure::ResidualFn;
pub use exact::{
    ExactDerivatives, GenericResiduals, Scalar, SharedDirections, erf, erfc, sigmoid, tanh,
};
pub use finite_difference::FiniteDifferences;
pub use jacobian_difference::JacobianDifferences;
pub use linearization::{GradientNorms, Linearization, PointError};
pub use loss::{
    LogCosh, Logistic, Loss, LossError, Poisson, SmoothHuber, Softmax, Squared, WeightedSquares,
};
pub use map::{
    LipschitzConstants, MapError, Residuals, SecondOrderMap, Share, SmoothMap, Totals,
    linearize_beside_bounds, require_finite, require_length, weighted_hessian_by_products,
};
pub use metric::Metric;
pub use objective::{Objective, ObjectiveError};
pub use sparse_differences::SparseDifferences;
