//! Thresholds, steps and rates, with proofs, that hold in place of the paper's statements that fail.
//!
//! `docs/learn/derivations.md` derives each of them step by step. Throughout, `kappa = (1-rho) lambda0^2 + rho`, L is an
//! upper bound of the Lipschitz constant of Df, and Delta_0 is the gap over all outputs at w_0.

use crate::network_constants::NetworkConstants;

/// Computes the supremum of `gamma / ((1-rho) gamma + rho)^2` over gamma >= lambda0^2, which replaces the paper's bound (10).
///
/// With rho0 = rho/(1-rho) it is `1 / (4 rho (1-rho))`, attained at gamma = rho0, where rho0 >= lambda0^2, and else the value
/// at lambda0^2. rho = `damping` is in (0, 1]; at rho = 1 it is infinite.
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

/// Computes `2 lambda0 (1 - r)`, a lower bound of `norm(f(w1) - f(w2)) / norm(w1 - w2)` on the ball of radius `2 lambda0 r /
/// L` around w_0, with r = `fraction`.
///
/// It makes f injective there, which an immersion need not be.
///
/// # Source
/// Lemma 5 of the paper.
pub fn injectivity_modulus(lambda0: f64, fraction: f64) -> f64 {
    2.0 * lambda0 * (1.0 - fraction)
}

/// Holds what the corrected Theorem 5 needs; it uses neither Assumption 3 nor geodesic convexity.
///
/// Gamma is the supremum of `norm((I - P) grad g)` over those weights of B whose loss is at most `g(0)`; `sqrt(2 mu (g(0) -
/// g*))` is always an upper bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnderparameterizedRate {
    /// r in (0, 1), which sets the radius of B.
    pub fraction: f64,
    /// lambda0 of Assumption 2.
    pub lambda0: f64,
    /// The Lipschitz constant L of the Jacobian.
    pub jacobian_lipschitz: f64,
    /// The constant nu of strong convexity.
    pub strong_convexity: f64,
    /// Gamma.
    pub normal_gradient: f64,
    /// `norm(P grad g)` at w_0.
    pub initial_tangent_gradient: f64,
}

impl UnderparameterizedRate {
    /// Returns `Gamma L / (4 alpha (1-r)^2 lambda0^2)`, the most by which curvature lowers the Riemannian Hessian below the
    /// Hessian of g, at alpha = `scaling`.
    pub fn curvature_term(&self, scaling: f64) -> f64 {
        let slope = injectivity_modulus(self.lambda0, self.fraction);
        self.normal_gradient * self.jacobian_lipschitz / (scaling * slope * slope)
    }

    /// Returns `theta = nu - Gamma L / (4 alpha (1-r)^2 lambda0^2)`.
    ///
    /// `Hess_M g >= theta` on B where the loss is at most `g(0)`. Where theta > 0, the gap to the limit of the flow falls
    /// like `exp(-2 theta t)`.
    pub fn theta(&self, scaling: f64) -> f64 {
        self.strong_convexity - self.curvature_term(scaling)
    }

    /// Returns the smallest alpha for which the flow stays in B for all times:
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

    /// Returns `(L/lambda0^2) sqrt(2 Delta_0/nu)`: from this alpha on the flow stays in the ball of radius r_0 for all times,
    /// for every rho in (0, 1].
    ///
    /// # Source
    /// Lemma 2 of the paper, corrected.
    pub fn never_exits_scaling(&self) -> f64 {
        self.jacobian_lipschitz / (self.lambda0 * self.lambda0)
            * (2.0 * self.initial_gap / self.strong_convexity).sqrt()
    }

    /// Returns `sqrt(2 Delta_0/nu) / (alpha lambda0)`, the most by which the weights of the flow move while it stays in the
    /// ball of radius r_0.
    pub fn deviation_bound(&self, scaling: f64) -> f64 {
        (2.0 * self.initial_gap / self.strong_convexity).sqrt() / (scaling * self.lambda0)
    }

    /// Returns the step alpha eta of Theorem 2 with (10) corrected: `(lambda0^2/kappa) / (2 mu Lip_f^2 S)`, with S the
    /// [`squared_inverse_supremum`], `kappa = (1-rho) lambda0^2 + rho` and rho in (0, 1).
    pub fn consistent_step(&self, damping: f64) -> f64 {
        let supremum = squared_inverse_supremum(self.lambda0, damping);
        self.lambda0 * self.lambda0
            / (self.kappa(damping) * 2.0 * self.smoothness * self.lipschitz.powi(2) * supremum)
    }

    /// Returns the smallest alpha for [`Self::consistent_step`], the larger of two: `2 L kappa sqrt(2 mu S Delta_0) / (nu
    /// lambda0^3)` keeps the iterates within r_0, and `L sqrt(2 mu Delta_0) / (mu Lip_f^2)` bounds the error of
    /// linearization.
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

    /// Returns the factor by which a step of [`Self::consistent_step`] reduces the gap, `1 - nu alpha eta lambda0^2/kappa`.
    pub fn consistent_modulus(&self, damping: f64) -> f64 {
        let rate = self.lambda0 * self.lambda0 / self.kappa(damping);
        1.0 - self.strong_convexity * self.consistent_step(damping) * rate
    }

    /// Returns the step alpha eta = `(1 - rho)/mu`, which does not depend on the conditioning; rho in (0, 1).
    pub fn repaired_step(&self, damping: f64) -> f64 {
        (1.0 - damping) / self.smoothness
    }

    /// e of the linearization at alpha.
    fn repaired_excess(&self, damping: f64, scaling: f64) -> f64 {
        self.jacobian_lipschitz * (1.0 - damping) * self.gradient_bound()
            / (self.smoothness * scaling * self.kappa(damping))
    }

    /// Returns the smallest alpha for [`Self::repaired_step`]: `max(4 L lambda0^-2 sqrt(2 Delta_0/nu),
    /// L (1-rho) sqrt(2 mu Delta_0) / (0.24 mu kappa))`.
    ///
    /// The error of linearization then takes at most half of the rate.
    pub fn repaired_scaling(&self, damping: f64) -> f64 {
        let linear = self.repaired_excess(damping, 1.0) / 0.24;
        linear.max(4.0 * self.never_exits_scaling())
    }

    /// Returns the factor by which a step of [`Self::repaired_step`] reduces the gap:
    /// `1 - (nu/mu)(1-rho)(lambda0^2/kappa)(1 - 2 e - e^2/4)` with `e = L (1-rho) sqrt(2 mu Delta_0) / (mu alpha kappa)`.
    ///
    /// It tends to `1 - nu/mu` for rho to 0 and alpha to infinity, whatever lambda0. It is `None` for `e >= 2 sqrt(5) - 4 =
    /// 0.472`, where no rate is left. At [`Self::repaired_scaling`] e is at most 0.24.
    ///
    /// # Source
    /// Theorem 2 of the paper, repaired; section 6 of `docs/learn/derivations.md` has the proof.
    pub fn repaired_modulus(&self, damping: f64, scaling: f64) -> Option<f64> {
        let rate = self.lambda0 * self.lambda0 / self.kappa(damping);
        let share = linearization_share(self.repaired_excess(damping, scaling));
        let modulus =
            1.0 - self.strong_convexity / self.smoothness * (1.0 - damping) * rate * share;
        (share > 0.0).then_some(modulus)
    }
}
