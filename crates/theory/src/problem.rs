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

/// `norm(. - y)^2/2`, with nu = mu = 1: the loss of papers that divide squares by two.
///
/// # Errors
/// [`gaussflow_objective::LossError`] for no targets, or some that are not finite.
pub fn half_squares(targets: Vec<f64>) -> Result<Arc<dyn Loss>, TheoryError> {
    let weights = vec![0.5; targets.len()];
    Ok(Arc::new(WeightedSquares::new(targets, weights)?))
}

/// `w -> g(alpha f(w))` but for alpha, with w_0.
///
/// The activation A is one of the library's unless a paper brings its own.
#[derive(Clone)]
pub struct Problem<A = Activation> {
    /// What the records call it.
    pub name: String,
    /// f, nullified at w_0 where the initialization is.
    pub network: Network<A>,
    /// g.
    pub loss: Arc<dyn Loss>,
    /// w_0, row-major m x d.
    pub initial: Vec<f64>,
}

impl Problem {
    /// A network of `kind` on `inputs` (row-major n x `features`) at `point`.
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

    /// The paper's section 2.1: nullified tanh network of `hidden` units, drawn from `seed`, squared loss.
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
    /// The objective at alpha = `scaling`.
    pub fn objective(&self, scaling: f64) -> Result<ProblemObjective<'_, A>, TheoryError> {
        Ok(Objective::new(&self.network, Arc::clone(&self.loss), scaling)?)
    }

    /// f*, where the loss is least.
    pub fn minimizer(&self) -> Vec<f64> {
        let mut minimizer = vec![0.0; self.outputs()];
        self.loss.minimizer(&mut minimizer);
        minimizer
    }

    /// Number of outputs n.
    pub fn outputs(&self) -> usize {
        self.network.outputs()
    }

    /// Number of parameters p.
    pub fn parameters(&self) -> usize {
        self.network.parameters()
    }

    /// The inputs by row, n x d.
    pub fn input_rows(&self) -> Vec<f64> {
        let (n, d) = (self.outputs(), self.network.features());
        (0..n * d).map(|e| self.network.inputs()[(e / d, e % d)]).collect()
    }

    /// A bound of the rounding error of `alpha f(w)`, a norm: `alpha eps (4 m sigma_0 sqrt(n) +
    /// Lip_f norm(w_0))`.
    ///
    /// Each of n outputs sums m terms of at most sigma_0, each off by a few units in the last place, and
    /// subtracts as much; and w itself is rounded. (m additions of random signs lose sqrt(m) units, the
    /// factor m is a bound.)
    ///
    /// Over several layers roundings are carried on: [`Network::rounding_error`] at w_0, twice for the offset.
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
