//! A sparse Jacobian by central differences, many columns at once (Curtis, Powell and Reid, 1974).
//!
//! Columns without a common row move together: each row of `f(w + sum h_k e_k) - f(w - sum h_k e_k)` then belongs to one
//! of them. Groups are formed greedily; a tridiagonal Jacobian needs three whatever its size.

use gaussflow_solvers::{SparseJacobian, SparsityPattern};

use crate::difference_quotient::{GROWTH, Scales, VISIBLE, promised_error};
use crate::map::{MapError, Residuals, SmoothMap};

/// Gives a map a sparse Jacobian with the entries of a [`SparsityPattern`], by central differences of its values.
///
/// Columns without a common row are moved together. Steps start as in [`FiniteDifferences`](crate::FiniteDifferences) and
/// grow in the same way, judged by the rows of each column alone. They are not shortened where the derivative changes, so
/// give scales there. Where one side of a step is undefined, the other gives the derivative, by
/// `(-3 f(w) + 4 f(w + h) - f(w + 2h)) / 2h`. The pattern must hold every entry that can be nonzero; [`check_jacobian`](crate::check_jacobian) shows one
/// that misses some.
///
/// # Cost
/// Two evaluations per group of columns and one more: 7 for a tridiagonal Jacobian of any size. Columns whose step grows, or
/// that must be moved alone, take two more each time.
///
/// # Source
/// A. R. Curtis, M. J. D. Powell and J. K. Reid, "On the estimation of sparse Jacobian matrices", 1974.
///
/// # Examples
/// ```
/// use gaussflow_objective::{ResidualFn, SmoothMap, SparseDifferences};
/// use gaussflow_solvers::SparsityPattern;
/// let map = ResidualFn::new(1000, 1000, |w, out| {
///     (0..1000).for_each(|j| out[j] = w[j] * w[j] - if j > 0 { w[j - 1] } else { 0.0 });
/// });
/// let map = SparseDifferences::new(map, SparsityPattern::banded(1000, 1000, 1, 0))?;
/// assert_eq!(map.groups(), 2);
/// let (mut value, mut jacobian) = (vec![0.0; 1000], map.new_jacobian());
/// map.linearize(&[3.0; 1000], &mut value, &mut jacobian)?;
/// assert!((jacobian.column(7).1[0] - 6.0).abs() < 1e-8);
/// # Ok::<(), gaussflow_objective::MapError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SparseDifferences<R> {
    inner: R,
    pattern: SparsityPattern,
    groups: Vec<Vec<usize>>,
    scales: Scales,
}

/// Values on both sides, parameters moved there, and the box that they keep to.
struct Sides<'b> {
    after: Vec<f64>,
    before: Vec<f64>,
    shifted: Vec<f64>,
    /// The box.
    lower: &'b [f64],
    upper: &'b [f64],
}

impl<R: Residuals> SparseDifferences<R> {
    /// Wraps `inner`, whose Jacobian has nonzero entries only where `pattern` (n x p) has them.
    ///
    /// # Errors
    /// [`MapError::ShapeMismatch`] for a pattern of another shape.
    pub fn new(inner: R, pattern: SparsityPattern) -> Result<Self, MapError> {
        require_shape(&pattern, inner.outputs(), inner.parameters())?;
        let groups = group(&pattern);
        Ok(Self { inner, pattern, groups, scales: Scales::default() })
    }

    /// Sets the magnitude of each parameter to which its steps are relative (length p, positive), as
    /// [`FiniteDifferences::with_scales`](crate::FiniteDifferences::with_scales) does.
    ///
    /// # Errors
    /// [`MapError`] on another length than p, or an entry that is not positive and finite.
    pub fn with_scales(mut self, scales: Vec<f64>) -> Result<Self, MapError> {
        self.scales = Scales::given(scales, self.inner.parameters())?;
        Ok(self)
    }

    /// Returns the map of values.
    pub fn inner(&self) -> &R {
        &self.inner
    }

    /// Returns the number of groups of columns; a Jacobian takes two evaluations for each.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Values at w with `factor h` added to the columns of `moved`; whether they are defined, and in the box.
    fn shift(
        &self,
        w: &[f64],
        moved: &[(usize, f64)],
        factor: f64,
        (lower, upper): (&[f64], &[f64]),
        shifted: &mut [f64],
        out: &mut [f64],
    ) -> Result<bool, MapError> {
        let mut inside = true;
        for &(k, magnitude) in moved {
            shifted[k] = w[k] + factor * f64::EPSILON.cbrt() * magnitude;
            inside &= (lower[k]..=upper[k]).contains(&shifted[k]);
        }
        let found = if inside { self.inner.value(shifted, out) } else { Ok(()) };
        moved.iter().for_each(|&(k, _)| shifted[k] = w[k]);
        if !inside {
            return Ok(false);
        }
        match found {
            Ok(()) => Ok(true),
            Err(MapError::Undefined { .. } | MapError::NonFinite { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Differences of the columns of `moved`, which have no common row, each with its magnitude.
    fn differ(
        &self,
        w: &[f64],
        value: &[f64],
        moved: &[(usize, f64)],
        sides: &mut Sides,
        jacobian: &mut SparseJacobian,
    ) -> Result<(), MapError> {
        let Sides { after, before, shifted, lower, upper } = &mut *sides;
        let mut defined = self.shift(w, moved, 1.0, (lower, upper), shifted, after)?;
        defined &= self.shift(w, moved, -1.0, (lower, upper), shifted, before)?;
        let mut hidden = Vec::new();
        let mut undefined = Vec::new();
        for &(k, magnitude) in moved {
            let h = f64::EPSILON.cbrt() * magnitude;
            let width = (w[k] + h) - (w[k] - h);
            let (rows, entries) = jacobian.column_mut(k);
            let fine = |&j: &usize| after[j].is_finite() && before[j].is_finite();
            if !(defined && rows.iter().all(fine)) {
                undefined.push((k, magnitude));
                continue;
            }
            let (mut size, mut change) = (0.0_f64, 0.0_f64);
            for (&j, entry) in rows.iter().zip(entries) {
                let difference = after[j] - before[j];
                *entry = difference / width;
                (size, change) = (size.max(after[j].abs()), change.max(difference.abs()));
            }
            // A parameter that happens to be near 0 says nothing about its scale.
            if magnitude < 1.0 && change <= VISIBLE * size {
                hidden.push((k, (GROWTH * magnitude).min(1.0)));
            }
        }
        if undefined.len() > 1 || (undefined.len() == 1 && moved.len() > 1) {
            // One of them leaves what is defined: each alone.
            for &one in &undefined {
                self.differ(w, value, &[one], sides, jacobian)?;
            }
        } else if let Some(&one) = undefined.first() {
            self.differ_on_one_side(w, value, one, sides, jacobian)?;
        }
        if hidden.is_empty() {
            return Ok(());
        }
        // A longer step that leaves what is defined is no better than a hidden one.
        let kept: Vec<(usize, Vec<f64>)> =
            hidden.iter().map(|&(k, _)| (k, jacobian.column(k).1.to_vec())).collect();
        self.differ(w, value, &hidden, sides, jacobian)?;
        for (k, entries) in kept {
            if jacobian.column(k).1.iter().any(|x| !x.is_finite()) {
                jacobian.column_mut(k).1.copy_from_slice(&entries);
            }
        }
        Ok(())
    }

    /// `(-3 f(w) + 4 f(w + h) - f(w + 2h)) / 2h` on the side that is defined; NaN where neither is.
    fn differ_on_one_side(
        &self,
        w: &[f64],
        value: &[f64],
        (k, magnitude): (usize, f64),
        sides: &mut Sides,
        jacobian: &mut SparseJacobian,
    ) -> Result<(), MapError> {
        let Sides { after, before, shifted, lower, upper } = sides;
        let h = f64::EPSILON.cbrt() * magnitude;
        for side in [1.0, -1.0] {
            let moved = [(k, magnitude)];
            let defined = self.shift(w, &moved, side, (lower, upper), shifted, after)?
                && self.shift(w, &moved, 2.0 * side, (lower, upper), shifted, before)?;
            let (rows, entries) = jacobian.column_mut(k);
            for (&j, entry) in rows.iter().zip(&mut *entries) {
                let (near, far) = (after[j] - value[j], before[j] - value[j]);
                *entry = if defined { (4.0 * near - far) / (2.0 * side * h) } else { f64::NAN };
            }
            if entries.iter().all(|x| x.is_finite()) {
                break;
            }
        }
        Ok(())
    }
}

/// Refuses a pattern of another shape than n x p.
pub(crate) fn require_shape(pattern: &SparsityPattern, n: usize, p: usize) -> Result<(), MapError> {
    for (what, expected, found) in [
        ("each column of the sparsity pattern", n, pattern.rows()),
        ("each row of the sparsity pattern", p, pattern.columns()),
    ] {
        if expected != found {
            return Err(MapError::ShapeMismatch { what, expected, found });
        }
    }
    Ok(())
}

/// Columns without a common row, greedily from the first to the last.
pub(crate) fn group(pattern: &SparsityPattern) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of = vec![usize::MAX; pattern.columns()];
    // The last column that met each group.
    let mut met: Vec<usize> = Vec::new();
    for k in 0..pattern.columns() {
        for &row in pattern.column(k) {
            for other in pattern.row_columns(row) {
                if other >= k {
                    break;
                }
                met[group_of[other]] = k;
            }
        }
        let free = met.iter().position(|last| *last != k).unwrap_or(met.len());
        if free == groups.len() {
            groups.push(Vec::new());
            met.push(usize::MAX);
        }
        groups[free].push(k);
        group_of[k] = free;
    }
    groups
}

impl<R: Residuals> Residuals for SparseDifferences<R> {
    fn parameters(&self) -> usize {
        self.inner.parameters()
    }

    fn outputs(&self) -> usize {
        self.inner.outputs()
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.inner.value(w, out)
    }
}

impl<R: Residuals> SmoothMap for SparseDifferences<R> {
    type Jacobian = SparseJacobian;

    fn new_jacobian(&self) -> SparseJacobian {
        SparseJacobian::zeros(self.pattern.clone())
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut SparseJacobian,
    ) -> Result<(), MapError> {
        let unbounded = [vec![f64::NEG_INFINITY; w.len()], vec![f64::INFINITY; w.len()]];
        self.linearize_within(w, &unbounded[0], &unbounded[1], value, jacobian)
    }

    /// # Errors
    /// As [`Residuals::value`]; [`MapError::NonFinite`] where f is defined on neither side of w.
    fn linearize_within(
        &self,
        w: &[f64],
        lower: &[f64],
        upper: &[f64],
        value: &mut [f64],
        jacobian: &mut SparseJacobian,
    ) -> Result<(), MapError> {
        self.inner.value(w, value)?;
        let side = || vec![0.0; value.len()];
        let mut sides = Sides { after: side(), before: side(), shifted: w.to_vec(), lower, upper };
        for columns in &self.groups {
            // A parameter that has no room has no part in any step.
            let free = columns.iter().filter(|&&k| lower[k] < upper[k]);
            let moved: Vec<(usize, f64)> =
                free.map(|&k| (k, self.scales.magnitude(w, k))).collect();
            self.differ(w, value, &moved, &mut sides, jacobian)?;
        }
        for (k, _) in lower.iter().zip(upper).enumerate().filter(|(_, (l, u))| l >= u) {
            jacobian.column_mut(k).1.fill(0.0);
        }
        crate::map::require_finite("the Jacobian by differences", jacobian.values())
    }

    /// As [`FiniteDifferences`](crate::FiniteDifferences).
    fn jacobian_error(&self) -> f64 {
        promised_error()
    }
}
