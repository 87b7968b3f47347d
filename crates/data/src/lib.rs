//! Data sets and samples: N rows of d features with one target each or several, and n of them drawn.
//!
//! Section 5, "Dataset": D = {(`x_j`, `y_j`)}, a random subset of n rows, its features normalized.
//!
//! | I want to | I use |
//! |---|---|
//! | have the California Housing rows of section 5 | [`california_housing`] |
//! | have rows with classes | [`breast_cancer`] and [`digits`] |
//! | read a CSV file of my own | [`load_csv`], which gives a [`Dataset`] |
//! | read a CSV or a Parquet file of my own | [`load_table`]; Parquet needs the cargo feature `parquet` |
//! | read a file that no memory holds, by parts | [`RowFile`], which fills a [`RowStore`] and counts [`Moments`] |
//! | draw and scale rows by a seed | [`Sample::draw`] |
//! | know which rows a batch holds | [`batch_rows`] |
//!
#![doc = include_str!("../README.md")]

mod bundled;
mod california;
mod classes;
mod error;
mod form;
mod sample;
mod stream;
mod table;
#[cfg(test)]
mod tests;

pub use self::california::{CALIFORNIA_HOUSING_SHA256, california_housing};
pub use self::classes::{breast_cancer, digits};
pub use self::error::DataError;
pub use self::sample::{Sample, Scaling, Standardize, TargetScale, batch_rows};
pub use self::stream::{ColumnMoments, Moments, RowFile, RowStore, load_table};
pub use self::table::{MAXIMUM_BYTES, load_csv};

/// Holds N rows of numbers: d features and one or more targets each, all finite.
///
/// ```
/// # use gaussflow_data::california_housing;
/// let data = california_housing()?;
/// assert_eq!((data.rows(), data.dimension()), (20_640, 8));
/// assert_eq!(data.row(0).len(), 8);
/// # Ok::<(), gaussflow_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// `california-housing`, or the name of the file that was read.
    pub name: String,
    /// The SHA-256 checksum of the uncompressed file, 64 hexadecimal digits.
    pub sha256: String,
    /// The names of the features `[d]`.
    pub feature_names: Vec<String>,
    /// The names of the targets `[t]`.
    pub target_names: Vec<String>,
    /// The features `[N][d]`, row-major, in the order of the file.
    pub features: Vec<f64>,
    /// The targets `[N][t]`, row-major.
    pub targets: Vec<f64>,
}

impl Dataset {
    /// Returns N, the number of rows.
    pub fn rows(&self) -> usize {
        self.targets.len() / self.target_names.len().max(1)
    }

    /// Returns the names of the targets, separated by commas.
    pub fn target_name(&self) -> String {
        self.target_names.join(", ")
    }

    /// Returns d, the number of features.
    pub fn dimension(&self) -> usize {
        self.feature_names.len()
    }

    /// Returns the features of row `row` `[d]`, counted from 0 in the order of the file; an empty slice past the end.
    pub fn row(&self, row: usize) -> &[f64] {
        let d = self.dimension();
        self.features.get(row * d..(row + 1) * d).unwrap_or_default()
    }
}
