//! Seconds of a step's work: multiply-adds times what a machine takes for each, on one core.

use serde::Deserialize;

/// Seconds that each unit of [`Work`] takes on one core.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Of an entry of S.
    pub entry: f64,
    /// Of a multiply-add of the Gram matrix.
    pub gram: f64,
    /// Of a multiply-add of a product.
    pub product: f64,
    /// Of a multiply-add of the Cholesky factor.
    pub factor: f64,
    /// Of a multiply-add of a solve with it.
    pub solve: f64,
    /// Of a multiply-add of a Householder reflection.
    pub qr: f64,
    /// Of singular values and vectors, over the cube of the order.
    pub svd: f64,
}

impl Machine {
    /// Returns the seconds with the names that files of settings use.
    pub fn constants(&self) -> [(&'static str, f64); 7] {
        let Self { entry, gram, product, factor, solve, qr, svd } = *self;
        [
            ("entry", entry),
            ("gram", gram),
            ("product", product),
            ("factor", factor),
            ("solve", solve),
            ("qr", qr),
            ("svd", svd),
        ]
    }
}

/// Multiply-adds of one rank, by the routine that does them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Entries of S that are computed, with the activation.
    pub entries: f64,
    /// Of the Gram matrix, or of the blocks of K.
    pub gram: f64,
    /// Of products with J and J^T.
    pub products: f64,
    /// Of the Cholesky factor.
    pub factor: f64,
    /// Of solves with the factor, or with the singular vectors.
    pub solves: f64,
    /// Of Householder reflections.
    pub qr: f64,
    /// Cubes of the order of matrices whose singular values and vectors are found.
    pub svd: f64,
}

impl Work {
    /// Returns the seconds that the work takes on `machine`.
    pub fn seconds(&self, machine: &Machine) -> f64 {
        self.entries * machine.entry
            + self.gram * machine.gram
            + self.products * machine.product
            + self.factor * machine.factor
            + self.solves * machine.solve
            + self.qr * machine.qr
            + self.svd * machine.svd
    }
}

/// The seconds of a step, by what they are spent on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seconds {
    /// Work that the ranks share out.
    pub shared: f64,
    /// Work that every rank repeats.
    pub repeated: f64,
    /// Rounds of messages.
    pub latency: f64,
    /// Bytes received.
    pub bandwidth: f64,
}

impl Seconds {
    /// Returns all seconds together.
    pub fn total(&self) -> f64 {
        self.shared + self.repeated + self.latency + self.bandwidth
    }
}
