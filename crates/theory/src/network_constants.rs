//! Every constant of the theorems on one problem, and for each whether it is proven or estimated.
//!
//! `lambda0^2 = lambda_min / 4` of K_0 (p >= n, Assumption 1) or H_0 (p < n, Assumption 2),
//! `lambda_n^2 = norm(K_0) / 4`, `r_0 = lambda0 / L`, `Lip_g = sqrt(2 mu Delta_0)` on {g <= g(0)}.

use gaussflow_network::ActivationFunction;
use gaussflow_objective::LipschitzConstants;

use crate::TheoryError;
use crate::lipschitz_search::{
    jacobian_lipschitz_loose, jacobian_lipschitz_lower, jacobian_lipschitz_lower_within,
};
use crate::local::Local;
use crate::problem::Problem;

/// The radius R with `R L(R) = 2 lambda0`, L(R) the Lipschitz constant on the ball of radius R around `center`: every ball
/// `2 lambda0 r / L(R)` with r below 1 lies within. Infinite where L does not depend on R.
fn own_radius(map: &impl LipschitzConstants, center: &[f64], lambda0: f64) -> f64 {
    if map.jacobian_lipschitz().is_finite() {
        return f64::INFINITY;
    }
    let product = |radius: f64| radius * map.jacobian_lipschitz_within(center, radius);
    // L at the centre bounds the radius from above; L grows with it.
    let (mut low, mut high) = (0.0, 2.0 * lambda0 / map.jacobian_lipschitz_within(center, 0.0));
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if product(middle) <= 2.0 * lambda0 { low = middle } else { high = middle }
    }
    // From below, so that the ball of L(R) is not larger than R.
    low
}

/// Halvings of the interval of that radius: nine digits.
const HALVINGS: usize = 30;

/// How far a number can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Computed to rounding from its definition.
    Exact,
    /// An upper bound with a proof.
    ProvenUpper,
    /// A lower bound with a proof, found by search: the true value may be larger.
    SearchedLower,
    /// Follows from others by a formula of the paper.
    Printed,
    /// Follows from others by a corrected formula.
    Corrected,
}

impl Provenance {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact to rounding",
            Self::ProvenUpper => "proven upper bound",
            Self::SearchedLower => "proven lower bound, by search",
            Self::Printed => "printed formula",
            Self::Corrected => "corrected formula",
        }
    }
}

/// A constant with its name and provenance.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// Symbol and meaning.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// How far it can be trusted.
    pub provenance: Provenance,
}

/// The constants of a problem at w_0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkConstants {
    /// n.
    pub outputs: usize,
    /// p.
    pub parameters: usize,
    /// m, of the last layer.
    pub hidden: usize,
    /// Radius of the ball around w_0 in which L and Lip_f hold: infinite for one hidden layer, and for deep networks
    /// the `2 lambda0 / L` that all balls of the theorems lie in.
    pub radius: f64,
    /// lambda0: half the smallest singular value of J_0, exact to rounding.
    pub lambda0: f64,
    /// lambda_n: half the largest, exact to rounding.
    pub lambda_n: f64,
    /// L from above: proven.
    pub jacobian_lipschitz: f64,
    /// L from below, by search: proven.
    pub jacobian_lipschitz_lower: f64,
    /// L from above by norms of rows alone: proven, loose.
    pub jacobian_lipschitz_loose: f64,
    /// Lip_f as printed, `sigma_1 sqrt(m sum norm(x_j)^2)`: proven, loose.
    pub lipschitz_printed: f64,
    /// Lip_f, `sigma_1 sqrt(m) sigma_max(X)`: proven.
    pub lipschitz: f64,
    /// sigma_2.
    pub second_bound: f64,
    /// nu.
    pub strong_convexity: f64,
    /// mu.
    pub smoothness: f64,
    /// `g(alpha f(w_0)) - g*`; for a nullified network `g(0) - g*`, whatever alpha.
    pub initial_gap: f64,
}

impl NetworkConstants {
    /// Measures the constants of `problem`, its gap at alpha = 1 (which does not matter for a nullified
    /// network).
    pub fn measure<A: ActivationFunction>(problem: &Problem<A>) -> Result<Self, TheoryError> {
        let start = Local::measure(problem, 1.0, &problem.initial)?;
        Ok(Self::at_start(problem, &start))
    }

    /// The same from what was measured at w_0.
    pub fn at_start<A: ActivationFunction>(problem: &Problem<A>, start: &Local) -> Self {
        let network = &problem.network;
        let bounds = network.last_layer().activation.bounds();
        let squares: f64 = problem.input_rows().iter().map(|x| x * x).sum();
        let lambda0 = 0.5 * start.smallest().max(0.0).sqrt();
        let radius = own_radius(network, &problem.initial, lambda0);
        let is_deep = radius.is_finite();
        let jacobian_lipschitz = network.jacobian_lipschitz_within(&problem.initial, radius);
        let lipschitz = network.lipschitz_within(&problem.initial, radius);
        Self {
            outputs: problem.outputs(),
            parameters: problem.parameters(),
            hidden: network.last_layer().width,
            radius,
            lambda0,
            lambda_n: 0.5 * start.largest().sqrt(),
            jacobian_lipschitz,
            jacobian_lipschitz_lower: if is_deep {
                jacobian_lipschitz_lower_within(network, &problem.initial, radius)
            } else {
                jacobian_lipschitz_lower(network)
            },
            jacobian_lipschitz_loose: jacobian_lipschitz_loose(network),
            lipschitz_printed: bounds.first * (network.last_layer().width as f64 * squares).sqrt(),
            lipschitz,
            second_bound: bounds.second,
            strong_convexity: problem.loss.strong_convexity(),
            smoothness: problem.loss.smoothness(),
            initial_gap: start.loss - problem.loss.minimum(),
        }
    }

    /// r_0 = lambda0 / L, from below: the radius in which section 3 keeps the kernel.
    pub fn kernel_radius(&self) -> f64 {
        self.lambda0 / self.jacobian_lipschitz
    }

    /// The radius `2 lambda0 r / L` of B, from below.
    pub fn ball_radius(&self, fraction: f64) -> f64 {
        2.0 * self.lambda0 * fraction / self.jacobian_lipschitz
    }

    /// `sqrt(2 mu Delta_0)`, what `norm(grad g)` is bounded by on {g <= g(0)}.
    pub fn gradient_bound(&self) -> f64 {
        (2.0 * self.smoothness * self.initial_gap).sqrt()
    }

    /// The largest damping that Theorems 1 and 2 admit, `lambda_n^2 / (1 + lambda_n^2)`.
    pub fn largest_damping(&self) -> f64 {
        let square = self.lambda_n * self.lambda_n;
        square / (1.0 + square)
    }

    /// Every constant with its provenance; `damping` is the rho of section 3's thresholds, `fraction`
    /// the r of section 4's.
    pub fn table(&self, damping: f64, fraction: f64) -> Vec<Constant> {
        use Provenance::{Corrected, Exact, Printed, ProvenUpper, SearchedLower};
        let row =
            |name: &str, value, provenance| Constant { name: name.to_owned(), value, provenance };
        let mut table = vec![
            row("λ₀, half the smallest singular value of J₀", self.lambda0, Exact),
            row("λₙ, half the largest singular value of J₀", self.lambda_n, Exact),
            row("L, of w ↦ Df(w)", self.jacobian_lipschitz, ProvenUpper),
            row("L", self.jacobian_lipschitz_lower, SearchedLower),
        ];
        if self.radius.is_finite() {
            table.extend([
                row("radius 2λ₀/L of the ball in which L and Lip_f hold", self.radius, Exact),
                row("Lip_f", self.lipschitz, ProvenUpper),
            ]);
        } else {
            table.extend([
                row("L from the norms of the rows", self.jacobian_lipschitz_loose, ProvenUpper),
                row("Lip_f as printed", self.lipschitz_printed, ProvenUpper),
                row("Lip_f, σ₁ √m σₘₐₓ(X)", self.lipschitz, ProvenUpper),
            ]);
        }
        table.extend([
            row("ν", self.strong_convexity, Exact),
            row("μ", self.smoothness, Exact),
            row("Δ₀ over Rⁿ", self.initial_gap, Exact),
            row("Lip_g on {g ≤ g(0)}, √(2 μ Δ₀)", self.gradient_bound(), ProvenUpper),
        ]);
        if self.parameters >= self.outputs {
            let named = |text: &str| format!("{text}, ρ = {damping}");
            table.extend([
                row("r₀ = λ₀/L", self.kernel_radius(), Printed),
                row(&named("α of Lemma 2 as stated"), self.lemma_2_scaling(damping), Printed),
                row(&named("α of (12)"), self.theorem_1_scaling(damping), Printed),
                row(&named("α of Lemma 2"), self.never_exits_scaling(), Corrected),
            ]);
            // Theorem 2's own constants are those of one hidden layer.
            if self.radius.is_infinite() {
                table.extend([
                    row(&named("α of Theorem 2"), self.theorem_2_scaling(damping), Printed),
                    row(&named("αη of Theorem 2"), self.theorem_2_step(damping), Printed),
                    row(&named("αη of the appendix"), self.appendix_step(damping), Printed),
                    row(&named("αη of Theorem 2"), self.consistent_step(damping), Corrected),
                    row(&named("αη, conditioning-free"), self.repaired_step(damping), Corrected),
                ]);
            }
        } else {
            let named = |text: &str| format!("{text}, r = {fraction}");
            table.extend([
                row(&named("radius of B"), self.ball_radius(fraction), Printed),
                row(&named("α of Theorem 5"), self.theorem_5_scaling(fraction), Printed),
            ]);
        }
        table
    }
}
