//! Weighted squares `g(psi) = sum_j omega_j (psi_j - y_j)^2`: nu = 2 min omega, mu = 2 max omega.

use super::entrywise::{Entrywise, loss_by_entries};
use super::{LossError, require_finite_targets};

/// The weighted squared loss, `g(psi) = sum_j weights_j (psi_j - targets_j)^2` with positive weights: nu = 2 min weights,
/// mu = 2 max weights.
///
/// # Examples
/// ```
/// use gaussflow_objective::{Loss, WeightedSquares};
/// let loss = WeightedSquares::new(vec![1.0, 2.0], vec![0.25, 4.0])?;
/// assert_eq!((loss.strong_convexity(), loss.smoothness()), (0.5, 8.0));
/// # Ok::<(), gaussflow_objective::LossError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedSquares {
    targets: Vec<f64>,
    weights: Vec<f64>,
}

impl WeightedSquares {
    /// Creates the loss with targets y and weights omega (length n each).
    ///
    /// # Errors
    /// [`LossError`] for a weight that is not positive and finite, a target that is not finite, or unequal lengths.
    pub fn new(targets: Vec<f64>, weights: Vec<f64>) -> Result<Self, LossError> {
        require_finite_targets(&targets)?;
        if weights.len() != targets.len() {
            let (weights, targets) = (weights.len(), targets.len());
            return Err(LossError::WeightCount { weights, targets });
        }
        match weights.iter().enumerate().find(|(_, x)| !(x.is_finite() && **x > 0.0)) {
            Some((index, &value)) => Err(LossError::InvalidWeight { index, value }),
            None => Ok(Self { targets, weights }),
        }
    }
}

impl Entrywise for WeightedSquares {
    fn count(&self) -> usize {
        self.targets.len()
    }

    fn value_at(&self, j: usize, x: f64) -> f64 {
        let r = x - self.targets[j];
        self.weights[j] * r * r
    }

    fn slope_at(&self, j: usize, x: f64) -> f64 {
        2.0 * self.weights[j] * (x - self.targets[j])
    }

    fn curvature_at(&self, j: usize, _x: f64) -> f64 {
        2.0 * self.weights[j]
    }

    fn convexity(&self) -> f64 {
        2.0 * self.weights.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn lipschitz(&self) -> f64 {
        2.0 * self.weights.iter().copied().fold(0.0, f64::max)
    }

    fn least(&self, j: usize) -> (f64, f64) {
        (0.0, self.targets[j])
    }
}

loss_by_entries!(WeightedSquares);
