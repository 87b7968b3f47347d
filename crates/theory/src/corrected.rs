//! What holds in place of the paper's statements that fail: thresholds, steps and rates with proofs.
//!
//! Derivations of each, step by step, are in `docs/learn/derivations.md`. Throughout,
//! `kappa = (1-rho) lambda0^2 + rho`, L is an upper bound of the Lipschitz modulus of Df, Delta_0 the gap
//! over `R^n` at w_0.

use crate::network_constants::NetworkConstants;

/// The supremum of `gamma / ((1-rho) gamma + rho)^2` over gamma >= lambda0^2, for rho in (0, 1]: what
/// replaces (10).
///
/// It is the value at `gamma = rho0 = rho/(1-rho)`, `1 / (4 rho (1-rho))`, where rho0 >= lambda0^2, else
/// the value at lambda0^2.
///
/// # Examples
/// ```
/// use gaussflow_theory::corrected::squared_inverse_supremum;
/// assert_eq!(squared_inverse_supremum(1.0, 0.5), 1.0); // rho0 = lambda0^2 = 1
/// assert_eq!(squared_inverse_supremum(2.0, 0.5), 4.0 / 6.25);
/// ```
pub fn squared_inverse_supremum(lambda0: f64, damping: f64) -> f64 {
    let square = lambda0 * lambda0;
    // rho = 1: the function is gamma, without a bound above on an unbounded interval.
    if damping >= 1.0 {
        return f64::INFINITY;
    }
    if damping >= (1.0 - damping) * square {
        return 1.0 / (4.0 * damping * (1.0 - damping));
    }
    let sum = (1.0 - damping) * square + damping;
    square / (sum * sum)
}

/// Lower bound of `norm(f(w1) - f(w2)) / norm(w1 - w2)` on the ball of radius `2 lambda0 r / L`:
/// `2 lambda0 (1 - r)`. It makes f injective there, which an immersion alone need not be.
pub fn injectivity_modulus(lambda0: f64, fraction: f64) -> f64 {
    2.0 * lambda0 * (1.0 - fraction)
}

/// The corrected Theorem 5, which needs neither Assumption 3 nor geodesic convexity.
///
/// Gamma is the supremum of `norm((I - P) grad g)` on B within {g <= g(0)}; `sqrt(2 mu (g(0) - g*))`
/// always is an upper bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnderparameterizedRate {
    /// r in (0, 1).
    pub fraction: f64,
    /// lambda0 of Assumption 2.
    pub lambda0: f64,
    /// L.
    pub jacobian_lipschitz: f64,
    /// nu.
    pub strong_convexity: f64,
    /// Gamma.
    pub normal_gradient: f64,
    /// `norm(P grad g)` at w_0.
    pub initial_tangent_gradient: f64,
}

impl UnderparameterizedRate {
    /// How far curvature moves the Riemannian Hessian from that of g at most:
    /// `Gamma L / (4 alpha (1-r)^2 lambda0^2)`.
    pub fn curvature_term(&self, scaling: f64) -> f64 {
        let slope = injectivity_modulus(self.lambda0, self.fraction);
        self.normal_gradient * self.jacobian_lipschitz / (scaling * slope * slope)
    }

    /// theta = nu - [`Self::curvature_term`]: `Hess_M g >= theta` on B within {g <= g(0)}, and the gap to
    /// the flow's limit falls like `exp(-2 theta t)`, where theta > 0.
    pub fn theta(&self, scaling: f64) -> f64 {
        self.strong_convexity - self.curvature_term(scaling)
    }

    /// The least alpha for which the flow stays in B for ever:
    /// `L/(4 nu lambda0^2) [Gamma/(1-r)^2 + norm(P grad g(0))/(r(1-r))]`.
    pub fn least_scaling(&self) -> f64 {
        let (r, rest) = (self.fraction, 1.0 - self.fraction);
        self.jacobian_lipschitz / (4.0 * self.strong_convexity * self.lambda0 * self.lambda0)
            * (self.normal_gradient / (rest * rest) + self.initial_tangent_gradient / (r * rest))
    }
}

/// `1 - 2 e - e^2/4` with `e = L (1-rho) sqrt(2 mu Delta_0) / (mu alpha kappa)`: what linearization
/// leaves of the repaired discrete rate.
fn linearization_share(excess: f64) -> f64 {
    1.0 - 2.0 * excess - 0.25 * excess * excess
}

impl NetworkConstants {
    /// kappa = `(1-rho) lambda0^2 + rho`.
    fn kappa(&self, damping: f64) -> f64 {
        (1.0 - damping) * self.lambda0 * self.lambda0 + damping
    }

    /// Lemma 2 corrected, for every rho in (0, 1]: `alpha >= (L/lambda0^2) sqrt(2 Delta_0/nu)` keeps the
    /// flow in the ball of radius r_0 for ever.
    pub fn never_exits_scaling(&self) -> f64 {
        self.jacobian_lipschitz / (self.lambda0 * self.lambda0)
            * (2.0 * self.initial_gap / self.strong_convexity).sqrt()
    }

    /// How far the flow at alpha moves at most: `sqrt(2 Delta_0/nu) / (alpha lambda0)`, while it stays in
    /// the ball of radius r_0.
    pub fn deviation_bound(&self, scaling: f64) -> f64 {
        (2.0 * self.initial_gap / self.strong_convexity).sqrt() / (scaling * self.lambda0)
    }

    /// Theorem 2's alpha eta with (10) corrected: `(lambda0^2/kappa) / (2 mu Lip_f^2 S)`, S the
    /// [`squared_inverse_supremum`]; rho in (0, 1).
    pub fn consistent_step(&self, damping: f64) -> f64 {
        let supremum = squared_inverse_supremum(self.lambda0, damping);
        self.lambda0 * self.lambda0
            / (self.kappa(damping) * 2.0 * self.smoothness * self.lipschitz.powi(2) * supremum)
    }

    /// The least alpha for [`Self::consistent_step`]: the larger of
    /// `2 L kappa sqrt(2 mu S Delta_0) / (nu lambda0^3)` (the iterates stay within r_0) and
    /// `L sqrt(2 mu Delta_0) / (mu Lip_f^2)` (linearization).
    pub fn consistent_scaling(&self, damping: f64) -> f64 {
        let supremum = squared_inverse_supremum(self.lambda0, damping);
        let stays = 2.0
            * self.jacobian_lipschitz
            * self.kappa(damping)
            * supremum.sqrt()
            * self.gradient_bound()
            / (self.strong_convexity * self.lambda0.powi(3));
        let linear = self.jacobian_lipschitz * self.gradient_bound()
            / (self.smoothness * self.lipschitz * self.lipschitz);
        stays.max(linear)
    }

    /// The factor a step at [`Self::consistent_step`]: `1 - nu alpha eta lambda0^2/kappa`.
    pub fn consistent_modulus(&self, damping: f64) -> f64 {
        let rate = self.lambda0 * self.lambda0 / self.kappa(damping);
        1.0 - self.strong_convexity * self.consistent_step(damping) * rate
    }

    /// The conditioning-free alpha eta, `(1 - rho)/mu`, rho in (0, 1).
    pub fn repaired_step(&self, damping: f64) -> f64 {
        (1.0 - damping) / self.smoothness
    }

    /// e of the linearization at alpha.
    fn repaired_excess(&self, damping: f64, scaling: f64) -> f64 {
        self.jacobian_lipschitz * (1.0 - damping) * self.gradient_bound()
            / (self.smoothness * scaling * self.kappa(damping))
    }

    /// The least alpha for [`Self::repaired_step`]: `max(4 L lambda0^-2 sqrt(2 Delta_0/nu),
    /// L (1-rho) sqrt(2 mu Delta_0) / (0.24 mu kappa))`; linearization then leaves at least half.
    pub fn repaired_scaling(&self, damping: f64) -> f64 {
        let linear = self.repaired_excess(damping, 1.0) / 0.24;
        linear.max(4.0 * self.never_exits_scaling())
    }

    /// The factor a step at [`Self::repaired_step`]:
    /// `1 - (nu/mu)(1-rho)(lambda0^2/kappa)(1 - 2 e - e^2/4)`, which tends to `1 - nu/mu` for rho to 0 and
    /// alpha to infinity, whatever lambda0.
    ///
    /// `None` for `e >= 2 sqrt(5) - 4 = 0.472`: linearization leaves nothing there, and docs/learn/derivations.md, section 6,
    /// bounds no step. At [`Self::repaired_scaling`] e is at most 0.24.
    pub fn repaired_modulus(&self, damping: f64, scaling: f64) -> Option<f64> {
        let rate = self.lambda0 * self.lambda0 / self.kappa(damping);
        let share = linearization_share(self.repaired_excess(damping, scaling));
        let modulus =
            1.0 - self.strong_convexity / self.smoothness * (1.0 - damping) * rate * share;
        (share > 0.0).then_some(modulus)
    }
}
