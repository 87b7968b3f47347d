//! Which of n rows lie on which rank: consecutive ones, as evenly as they can be shared.

use std::ops::Range;

/// The rows of rank `rank` of `ranks`: the first `rows mod ranks` ranks have one more than the others.
///
/// # Examples
/// ```
/// use gaussflow_distributed::partition::rows_of;
/// assert_eq!([0, 1, 2].map(|rank| rows_of(8, 3, rank)), [0..3, 3..6, 6..8]);
/// ```
pub fn rows_of(rows: usize, ranks: usize, rank: usize) -> Range<usize> {
    let (share, more) = (rows / ranks, rows % ranks);
    let start = rank * share + rank.min(more);
    start..start + share + usize::from(rank < more)
}
