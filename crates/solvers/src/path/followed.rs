//! What is known along a path of one eigenpair, and what that lets expect of the next point.

use crate::path::path_history::PathHistory;
use crate::vector::inner_product;

/// The first guess of how far, relatively, an eigenvalue is from where the last points let expect it.
const FIRST_SURPRISE: f64 = 0.02;

/// An eigenpair that is followed from point to point.
pub(crate) struct Followed {
    vectors: PathHistory,
    values: PathHistory,
    /// Relative distance of the last values from what was expected, which forgets slowly.
    pub(crate) surprise: f64,
    /// Steps of the last search.
    pub(crate) steps: usize,
}

impl Followed {
    /// Nothing known yet, with room for vectors of length `order`.
    pub(crate) fn new(order: usize) -> Self {
        let (mut vectors, mut values) = (PathHistory::default(), PathHistory::default());
        vectors.reserve(order);
        values.reserve(1);
        Self { vectors, values, surprise: FIRST_SURPRISE, steps: 0 }
    }

    /// Puts the start of the next search into `x`: the last vectors, carried on as they moved. Nothing is written
    /// before a vector is known.
    pub(crate) fn start(&self, x: &mut [f64]) -> bool {
        let known = self.vectors.last(x.len()).is_some();
        if known {
            self.vectors.extrapolate(x);
        }
        known
    }

    /// The value that is expected at the next point; 0 where none is.
    pub(crate) fn expected(&self) -> f64 {
        let mut value = [0.0];
        self.values.extrapolate(&mut value);
        value[0]
    }

    /// Whether a trend is known: a path whose steps are too long for one is searched at every other point.
    pub(crate) fn has_trend(&self) -> bool {
        self.values.known() > 1
    }

    /// The step from which the next search looks at what it has: one before the last search ended.
    pub(crate) fn first_look(&self) -> usize {
        self.steps.saturating_sub(1)
    }

    /// Notes the pair that was found.
    pub(crate) fn found(&mut self, value: f64, x: &[f64]) {
        let expected = self.expected();
        if expected > 0.0 {
            self.surprise = (value / expected - 1.0).abs().max(0.25 * self.surprise);
        }
        // Of either sign: each is known up to that.
        let last = self.vectors.last(x.len());
        let sign = if last.is_some_and(|last| inner_product(last, x) < 0.0) { -1.0 } else { 1.0 };
        self.vectors.note(x.iter().map(|x| sign * x));
        self.values.note([value].into_iter());
    }

    /// Forgets where the path came from, but for the last vector.
    pub(crate) fn lose_track(&mut self) {
        self.values.clear();
        self.surprise = FIRST_SURPRISE;
        self.vectors.keep_last();
    }
}
