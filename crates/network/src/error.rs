//! Why a network could not be built.

/// Says why a network, or its initial weights, could not be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A dimension is 0.
    #[error(
        "a network needs at least one row, feature and hidden unit in every layer; found {features} features and \
         {hidden} hidden units"
    )]
    Empty {
        /// Number of rows n (`usize::MAX` where no rows are involved yet).
        rows: usize,
        /// Number of features d.
        features: usize,
        /// Number of hidden units of the narrowest layer.
        hidden: usize,
    },
    /// A network without outputs.
    #[error("the network has 0 outputs; accepted: 1 or more")]
    NoOutputs,
    /// A quantity is defined only for networks with one output.
    #[error("{what} is made for one output, and the network has {outputs}")]
    SeveralOutputs {
        /// The quantity.
        what: &'static str,
        /// Number of outputs o.
        outputs: usize,
    },
    /// `inputs` is not a whole number of rows.
    #[error("{entries} input entries are not a multiple of {features} features")]
    RaggedInputs {
        /// Number of entries.
        entries: usize,
        /// Number of features d.
        features: usize,
    },
    /// An antisymmetric network needs pairs of units.
    #[error("antisymmetric initialization needs an even number of hidden units, found {hidden}")]
    OddWidth {
        /// Number of hidden units m.
        hidden: usize,
    },
    /// There is not one output sign for each unit of the last layer and each output.
    #[error(
        "{found} output signs for the last layer; accepted: {expected}, one for each unit and output"
    )]
    SignCount {
        /// The last layer's width times the number of outputs.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// There are not p weights.
    #[error(
        "{found} weights for hidden layers of {} units on {features} features; accepted: {expected}",
        widths(hidden)
    )]
    WeightCount {
        /// p.
        expected: usize,
        /// What was given.
        found: usize,
        /// The widths of the hidden layers.
        hidden: Vec<usize>,
        /// Number of features d.
        features: usize,
    },
    /// An entry is infinite or NaN.
    #[error("{what} is not finite: entry {index} is {value}")]
    NonFinite {
        /// What holds the entry.
        what: &'static str,
        /// Its position.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The tangent kernel has no infinite-width limit.
    #[error(
        "hidden layer {layer} (counted from 0) feeds another one and is not scaled by the root of its width: the kernel \
         has no limit; accepted: Scale::InverseRootWidth"
    )]
    NoInfiniteWidth {
        /// The layer, counted from 0.
        layer: usize,
    },
    /// Rows of inputs could not be read.
    #[error("the inputs cannot be read: {reason}")]
    Unreadable {
        /// The reason in the words of whoever reads them.
        reason: String,
    },
    /// No such initialization.
    #[error("unknown initialization \"{name}\"; accepted: nullified, antisymmetric, plain")]
    UnknownInitialization {
        /// The name that was given.
        name: String,
    },
}

/// Widths with commas.
fn widths(hidden: &[usize]) -> String {
    hidden.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}
