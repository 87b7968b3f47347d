//! The constants of section 4 at w_0 and what follows from them: the ball B and the printed alpha.
//!
//! Assumption 2: `H_0 >= 4 lambda0^2 I`; B is the ball of radius `2 lambda0 r / L` around w_0
//! (Lemma 3); Theorem 5 asks `alpha >= mu L sqrt(Delta_0) / (2 sqrt(2) r (1-r) nu^(3/2) lambda0^2)`.

use gaussflow_dynamics::Diagnostics;
use gaussflow_objective::{LipschitzConstants, Loss, Objective, Residuals};

/// Constants of an underparameterized problem at its initial weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants {
    /// lambda0, half the smallest singular value of `Df(w_0)`: exact to rounding.
    pub lambda0: f64,
    /// An upper bound of the Lipschitz modulus L of `w -> Df(w)`: proven.
    pub jacobian_lipschitz: f64,
    /// An upper bound of the Lipschitz modulus of f: proven.
    pub lipschitz: f64,
    /// nu of the loss.
    pub strong_convexity: f64,
    /// mu of the loss.
    pub smoothness: f64,
    /// `g(alpha f(w_0)) - g*`, at least the paper's Delta_0, whose infimum is over the manifold only.
    pub initial_gap: f64,
}

impl Constants {
    /// Takes the constants from a problem and what was measured at w_0.
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

    /// Radius of B, `2 lambda0 r / L`, for r in (0, 1).
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

    /// The least scaling alpha that Theorem 5 admits as printed, for r in (0, 1).
    ///
    /// Delta_0 depends on alpha in the print; [`Self::initial_gap`] makes the threshold safe.
    pub fn printed_scaling(&self, fraction: f64) -> f64 {
        let numerator = self.smoothness * self.jacobian_lipschitz * self.initial_gap.sqrt();
        let room = fraction * (1.0 - fraction) * self.strong_convexity.powf(1.5);
        numerator / (8_f64.sqrt() * room * self.lambda0 * self.lambda0)
    }
}
