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

/// Says how far a constant can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// It was computed to rounding from its definition.
    Exact,
    /// It is an upper bound with a proof.
    ProvenUpper,
    /// It is a lower bound with a proof, found by search; the true value may be larger.
    SearchedLower,
    /// It follows from others by a formula of the paper.
    Printed,
    /// It follows from others by a corrected formula.
    Corrected,
}

impl Provenance {
    /// Returns the same in words.
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

/// Holds a constant with its name and provenance.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// The symbol and its meaning.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// How far the value can be trusted.
    pub provenance: Provenance,
}

/// Holds the constants of a network problem at its initial weights w_0, with upper and lower bounds where no exact value is
/// known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkConstants {
    /// The number of outputs n.
    pub outputs: usize,
    /// The number of parameters p.
    pub parameters: usize,
    /// The width m of the last hidden layer.
    pub hidden: usize,
    /// The radius of the ball around w_0 in which L and Lip_f hold: infinite for one hidden layer; for deep networks `2
    /// lambda0 / L`, which contains all balls of the theorems.
    pub radius: f64,
    /// lambda0, half the smallest singular value of J_0, exact to rounding.
    pub lambda0: f64,
    /// lambda_n, half the largest singular value of J_0, exact to rounding.
    pub lambda_n: f64,
    /// A proven upper bound of the Lipschitz constant L of the Jacobian.
    pub jacobian_lipschitz: f64,
    /// A proven lower bound of L, found by search.
    pub jacobian_lipschitz_lower: f64,
    /// A loose proven upper bound of L, from the norms of rows.
    pub jacobian_lipschitz_loose: f64,
    /// A loose proven upper bound of the Lipschitz constant of f, `sigma_1 sqrt(m sum norm(x_j)^2)` as in the paper.
    pub lipschitz_printed: f64,
    /// A proven upper bound of it, `sigma_1 sqrt(m) sigma_max(X)`.
    pub lipschitz: f64,
    /// The supremum sigma_2 of abs(sigma'').
    pub second_bound: f64,
    /// The constant nu of strong convexity of the loss.
    pub strong_convexity: f64,
    /// The smoothness constant mu of the loss.
    pub smoothness: f64,
    /// The initial gap Delta_0, `g(alpha f(w_0)) - g*`; for a nullified network it is `g(0) - g*` for every alpha.
    pub initial_gap: f64,
}

impl NetworkConstants {
    /// Measures the constants of `problem` at alpha = 1; for a nullified network they do not depend on alpha.
    pub fn measure<A: ActivationFunction>(problem: &Problem<A>) -> Result<Self, TheoryError> {
        let start = Local::measure(problem, 1.0, &problem.initial)?;
        Ok(Self::at_start(problem, &start))
    }

    /// Computes the constants from what was measured at w_0.
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

    /// Returns a lower bound of r_0 = lambda0 / L, the radius within which section 3 of the paper bounds the kernel from
    /// below.
    pub fn kernel_radius(&self) -> f64 {
        self.lambda0 / self.jacobian_lipschitz
    }

    /// Returns a lower bound of the radius `2 lambda0 r / L` of the ball B, for r = `fraction`.
    pub fn ball_radius(&self, fraction: f64) -> f64 {
        2.0 * self.lambda0 * fraction / self.jacobian_lipschitz
    }

    /// Returns `sqrt(2 mu Delta_0)`, an upper bound of `norm(grad g)` wherever the loss is at most its initial value.
    pub fn gradient_bound(&self) -> f64 {
        (2.0 * self.smoothness * self.initial_gap).sqrt()
    }

    /// Returns the largest damping that Theorems 1 and 2 admit, `lambda_n^2 / (1 + lambda_n^2)`.
    pub fn largest_damping(&self) -> f64 {
        let square = self.lambda_n * self.lambda_n;
        square / (1.0 + square)
    }

    /// Lists every constant with its provenance; `damping` is the rho in the thresholds of section 3, and `fraction` the r in
    /// those of section 4.
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
