//! A network `phi(x; w) = c . h_L` on n fixed rows: `z_l = W_l h_(l-1) + b_l`, `h_l = s_l sigma_l(z_l)`, `h_0 = x`.
//!
//! Of several outputs, `phi = C h_L` with o rows C: f has n o numbers, those of a row of inputs one after the other.
//! `f(w) = phi(w) - phi(w_init)` when nullified. With `Delta_l = d phi / d z_l`, one row an input row, the Jacobian
//! is the row of pieces `Delta_l (.) [H_(l-1) 1]`, and `1 (.) H_L` where c is trained. The paper's network (section
//! 2.1) is one hidden layer without bias, factor or trained c: `phi = sum_i c_i sigma(x . w^(i))`.

use gaussflow_objective::{MapError, Residuals, SecondOrderMap, SmoothMap, require_length};
use gaussflow_solvers::RowBlocks;
use rayon::prelude::*;

use crate::activation::{Activation, ActivationFunction};
use crate::architecture::{Architecture, Layer, OutputWeights, Place};
use crate::blocks::{ROW_BLOCK, blocks_of, write_inputs};
use crate::jacobian::NetworkJacobian;
use crate::{InitialPoint, NetworkError};

/// Represents a network on fixed inputs, as a map from its p weights to its n outputs, with first and second derivatives.
///
/// The paper's network has one hidden layer: `phi(w)_j = sum_i c_i sigma(x_j . w^(i))`. The parameter vector holds layer
/// after layer, each `[m_l][m_(l-1)]` row-major with the bias of a unit after its other weights, and at the end c where it is
/// trained. In the paper's network, entry `i d + k` is the weight of feature k in unit i. With o outputs per row, the o
/// outputs of a row stand one after the other.
///
/// # Cost
/// A value, `J v` and `J^T u` take `O(n sum_l m_l m_(l-1))` operations each; J is never formed.
///
/// # Source
/// Section 2.1 of the paper.
///
/// # Examples
/// ```
/// use gaussflow_network::{Activation, InitialPoint, Initialization, Network};
/// use gaussflow_objective::Residuals;
///
/// let inputs = [0.5, -1.0, 2.0, 0.3, 1.0, 1.0]; // three rows, two features
/// let point = InitialPoint::draw(Initialization::Nullified, 4, 2, 0)?;
/// let network = Network::new(&inputs, 2, &point.signs, Activation::Tanh)?
///     .nullified_at(&point.weights)?;
/// let mut output = [f64::NAN; 3];
/// network.value(&point.weights, &mut output)?;
/// assert_eq!(output, [0.0; 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Two hidden layers with biases, and trained output weights:
/// ```
/// use gaussflow_network::{
///     Activation, Architecture, InitialPoint, Initialization, Layer, Network, Scale,
/// };
/// use gaussflow_objective::Residuals;
///
/// let inputs = [0.5, -1.0, 2.0, 0.3, 1.0, 1.0]; // three rows, two features
/// let layer = |width| Layer::new(width, Activation::Tanh).with_bias();
/// let first = layer(16).scaled(Scale::InverseRootWidth);
/// let architecture = Architecture::new(vec![first, layer(8)]).with_trained_output();
/// let point = InitialPoint::draw_for(&architecture, Initialization::Plain, 2, 0)?;
/// let network = Network::with_architecture(&inputs, 2, architecture, &point.signs)?;
/// assert_eq!(network.parameters(), 16 * 3 + 8 * 17 + 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Network<A = Activation> {
    /// X, with a column of ones where the first layer has biases, each row once for each output.
    inputs: RowBlocks,
    features: usize,
    architecture: Architecture<A>,
    /// c where it is fixed, and where the trained c starts; C row-major.
    signs: Vec<f64>,
    /// What the units of a layer are multiplied by: s_l, or `s_L c` in the last layer of one output with fixed c.
    factors: Vec<Vec<f64>>,
    /// `s_L C` of several fixed outputs: for each row of f, the row of its output (n o x m_L).
    row_factors: Option<RowBlocks>,
    /// Where the weights stand.
    places: Vec<Place>,
    /// `phi(w_init)` when nullified, else zero.
    offset: Vec<f64>,
}

impl<A: ActivationFunction> Network<A> {
    /// Creates the paper's network phi on `inputs` (row-major n x `features`) with the output signs c (length m).
    ///
    /// # Errors
    /// [`NetworkError`] on empty or ragged shapes, or entries that are not finite.
    pub fn new(
        inputs: &[f64],
        features: usize,
        signs: &[f64],
        activation: A,
    ) -> Result<Self, NetworkError> {
        let architecture = Architecture::one_layer(signs.len(), activation);
        Self::with_architecture(inputs, features, architecture, signs)
    }

    /// Creates the network phi of an architecture on `inputs` (row-major n x `features`).
    ///
    /// `signs` are the weights c of the output (one per unit of the last layer; for several outputs C, row-major); where they
    /// are trained, they are their initial values.
    ///
    /// # Errors
    /// [`NetworkError`] on empty or ragged shapes, another number of signs, or entries that are not finite.
    pub fn with_architecture(
        inputs: &[f64],
        features: usize,
        architecture: Architecture<A>,
        signs: &[f64],
    ) -> Result<Self, NetworkError> {
        let rows = inputs.len().checked_div(features).unwrap_or(0);
        architecture.require_shapes(rows, features)?;
        if !inputs.len().is_multiple_of(features) {
            return Err(NetworkError::RaggedInputs { entries: inputs.len(), features });
        }
        require_finite("the inputs", inputs)?;
        require_finite("the output signs", signs)?;
        let layers = &architecture.layers;
        let mut factors: Vec<Vec<f64>> =
            layers.iter().map(|layer| vec![layer.scale.factor(layer.width); layer.width]).collect();
        let (mut row_factors, o) = (None, architecture.outputs);
        if let Some(last) = factors.last_mut() {
            if signs.len() != last.len() * o {
                let (expected, found) = (last.len() * o, signs.len());
                return Err(NetworkError::SignCount { expected, found });
            }
            match architecture.output {
                OutputWeights::Signs if o == 1 => {
                    last.iter_mut().zip(signs).for_each(|(s, c)| *s *= c);
                }
                OutputWeights::Signs => {
                    let mut found = RowBlocks::zeros(rows * o, last.len());
                    let entries = (0..rows * o).flat_map(|j| (0..last.len()).map(move |i| (j, i)));
                    entries
                        .for_each(|(j, i)| found[(j, i)] = last[i] * signs[j % o * last.len() + i]);
                    row_factors = Some(found);
                }
                OutputWeights::Trained => {}
            }
        }
        Ok(Self {
            inputs: blocks_of(inputs, features, layers[0].bias, o),
            features,
            places: architecture.places(features),
            architecture,
            signs: signs.to_vec(),
            factors,
            row_factors,
            offset: vec![0.0; rows * o],
        })
    }

    /// Subtracts `phi(weights)` from the outputs, so that f(weights) = 0 (`weights` of length p).
    ///
    /// # Errors
    /// [`NetworkError`] on another number of weights, or entries that are not finite.
    ///
    /// # Source
    /// Remark 1 of the paper.
    pub fn nullified_at(mut self, weights: &[f64]) -> Result<Self, NetworkError> {
        self.require_weights(weights)?;
        let mut offset = vec![0.0; self.inputs.rows()];
        self.offset.fill(0.0);
        self.evaluate(weights, &mut offset);
        self.offset = offset;
        Ok(self)
    }

    /// Refuses another number of weights than p, or weights that are not finite.
    pub(crate) fn require_weights(&self, weights: &[f64]) -> Result<(), NetworkError> {
        let expected = self.parameters();
        if weights.len() != expected {
            let (found, features) = (weights.len(), self.features);
            let hidden = self.hidden_widths().collect();
            return Err(NetworkError::WeightCount { expected, found, hidden, features });
        }
        require_finite("the weights", weights)
    }

    /// Creates the paper's network with the initialization `kind`: nullified at the weights of `point`, or plain phi.
    ///
    /// # Errors
    /// As [`Self::new`] and [`Self::nullified_at`].
    pub fn from_initial_point(
        kind: crate::Initialization,
        inputs: &[f64],
        features: usize,
        point: &InitialPoint,
        activation: A,
    ) -> Result<Self, NetworkError> {
        Self::new(inputs, features, &point.signs, activation)?.started_as(kind, &point.weights)
    }

    /// Applies the initialization `kind`: nullifies the network at the drawn `weights`, or leaves it as it is.
    ///
    /// # Errors
    /// As [`Self::nullified_at`].
    pub fn started_as(
        self,
        kind: crate::Initialization,
        weights: &[f64],
    ) -> Result<Self, NetworkError> {
        match kind {
            crate::Initialization::Nullified => self.nullified_at(weights),
            // phi is already 0 at an antisymmetric point, up to rounding.
            crate::Initialization::Antisymmetric | crate::Initialization::Plain => Ok(self),
        }
    }

    /// Returns the architecture.
    pub fn architecture(&self) -> &Architecture<A> {
        &self.architecture
    }

    /// The hidden layers.
    pub(crate) fn layers(&self) -> &[Layer<A>] {
        &self.architecture.layers
    }

    /// Returns the last hidden layer.
    pub fn last_layer(&self) -> &Layer<A> {
        // There is at least one.
        &self.architecture.layers[self.architecture.layers.len() - 1]
    }

    /// Removes the offset of [`Self::nullified_at`], which leaves phi.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.offset.fill(0.0);
        self
    }

    /// Returns the widths of the hidden layers.
    pub fn hidden_widths(&self) -> impl Iterator<Item = usize> {
        self.layers().iter().map(|layer| layer.width)
    }

    /// Returns the number of outputs o for each row of inputs.
    pub fn outputs_of_a_row(&self) -> usize {
        self.architecture.outputs
    }

    /// Returns the weights c of the output, or C row-major; where they are trained, their initial values.
    pub fn signs(&self) -> &[f64] {
        &self.signs
    }

    /// Returns the number of features d.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Returns the inputs X (n x d), with a column of ones where the first layer has biases, and each row once for each
    /// output.
    pub fn inputs(&self) -> &RowBlocks {
        &self.inputs
    }

    /// Replaces the inputs by as many others (row-major, one row for all outputs of it).
    pub(crate) fn replace_inputs(&mut self, inputs: &[f64]) {
        write_inputs(&mut self.inputs, inputs, self.features, self.architecture.outputs);
    }

    /// Replaces the offset by as much of `offset` as there are outputs, and what is missing by zeros.
    pub(crate) fn replace_offset(&mut self, offset: &[f64]) {
        let given = offset.len().min(self.offset.len());
        self.offset[..given].copy_from_slice(&offset[..given]);
        self.offset[given..].fill(0.0);
    }

    /// Returns the activation of the paper's network (one hidden layer without biases or factor, fixed signs); `None` for any
    /// other.
    pub fn one_layer(&self) -> Option<&A> {
        self.architecture.one_activation()
    }

    /// Where the weights of every layer stand, those of the output last.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// What the units of a layer are multiplied by.
    pub(crate) fn factors(&self, layer: usize) -> &[f64] {
        &self.factors[layer]
    }

    /// What the units of the last layer are multiplied by, of several fixed outputs in each row of f.
    pub(crate) fn row_factors(&self) -> Option<&RowBlocks> {
        self.row_factors.as_ref()
    }

    /// `s_L c` for each output.
    pub(crate) fn output_factors(&self) -> impl Iterator<Item = impl Iterator<Item = f64>> {
        let last = self.last_layer();
        let factor = last.scale.factor(last.width);
        self.signs.chunks_exact(last.width).map(move |row| row.iter().map(move |c| factor * c))
    }

    /// `phi(w_init)`, or zero.
    pub(crate) fn offset(&self) -> &[f64] {
        &self.offset
    }

    /// Refuses weights or outputs of another length than p or n.
    pub(crate) fn check_shapes(&self, w: &[f64], out: &[f64]) -> Result<(), MapError> {
        require_length("the weights w", w, self.parameters())?;
        require_length("the output", out, self.outputs())
    }

    /// `out = f(w)`.
    pub(crate) fn evaluate(&self, w: &[f64], out: &mut [f64]) {
        let work = |(b, out): (usize, &mut [f64])| self.evaluate_block(b, w, out);
        if self.is_large() {
            out.par_chunks_mut(ROW_BLOCK).enumerate().for_each(work);
        } else {
            out.chunks_mut(ROW_BLOCK).enumerate().for_each(work);
        }
    }

    /// Whether several threads share a pass through the network: some tenths of a millisecond.
    pub(crate) fn is_large(&self) -> bool {
        let sums: usize = self.places[1..].iter().map(|place| place.units * place.length).sum();
        let units: usize = self.hidden_widths().sum();
        self.inputs.rows() * (units + sums / SUMS_OF_AN_ACTIVATION) >= PARALLEL
    }
}

/// Activations from which several threads share them.
const PARALLEL: usize = 1 << 17;

/// Multiply-adds that take as long as an activation.
const SUMS_OF_AN_ACTIVATION: usize = 32;

/// Refuses entries that are infinite or NaN.
pub(crate) fn require_finite(what: &'static str, values: &[f64]) -> Result<(), NetworkError> {
    match values.iter().enumerate().find(|(_, x)| !x.is_finite()) {
        Some((index, &value)) => Err(NetworkError::NonFinite { what, index, value }),
        None => Ok(()),
    }
}

impl<A: ActivationFunction> Residuals for Network<A> {
    fn parameters(&self) -> usize {
        self.places.last().map_or(0, |place| place.end())
    }

    fn outputs(&self) -> usize {
        self.inputs.rows()
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.check_shapes(w, out)?;
        self.evaluate(w, out);
        Ok(())
    }
}

impl<A: ActivationFunction> SmoothMap for Network<A> {
    type Jacobian = NetworkJacobian;

    fn new_jacobian(&self) -> NetworkJacobian {
        NetworkJacobian::new(self)
    }

    /// One pass forward and, over several layers, one backward.
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut NetworkJacobian,
    ) -> Result<(), MapError> {
        self.check_shapes(w, value)?;
        self.write_linearization(w, value, jacobian);
        Ok(())
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = Self::Jacobian>> {
        Some(self)
    }
}
