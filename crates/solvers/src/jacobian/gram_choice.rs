//! Which kernel makes the Gram matrix of `J = S (.) X`, and whether what it takes of X is kept: by counts of operations.

use crate::jacobian::row_blocks::PADDING;
use crate::jacobian::row_gram;

/// Numbers up to which the pairs of features are kept from one Gram matrix to the next (2 MiB, what caches
/// hold): X stays as it is.
const KEPT: usize = 1 << 18;

/// Whether the pairs of d features on `rows` rows are few enough to keep.
pub(crate) fn keeps_feature_pairs(rows: usize, d: usize) -> bool {
    rows.saturating_mul((d * (d + 1) / 2).next_multiple_of(PADDING)) <= KEPT
}

/// Whether the Gram matrix from pairs of columns costs less than the triangular product of J, by rows for few
/// parameters.
///
/// All are counted in cycles of a processor with eight multiply-adds a cycle, from measurements of all
/// over n, d and m: pairs cost their product, the pairs themselves (those of features, unless they are `kept`, a
/// start for each feature as well), and bringing sums to their places.
pub(crate) fn pairs_pay((rows, hidden, features): (usize, usize, usize), kept: bool) -> bool {
    let (n, m, d) = (rows as f64, hidden as f64, features as f64);
    let (p, units) = (m * d, 0.5 * m * (m + 1.0));
    // Whole vectors of four.
    let pairs = 4.0 * (0.125 * d * (d + 1.0)).ceil();
    // Per entry of the Gram matrix, which a processor's own cache holds or does not.
    let (place, store) = if p > 400.0 { (10.0, 4.0) } else { (1.5, 0.3) };
    let again = if kept { 0.0 } else { 0.9 * pairs + 4.0 * d };
    let making = 0.8 * units + again;
    let by_pairs = n * (units * pairs / 8.6 + making) + place * p * p + 1000.0;
    let dense = if hidden * features <= row_gram::PARAMETERS {
        n * (0.07 * p * (p + 8.0) + 0.3 * p) + 0.5 * p * p
    } else {
        n * (0.07 * p * p + 2.0 * p) + store * p * p
    };
    by_pairs < dense
}
