//! The constants of section 4 at w_0 and what follows from them: the ball B and the printed alpha.
//!
//! Assumption 2: `H_0 >= 4 lambda0^2 I`; B is the ball of radius `2 lambda0 r / L` around w_0
//! (Lemma 3); Theorem 5 asks `alpha >= mu L sqrt(Delta_0) / (2 sqrt(2) r (1-r) nu^(3/2) lambda0^2)`.

use gaussflow_dynamics::Diagnostics;
use gaussflow_objective::{LipschitzConstants, Loss, Objective, Residuals};

/// Holds the constants of the theorems for an underparameterized problem (p < n) at its initial weights w_0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants {
    /// lambda0, half the smallest singular value of `Df(w_0)`, exact to rounding.
    pub lambda0: f64,
    /// A proven upper bound of the Lipschitz constant L of `w -> Df(w)`.
    pub jacobian_lipschitz: f64,
    /// A proven upper bound of the Lipschitz constant of f.
    pub lipschitz: f64,
    /// The constant nu of strong convexity of the loss.
    pub strong_convexity: f64,
    /// The smoothness constant mu of the loss.
    pub smoothness: f64,
    /// The initial gap `g(alpha f(w_0)) - g*`, with g* the infimum over all outputs. It is at least the paper's Delta_0,
    /// whose infimum is over the manifold.
    pub initial_gap: f64,
}

impl Constants {
    /// Computes the constants from an objective and the [`Diagnostics`] measured at w_0. It evaluates nothing but the
    /// Lipschitz bounds.
    pub fn at_start<M: Residuals + LipschitzConstants, L: Loss>(
        objective: &Objective<M, L>,
        start: &Diagnostics,
    ) -> Self {
        Self {
            lambda0: 0.5 * start.gram_min_eigenvalue.sqrt(),
            jacobian_lipschitz: objective.map().jacobian_lipschitz(),
            lipschitz: objective.map().lipschitz(),
            strong_convexity: objective.loss().strong_convexity(),
            smoothness: objective.loss().smoothness(),
            initial_gap: start.loss - objective.loss().minimum(),
        }
    }

    /// Returns the radius `2 lambda0 r / L` of the ball B, for r = `fraction` in (0, 1).
    ///
    /// # Source
    /// Section 4 of the paper.
    ///
    /// # Examples
    /// ```
    /// # let constants = gaussflow_theory::Constants { lambda0: 1.0, jacobian_lipschitz: 4.0,
    /// #   lipschitz: 1.0, strong_convexity: 2.0, smoothness: 2.0, initial_gap: 1.0 };
    /// assert_eq!(constants.ball_radius(0.5), 0.25); // lambda0 = 1, L = 4
    /// ```
    pub fn ball_radius(&self, fraction: f64) -> f64 {
        2.0 * self.lambda0 * fraction / self.jacobian_lipschitz
    }

    /// Returns the smallest scaling alpha that Theorem 5 of the paper admits as it is stated there, for r = `fraction` in (0,
    /// 1): `mu L sqrt(Delta_0) / (2 sqrt(2) r (1-r) nu^(3/2) lambda0^2)`.
    ///
    /// The paper's Delta_0 depends on alpha; [`Self::initial_gap`] is at least as large, so that the threshold is safe.
    pub fn printed_scaling(&self, fraction: f64) -> f64 {
        let numerator = self.smoothness * self.jacobian_lipschitz * self.initial_gap.sqrt();
        let room = fraction * (1.0 - fraction) * self.strong_convexity.powf(1.5);
        numerator / (8_f64.sqrt() * room * self.lambda0 * self.lambda0)
    }
}
