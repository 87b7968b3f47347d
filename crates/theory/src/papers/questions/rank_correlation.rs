//! Spearman's rank correlation, also with ranks taken within groups, and what chance gives of it.

use gaussflow_solvers::{inner_product, norm};

/// Ranks less their mean, ties at their mean.
fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let below = |x: f64| values.iter().filter(|y| **y < x).count() as f64;
    let equal = |x: f64| values.iter().filter(|y| y.total_cmp(&x).is_eq()).count() as f64;
    let mean = 0.5 * (values.len() as f64 + 1.0);
    values.iter().map(|&x| below(x) + 0.5 * (equal(x) + 1.0) - mean).collect()
}

/// The correlation of two lists that are centred; NaN where one of them is 0.
fn correlation(x: &[f64], y: &[f64]) -> f64 {
    inner_product(x, y) / (norm(x) * norm(y))
}

/// Spearman's rank correlation of two lists of equal length; NaN where one of them is constant.
///
/// # Examples
/// ```
/// use gaussflow_theory::papers::questions::spearman;
/// let cubes = spearman(&[1.0, 2.0, 3.0], &[1.0, 8.0, 27.0]);
/// let falling = spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]);
/// assert!((cubes - 1.0).abs() < 1e-15 && (falling + 1.0).abs() < 1e-15);
/// ```
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    correlation(&centred_ranks(x), &centred_ranks(y))
}

/// The same with ranks taken within each group of pairs `(x, y)`: what differs between groups alone predicts nothing of it.
///
/// # Examples
/// ```
/// use gaussflow_theory::papers::questions::spearman_within;
/// // Both rise from the first group to the second, but within each y falls as x rises.
/// let groups = [vec![(1.0, 2.0), (2.0, 1.0)], vec![(11.0, 12.0), (12.0, 11.0)]];
/// assert!((spearman_within(&groups) + 1.0).abs() < 1e-15);
/// ```
pub fn spearman_within(groups: &[Vec<(f64, f64)>]) -> f64 {
    let (mut of_x, mut of_y) = (Vec::new(), Vec::new());
    for group in groups {
        let (x, y): (Vec<f64>, Vec<f64>) = group.iter().copied().unzip();
        of_x.extend(centred_ranks(&x));
        of_y.extend(centred_ranks(&y));
    }
    correlation(&of_x, &of_y)
}

/// Deviations that the largest of 7 normal numbers exceeds in size in one study of twenty: two-sided 0.05/7,
/// Bonferroni's correction.
const DEVIATIONS: f64 = 2.69;

/// The correlation that one of 7 unrelated predictors exceeds in one study of twenty, `count` pairs in `groups` groups:
/// normal approximation, a mean taken off in each group.
pub(super) fn by_chance(count: usize, groups: usize) -> f64 {
    DEVIATIONS / (count as f64 - groups as f64).sqrt()
}
