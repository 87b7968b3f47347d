//! Weighted squares `g(psi) = sum_j omega_j (psi_j - y_j)^2`: nu = 2 min omega, mu = 2 max omega.

use super::{Loss, LossError, require_finite_targets};

/// `sum_j weights_j (psi_j - targets_j)^2`, weights positive.
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
    /// The loss with targets y and weights omega, of one length.
    ///
    /// # Errors
    /// [`LossError`] on a weight that is not positive and finite, a target that is not finite, or
    /// unequal lengths.
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

impl Loss for WeightedSquares {
    fn outputs(&self) -> usize {
        self.targets.len()
    }

    fn value(&self, psi: &[f64]) -> f64 {
        let terms = psi.iter().zip(&self.targets).zip(&self.weights);
        terms.map(|((a, y), omega)| omega * (a - y) * (a - y)).sum()
    }

    fn gradient(&self, psi: &[f64], out: &mut [f64]) {
        let terms = psi.iter().zip(&self.targets).zip(&self.weights);
        for (o, ((a, y), omega)) in out.iter_mut().zip(terms) {
            *o = 2.0 * omega * (a - y);
        }
    }

    fn hessian_apply(&self, _psi: &[f64], v: &[f64], out: &mut [f64]) {
        for ((o, v), omega) in out.iter_mut().zip(v).zip(&self.weights) {
            *o = 2.0 * omega * v;
        }
    }

    fn strong_convexity(&self) -> f64 {
        2.0 * self.weights.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn smoothness(&self) -> f64 {
        2.0 * self.weights.iter().copied().fold(0.0, f64::max)
    }

    fn minimum(&self) -> f64 {
        0.0
    }

    fn minimizer(&self, out: &mut [f64]) {
        out.copy_from_slice(&self.targets);
    }
}
