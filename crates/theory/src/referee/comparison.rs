//! The two sides of a statement at one place, and what it assumes.

use std::cmp::Ordering;

/// Records what a statement assumes: a measured value, what it is compared with, and the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// What is compared, with the direction of the comparison.
    pub name: String,
    /// The measured value.
    pub value: f64,
    /// What it is compared with.
    pub threshold: f64,
    /// Whether the comparison is as the statement assumes; false for NaN.
    pub met: bool,
}

impl Hypothesis {
    /// Assumes that `value >= threshold`.
    pub fn at_least(name: &str, value: f64, threshold: f64) -> Self {
        Self { name: format!("{name}, at least"), value, threshold, met: value >= threshold }
    }

    /// Assumes that `value <= threshold`.
    pub fn at_most(name: &str, value: f64, threshold: f64) -> Self {
        Self { name: format!("{name}, at most"), value, threshold, met: value <= threshold }
    }

    /// Assumes that `value > threshold`.
    pub fn above(name: &str, value: f64, threshold: f64) -> Self {
        Self { name: format!("{name}, above"), value, threshold, met: value > threshold }
    }

    /// Assumes that `value < threshold`.
    pub fn below(name: &str, value: f64, threshold: f64) -> Self {
        Self { name: format!("{name}, below"), value, threshold, met: value < threshold }
    }
}

/// Holds the two sides of a statement `left <= right` at one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The side that should be smaller.
    pub left: f64,
    /// The side that should be larger.
    pub right: f64,
    /// What rounding and integration may add to `left - right`; at least 0.
    pub tolerance: f64,
    /// The place: a time, a step, or a description.
    pub at: String,
}

impl Comparison {
    /// Compares `left` with `right` at the place `at`.
    pub fn new(left: f64, right: f64, tolerance: f64, at: impl Into<String>) -> Self {
        Self { left, right, tolerance, at: at.into() }
    }

    /// Returns whether `left <= right + tolerance`; false for NaN.
    pub fn holds(&self) -> bool {
        self.left <= self.right + self.tolerance
    }

    /// Returns `left / right`; `None` where right is not positive or the quotient is not finite.
    pub fn ratio(&self) -> Option<f64> {
        let ratio = self.left / self.right;
        (self.right > 0.0 && ratio.is_finite()).then_some(ratio)
    }

    /// Returns by how much left exceeds right, in units of the tolerance, or of the rounding of the larger side where that is
    /// larger; `None` where the statement holds or a number is NaN.
    pub fn excess_in_tolerances(&self) -> Option<f64> {
        let rounding = f64::EPSILON * self.left.abs().max(self.right.abs());
        let excess = (self.left - self.right) / self.tolerance.max(rounding);
        (self.is_measured() && !self.holds()).then_some(excess)
    }

    /// Returns whether no side and no tolerance is NaN; an infinite bound counts as a number.
    pub fn is_measured(&self) -> bool {
        !(self.left.is_nan() || self.right.is_nan() || self.tolerance.is_nan())
    }

    /// Returns the comparison that speaks most against the statement, `None` of none. A comparison with a NaN comes first, so
    /// that it is never overlooked.
    pub fn worst(places: impl IntoIterator<Item = Self>) -> Option<Self> {
        places.into_iter().reduce(|worst, next| {
            if next.severity(&worst) == Ordering::Greater { next } else { worst }
        })
    }

    /// Which of two comparisons speaks more against the statement: by left over what is allowed.
    pub(super) fn severity(&self, other: &Self) -> Ordering {
        let key = |c: &Self| {
            let allowed = c.right + c.tolerance;
            if !c.is_measured() {
                (3, 0.0)
            } else if allowed > 0.0 {
                // Where the tolerance alone decides, the sides say nothing: such a place is the worst of none other.
                (i32::from(!(c.holds() && c.tolerance > c.right)), c.left / allowed)
            } else {
                // Nothing positive is allowed: worse than any finite ratio where left is above it.
                (if c.left > allowed { 2 } else { 0 }, c.left - allowed)
            }
        };
        let (a, b) = (key(self), key(other));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    }
}
