//! Seeded initializations: Remark 1 (nullified), Remark 4 (antisymmetric) and plain.
//!
//! Signs `c_i ~ Unif{-1, 1}` and weights `w^(i) ~ N(0, I_d)`, biases likewise, come from separate ChaCha8 streams of one
//! seed, so that widening the network or redrawing rows changes neither stream's meaning.

use std::str::FromStr;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::NetworkError;
use crate::architecture::{Architecture, OutputWeights};

/// ChaCha8 stream of the output signs (stream 0 draws the rows of a data set).
const SIGN_STREAM: u64 = 1;
/// ChaCha8 stream of the weights.
const WEIGHT_STREAM: u64 = 2;

/// Chooses how the network starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Initialization {
    /// Independent draws and `f(w) = phi(w) - phi(w_init)`, so that f starts at 0 (Remark 1 of the paper).
    #[default]
    Nullified,
    /// Units i and i + m/2 share weights and have opposite signs, so that `phi(w_init) = 0` (Remark 4 of the paper). The
    /// Jacobian has rank at most p/2 there. Over several layers the weights of unit i + m/2 are those of unit i with the
    /// halves of the layer before exchanged.
    Antisymmetric,
    /// Independent draws and `f = phi`, so that f does not start at 0.
    Plain,
}

impl Initialization {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::Nullified, Self::Antisymmetric, Self::Plain];

    /// Returns the name that configuration files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nullified => "nullified",
            Self::Antisymmetric => "antisymmetric",
            Self::Plain => "plain",
        }
    }
}

impl FromStr for Initialization {
    type Err = NetworkError;

    fn from_str(name: &str) -> Result<Self, NetworkError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| NetworkError::UnknownInitialization { name: name.to_owned() })
    }
}

/// Holds the output signs and initial weights of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct InitialPoint {
    /// The signs c, -1 or 1, one per unit of the last hidden layer; for several outputs the matrix C (o x m, row-major).
    pub signs: Vec<f64>,
    /// The initial weights w_init, layer after layer, each row-major (m x d for the paper's network), followed by c where it
    /// is trained.
    pub weights: Vec<f64>,
}

impl InitialPoint {
    /// Draws signs and standard normal weights of the paper's network, with `hidden` units on `features` inputs.
    ///
    /// The numbers come from the ChaCha8 generator of `seed`, so that they are the same on every machine.
    ///
    /// # Errors
    /// [`NetworkError`] when either number is 0, or `hidden` is odd and the initialization antisymmetric.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_network::{InitialPoint, Initialization};
    /// let point = InitialPoint::draw(Initialization::Antisymmetric, 4, 2, 7)?;
    /// assert_eq!(point.signs[0], -point.signs[2]);
    /// assert_eq!(point.weights[..4], point.weights[4..]);
    /// # Ok::<(), gaussflow_network::NetworkError>(())
    /// ```
    pub fn draw(
        initialization: Initialization,
        hidden: usize,
        features: usize,
        seed: u64,
    ) -> Result<Self, NetworkError> {
        Self::draw_for(&Architecture::one_layer(hidden, ()), initialization, features, seed)
    }

    /// Draws signs and standard normal weights of an architecture on `features` inputs.
    ///
    /// # Errors
    /// [`NetworkError`] when it has no layers, a width or `features` is 0, or a width is odd and the initialization
    /// antisymmetric.
    pub fn draw_for<A>(
        architecture: &Architecture<A>,
        initialization: Initialization,
        features: usize,
        seed: u64,
    ) -> Result<Self, NetworkError> {
        architecture.require_shapes(usize::MAX, features)?;
        let paired = initialization == Initialization::Antisymmetric;
        let odd = architecture.layers.iter().find(|layer| layer.width % 2 == 1);
        if let (true, Some(layer)) = (paired, odd) {
            return Err(NetworkError::OddWidth { hidden: layer.width });
        }
        let drawn = |units: usize| if paired { units / 2 } else { units };
        let last = architecture.layers.last().map_or(0, |layer| layer.width);
        let mut generator = stream(seed, SIGN_STREAM);
        let mut signs = Vec::with_capacity(last * architecture.outputs);
        for row in (0..architecture.outputs).map(|output| output * last) {
            let drawn =
                (0..drawn(last)).map(|_| if generator.random::<bool>() { 1.0 } else { -1.0 });
            signs.extend(drawn);
            if paired {
                signs.extend_from_within(row..);
                signs[row + last / 2..].iter_mut().for_each(|c: &mut f64| *c = -*c);
            }
        }
        let mut generator = stream(seed, WEIGHT_STREAM);
        let (mut weights, mut before) = (Vec::new(), features);
        for (l, layer) in architecture.layers.iter().enumerate() {
            let (first, length) = (weights.len(), layer.weights_of_unit(before));
            let numbers = drawn(layer.width) * length;
            weights.extend((0..numbers).map(|_| generator.sample::<f64, _>(StandardNormal)));
            if paired {
                weights.extend_from_within(first..);
                if l > 0 {
                    let mirrored = weights[first + numbers..].chunks_exact_mut(length);
                    mirrored.for_each(|unit| unit[..before].rotate_left(before / 2));
                }
            }
            before = layer.width;
        }
        if architecture.output == OutputWeights::Trained {
            weights.extend_from_slice(&signs);
        }
        Ok(Self { signs, weights })
    }
}

/// The generator of one purpose.
fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    generator
}
