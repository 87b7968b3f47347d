//! Why a network could not be built.

/// Why a network, or its initial point, could not be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A dimension is 0.
    #[error(
        "a network needs at least one row, feature and hidden unit; found {features} features and {hidden} hidden units"
    )]
    Empty {
        /// Number of rows n (`usize::MAX` where no rows are involved yet).
        rows: usize,
        /// Number of features d.
        features: usize,
        /// Number of hidden units m.
        hidden: usize,
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
    /// There are not m d weights.
    #[error(
        "{found} weights for {hidden} hidden units on {features} features; accepted: {expected}"
    )]
    WeightCount {
        /// m d.
        expected: usize,
        /// What was given.
        found: usize,
        /// Number of hidden units m.
        hidden: usize,
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
    /// No such initialization.
    #[error("unknown initialization \"{name}\"; accepted: nullified, antisymmetric, plain")]
    UnknownInitialization {
        /// The name that was given.
        name: String,
    },
}
