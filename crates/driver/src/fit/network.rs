//! The one-hidden-layer network as a model: standardized columns and a constant; it predicts scaled targets.

use gaussflow::network::{Activation, InitialPoint, Initialization, Network, NetworkError};

/// The network with output signs c on `inputs` (row-major n x d), a constant added to each.
pub fn model(inputs: &[f64], features: usize, signs: &[f64]) -> Result<Network, NetworkError> {
    let mut extended = Vec::with_capacity(inputs.len() + inputs.len() / features);
    for row in inputs.chunks_exact(features) {
        extended.extend_from_slice(row);
        extended.push(1.0);
    }
    Network::new(&extended, features + 1, signs, Activation::Tanh)
}

/// Signs and start of `hidden` units, drawn from `seed`.
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
