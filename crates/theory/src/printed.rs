//! Thresholds and rates as the paper states them, for the audit; [`corrected`](crate::corrected) has what holds instead.

use crate::network_constants::NetworkConstants;

/// Computes `lambda0^2 / (rho + (1 - rho) lambda0^2)`, the coefficient in (EDI) and (5) of the paper.
pub fn dissipation_rate(lambda0: f64, damping: f64) -> f64 {
    let square = lambda0 * lambda0;
    square / (damping + (1.0 - damping) * square)
}

/// Computes the right side of (10) over `norm(grad g)^2`, `(1-rho)^-2 lambda_n^2 / (lambda_n^2 + rho0)^2` with rho0 =
/// rho/(1-rho).
pub fn squared_inverse_bound(lambda_n: f64, damping: f64) -> f64 {
    let square = lambda_n * lambda_n;
    let sum = (1.0 - damping) * square + damping;
    square / (sum * sum)
}

/// `(1-rho) lambda^2 + rho`.
fn damped(lambda: f64, damping: f64) -> f64 {
    (1.0 - damping) * lambda * lambda + damping
}

impl NetworkConstants {
    /// `((1-rho) lambda0^2 + rho) / ((1-rho) lambda_n^2 + rho)`, in many thresholds.
    fn damped_quotient(&self, damping: f64) -> f64 {
        damped(self.lambda0, damping) / damped(self.lambda_n, damping)
    }

    /// Returns the threshold of alpha of Lemma 2 as the paper states it, which lacks the factor L:
    /// `mu sqrt(2 Delta_0) nu^(-3/2) lambda_n lambda0^-3 (lambda0^2 + rho0) / (lambda_n^2 + rho0)`.
    pub fn lemma_2_scaling(&self, damping: f64) -> f64 {
        self.smoothness * (2.0 * self.initial_gap).sqrt() / self.strong_convexity.powf(1.5)
            * self.lambda_n
            / self.lambda0.powi(3)
            * self.damped_quotient(damping)
    }

    /// Returns the threshold of alpha of Theorem 1, (12): L times [`Self::lemma_2_scaling`].
    pub fn theorem_1_scaling(&self, damping: f64) -> f64 {
        self.jacobian_lipschitz * self.lemma_2_scaling(damping)
    }

    /// Returns the threshold of alpha of Theorem 2: the larger of `m^(-1/2)` times (12) and
    /// `sigma_2 sqrt(n) Lip_g / (mu Lip_f^2 sqrt(m))`, with Lip_g the bound of `norm(grad g)` on the initial sublevel set.
    pub fn theorem_2_scaling(&self, damping: f64) -> f64 {
        let width = (self.hidden as f64).sqrt();
        let second = self.second_bound * (self.outputs as f64).sqrt() * self.gradient_bound()
            / (self.smoothness * self.lipschitz_printed * self.lipschitz_printed * width);
        (self.theorem_1_scaling(damping) / width).max(second)
    }

    /// Returns the step alpha eta of Theorem 2 as the paper states it:
    /// `m^(-1/2) (lambda0^2/lambda_n^2) Lip_f^-2 ((1-rho) lambda_n^2 + rho)^2 / ((1-rho) lambda0^2 + rho)`.
    pub fn theorem_2_step(&self, damping: f64) -> f64 {
        2.0 * self.smoothness / (self.hidden as f64).sqrt() * self.appendix_step(damping)
    }

    /// Returns the step alpha eta of the paper's appendix, below (30): the same with `1/(2 mu)` in place of `m^(-1/2)`.
    pub fn appendix_step(&self, damping: f64) -> f64 {
        let quotient = self.lambda0 / self.lambda_n;
        let wide = damped(self.lambda_n, damping);
        quotient * quotient * wide * wide
            / (2.0
                * self.smoothness
                * self.lipschitz_printed
                * self.lipschitz_printed
                * damped(self.lambda0, damping))
    }

    /// Returns the factor by which a step of Theorem 2 reduces the gap, (14):
    /// `1 - (nu/mu) lambda0^4 / (lambda_n^2 Lip_f^2) [((1-rho)lambda_n^2+rho) / ((1-rho)lambda0^2+rho)]^2`.
    pub fn theorem_2_modulus(&self, damping: f64) -> f64 {
        let quotient = self.damped_quotient(damping);
        let tight = self.lambda0 * self.lambda0 / (self.lambda_n * self.lipschitz_printed);
        1.0 - self.strong_convexity / self.smoothness * (tight / quotient).powi(2)
    }

    /// Returns the limit that the paper gives for the factor (14) as rho tends to 0, `1 - (nu/mu) lambda_n^2 / Lip_f^2`.
    pub fn small_damping_modulus(&self) -> f64 {
        let quotient = self.lambda_n / self.lipschitz_printed;
        1.0 - self.strong_convexity / self.smoothness * quotient * quotient
    }

    /// Returns the threshold of alpha of Theorem 5 for a gap `gap` and r = `fraction`:
    /// `mu L sqrt(gap) / (2 sqrt(2) r (1-r) nu^(3/2) lambda0^2)`.
    ///
    /// The paper's gap is that over the manifold, which depends on alpha. The gap over all outputs, and g(0), are at least as
    /// large and give safe thresholds.
    pub fn theorem_5_scaling_for(&self, fraction: f64, gap: f64) -> f64 {
        self.smoothness * self.jacobian_lipschitz * gap.sqrt()
            / (8_f64.sqrt()
                * fraction
                * (1.0 - fraction)
                * self.strong_convexity.powf(1.5)
                * self.lambda0
                * self.lambda0)
    }

    /// Returns [`Self::theorem_5_scaling_for`] the gap over all outputs.
    pub fn theorem_5_scaling(&self, fraction: f64) -> f64 {
        self.theorem_5_scaling_for(fraction, self.initial_gap)
    }

    /// Returns the guideline for alpha of Remark 5, `L mu sqrt(gap) / (lambda0^2 sqrt(2 nu^3))`, with the gap over all
    /// outputs.
    pub fn guideline_scaling(&self) -> f64 {
        self.jacobian_lipschitz * self.smoothness * self.initial_gap.sqrt()
            / (self.lambda0 * self.lambda0 * (2.0 * self.strong_convexity.powi(3)).sqrt())
    }
}
