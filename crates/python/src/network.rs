//! Networks drawn from a seed.

use gaussflow::network::{
    Activation, Architecture, InitialPoint, Initialization, Layer, Network, Scale,
};
use numpy::{PyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::arrays::vector;
use crate::failure::{require_memory, value_error, without_panic};
use crate::map::Map;
use crate::threads::on_threads;

/// What a network is made of, as Python says it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Built {
    widths: Vec<usize>,
    activation: String,
    bias: bool,
    scaled: bool,
    trained_output: bool,
    outputs: usize,
    initialization: String,
    seed: u64,
}

/// A network drawn from a seed.
struct Drawn {
    network: Network,
    start: InitialPoint,
}

/// A network, its initial weights (p) and its output weights.
type WithStart<'py> = (Map, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

/// Draws a network on `inputs` (rows x features): the map, its initial weights (p) and its output weights.
#[pyfunction]
pub(crate) fn draw<'py>(
    py: Python<'py>,
    inputs: PyReadonlyArray2<'py, f64>,
    built: Built,
) -> PyResult<WithStart<'py>> {
    let (rows, features) = (inputs.shape()[0], inputs.shape()[1]);
    let activation: Activation = built.activation.parse().map_err(value_error)?;
    let kind: Initialization = built.initialization.parse().map_err(value_error)?;
    let (mut before, mut weights, mut units) = (features, 0_usize, 0_usize);
    for &width in &built.widths {
        weights = weights.saturating_add(before.saturating_add(1).saturating_mul(width));
        units = units.saturating_add(width);
        before = width;
    }
    // Drawn and handed over; values and slopes.
    require_memory("the network's weights", &[3, weights])?;
    require_memory("the values of its units", &[3, rows, units, built.outputs])?;
    let inputs = inputs.as_slice()?;
    let drawn = py.detach(|| {
        without_panic(|| {
            on_threads(|| {
                let layer = |&width: &usize| Layer {
                    width,
                    bias: built.bias,
                    scale: if built.scaled { Scale::InverseRootWidth } else { Scale::Unit },
                    activation,
                };
                let layers = built.widths.iter().map(layer).collect();
                let mut architecture = Architecture::new(layers).with_outputs(built.outputs);
                if built.trained_output {
                    architecture = architecture.with_trained_output();
                }
                let start = InitialPoint::draw_for(&architecture, kind, features, built.seed)?;
                let network =
                    Network::with_architecture(inputs, features, architecture, &start.signs)?;
                Ok(Drawn { network: network.started_as(kind, &start.weights)?, start })
            })
        })
    })?;
    let Drawn { network, start } =
        drawn.map_err(|error: gaussflow::network::NetworkError| value_error(error))?;
    Ok((Map::of_network(network), vector(py, start.weights), vector(py, start.signs)))
}
