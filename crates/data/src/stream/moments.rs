//! Means and deviations of columns in one pass, from the moments of blocks that are merged.
//!
//! Two blocks of `a` and `b` rows with means `p` and `q` have together the mean `p + (q - p) b / (a + b)`, and their sums of squared
//! differences grow by `(q - p)^2 a b / (a + b)`: T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the sample
//! variance", The American Statistician 37 (1983) 242-247, equation (2.1).
//!
//! A column of 1e9 with noise of size 1 has a mean that 64 bits hold to 1e-7 only, which the squares would feel. So the mean is kept
//! as the sum of two numbers.

use crate::{DataError, Scaling, Standardize, TargetScale};

/// Holds the moments of one column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnMoments {
    /// The mean, rounded to 64 bits.
    pub mean: f64,
    /// What is to be added to `mean`: what the rounding cut off, up to errors of the summation.
    pub rest: f64,
    /// The sum of the squared differences from the mean.
    pub squares: f64,
    /// The smallest value; infinity where there are no rows.
    pub smallest: f64,
    /// The largest value; minus infinity where there are no rows.
    pub largest: f64,
}

/// Numbers of a column in [`Moments::to_numbers`].
const NUMBERS: usize = 5;
/// Rows whose moments are computed in two passes before they are merged.
const BLOCK: usize = 1024;

impl ColumnMoments {
    const NONE: Self = Self {
        mean: 0.0,
        rest: 0.0,
        squares: 0.0,
        smallest: f64::INFINITY,
        largest: f64::NEG_INFINITY,
    };

    /// The moments of `own` and `more` rows together, of which neither is 0.
    fn merged(self, own: f64, other: Self, more: f64) -> Self {
        // From the mean of the more numerous rows on, so that its correction is the smaller one.
        let (heavy, light, share) = if own >= more {
            (self, other, more / (own + more))
        } else {
            (other, self, own / (own + more))
        };
        let difference = (light.mean - heavy.mean) + (light.rest - heavy.rest);
        let (mean, rest) = two_sum(heavy.mean, heavy.rest + difference * share);
        Self {
            mean,
            rest,
            squares: self.squares
                + other.squares
                + difference * difference * (own * (more / (own + more))),
            smallest: self.smallest.min(other.smallest),
            largest: self.largest.max(other.largest),
        }
    }
}

/// Holds how many rows there were, and the moments of their columns.
///
/// ```
/// use gaussflow_data::Moments;
///
/// let mut all = Moments::new(1);
/// all.add(&[1.0, 2.0]);
/// let mut others = Moments::new(1); // of another rank
/// others.add(&[3.0, 6.0]);
/// all.merge(&Moments::from_numbers(1, &others.to_numbers())?)?;
/// assert_eq!((all.rows(), all.columns()[0].mean, all.columns()[0].squares), (4.0, 3.0, 14.0));
/// # Ok::<(), gaussflow_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    rows: f64,
    columns: Vec<ColumnMoments>,
}

impl Moments {
    /// Creates the moments of no rows with `width` columns.
    pub fn new(width: usize) -> Self {
        Self { rows: 0.0, columns: vec![ColumnMoments::NONE; width] }
    }

    /// Returns how many rows were counted, a whole number (exact up to 2^53).
    pub fn rows(&self) -> f64 {
        self.rows
    }

    /// Returns the moments of each column `[width]`.
    pub fn columns(&self) -> &[ColumnMoments] {
        &self.columns
    }

    /// Counts the whole rows `[n][width]`, row-major; numbers behind the last whole row are not used.
    ///
    /// # Cost
    /// About eight operations a number; it allocates memory for one row.
    pub fn add(&mut self, rows: &[f64]) {
        let width = self.columns.len();
        if width == 0 {
            return;
        }
        let whole = rows.len() / width * width;
        let mut sums = vec![(0.0, 0.0); width];
        for block in rows[..whole].chunks(BLOCK * width) {
            self.add_block(block, &mut sums);
        }
    }

    /// Counts at least one row and at most [`BLOCK`]; `sums` is overwritten.
    fn add_block(&mut self, block: &[f64], sums: &mut [(f64, f64)]) {
        let width = sums.len();
        let count = (block.len() / width) as f64;
        // Differences from the first row are exact where the values are close to each other.
        let first = &block[..width];
        sums.fill((0.0, 0.0));
        for row in block.chunks_exact(width) {
            for ((sum, value), origin) in sums.iter_mut().zip(row).zip(first) {
                sum.0 += value - origin;
            }
        }
        let mut found = vec![ColumnMoments::NONE; self.columns.len()];
        for ((column, sum), origin) in found.iter_mut().zip(sums.iter_mut()).zip(first) {
            sum.0 /= count;
            (column.mean, column.rest) = two_sum(*origin, sum.0);
        }
        for row in block.chunks_exact(width) {
            for (((column, sum), value), origin) in
                found.iter_mut().zip(sums.iter_mut()).zip(row).zip(first)
            {
                let difference = (value - origin) - sum.0;
                column.squares += difference * difference;
                // 0 but for the rounding of the mean, which the squares would count twice.
                sum.1 += difference;
                column.smallest = column.smallest.min(*value);
                column.largest = column.largest.max(*value);
            }
        }
        for (column, sum) in found.iter_mut().zip(sums) {
            column.squares -= sum.1 * (sum.1 / count);
        }
        self.join(count, &found);
    }

    /// Merges the moments of other rows of the same columns.
    ///
    /// Merging in another order changes the last digits, so that ranks merge in their own order.
    ///
    /// # Errors
    /// [`DataError::Length`] where the others have another number of columns.
    pub fn merge(&mut self, other: &Self) -> Result<(), DataError> {
        let (expected, found) = (self.columns.len(), other.columns.len());
        if expected != found {
            return Err(DataError::Length { what: "moments of columns", expected, found });
        }
        self.join(other.rows, &other.columns);
        Ok(())
    }

    fn join(&mut self, more: f64, others: &[ColumnMoments]) {
        for (column, other) in self.columns.iter_mut().zip(others) {
            if self.rows == 0.0 {
                *column = *other;
            } else if more > 0.0 {
                *column = column.merged(self.rows, *other, more);
            }
        }
        self.rows += more;
    }

    /// Returns the moments as `1 + 5 width` numbers, for other ranks: the number of rows, then mean, rest, squares, smallest and
    /// largest value of each column.
    pub fn to_numbers(&self) -> Vec<f64> {
        let columns = self.columns.iter();
        let numbers = columns.flat_map(|c| [c.mean, c.rest, c.squares, c.smallest, c.largest]);
        std::iter::once(self.rows).chain(numbers).collect()
    }

    /// Rebuilds the moments of `width` columns from what [`to_numbers`](Self::to_numbers) gave.
    ///
    /// # Errors
    /// [`DataError::Length`] unless there are `1 + 5 width` numbers.
    pub fn from_numbers(width: usize, numbers: &[f64]) -> Result<Self, DataError> {
        let expected = 1 + NUMBERS * width;
        let wrong =
            DataError::Length { what: "moments as numbers", expected, found: numbers.len() };
        let Some((&rows, columns)) = numbers.split_first() else { return Err(wrong) };
        let (columns, &[]) = columns.as_chunks::<NUMBERS>() else { return Err(wrong) };
        if columns.len() != width {
            return Err(wrong);
        }
        let column = |&[mean, rest, squares, smallest, largest]: &[f64; NUMBERS]| ColumnMoments {
            mean,
            rest,
            squares,
            smallest,
            largest,
        };
        Ok(Self { rows, columns: columns.iter().map(column).collect() })
    }

    /// Returns the scaling by the means and the population deviations of the rows that were counted.
    ///
    /// The columns are the features in the order of `feature_names`, then the targets. `standardize` asks only whether features
    /// are scaled: `Subset` and `Full` are alike, because which rows were counted decides.
    ///
    /// # Errors
    /// [`DataError::Length`] where the names are not as many as the columns; [`DataError::EmptySample`] without rows;
    /// [`DataError::ConstantColumn`] and [`DataError::ScaleOutOfRange`] where a column that is to be scaled has no usable spread.
    pub fn scaling(
        &self,
        feature_names: &[String],
        target_names: &[String],
        standardize: Standardize,
        target_scale: TargetScale,
    ) -> Result<Scaling, DataError> {
        let (expected, found) = (self.columns.len(), feature_names.len() + target_names.len());
        if expected != found {
            return Err(DataError::Length { what: "names of columns", expected, found });
        }
        if self.rows == 0.0 {
            return Err(DataError::EmptySample);
        }
        let (features, targets) = self.columns.split_at(feature_names.len());
        let scales = |names: &[String], columns: &[ColumnMoments], wanted: bool| {
            let pairs = names.iter().zip(columns);
            let scale = pairs.map(
                |(name, column)| {
                    if wanted { self.scale(name, column) } else { Ok((0.0, 1.0)) }
                },
            );
            Ok::<_, DataError>(scale.collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
        };
        let (means, deviations) =
            scales(feature_names, features, standardize != Standardize::None)?;
        let (target_means, target_deviations) =
            scales(target_names, targets, target_scale == TargetScale::Standardized)?;
        Ok(Scaling { means, deviations, target_means, target_deviations })
    }

    /// Mean and population deviation, both finite and the deviation above 0.
    fn scale(&self, name: &str, moments: &ColumnMoments) -> Result<(f64, f64), DataError> {
        let (column, mean) = (name.to_owned(), moments.mean);
        if moments.smallest >= moments.largest {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let rows = self.rows as usize;
            return Err(DataError::ConstantColumn { column, value: moments.smallest, rows });
        }
        let deviation = (moments.squares / self.rows).sqrt();
        if mean.is_finite() && deviation.is_finite() && deviation > 0.0 {
            return Ok((mean, deviation));
        }
        Err(DataError::ScaleOutOfRange { column, mean, deviation })
    }
}

/// `a + b` rounded, and what the rounding cut off: D. E. Knuth, The Art of Computer Programming, volume 2, section 4.2.2.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let virtual_b = sum - a;
    (sum, (a - (sum - virtual_b)) + (b - virtual_b))
}
