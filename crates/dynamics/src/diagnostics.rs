//! What is measured at a recorded step, all of it from the shared linearization.

use gaussflow_objective::{GradientNorms, Linearization, Loss, SmoothMap};
use gaussflow_solvers::{ExtremeSingularValues, JacobianOperator, SolveError, norm};

use crate::flow::Flow;

/// Holds the quantities of the paper's figures at one parameter vector w_t of a flow.
///
/// J is the n x p Jacobian of f at w_t, g the loss, and alpha the scaling. All norms are 2-norms.
///
/// In the metric of the loss's Hessian ([`SolveSettings::metric`](crate::SolveSettings::metric)), with `R R^T = Hess g`, the
/// gradients are those of `R^+ grad g` and J stands for `R^T J`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diagnostics {
    /// `g(alpha f(w_t))`.
    pub loss: f64,
    /// `norm(w_t - w_0)`.
    pub deviation: f64,
    /// The norm of the Riemannian gradient, `norm(P grad g)`, with P the orthogonal projection on the range of J. It is
    /// measured in the same way for every preconditioner, the gradient flow included.
    pub riemannian_gradient_norm: f64,
    /// `norm((I - P) grad g)`.
    pub normal_gradient_norm: f64,
    /// Smallest eigenvalue of `J^T J`: the square of J's smallest singular value, 0 when p > n.
    pub gram_min_eigenvalue: f64,
    /// Largest eigenvalue of `J^T J`, which is that of `J J^T`.
    pub gram_max_eigenvalue: f64,
    /// Smallest eigenvalue of `K = J J^T`, 0 when n > p.
    pub kernel_min_eigenvalue: f64,
}

impl Diagnostics {
    /// Measures all quantities at the parameters where the flow stands; `initial` is w_0 (length p).
    ///
    /// Fields are NaN where they would need J and its factors beyond the memory limit of the flow.
    ///
    /// # Cost
    /// The extreme singular values of J and one projection. The flow keeps what it factors, so that the next direction at the
    /// same parameters reuses it.
    ///
    /// # Errors
    /// [`SolveError`] when the Jacobian is not finite.
    pub fn measure<M: SmoothMap, L: Loss>(
        flow: &mut Flow<'_, M, L>,
        initial: &[f64],
    ) -> Result<Self, SolveError> {
        let cutoff = flow.rank_cutoff();
        let here = flow.linearization_mut();
        // Singular values first: a projection then decides on rank by them, not by an estimate.
        let extremes = match here.extreme_singular_values() {
            Err(SolveError::MemoryLimit { .. }) => {
                let largest = here.largest_singular_value()?;
                ExtremeSingularValues { smallest: f64::NAN, largest }
            }
            found => found?,
        };
        let gradient = match here.gradient_norms(cutoff) {
            Err(SolveError::MemoryLimit { .. }) => {
                GradientNorms { tangent: f64::NAN, normal: f64::NAN }
            }
            found => found?,
        };
        let (n, p) = (here.jacobian().total_rows(), here.point().len());
        let smallest = extremes.smallest * extremes.smallest;
        Ok(Self {
            loss: here.loss(),
            deviation: distance(here.point(), initial),
            riemannian_gradient_norm: gradient.tangent,
            normal_gradient_norm: gradient.normal,
            gram_min_eigenvalue: if p > n { 0.0 } else { smallest },
            gram_max_eigenvalue: extremes.largest * extremes.largest,
            kernel_min_eigenvalue: if n > p { 0.0 } else { smallest },
        })
    }

    /// Measures loss and deviation only; every other field is NaN.
    ///
    /// # Cost
    /// `O(p)` operations and one vector of length p; nothing is factored.
    pub fn loss_alone<J: JacobianOperator>(here: &Linearization<J>, initial: &[f64]) -> Self {
        Self {
            loss: here.loss(),
            deviation: distance(here.point(), initial),
            riemannian_gradient_norm: f64::NAN,
            normal_gradient_norm: f64::NAN,
            gram_min_eigenvalue: f64::NAN,
            gram_max_eigenvalue: f64::NAN,
            kernel_min_eigenvalue: f64::NAN,
        }
    }
}

/// `norm(a - b)`.
pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    norm(&difference)
}
