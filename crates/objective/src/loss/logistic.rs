//! The logistic loss of two classes: `g(psi) = sum_j log(1 + e^psi_j) - y_j psi_j`, `pi = 1 / (1 + e^-psi)`.
//!
//! psi is the logarithm of the odds of class 1. `g'' = pi (1 - pi)` lies in (0, 1/4]: nu = 0, mu = 1/4. Where all y are 0
//! or 1, the infimum 0 is approached as psi tends to infinity, and attained nowhere. The root of the Hessian carries
//! `e^(abs(psi)/2)`, which overflows beyond an odds' logarithm of about 1,400.

use super::entrywise::{Entrywise, loss_by_entries};
use super::{LossError, require_probabilities};

/// The logistic loss of two classes, `g(psi) = sum_j [log(1 + e^psi_j) - y_j psi_j]`: the negative log-likelihood of the
/// classes y, where psi is the logarithm of the odds of class 1.
///
/// Convexity nu = 0, smoothness mu = 1/4. Where all y are 0 or 1 the infimum 0 is not attained: psi tends to infinity.
///
/// # Examples
/// ```
/// use gaussflow_objective::{Logistic, Loss};
/// let loss = Logistic::new(vec![1.0, 0.0])?;
/// assert!((loss.value(&[0.0, 0.0]) - 2.0 * 2f64.ln()).abs() < 1e-15);
/// // Far out, the loss keeps its digits.
/// assert!((loss.value(&[700.0, -700.0]) / (2.0 * (-700f64).exp()) - 1.0).abs() < 1e-12);
/// # Ok::<(), gaussflow_objective::LossError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Logistic {
    targets: Vec<f64>,
}

impl Logistic {
    /// Creates the loss with targets y (length n): 0 or 1, or probabilities of class 1 between them.
    ///
    /// # Errors
    /// [`LossError::Probability`] for a target outside [0, 1].
    pub fn new(targets: Vec<f64>) -> Result<Self, LossError> {
        require_probabilities(&targets)?;
        Ok(Self { targets })
    }
}

/// `log(1 + e^x)`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `1 / (1 + e^-x)`.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

impl Entrywise for Logistic {
    fn count(&self) -> usize {
        self.targets.len()
    }

    fn value_at(&self, j: usize, x: f64) -> f64 {
        let y = self.targets[j];
        // Of each class what the other's probability costs, so that small losses keep their digits.
        y * softplus(-x) + (1.0 - y) * softplus(x)
    }

    fn slope_at(&self, j: usize, x: f64) -> f64 {
        let y = self.targets[j];
        (1.0 - y) * sigmoid(x) - y * sigmoid(-x)
    }

    fn curvature_at(&self, _j: usize, x: f64) -> f64 {
        sigmoid(x) * sigmoid(-x)
    }

    fn root_at(&self, j: usize, x: f64) -> (f64, f64) {
        let (y, half) = (self.targets[j], 0.5 * x);
        let root = (-half.abs()).exp() / (1.0 + (-x.abs()).exp());
        // Without a product of 0 and infinity for y of 0 or 1.
        let part = |share: f64, x: f64| if share == 0.0 { 0.0 } else { share * x.exp() };
        (root, part(1.0 - y, half) - part(y, -half))
    }

    fn convexity(&self) -> f64 {
        0.0
    }

    fn lipschitz(&self) -> f64 {
        0.25
    }

    fn least(&self, j: usize) -> (f64, f64) {
        let y = self.targets[j];
        let entropy = |y: f64| if y == 0.0 { 0.0 } else { -y * y.ln() };
        (entropy(y) + entropy(1.0 - y), y.ln() - (1.0 - y).ln())
    }
}

loss_by_entries!(Logistic);
