//! Counts with a logarithmic link: `g(psi) = sum_j e^psi_j - y_j psi_j`, the rate `e^psi` of a Poisson distribution.
//!
//! `g'' = e^psi` has neither a lower bound above 0 nor an upper one: nu = 0, mu is infinite.

use super::LossError;
use super::entrywise::{Entrywise, loss_by_entries};

/// The Poisson loss of counts, `g(psi) = sum_j [e^psi_j - y_j psi_j]`: the negative log-likelihood of the counts y at rates
/// `e^psi`, without the constant `log(y_j!)`.
///
/// Convexity nu = 0; the gradient has no Lipschitz constant (mu is infinite).
///
/// # Examples
/// ```
/// use gaussflow_objective::{Loss, Poisson};
/// let loss = Poisson::new(vec![3.0])?;
/// let mut slope = [f64::NAN];
/// loss.gradient(&[3f64.ln()], &mut slope);
/// assert!(slope[0].abs() < 1e-15 && loss.smoothness().is_infinite());
/// # Ok::<(), gaussflow_objective::LossError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Poisson {
    targets: Vec<f64>,
}

impl Poisson {
    /// Creates the loss with counts y (length n), finite and at least 0; means of counts need not be whole numbers.
    ///
    /// # Errors
    /// [`LossError::Count`] for any other target.
    pub fn new(targets: Vec<f64>) -> Result<Self, LossError> {
        match targets.iter().enumerate().find(|(_, y)| !(y.is_finite() && **y >= 0.0)) {
            Some((index, &value)) => Err(LossError::Count { index, value }),
            None => Ok(Self { targets }),
        }
    }
}

impl Entrywise for Poisson {
    fn count(&self) -> usize {
        self.targets.len()
    }

    fn value_at(&self, j: usize, x: f64) -> f64 {
        x.exp() - self.targets[j] * x
    }

    fn slope_at(&self, j: usize, x: f64) -> f64 {
        x.exp() - self.targets[j]
    }

    fn curvature_at(&self, _j: usize, x: f64) -> f64 {
        x.exp()
    }

    fn root_at(&self, j: usize, x: f64) -> (f64, f64) {
        let (root, y) = ((0.5 * x).exp(), self.targets[j]);
        (root, if y == 0.0 { root } else { root - y / root })
    }

    fn convexity(&self) -> f64 {
        0.0
    }

    fn lipschitz(&self) -> f64 {
        f64::INFINITY
    }

    fn least(&self, j: usize) -> (f64, f64) {
        let y = self.targets[j];
        (if y == 0.0 { 0.0 } else { y - y * y.ln() }, y.ln())
    }
}

loss_by_entries!(Poisson);
