//! Derivatives by central differences, for maps that give values only.
//!
//! `(f(w + h e_k) - f(w - h e_k)) / 2h` with h = eps^(1/3) scale_k: truncation h^2 and rounding eps/h
//! balance at a relative error near eps^(2/3), 4e-11.

use gaussflow_solvers::{DenseJacobian, JacobianOperator};

use crate::map::{MapError, Residuals, SecondOrderMap, SmoothMap};

/// A map whose first and second derivatives come from differences of its values.
///
/// Cost of a Jacobian: 2p + 1 values. Steps are relative to `max(abs(w_k), scale_k)`, where
/// `scale_k` is 1 unless [`Self::with_scales`] says otherwise and `w_k` is 0; else `abs(w_k)`. A step that moves
/// no value by more than 1e-10 of the largest grows hundredfold, up to relative to 1, at two values each.
///
/// # Examples
/// ```
/// use gaussflow_objective::{FiniteDifferences, ResidualFn, SmoothMap};
/// let map = FiniteDifferences::new(ResidualFn::new(1, 2, |w, out| out[0] = w[0] * w[1].exp()));
/// let (mut value, mut jacobian) = ([0.0], map.new_jacobian());
/// map.linearize(&[2.0, 0.0], &mut value, &mut jacobian)?;
/// assert!((jacobian.matrix()[(0, 1)] - 2.0).abs() < 1e-9);
/// # Ok::<(), gaussflow_objective::MapError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FiniteDifferences<R> {
    inner: R,
    scales: Option<Vec<f64>>,
}

impl<R: Residuals> FiniteDifferences<R> {
    /// Differences of `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, scales: None }
    }

    /// The magnitude below which each parameter counts as zero (length p, positive).
    ///
    /// # Errors
    /// [`MapError`] on a wrong length or an entry that is not positive and finite.
    pub fn with_scales(mut self, scales: Vec<f64>) -> Result<Self, MapError> {
        crate::map::require_length("the scales", &scales, self.inner.parameters())?;
        let improper = scales.iter().enumerate().find(|(_, x)| !(x.is_finite() && **x > 0.0));
        if let Some((index, &value)) = improper {
            return Err(MapError::InvalidScale { index, value });
        }
        self.scales = Some(scales);
        Ok(self)
    }

    /// The map itself.
    pub fn inner(&self) -> &R {
        &self.inner
    }

    /// The magnitude that the step of parameter `k` is relative to.
    fn magnitude(&self, w: &[f64], k: usize) -> f64 {
        match &self.scales {
            Some(scales) => w[k].abs().max(scales[k]),
            None if w[k] == 0.0 => 1.0,
            None => w[k].abs(),
        }
    }

    /// Values at `w +- h e_k`, h relative to `magnitude`; returns the distance really taken after rounding.
    fn pair(
        &self,
        w: &mut [f64],
        k: usize,
        magnitude: f64,
        after: &mut [f64],
        before: &mut [f64],
    ) -> Result<f64, MapError> {
        let (here, h) = (w[k], f64::EPSILON.cbrt() * magnitude);
        w[k] = here + h;
        let right = w[k];
        let found = self.inner.value(w, after);
        w[k] = here - h;
        let width = right - w[k];
        let found = found.and_then(|()| self.inner.value(w, before));
        w[k] = here;
        found.map(|()| width)
    }

    /// A step along `v` that is `relative` of the parameters' magnitudes where v is largest.
    fn step_along(&self, w: &[f64], v: &[f64], relative: f64) -> f64 {
        let largest =
            v.iter().enumerate().map(|(k, v)| v.abs() / self.magnitude(w, k)).fold(0.0, f64::max);
        if largest > 0.0 { relative / largest } else { relative }
    }

    /// `D2f[v,v] = (f(w + hv) - 2 f(w) + f(w - hv)) / h^2` added to `out` with `factor`.
    fn add_second(
        &self,
        w: &[f64],
        v: &[f64],
        factor: f64,
        out: &mut [f64],
    ) -> Result<(), MapError> {
        // eps^(1/4): truncation h^2 against rounding eps / h^2.
        let h = self.step_along(w, v, f64::EPSILON.powf(0.25));
        let n = self.outputs();
        let mut values = [vec![0.0; n], vec![0.0; n], vec![0.0; n]];
        for (value, sign) in values.iter_mut().zip([-1.0, 0.0, 1.0]) {
            let shifted: Vec<f64> = w.iter().zip(v).map(|(w, v)| w + sign * h * v).collect();
            self.inner.value(&shifted, value)?;
        }
        let [before, at, after] = &values;
        for (j, o) in out.iter_mut().enumerate() {
            *o += factor * ((after[j] - at[j]) - (at[j] - before[j])) / (h * h);
        }
        Ok(())
    }
}

/// Change of the values, relative to them, from which their difference has six digits.
const VISIBLE: f64 = 1e-10;
/// Factor by which steps grow that the values do not show.
const GROWTH: f64 = 1e2;

/// Whether a difference stands out of the values' rounding (also where it is not finite).
fn is_visible(after: &[f64], before: &[f64]) -> bool {
    let size = after.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let change = after.iter().zip(before).fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
    // Written so that NaN is visible.
    let hidden = change <= VISIBLE * size;
    !hidden
}

impl<R: Residuals> Residuals for FiniteDifferences<R> {
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

impl<R: Residuals> SmoothMap for FiniteDifferences<R> {
    type Jacobian = DenseJacobian;

    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.outputs(), self.parameters())
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        let mut shifted = w.to_vec();
        let (mut after, mut before) = (vec![0.0; value.len()], vec![0.0; value.len()]);
        let mut matrix = jacobian.matrix_mut();
        for k in 0..w.len() {
            let mut magnitude = self.magnitude(w, k);
            let mut width = self.pair(&mut shifted, k, magnitude, &mut after, &mut before)?;
            // A parameter that happens to be near 0 says nothing about its scale: steps grow until values
            // show them, or would leave what is defined.
            while magnitude < 1.0 && !is_visible(&after, &before) {
                magnitude = (GROWTH * magnitude).min(1.0);
                let (mut right, mut left) = (after.clone(), before.clone());
                let found = self.pair(&mut shifted, k, magnitude, &mut right, &mut left);
                let defined = right.iter().chain(&left).all(|x| x.is_finite());
                match found {
                    Ok(wider) if defined => (width, after, before) = (wider, right, left),
                    _ => break,
                }
            }
            for (j, (a, b)) in after.iter().zip(&before).enumerate() {
                matrix[(j, k)] = (a - b) / width;
            }
        }
        self.inner.value(w, value)
    }

    /// Truncation and rounding, eps^(2/3), with a decade for values that carry more than their own rounding.
    fn jacobian_error(&self) -> f64 {
        10.0 * f64::EPSILON.powf(2.0 / 3.0)
    }
}

impl<R: Residuals> SecondOrderMap for FiniteDifferences<R> {
    /// Polarization of second differences; relative error near eps^(1/2).
    fn second_derivative(
        &self,
        w: &[f64],
        _jacobian: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        out.fill(0.0);
        if u == v {
            return self.add_second(w, v, 1.0, out);
        }
        let sum: Vec<f64> = u.iter().zip(v).map(|(u, v)| u + v).collect();
        let difference: Vec<f64> = u.iter().zip(v).map(|(u, v)| u - v).collect();
        self.add_second(w, &sum, 0.25, out)?;
        self.add_second(w, &difference, -0.25, out)
    }

    /// Central difference of `J^T weights` along v: two Jacobians.
    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        _jacobian: &DenseJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let h = self.step_along(w, v, f64::EPSILON.powf(0.25));
        let (mut value, mut jacobian) = (vec![0.0; self.outputs()], self.new_jacobian());
        let mut before = vec![0.0; out.len()];
        for (sign, target) in [(-1.0, &mut before[..]), (1.0, &mut *out)] {
            let shifted: Vec<f64> = w.iter().zip(v).map(|(w, v)| w + sign * h * v).collect();
            self.linearize(&shifted, &mut value, &mut jacobian)?;
            jacobian.apply_transposed(weights, target);
        }
        for (o, b) in out.iter_mut().zip(&before) {
            *o = (*o - b) / (2.0 * h);
        }
        Ok(())
    }
}
