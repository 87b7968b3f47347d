//! The scaled objective `w -> g(alpha f(w))` of section 2.1.

use crate::loss::Loss;
use crate::map::{MapError, Residuals};

/// Joins a map f, a loss g and a scaling factor alpha > 0 to the objective `w -> g(alpha f(w))`.
///
/// # Source
/// Section 2.1 of the paper.
///
/// # Examples
/// ```
/// use gaussflow_objective::{Objective, ResidualFn, Squared};
/// let line = ResidualFn::new(2, 1, |w, out| out.copy_from_slice(&[w[0], 2.0 * w[0]]));
/// let objective = Objective::new(line, Squared::new(vec![1.0, 2.0])?, 0.5)?;
/// assert_eq!(objective.loss_at(&[2.0])?, 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Objective<M, L> {
    map: M,
    loss: L,
    scaling: f64,
}

/// Says why map, loss and scaling do not make an objective.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectiveError {
    /// The loss expects another number of outputs than the map has.
    #[error("the loss has {loss} targets, but the map has {map} outputs")]
    OutputCount {
        /// Outputs of the map.
        map: usize,
        /// Outputs of the loss.
        loss: usize,
    },
    /// The scaling factor is not positive and finite.
    #[error("scaling (alpha) is {scaling}; accepted: a finite number above 0")]
    InvalidScaling {
        /// The value that was given.
        scaling: f64,
    },
}

impl<M: Residuals, L: Loss> Objective<M, L> {
    /// Creates the objective `g(scaling * f(w))`.
    ///
    /// # Errors
    /// [`ObjectiveError`] when map and loss have different numbers of outputs, or `scaling` is not positive and finite.
    pub fn new(map: M, loss: L, scaling: f64) -> Result<Self, ObjectiveError> {
        if map.outputs() != loss.outputs() {
            return Err(ObjectiveError::OutputCount { map: map.outputs(), loss: loss.outputs() });
        }
        if !(scaling.is_finite() && scaling > 0.0) {
            return Err(ObjectiveError::InvalidScaling { scaling });
        }
        Ok(Self { map, loss, scaling })
    }

    /// Returns the map f.
    pub fn map(&self) -> &M {
        &self.map
    }

    /// Returns the loss g.
    pub fn loss(&self) -> &L {
        &self.loss
    }

    /// Returns the scaling factor alpha.
    pub fn scaling(&self) -> f64 {
        self.scaling
    }

    /// Evaluates `g(alpha f(w))` at `w` (length p).
    ///
    /// # Cost
    /// One value of the map; it allocates one vector of length n.
    ///
    /// # Errors
    /// [`MapError`] on another length than p, where the map is undefined, or where its value is not finite.
    pub fn loss_at(&self, w: &[f64]) -> Result<f64, MapError> {
        let mut value = vec![0.0; self.map.outputs()];
        crate::map::require_length("the parameters w", w, self.map.parameters())?;
        self.map.value(w, &mut value)?;
        crate::map::require_finite("the map's value", &value)?;
        value.iter_mut().for_each(|x| *x *= self.scaling);
        Ok(self.loss.value(&value))
    }
}
