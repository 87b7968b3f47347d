//! What a network is made of: hidden layers, and the weights of its output.

use crate::NetworkError;
use crate::activation::Activation;

/// Chooses the factor s of a layer `h = s sigma(z)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scale {
    /// 1, as in the paper.
    #[default]
    Unit,
    /// `1 / sqrt(m)` for m units, so that the sums in the next layer do not grow with the width.
    InverseRootWidth,
}

impl Scale {
    /// Returns s for a layer of `width` units.
    pub fn factor(self, width: usize) -> f64 {
        match self {
            Self::Unit => 1.0,
            Self::InverseRootWidth => 1.0 / (width as f64).sqrt(),
        }
    }
}

/// Describes a hidden layer `h_l = s sigma(W_l h_(l-1) + b_l)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer<A = Activation> {
    /// Number of units m.
    pub width: usize,
    /// Whether the units have biases b, trained like their weights.
    pub bias: bool,
    /// The factor s.
    pub scale: Scale,
    /// The activation sigma.
    pub activation: A,
}

impl<A> Layer<A> {
    /// Creates a layer of `width` units without biases, with s = 1.
    pub fn new(width: usize, activation: A) -> Self {
        Self { width, bias: false, scale: Scale::Unit, activation }
    }

    /// Adds biases, which are trained.
    #[must_use]
    pub fn with_bias(mut self) -> Self {
        self.bias = true;
        self
    }

    /// Sets the factor s.
    #[must_use]
    pub fn scaled(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// Returns the number of weights of one unit with `before` inputs, its bias included.
    pub fn weights_of_unit(&self, before: usize) -> usize {
        before + usize::from(self.bias)
    }
}

/// Chooses whether the weights c of the output `phi = c . h_L` are trained; for several outputs, the matrix C of `phi = C
/// h_L`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OutputWeights {
    /// They stay at the signs -1 or 1 that were drawn, as in the paper.
    #[default]
    Signs,
    /// They are trained, as the last entries of the parameter vector, and start at such signs.
    Trained,
}

impl OutputWeights {
    /// All variants.
    pub const ALL: [Self; 2] = [Self::Signs, Self::Trained];

    /// Returns the name that configuration files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signs => "signs",
            Self::Trained => "trained",
        }
    }
}

/// Describes a network: its hidden layers, first to last, and its output.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture<A = Activation> {
    /// The hidden layers.
    pub layers: Vec<Layer<A>>,
    /// Whether the weights of the output are trained.
    pub output: OutputWeights,
    /// The number of outputs o for each row of inputs.
    pub outputs: usize,
}

impl<A> Architecture<A> {
    /// Returns the activation of the paper's network (one hidden layer without biases or factor, fixed signs, one output);
    /// `None` for any other.
    pub fn one_activation(&self) -> Option<&A> {
        match (&self.layers[..], self.output) {
            ([Layer { bias: false, scale: Scale::Unit, activation, .. }], OutputWeights::Signs)
                if self.outputs == 1 =>
            {
                Some(activation)
            }
            _ => None,
        }
    }

    /// Creates an architecture of these hidden layers, with one output of fixed signs.
    pub fn new(layers: Vec<Layer<A>>) -> Self {
        Self { layers, output: OutputWeights::Signs, outputs: 1 }
    }

    /// Creates the architecture of the paper: one hidden layer without biases or factor, fixed signs.
    pub fn one_layer(width: usize, activation: A) -> Self {
        Self::new(vec![Layer::new(width, activation)])
    }

    /// Makes the weights of the output trainable.
    #[must_use]
    pub fn with_trained_output(mut self) -> Self {
        self.output = OutputWeights::Trained;
        self
    }

    /// Sets the number of outputs o of `phi = C h_L`.
    #[must_use]
    pub fn with_outputs(mut self, outputs: usize) -> Self {
        self.outputs = outputs;
        self
    }

    /// Returns the number of parameters p for inputs of `features` numbers.
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
