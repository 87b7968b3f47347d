//! Losses `g: R^n -> R`, nu-strongly convex with mu-Lipschitz gradient (section 2.1).

mod log_cosh;
mod squared;
mod weighted;

use std::sync::Arc;

pub use log_cosh::LogCosh;
pub use squared::Squared;
pub use weighted::WeightedSquares;

/// A loss on outputs `psi` of length n.
///
/// Implement it for a loss of your own; `nu` and `mu` enter every rate of the paper, so they must
/// be true: `nu norm(v)^2 <= v^T Hess g v <= mu norm(v)^2` everywhere.
pub trait Loss: Send + Sync {
    /// Number of outputs n.
    fn outputs(&self) -> usize;

    /// `g(psi)`.
    fn value(&self, psi: &[f64]) -> f64;

    /// Writes `grad g(psi)` (length n).
    fn gradient(&self, psi: &[f64], out: &mut [f64]);

    /// Writes `Hess g(psi) v` (length n).
    fn hessian_apply(&self, psi: &[f64], v: &[f64], out: &mut [f64]);

    /// The modulus of strong convexity nu > 0.
    fn strong_convexity(&self) -> f64;

    /// The Lipschitz modulus mu of the gradient, at least nu.
    fn smoothness(&self) -> f64;

    /// The least value `g*` of g over `R^n`.
    fn minimum(&self) -> f64;

    /// Writes the minimizer `psi*` of g over `R^n`.
    fn minimizer(&self, out: &mut [f64]);
}

macro_rules! forward_through_pointer {
    ($($pointer:ty),*) => {$(
        impl<L: Loss + ?Sized> Loss for $pointer {
            fn outputs(&self) -> usize {
                (**self).outputs()
            }
            fn value(&self, psi: &[f64]) -> f64 {
                (**self).value(psi)
            }
            fn gradient(&self, psi: &[f64], out: &mut [f64]) {
                (**self).gradient(psi, out);
            }
            fn hessian_apply(&self, psi: &[f64], v: &[f64], out: &mut [f64]) {
                (**self).hessian_apply(psi, v, out);
            }
            fn strong_convexity(&self) -> f64 {
                (**self).strong_convexity()
            }
            fn smoothness(&self) -> f64 {
                (**self).smoothness()
            }
            fn minimum(&self) -> f64 {
                (**self).minimum()
            }
            fn minimizer(&self, out: &mut [f64]) {
                (**self).minimizer(out);
            }
        }
    )*};
}

forward_through_pointer!(&L, Box<L>, Arc<L>);

/// Why a loss could not be built.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LossError {
    /// A target is infinite or NaN.
    #[error("target {index} is {value}; accepted: finite numbers")]
    NonFiniteTarget {
        /// Its position.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A weight is not positive and finite.
    #[error("weight {index} is {value}; accepted: finite numbers above 0")]
    InvalidWeight {
        /// Its position.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// There are not as many weights as targets.
    #[error("{weights} weights for {targets} targets; accepted: one weight a target")]
    WeightCount {
        /// Number of weights.
        weights: usize,
        /// Number of targets.
        targets: usize,
    },
    /// The added curvature is not positive and finite.
    #[error("curvature is {value}; accepted: a finite number above 0")]
    InvalidCurvature {
        /// Its value.
        value: f64,
    },
}

/// Refuses targets that are not finite.
fn require_finite_targets(targets: &[f64]) -> Result<(), LossError> {
    match targets.iter().enumerate().find(|(_, y)| !y.is_finite()) {
        Some((index, &value)) => Err(LossError::NonFiniteTarget { index, value }),
        None => Ok(()),
    }
}
