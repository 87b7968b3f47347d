//! A strongly convex robust loss, `g(psi) = sum_j [log cosh r_j + (kappa/2) r_j^2]`, r = psi - y.
//!
//! `g'' = sech^2 r + kappa` lies in `(kappa, 1 + kappa]`: nu = kappa, mu = 1 + kappa.

use super::entrywise::{Entrywise, loss_by_entries};
use super::{LossError, require_finite_targets};

/// A strongly convex robust loss, `g(psi) = sum_j [log cosh r_j + (kappa/2) r_j^2]` with `r = psi - y`.
///
/// Convexity nu = kappa, smoothness mu = 1 + kappa.
///
/// # Examples
/// ```
/// use gaussflow_objective::{LogCosh, Loss};
/// let loss = LogCosh::new(vec![0.0], 0.5)?;
/// assert_eq!((loss.strong_convexity(), loss.smoothness()), (0.5, 1.5));
/// assert!((loss.value(&[800.0]) - (800.0 - 2f64.ln() + 0.25 * 640_000.0)).abs() < 1e-9);
/// # Ok::<(), gaussflow_objective::LossError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LogCosh {
    targets: Vec<f64>,
    curvature: f64,
}

impl LogCosh {
    /// Creates the loss with targets y (length n) and added curvature kappa > 0.
    ///
    /// # Errors
    /// [`LossError`] for a curvature that is not positive and finite, or a target that is not finite.
    pub fn new(targets: Vec<f64>, curvature: f64) -> Result<Self, LossError> {
        require_finite_targets(&targets)?;
        if curvature.is_finite() && curvature > 0.0 {
            Ok(Self { targets, curvature })
        } else {
            Err(LossError::InvalidCurvature { value: curvature })
        }
    }
}

/// `log cosh r = |r| - log 2 + log(1 + e^(-2|r|))`, which never overflows.
fn log_cosh(r: f64) -> f64 {
    r.abs() - std::f64::consts::LN_2 + (-2.0 * r.abs()).exp().ln_1p()
}

impl Entrywise for LogCosh {
    fn count(&self) -> usize {
        self.targets.len()
    }

    fn value_at(&self, j: usize, x: f64) -> f64 {
        let r = x - self.targets[j];
        log_cosh(r) + 0.5 * self.curvature * r * r
    }

    fn slope_at(&self, j: usize, x: f64) -> f64 {
        let r = x - self.targets[j];
        r.tanh() + self.curvature * r
    }

    fn curvature_at(&self, j: usize, x: f64) -> f64 {
        let sech = (x - self.targets[j]).cosh().recip();
        sech * sech + self.curvature
    }

    fn convexity(&self) -> f64 {
        self.curvature
    }

    fn lipschitz(&self) -> f64 {
        1.0 + self.curvature
    }

    fn least(&self, j: usize) -> (f64, f64) {
        (0.0, self.targets[j])
    }
}

loss_by_entries!(LogCosh);
