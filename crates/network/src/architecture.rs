//! What a network is made of: hidden layers, and the weights of its output.

use crate::NetworkError;
use crate::activation::Activation;

/// The factor s of a layer `h = s sigma(z)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scale {
    /// 1, as in the paper.
    #[default]
    Unit,
    /// `1 / sqrt(m)` for m units: what the next layer sums up then does not grow with the width.
    InverseRootWidth,
}

impl Scale {
    /// s for a layer of `width` units.
    pub fn factor(self, width: usize) -> f64 {
        match self {
            Self::Unit => 1.0,
            Self::InverseRootWidth => 1.0 / (width as f64).sqrt(),
        }
    }
}

/// A hidden layer `h_l = s sigma(W_l h_(l-1) + b_l)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer<A = Activation> {
    /// Number of units m.
    pub width: usize,
    /// Whether the units have biases b, trained like their weights.
    pub bias: bool,
    /// s.
    pub scale: Scale,
    /// sigma.
    pub activation: A,
}

impl<A> Layer<A> {
    /// A layer of `width` units without biases, unscaled.
    pub fn new(width: usize, activation: A) -> Self {
        Self { width, bias: false, scale: Scale::Unit, activation }
    }

    /// The same with biases.
    #[must_use]
    pub fn with_bias(mut self) -> Self {
        self.bias = true;
        self
    }

    /// The same with another factor.
    #[must_use]
    pub fn scaled(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// Weights of one unit that gets `before` numbers, its bias included.
    pub fn weights_of_unit(&self, before: usize) -> usize {
        before + usize::from(self.bias)
    }
}

/// The weights c of the output `phi = c . h_L`, or the rows of C of several ones `phi = C h_L`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OutputWeights {
    /// They stay as they were drawn, -1 or 1, as in the paper.
    #[default]
    Signs,
    /// They are the last parameters, and start at such signs.
    Trained,
}

impl OutputWeights {
    /// Every variant.
    pub const ALL: [Self; 2] = [Self::Signs, Self::Trained];

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signs => "signs",
            Self::Trained => "trained",
        }
    }
}

/// What a network is made of: hidden layers, first to last, and its output.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture<A = Activation> {
    /// The hidden layers.
    pub layers: Vec<Layer<A>>,
    /// The weights c, or C of several outputs.
    pub output: OutputWeights,
    /// Number of outputs o of a row of inputs.
    pub outputs: usize,
}

impl<A> Architecture<A> {
    /// These hidden layers, the weights of the output fixed signs.
    pub fn new(layers: Vec<Layer<A>>) -> Self {
        Self { layers, output: OutputWeights::Signs, outputs: 1 }
    }

    /// The paper's: one hidden layer without biases or factor, fixed signs.
    pub fn one_layer(width: usize, activation: A) -> Self {
        Self::new(vec![Layer::new(width, activation)])
    }

    /// The same with trained weights of the output.
    #[must_use]
    pub fn with_trained_output(mut self) -> Self {
        self.output = OutputWeights::Trained;
        self
    }

    /// The same with so many outputs, `phi = C h_L`.
    #[must_use]
    pub fn with_outputs(mut self, outputs: usize) -> Self {
        self.outputs = outputs;
        self
    }

    /// Number of parameters p on inputs of `features` numbers.
    pub fn parameters(&self, features: usize) -> usize {
        self.places(features).last().map_or(0, |place| place.end())
    }

    /// The places of all weights, the output's last where they are trained.
    pub(crate) fn places(&self, features: usize) -> Vec<Place> {
        let (mut first, mut before) = (0, features);
        let mut found = Vec::with_capacity(self.layers.len() + 1);
        let mut push = |units: usize, length: usize| {
            found.push(Place { first, units, length });
            first += units * length;
        };
        for layer in &self.layers {
            push(layer.width, layer.weights_of_unit(before));
            before = layer.width;
        }
        if self.output == OutputWeights::Trained {
            push(self.outputs, before);
        }
        found
    }

    /// Refuses shapes that no network has.
    pub(crate) fn require_shapes(&self, rows: usize, features: usize) -> Result<(), NetworkError> {
        let hidden = self.layers.iter().map(|layer| layer.width).min().unwrap_or(0);
        if self.outputs == 0 {
            return Err(NetworkError::NoOutputs);
        }
        if rows == 0 || features == 0 || hidden == 0 {
            return Err(NetworkError::Empty { rows, features, hidden });
        }
        Ok(())
    }
}

/// Where the weights of a layer stand among the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Position of the first.
    pub(crate) first: usize,
    /// Units.
    pub(crate) units: usize,
    /// Weights of a unit, its bias the last of them.
    pub(crate) length: usize,
}

impl Place {
    /// The layer's weights, unit after unit.
    pub(crate) fn of(self, w: &[f64]) -> &[f64] {
        &w[self.first..self.first + self.units * self.length]
    }

    /// The same, to be written.
    pub(crate) fn of_mut(self, w: &mut [f64]) -> &mut [f64] {
        &mut w[self.first..self.first + self.units * self.length]
    }

    /// Position after the last.
    pub(crate) fn end(self) -> usize {
        self.first + self.units * self.length
    }
}
