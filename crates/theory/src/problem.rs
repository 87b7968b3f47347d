//! A network on data with a loss and its initial weights, for every scaling alpha: what is audited.

use std::sync::Arc;

use gaussflow_network::{Activation, ActivationFunction, InitialPoint, Initialization, Network};
use gaussflow_objective::{
    LipschitzConstants, Loss, Objective, Residuals, Squared, WeightedSquares,
};
use gaussflow_solvers::norm;

use crate::TheoryError;

/// The objective of a [`Problem`] at one alpha.
pub type ProblemObjective<'a, A = Activation> = Objective<&'a Network<A>, Arc<dyn Loss>>;

/// Creates the loss `norm(psi - y)^2/2` (nu = mu = 1) of papers that divide squares by two.
///
/// # Errors
/// [`gaussflow_objective::LossError`] for targets that are not finite, or none.
pub fn half_squares(targets: Vec<f64>) -> Result<Arc<dyn Loss>, TheoryError> {
    let weights = vec![0.5; targets.len()];
    Ok(Arc::new(WeightedSquares::new(targets, weights)?))
}

/// Describes a problem of the audit: a network, a loss and initial weights w_0, for any alpha.
///
/// The activation A is one of the library's, unless a paper brings its own.
#[derive(Clone)]
pub struct Problem<A = Activation> {
    /// The name by which records refer to it.
    pub name: String,
    /// The network f, nullified at w_0 where the initialization asks for it.
    pub network: Network<A>,
    /// The loss g.
    pub loss: Arc<dyn Loss>,
    /// The initial weights w_0 (length p), in the order of the parameter vector of [`Network`].
    pub initial: Vec<f64>,
}

impl Problem {
    /// Creates the problem of a one-layer network with the initialization `kind` on `inputs` (row-major n x `features`), at
    /// `point`.
    pub fn new(
        name: &str,
        (inputs, features): (&[f64], usize),
        kind: Initialization,
        point: &InitialPoint,
        activation: Activation,
        loss: Arc<dyn Loss>,
    ) -> Result<Self, TheoryError> {
        let network = Network::from_initial_point(kind, inputs, features, point, activation)?;
        Ok(Self { name: name.to_owned(), network, loss, initial: point.weights.clone() })
    }

    /// Creates the problem of section 2.1 of the paper: a nullified tanh network of `hidden` units, drawn from `seed`, with
    /// squared loss.
    pub fn regression(
        name: &str,
        (inputs, features): (&[f64], usize),
        targets: &[f64],
        hidden: usize,
        seed: u64,
    ) -> Result<Self, TheoryError> {
        let kind = Initialization::Nullified;
        let point = InitialPoint::draw(kind, hidden, features, seed)?;
        let loss = Arc::new(Squared::new(targets.to_vec())?);
        Self::new(name, (inputs, features), kind, &point, Activation::Tanh, loss)
    }
}

impl<A: ActivationFunction> Problem<A> {
    /// Returns the objective `w -> g(alpha f(w))` at alpha = `scaling`.
    pub fn objective(&self, scaling: f64) -> Result<ProblemObjective<'_, A>, TheoryError> {
        Ok(Objective::new(&self.network, Arc::clone(&self.loss), scaling)?)
    }

    /// Returns f*, the outputs (length n) at which the loss is least.
    pub fn minimizer(&self) -> Vec<f64> {
        let mut minimizer = vec![0.0; self.outputs()];
        self.loss.minimizer(&mut minimizer);
        minimizer
    }

    /// Returns the number of outputs n.
    pub fn outputs(&self) -> usize {
        self.network.outputs()
    }

    /// Returns the number of parameters p.
    pub fn parameters(&self) -> usize {
        self.network.parameters()
    }

    /// Returns the inputs, row-major n x d.
    pub fn input_rows(&self) -> Vec<f64> {
        let (n, d) = (self.outputs(), self.network.features());
        (0..n * d).map(|e| self.network.inputs()[(e / d, e % d)]).collect()
    }

    /// Returns a bound of the norm of the rounding error of `alpha f(w)`: `alpha eps (4 m sigma_0 sqrt(n) + Lip_f norm(w_0))`
    /// for one hidden layer, eps = 2.2e-16.
    ///
    /// Each of n outputs sums m terms of at most sigma_0, each off by a few units in the last place, and subtracts as much;
    /// and w itself is rounded. (m additions of random signs lose about sqrt(m) units; the factor m is a bound.) For an
    /// unbounded activation, `Lip_f norm(w_0)` takes the place of `sigma_0 sqrt(n)`. For several layers the bound is twice
    /// [`Network::rounding_error`] at w_0 times alpha.
    pub fn output_rounding(&self, scaling: f64) -> f64 {
        if self.network.one_layer().is_none() {
            return 2.0 * scaling * self.network.rounding_error(&self.initial);
        }
        let (last, n) = (self.network.last_layer(), self.outputs() as f64);
        let (m, value) = (last.width as f64, last.activation.bounds().value);
        let of_weights = self.network.lipschitz() * norm(&self.initial);
        // An unbounded activation that is 0 at 0 is as large as its slope lets it be.
        let of_units = if value.is_finite() { value * n.sqrt() } else { of_weights };
        scaling * f64::EPSILON * (4.0 * m * of_units + of_weights)
    }
}
