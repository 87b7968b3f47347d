//! Losses `g: R^n -> R`, convex, most of them nu-strongly with mu-Lipschitz gradient (section 2.1).

mod entrywise;
mod huber;
mod log_cosh;
mod logistic;
mod poisson;
mod softmax;
mod squared;
mod weighted;

use std::sync::Arc;

pub use huber::SmoothHuber;
pub use log_cosh::LogCosh;
pub use logistic::Logistic;
pub use poisson::Poisson;
pub use softmax::Softmax;
pub use squared::Squared;
pub use weighted::WeightedSquares;

/// Measures outputs `psi` (length n) by a convex, twice differentiable function g.
///
/// Implement it for a loss of your own. The constants nu and mu enter every rate of the paper, so they must hold everywhere:
/// `nu norm(v)^2 <= v^T Hess g v <= mu norm(v)^2`. The paper's theorems ask for nu > 0 and a finite mu; of the losses here
/// these are [`Squared`], [`WeightedSquares`] and [`LogCosh`].
///
/// # Source
/// Section 2.1 of the paper.
pub trait Loss: Send + Sync {
    /// Returns the number of outputs n.
    fn outputs(&self) -> usize;

    /// Evaluates `g(psi)`.
    fn value(&self, psi: &[f64]) -> f64;

    /// Writes `grad g(psi)` (length n).
    fn gradient(&self, psi: &[f64], out: &mut [f64]);

    /// Writes `Hess g(psi) v` (length n).
    fn hessian_apply(&self, psi: &[f64], v: &[f64], out: &mut [f64]);

    /// Returns the number o of outputs per sample, which stand one after the other; 1 by default. Hess g consists of one
    /// diagonal block of order o per sample.
    fn outputs_of_a_sample(&self) -> usize {
        1
    }

    /// Writes a root R of the Hessian, `R R^T = Hess g(psi)`, and b (length n) with `R b = grad g(psi)`, orthogonal to the
    /// null space of R; returns whether the loss has them, by default `false`.
    ///
    /// R is written as its diagonal blocks, one after the other and each row-major (n o numbers).
    /// [`Metric::LossHessian`](crate::Metric::LossHessian) needs it.
    fn hessian_root(&self, psi: &[f64], root: &mut [f64], b: &mut [f64]) -> bool {
        let _ = (psi, root, b);
        false
    }

    /// Returns the constant nu of strong convexity; 0 where g is not strongly convex.
    fn strong_convexity(&self) -> f64;

    /// Returns the Lipschitz constant mu of the gradient, at least nu; infinite where there is none.
    fn smoothness(&self) -> f64;

    /// Returns the infimum `g*` of g over `R^n`.
    fn minimum(&self) -> f64;

    /// Writes the minimizer `psi*` of g over `R^n` (length n); returns `false` where the infimum is not attained, with some
    /// entries infinite.
    fn minimizer(&self, out: &mut [f64]) -> bool;
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
            fn outputs_of_a_sample(&self) -> usize {
                (**self).outputs_of_a_sample()
            }
            fn hessian_root(&self, psi: &[f64], root: &mut [f64], b: &mut [f64]) -> bool {
                (**self).hessian_root(psi, root, b)
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
            fn minimizer(&self, out: &mut [f64]) -> bool {
                (**self).minimizer(out)
            }
        }
    )*};
}

forward_through_pointer!(&L, Box<L>, Arc<L>);

/// Says why a loss could not be built.
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
    /// The scale of residuals is not positive and finite.
    #[error("scale is {value}; accepted: a finite number above 0")]
    InvalidScale {
        /// Its value.
        value: f64,
    },
    /// A target is not a probability.
    #[error("target {index} is {value}; accepted: 0, 1, or probabilities between them")]
    Probability {
        /// Its position.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A sample's probabilities do not sum up to 1.
    #[error("the probabilities of sample {sample} sum up to {sum}; accepted: 1")]
    ProbabilitySum {
        /// The sample, from 0.
        sample: usize,
        /// The sum.
        sum: f64,
    },
    /// A target is not a count: negative or not finite.
    #[error("target {index} is {value}; accepted: counts, finite and at least 0")]
    Count {
        /// Its position.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The number of targets does not fit the number of classes.
    #[error(
        "{targets} targets for {classes} classes; accepted: two classes or more, and one target a class for each sample"
    )]
    Classes {
        /// Number of classes.
        classes: usize,
        /// Number of targets.
        targets: usize,
    },
    /// A label is beyond the classes.
    #[error("sample {sample} is of class {label}; accepted: 0 to {}", classes.saturating_sub(1))]
    Label {
        /// The sample, from 0.
        sample: usize,
        /// Its class.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
}

/// Refuses targets that are not finite.
fn require_finite_targets(targets: &[f64]) -> Result<(), LossError> {
    match targets.iter().enumerate().find(|(_, y)| !y.is_finite()) {
        Some((index, &value)) => Err(LossError::NonFiniteTarget { index, value }),
        None => Ok(()),
    }
}

/// Refuses targets outside of [0, 1].
fn require_probabilities(targets: &[f64]) -> Result<(), LossError> {
    match targets.iter().enumerate().find(|(_, y)| !(0.0..=1.0).contains(*y)) {
        Some((index, &value)) => Err(LossError::Probability { index, value }),
        None => Ok(()),
    }
}
