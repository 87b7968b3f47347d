//! The paper's loss `g(psi) = norm(psi - y)^2`: nu = mu = 2 (section 5).

use gaussflow_solvers::squared_distance;

use super::{Loss, LossError, require_finite_targets};

/// The squared loss of the paper, `g(psi) = norm(psi - targets)^2`, without a factor 1/2: nu = mu = 2.
///
/// # Source
/// Section 5 of the paper.
///
/// # Examples
/// ```
/// use gaussflow_objective::{Loss, Squared};
/// let loss = Squared::new(vec![1.0, 2.0])?;
/// assert_eq!(loss.value(&[0.0, 0.0]), 5.0);
/// # Ok::<(), gaussflow_objective::LossError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Squared {
    targets: Vec<f64>,
}

impl Squared {
    /// Creates the loss with targets y (length n).
    ///
    /// # Errors
    /// [`LossError::NonFiniteTarget`].
    pub fn new(targets: Vec<f64>) -> Result<Self, LossError> {
        require_finite_targets(&targets)?;
        Ok(Self { targets })
    }

    /// Creates `norm(psi)^2` on n outputs, for maps that are residuals already.
    pub fn of_residuals(outputs: usize) -> Self {
        Self { targets: vec![0.0; outputs] }
    }
}

// Not by entries: the sum of squares has the library's order of summation, and with it the bits of recorded runs.
impl Loss for Squared {
    fn outputs(&self) -> usize {
        self.targets.len()
    }

    fn value(&self, psi: &[f64]) -> f64 {
        squared_distance(psi, &self.targets)
    }

    fn gradient(&self, psi: &[f64], out: &mut [f64]) {
        for ((o, a), y) in out.iter_mut().zip(psi).zip(&self.targets) {
            *o = 2.0 * (a - y);
        }
    }

    fn hessian_apply(&self, _psi: &[f64], v: &[f64], out: &mut [f64]) {
        for (o, v) in out.iter_mut().zip(v) {
            *o = 2.0 * v;
        }
    }

    fn hessian_root(&self, psi: &[f64], root: &mut [f64], b: &mut [f64]) -> bool {
        root.fill(std::f64::consts::SQRT_2);
        for ((o, a), y) in b.iter_mut().zip(psi).zip(&self.targets) {
            *o = std::f64::consts::SQRT_2 * (a - y);
        }
        true
    }

    fn strong_convexity(&self) -> f64 {
        2.0
    }

    fn smoothness(&self) -> f64 {
        2.0
    }

    fn minimum(&self) -> f64 {
        0.0
    }

    fn minimizer(&self, out: &mut [f64]) -> bool {
        out.copy_from_slice(&self.targets);
        true
    }
}
