//! A strongly convex robust loss, `g(psi) = sum_j [log cosh r_j + (kappa/2) r_j^2]`, r = psi - y.
//!
//! `g'' = sech^2 r + kappa` lies in `(kappa, 1 + kappa]`: nu = kappa, mu = 1 + kappa.

use super::{Loss, LossError, require_finite_targets};

/// `sum_j log cosh(psi_j - y_j) + (curvature / 2) (psi_j - y_j)^2`.
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
    /// The loss with targets y and added curvature kappa > 0.
    ///
    /// # Errors
    /// [`LossError`] on a curvature that is not positive and finite or a target that is not finite.
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

impl Loss for LogCosh {
    fn outputs(&self) -> usize {
        self.targets.len()
    }

    fn value(&self, psi: &[f64]) -> f64 {
        let residuals = psi.iter().zip(&self.targets).map(|(a, y)| a - y);
        residuals.map(|r| log_cosh(r) + 0.5 * self.curvature * r * r).sum()
    }

    fn gradient(&self, psi: &[f64], out: &mut [f64]) {
        for ((o, a), y) in out.iter_mut().zip(psi).zip(&self.targets) {
            *o = (a - y).tanh() + self.curvature * (a - y);
        }
    }

    fn hessian_apply(&self, psi: &[f64], v: &[f64], out: &mut [f64]) {
        let terms = psi.iter().zip(&self.targets).zip(v);
        for (o, ((a, y), v)) in out.iter_mut().zip(terms) {
            let sech = (a - y).cosh().recip();
            *o = (sech * sech + self.curvature) * v;
        }
    }

    fn strong_convexity(&self) -> f64 {
        self.curvature
    }

    fn smoothness(&self) -> f64 {
        1.0 + self.curvature
    }

    fn minimum(&self) -> f64 {
        0.0
    }

    fn minimizer(&self, out: &mut [f64]) {
        out.copy_from_slice(&self.targets);
    }
}
