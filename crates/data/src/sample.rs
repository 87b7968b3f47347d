//! A sample: n rows drawn without replacement, and the scaling z = (x - mean) / deviation.
//!
//! The mean and the population deviation sqrt(sum (x - mean)^2 / N) (ddof 0, what scikit-learn's
//! `StandardScaler` computes: section 5, "Dataset") are summed in two passes, in a fixed order.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use serde::Deserialize;

use super::{DataError, Dataset};

/// Chooses the rows from which the means and standard deviations of the features are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standardize {
    /// The drawn rows.
    Subset,
    /// Every row of the data set.
    Full,
    /// None: the features stay as they are.
    None,
}

impl Standardize {
    /// All variants, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Subset, Self::Full, Self::None];

    /// Returns the name that configuration files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subset => "subset",
            Self::Full => "full",
            Self::None => "none",
        }
    }
}

/// Chooses the scale of the targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetScale {
    /// As in the data set (California Housing: units of 100,000 dollars).
    Raw,
    /// Mean 0 and population standard deviation 1 over the rows that scale the features, or over the drawn rows where the
    /// features are not scaled.
    Standardized,
}

impl TargetScale {
    /// All variants, in the order of the documentation.
    pub const ALL: [Self; 2] = [Self::Raw, Self::Standardized];

    /// Returns the name that configuration files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Standardized => "standardized",
        }
    }
}

/// The `ChaCha` stream of the row numbers; 1 and 2 are those of the signs and the weights.
const ROWS_STREAM: u64 = 0;
/// The stream of the batches.
const BATCH_STREAM: u64 = 3;

/// Holds the rows that a run learns from, and those that it does not see.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The drawn rows of the data `[n]`, counted from 0 in the file's order, in drawn order.
    pub rows: Vec<usize>,
    /// Scaled features of the drawn rows `[n][d]`, row-major.
    pub inputs: Vec<f64>,
    /// Scaled targets of the drawn rows `[n][t]`, row-major.
    pub targets: Vec<f64>,
    /// Scaled features of the N - n other rows `[N - n][d]`, row-major, in the file's order.
    pub held_out_inputs: Vec<f64>,
    /// The scaled targets of the other rows `[N - n][t]`, row-major.
    pub held_out_targets: Vec<f64>,
    /// d, the number of features.
    pub dimension: usize,
    /// t, the number of targets of a row.
    pub target_columns: usize,
    /// Names of the features `[d]`.
    pub feature_names: Vec<String>,
    /// The means that were subtracted, and the deviations that were divided by.
    pub scaling: Scaling,
}

/// Holds the scaling `(x - mean) / deviation` of each column; mean 0 and deviation 1 where a column is not scaled.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// The means of the features `[d]`.
    pub means: Vec<f64>,
    /// The population standard deviations of the features `[d]`, above 0.
    pub deviations: Vec<f64>,
    /// The means of the targets `[t]`.
    pub target_means: Vec<f64>,
    /// The population standard deviations of the targets `[t]`, above 0.
    pub target_deviations: Vec<f64>,
}

impl Sample {
    /// Draws `samples` rows of `dataset` by `seed`, scales them, and scales the other rows by the same numbers.
    ///
    /// The rows come from `ChaCha8Rng::seed_from_u64(seed)`, stream 0, by the first n steps of a Fisher-Yates shuffle of
    /// 0..N. Step i swaps position i with position i + k, where k is the next 64-bit word modulo N - i. Words below 2^64 mod
    /// (N - i) are skipped, so that every k is equally likely. The recipe depends on no library's sampling code, so that a
    /// new release cannot change the rows.
    ///
    /// # Errors
    /// [`DataError::EmptySample`] and [`DataError::TooFewRows`] unless 1 <= n <= N; [`DataError::ConstantColumn`] and
    /// [`DataError::ScaleOutOfRange`] where a column that is to be scaled has no usable spread over the rows that scale it.
    ///
    /// # Source
    /// Section 5 of the paper, "Dataset".
    pub fn draw(
        dataset: &Dataset,
        samples: usize,
        standardize: Standardize,
        targets: TargetScale,
        seed: u64,
    ) -> Result<Self, DataError> {
        let total = dataset.rows();
        if samples == 0 {
            return Err(DataError::EmptySample);
        }
        if samples > total {
            let name = dataset.name.clone();
            return Err(DataError::TooFewRows { name, rows: total, samples });
        }
        Self::of_rows(dataset, draw_rows(total, samples, seed), standardize, targets)
    }

    /// Takes all rows of `dataset` in their order, and scales them.
    ///
    /// # Errors
    /// [`DataError::EmptySample`] for a data set without rows; the others as [`Self::draw`].
    pub fn in_order(
        dataset: &Dataset,
        standardize: Standardize,
        targets: TargetScale,
    ) -> Result<Self, DataError> {
        if dataset.rows() == 0 {
            return Err(DataError::EmptySample);
        }
        Self::of_rows(dataset, (0..dataset.rows()).collect(), standardize, targets)
    }

    fn of_rows(
        dataset: &Dataset,
        rows: Vec<usize>,
        standardize: Standardize,
        targets: TargetScale,
    ) -> Result<Self, DataError> {
        let total = dataset.rows();
        let scaling = Scaling::fit(dataset, &rows, standardize, targets)?;
        let mut drawn = vec![false; total];
        for &row in &rows {
            drawn[row] = true;
        }
        let held_out: Vec<usize> = (0..total).filter(|&row| !drawn[row]).collect();
        let (inputs, scaled_targets) = scaling.apply(dataset, &rows);
        let (held_out_inputs, held_out_targets) = scaling.apply(dataset, &held_out);
        Ok(Self {
            rows,
            inputs,
            targets: scaled_targets,
            held_out_inputs,
            held_out_targets,
            dimension: dataset.dimension(),
            target_columns: dataset.target_names.len(),
            feature_names: dataset.feature_names.clone(),
            scaling,
        })
    }
}

impl Scaling {
    fn fit(
        dataset: &Dataset,
        rows: &[usize],
        standardize: Standardize,
        target_scale: TargetScale,
    ) -> Result<Self, DataError> {
        let all: Vec<usize>;
        let scaling_rows = match standardize {
            Standardize::Subset | Standardize::None => rows,
            Standardize::Full => {
                all = (0..dataset.rows()).collect();
                &all
            }
        };
        let scales = |names: &[String], values: &[f64], wanted: bool| {
            let width = names.len();
            let (mut means, mut deviations) = (vec![0.0; width], vec![1.0; width]);
            for (k, name) in names.iter().enumerate().filter(|_| wanted) {
                let column: Vec<f64> =
                    scaling_rows.iter().map(|&row| values[row * width + k]).collect();
                (means[k], deviations[k]) = mean_and_deviation(name, &column)?;
            }
            Ok::<_, DataError>((means, deviations))
        };
        let standardized = standardize != Standardize::None;
        let (means, deviations) = scales(&dataset.feature_names, &dataset.features, standardized)?;
        let scaled = target_scale == TargetScale::Standardized;
        let (target_means, target_deviations) =
            scales(&dataset.target_names, &dataset.targets, scaled)?;
        Ok(Self { means, deviations, target_means, target_deviations })
    }

    /// The scaled features and targets of `rows`.
    fn apply(&self, dataset: &Dataset, rows: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let mut inputs = Vec::with_capacity(rows.len() * self.means.len());
        for &row in rows {
            extend_scaled(&mut inputs, dataset.row(row), &self.means, &self.deviations);
        }
        let t = self.target_means.len();
        let mut targets = Vec::with_capacity(rows.len() * t);
        for &row in rows {
            let values = &dataset.targets[row * t..(row + 1) * t];
            extend_scaled(&mut targets, values, &self.target_means, &self.target_deviations);
        }
        (inputs, targets)
    }

    /// Scales a block of rows, each the features and then the targets, as a [`RowStore`](crate::RowStore) keeps them.
    ///
    /// `rows` is `[n][d + t]`; afterwards `inputs` holds `[n][d]` and `targets` holds `[n][t]`, all row-major, in place of
    /// what they held before. Each number is `(x - mean) / deviation`, the same bits as those of [`Sample::draw`]. Numbers
    /// behind the last whole row are not used.
    ///
    /// # Cost
    /// One subtraction and one division a number; no allocation once the buffers have held a block of that size.
    pub fn apply_block(&self, rows: &[f64], inputs: &mut Vec<f64>, targets: &mut Vec<f64>) {
        inputs.clear();
        targets.clear();
        let d = self.means.len();
        for row in rows.chunks_exact((d + self.target_means.len()).max(1)) {
            extend_scaled(inputs, &row[..d], &self.means, &self.deviations);
            extend_scaled(targets, &row[d..], &self.target_means, &self.target_deviations);
        }
    }
}

/// Appends `(x - mean) / deviation` of each column.
fn extend_scaled(scaled: &mut Vec<f64>, values: &[f64], means: &[f64], deviations: &[f64]) {
    let scale = means.iter().zip(deviations);
    scaled.extend(values.iter().zip(scale).map(|(x, (m, s))| (x - m) / s));
}

/// Mean and population deviation of `column`, both finite and the deviation above 0.
fn mean_and_deviation(name: &str, column: &[f64]) -> Result<(f64, f64), DataError> {
    let first = column[0];
    let rows = column.len();
    // By differences, exact at 0: the rounded mean of a constant column can miss the constant, and
    // its deviation would then be rounding error instead of 0.
    if column.iter().all(|value| value - first == 0.0) {
        return Err(DataError::ConstantColumn { column: name.to_owned(), value: first, rows });
    }
    let count = rows as f64;
    let mean = column.iter().sum::<f64>() / count;
    let squares = column.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    let deviation = (squares / count).sqrt();
    if mean.is_finite() && deviation.is_finite() && deviation > 0.0 {
        return Ok((mean, deviation));
    }
    Err(DataError::ScaleOutOfRange { column: name.to_owned(), mean, deviation })
}

/// `samples` different numbers below `total`, in drawn order; see [`Sample::draw`].
fn draw_rows(total: usize, samples: usize, seed: u64) -> Vec<usize> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(ROWS_STREAM);
    let mut places: Vec<usize> = (0..total).collect();
    for i in 0..samples {
        let other = i + below(&mut generator, total - i);
        places.swap(i, other);
    }
    places.truncate(samples);
    places
}

/// Returns the row numbers of batch `step`, `batch` rows out of `total` counted from 0 (both at least 1, the batch at most
/// the total).
///
/// The rows are shuffled anew in each epoch and dealt out in batches; rows that do not fill a batch at the end of an epoch
/// are left out. The shuffle of epoch e is a Fisher-Yates shuffle as in [`Sample::draw`], from stream 3 of the seed, starting
/// at its word e 2^40.
pub fn batch_rows(total: usize, batch: usize, seed: u64, step: usize) -> Vec<usize> {
    let batches = (total / batch.max(1)).max(1);
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(BATCH_STREAM);
    generator.set_word_pos(((step / batches) as u128) << 40);
    let mut places: Vec<usize> = (0..total).collect();
    for i in 0..total {
        let other = i + below(&mut generator, total - i);
        places.swap(i, other);
    }
    let first = step % batches * batch;
    places[first..(first + batch).min(total)].to_vec()
}

/// A number in 0..`bound`, each equally likely. `bound` is at least 1.
fn below(generator: &mut ChaCha8Rng, bound: usize) -> usize {
    let bound = bound as u64;
    // 2^64 mod bound words too many for the rest to fall into equal classes.
    let surplus = bound.wrapping_neg() % bound;
    loop {
        let word = generator.next_u64();
        if word >= surplus {
            // Below `bound`, which came from a usize.
            #[allow(clippy::cast_possible_truncation)]
            return (word % bound) as usize;
        }
    }
}
