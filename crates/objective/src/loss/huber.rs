//! A robust loss that is smooth: `g(psi) = sum_j C^2 (sqrt(1 + (r_j / C)^2) - 1)`, r = psi - y, the pseudo-Huber loss.
//!
//! It is `r^2 / 2` for small residuals and `C |r|` for large ones. `g'' = (1 + (r / C)^2)^(-3/2)` lies in (0, 1]: nu = 0,
//! mu = 1.

use super::entrywise::{Entrywise, loss_by_entries};
use super::{LossError, require_finite_targets};

/// The smooth Huber (pseudo-Huber) loss, `g(psi) = sum_j C^2 (sqrt(1 + (r_j / C)^2) - 1)` with `r = psi - y`.
///
/// It is `r^2 / 2` for small residuals and grows like `C abs(r)` for large ones. Convexity nu = 0, smoothness mu = 1.
///
/// # Examples
/// ```
/// use gaussflow_objective::{Loss, SmoothHuber};
/// let loss = SmoothHuber::new(vec![1.0], 2.0)?;
/// assert_eq!((loss.value(&[1.0]), loss.strong_convexity(), loss.smoothness()), (0.0, 0.0, 1.0));
/// assert!((loss.value(&[1e9]) / 2e9 - 1.0).abs() < 1e-8);
/// # Ok::<(), gaussflow_objective::LossError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SmoothHuber {
    targets: Vec<f64>,
    scale: f64,
}

impl SmoothHuber {
    /// Creates the loss with targets y (length n) and scale C > 0, the size from which on residuals count as large.
    ///
    /// # Errors
    /// [`LossError`] for a scale that is not positive and finite, or a target that is not finite.
    pub fn new(targets: Vec<f64>, scale: f64) -> Result<Self, LossError> {
        require_finite_targets(&targets)?;
        if scale.is_finite() && scale > 0.0 {
            Ok(Self { targets, scale })
        } else {
            Err(LossError::InvalidScale { value: scale })
        }
    }

    /// The residual, and `sqrt(1 + (r / C)^2)`.
    fn stretch(&self, j: usize, x: f64) -> (f64, f64) {
        let r = x - self.targets[j];
        (r, (r / self.scale).hypot(1.0))
    }
}

impl Entrywise for SmoothHuber {
    fn count(&self) -> usize {
        self.targets.len()
    }

    fn value_at(&self, j: usize, x: f64) -> f64 {
        let (r, stretch) = self.stretch(j, x);
        // Without the cancellation of sqrt(1 + q^2) - 1.
        r * (r / (stretch + 1.0))
    }

    fn slope_at(&self, j: usize, x: f64) -> f64 {
        let (r, stretch) = self.stretch(j, x);
        r / stretch
    }

    fn curvature_at(&self, j: usize, x: f64) -> f64 {
        self.stretch(j, x).1.powi(-3)
    }

    fn root_at(&self, j: usize, x: f64) -> (f64, f64) {
        let (r, stretch) = self.stretch(j, x);
        (stretch.powf(-1.5), r * stretch.sqrt())
    }

    fn convexity(&self) -> f64 {
        0.0
    }

    fn lipschitz(&self) -> f64 {
        1.0
    }

    fn least(&self, j: usize) -> (f64, f64) {
        (0.0, self.targets[j])
    }
}

loss_by_entries!(SmoothHuber);
