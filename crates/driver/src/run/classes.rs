//! Outputs of a row, and what is known of classes: labels, accuracy, who was taken for whom.

use gaussflow::objective::{
    LogCosh, Logistic, Loss, Poisson, SmoothHuber, Softmax, Squared, WeightedSquares,
};
use gaussflow_data::Dataset;
use gaussflow_records::Confusion;

use super::error::RunError;
use crate::config::LossSettings;

/// More classes than this are a slip of the pen: a column that holds something else.
const MOST_CLASSES: usize = 10_000;

/// How targets become what a loss compares with outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// Columns t of the targets.
    pub columns: usize,
    /// Outputs o of a row: t, or the number of classes that one column of labels names.
    pub count: usize,
}

impl Outputs {
    /// Of a loss on `data`.
    ///
    /// # Errors
    /// [`RunError::Label`] where softmax finds one column that holds something else than labels 0, 1, 2 and so on.
    pub fn of(settings: &LossSettings, data: &Dataset) -> Result<Self, RunError> {
        let largest = data.targets.iter().copied().fold(0.0, f64::max);
        let found = Self::of_columns(settings, data.target_names.len(), largest);
        // Before a label that is too large its row is named, if it is no label.
        let labels = Self { columns: 1, count: MOST_CLASSES };
        if (settings, data.target_names.len()) == (&LossSettings::Softmax, 1) {
            labels.require_labels(&data.targets, 0, &data.target_names)?;
        }
        found
    }

    /// Of a loss on targets of so many columns, with the largest value of the first.
    ///
    /// # Errors
    /// [`RunError::Label`] where softmax takes one column for labels, and that value is none.
    pub fn of_columns(
        settings: &LossSettings,
        columns: usize,
        largest: f64,
    ) -> Result<Self, RunError> {
        if (settings, columns) != (&LossSettings::Softmax, 1) {
            return Ok(Self { columns, count: columns });
        }
        // What is no label is refused with its row.
        Ok(Self { columns, count: label(largest).map_or(MOST_CLASSES, |label| label + 1) })
    }

    /// Tests that targets that name classes do; they begin at row `first`.
    ///
    /// # Errors
    /// [`RunError::Label`].
    pub fn require_labels(
        self,
        targets: &[f64],
        first: usize,
        names: &[String],
    ) -> Result<(), RunError> {
        if !self.has_labels() {
            return Ok(());
        }
        match targets.iter().position(|value| label(*value).is_none()) {
            None => Ok(()),
            Some(row) => {
                let (column, value) = (names.join(", "), targets[row]);
                Err(RunError::Label { column, row: first + row, value })
            }
        }
    }

    /// Whether targets are labels.
    fn has_labels(self) -> bool {
        self.count != self.columns
    }

    /// The loss of a configuration with the given targets.
    ///
    /// # Errors
    /// [`RunError::Loss`] on targets that the loss does not take.
    pub fn loss(
        self,
        settings: &LossSettings,
        targets: Vec<f64>,
    ) -> Result<Box<dyn Loss>, RunError> {
        Ok(match settings {
            LossSettings::Squared => Box::new(Squared::new(targets)?),
            LossSettings::LogCosh { curvature } => Box::new(LogCosh::new(targets, *curvature)?),
            LossSettings::Weighted { weights } => {
                let each = |weight: &f64| std::iter::repeat_n(*weight, self.columns);
                let weights = weights.iter().flat_map(each).collect();
                Box::new(WeightedSquares::new(targets, weights)?)
            }
            LossSettings::Huber { scale } => Box::new(SmoothHuber::new(targets, *scale)?),
            LossSettings::Logistic => Box::new(Logistic::new(targets)?),
            LossSettings::Poisson => Box::new(Poisson::new(targets)?),
            // One class alone leaves one column, which the loss refuses in its own words.
            LossSettings::Softmax if self.has_labels() => {
                let labels: Vec<usize> = targets.iter().filter_map(|&y| label(y)).collect();
                Box::new(Softmax::of_classes(&labels, self.count)?)
            }
            LossSettings::Softmax => Box::new(Softmax::new(targets, self.count)?),
        })
    }

    /// How often each class was taken for each, by the outputs `psi` of rows with these targets: for one output its sign,
    /// for several the largest. `None` where there is not one class a row.
    pub fn confusion(
        self,
        settings: &LossSettings,
        targets: &[f64],
        psi: &[f64],
    ) -> Option<Confusion> {
        let (classes, rows): (usize, Vec<(usize, usize)>) = match settings {
            LossSettings::Logistic if self.columns == 1 => {
                let class = |(y, x): (&f64, &f64)| (usize::from(*y > 0.5), usize::from(*x > 0.0));
                (2, targets.iter().zip(psi).map(class).collect())
            }
            LossSettings::Softmax => {
                let found = psi.chunks_exact(self.count).map(largest);
                let own = targets.chunks_exact(self.columns).map(|row| match row {
                    [one] if self.has_labels() => label(*one).unwrap_or(0),
                    probabilities => largest(probabilities),
                });
                (self.count, own.zip(found).collect())
            }
            _ => return None,
        };
        let mut counts = vec![vec![0; classes]; classes];
        rows.into_iter().for_each(|(own, found)| counts[own][found] += 1);
        Some(Confusion { counts })
    }
}

/// A whole number from 0 on.
fn label(value: f64) -> Option<usize> {
    let whole = value >= 0.0 && value < MOST_CLASSES as f64 && value.fract() == 0.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tested above")]
    whole.then_some(value as usize)
}

/// The place of the largest number, the first of equal ones.
fn largest(numbers: &[f64]) -> usize {
    (1..numbers.len()).fold(0, |best, k| if numbers[k] > numbers[best] { k } else { best })
}
