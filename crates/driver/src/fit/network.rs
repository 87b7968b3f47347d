//! The one-hidden-layer network as a model: standardized columns and a constant, minus scaled targets.

use gaussflow::network::{Activation, InitialPoint, Initialization, Network, NetworkError};
use gaussflow::objective::{MapError, Residuals, SmoothMap};

/// A map with targets subtracted: its residuals.
#[derive(Clone, Debug)]
pub struct NetworkModel {
    network: Network,
    targets: Vec<f64>,
}

impl NetworkModel {
    /// The network of `hidden` units with output signs c on `inputs` (row-major n x d), a constant added to each.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub fn new(
        inputs: &[f64],
        features: usize,
        signs: &[f64],
        targets: Vec<f64>,
    ) -> Result<Self, NetworkError> {
        let mut extended = Vec::with_capacity(inputs.len() + targets.len());
        for row in inputs.chunks_exact(features) {
            extended.extend_from_slice(row);
            extended.push(1.0);
        }
        let network = Network::new(&extended, features + 1, signs, Activation::Tanh)?;
        Ok(Self { network, targets })
    }

    /// Signs and start of `hidden` units, drawn from `seed`.
    ///
    /// # Errors
    /// [`NetworkError`] for no units.
    pub fn start(hidden: usize, features: usize, seed: u64) -> Result<InitialPoint, NetworkError> {
        let mut point = InitialPoint::draw(Initialization::Plain, hidden, features + 1, seed)?;
        // Pre-activations of variance about 1: tanh is neither linear nor saturated at the start.
        let scale = ((features + 1) as f64).sqrt().recip();
        point.weights.iter_mut().for_each(|w| *w *= scale);
        Ok(point)
    }

    /// Names of the weights: `w[unit][column]`.
    pub fn names(columns: &[String], hidden: usize) -> Vec<String> {
        let columns: Vec<&str> = columns.iter().map(String::as_str).chain(["constant"]).collect();
        (0..hidden).flat_map(|i| columns.iter().map(move |c| format!("w[{i}][{c}]"))).collect()
    }
}

impl Residuals for NetworkModel {
    fn parameters(&self) -> usize {
        self.network.parameters()
    }

    fn outputs(&self) -> usize {
        self.targets.len()
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.network.value(w, out)?;
        out.iter_mut().zip(&self.targets).for_each(|(o, y)| *o -= y);
        Ok(())
    }
}

impl SmoothMap for NetworkModel {
    type Jacobian = <Network as SmoothMap>::Jacobian;

    fn new_jacobian(&self) -> Self::Jacobian {
        self.network.new_jacobian()
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut Self::Jacobian,
    ) -> Result<(), MapError> {
        self.network.linearize(w, value, jacobian)?;
        value.iter_mut().zip(&self.targets).for_each(|(o, y)| *o -= y);
        Ok(())
    }
}
