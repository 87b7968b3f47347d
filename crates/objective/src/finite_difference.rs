//! Derivatives by central differences, for maps that give values only.
//!
//! `(f(w + h e_k) - f(w - h e_k)) / 2h` with h = eps^(1/3) scale_k: truncation h^2 and rounding eps/h
//! balance at a relative error near eps^(2/3), 4e-11. `difference_quotient.rs` has one column.

use gaussflow_solvers::{DenseJacobian, JacobianOperator};

use crate::difference_quotient::{Quotients, Scales, promised_error, rough_error};
use crate::difference_step::{Steps, subtract};
use crate::map::{MapError, Residuals, SecondOrderMap, SmoothMap, require_finite};

/// Gives a map first and second derivatives by central differences of its values, `(f(w + h e_k) - f(w - h e_k)) / 2h`.
///
/// The relative error of a column is about eps^(2/3) = 4e-11, from truncation h^2 and rounding eps/h at a step of
/// `h = eps^(1/3) = 6e-6`, where eps = 2.2e-16. Steps are relative to `scale_k` where [`Self::with_scales`] gives it, else to
/// `abs(w_k)` (to 1 where w_k is 0):
/// - a step that moves no value by more than 1e-10 of the largest grows hundredfold, up to relative to
///   `max(abs(w_k), 1)`;
/// - a step over which the derivative changes (a peak that is narrow beside its position, a wall nearby) is shortened
///   to where truncation and rounding balance, if the shorter one confirms it;
/// - where a side lies outside of the box of [`SmoothMap::linearize_within`] or has no finite value, the other side
///   alone gives the derivative, by a formula of second order as well.
///
/// 2p + 1 evaluations for a Jacobian, and two more each time that the step of a column grows or shrinks; `B(r) v` takes two
/// Jacobians.
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
    scales: Scales,
}

impl<R: Residuals> FiniteDifferences<R> {
    /// Wraps `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, scales: Scales::default() }
    }

    /// Sets the magnitude of each parameter to which its steps are relative (length p, positive): the change over which the
    /// values of f bend, which may lie far above or far below the parameter itself.
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

    /// The differences, for a map of any type.
    fn differences(&self) -> Differences<'_> {
        Differences { inner: &self.inner, scales: &self.scales }
    }
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
        let unbounded = [vec![f64::NEG_INFINITY; w.len()], vec![f64::INFINITY; w.len()]];
        self.linearize_within(w, &unbounded[0], &unbounded[1], value, jacobian)
    }

    /// # Errors
    /// Where f has no value at w, or on neither side of it, however short the step.
    fn linearize_within(
        &self,
        w: &[f64],
        lower: &[f64],
        upper: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.differences().linearize([lower, upper], w, value, jacobian)
    }

    /// By differences to one side, p + 1 values, with an error of about sqrt(eps) where the derivative changes no faster than
    /// the parameter's size says.
    fn linearize_roughly(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<f64, MapError> {
        self.differences().linearize_roughly(w, value, jacobian)
    }

    fn jacobian_error(&self) -> f64 {
        promised_error()
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = Self::Jacobian>> {
        Some(self)
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
        self.differences().second(w, u, v, out)
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
        self.differences().weighted_hessian(w, weights, v, out)
    }
}

/// A map whose type does not matter, so that its differences are compiled once.
struct Differences<'a> {
    inner: &'a dyn Residuals,
    scales: &'a Scales,
}

impl Differences<'_> {
    /// f and its Jacobian at w, by values within `bounds`.
    fn linearize(
        &self,
        bounds: [&[f64]; 2],
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.inner.value(w, value)?;
        require_finite("the residuals", value)?;
        let mut quotients = Quotients::new(self.inner, w, value, bounds);
        let mut matrix = jacobian.matrix_mut();
        for k in 0..w.len() {
            let slope = quotients.derivative(k, self.scales.magnitude(w, k))?;
            slope.iter().enumerate().for_each(|(j, slope)| matrix[(j, k)] = *slope);
        }
        Ok(())
    }

    /// f and its Jacobian at w, by one value a column where it tells enough.
    fn linearize_roughly(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<f64, MapError> {
        self.inner.value(w, value)?;
        require_finite("the residuals", value)?;
        let unbounded = [vec![f64::NEG_INFINITY; w.len()], vec![f64::INFINITY; w.len()]];
        let bounds = [&unbounded[0][..], &unbounded[1][..]];
        let mut quotients = Quotients::new(self.inner, w, value, bounds);
        let mut matrix = jacobian.matrix_mut();
        for k in 0..w.len() {
            let slope = quotients.forward_derivative(k, self.scales.magnitude(w, k))?;
            slope.iter().enumerate().for_each(|(j, slope)| matrix[(j, k)] = *slope);
        }
        Ok(rough_error())
    }

    /// `D2f[u, v]`.
    fn second(&self, w: &[f64], u: &[f64], v: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        out.fill(0.0);
        if u == v {
            return self.add_second(w, v, 1.0, out);
        }
        let sum: Vec<f64> = u.iter().zip(v).map(|(u, v)| u + v).collect();
        let difference: Vec<f64> = u.iter().zip(v).map(|(u, v)| u - v).collect();
        self.add_second(w, &sum, 0.25, out)?;
        self.add_second(w, &difference, -0.25, out)
    }

    /// `B(weights) v`.
    fn weighted_hessian(
        &self,
        w: &[f64],
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let n = self.inner.outputs();
        let (mut value, mut jacobian) = (vec![0.0; n], DenseJacobian::zeros(n, w.len()));
        let (low, high) = (vec![f64::NEG_INFINITY; w.len()], vec![f64::INFINITY; w.len()]);
        let mut before = vec![0.0; out.len()];
        let mut steps = Steps::along(v, w, self.scales, f64::EPSILON.powf(0.25));
        // The Jacobians are differences themselves.
        let numerator = steps.difference(out.len(), VISIBLE_SLOPE, |steps, after| {
            for (sign, target) in [(-1.0, &mut before[..]), (1.0, &mut *after)] {
                self.linearize([&low, &high], &steps.place(w, sign), &mut value, &mut jacobian)?;
                jacobian.apply_transposed(weights, target);
            }
            Ok(subtract(after, &before))
        })?;
        for (out, difference) in out.iter_mut().zip(&numerator) {
            *out = difference / (2.0 * steps.step());
        }
        Ok(())
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
        let mut steps = Steps::along(v, w, self.scales, f64::EPSILON.powf(0.25));
        let n = self.inner.outputs();
        let mut at = vec![0.0; n];
        let mut sides = [vec![0.0; n], vec![0.0; n]];
        self.inner.value(w, &mut at)?;
        let bends = steps.difference(n, VISIBLE_BEND, |steps, bends| {
            for (side, sign) in sides.iter_mut().zip([-1.0, 1.0]) {
                self.inner.value(&steps.place(w, sign), side)?;
            }
            let [before, after] = &sides;
            let (mut size, mut change) = (0.0_f64, 0.0_f64);
            for (j, bend) in bends.iter_mut().enumerate() {
                *bend = (after[j] - at[j]) - (at[j] - before[j]);
                (size, change) = (size.max(at[j].abs()), change.max(bend.abs()));
            }
            Ok((size, change))
        })?;
        let square = steps.step() * steps.step();
        for (o, bend) in out.iter_mut().zip(&bends) {
            *o += factor * bend / square;
        }
        Ok(())
    }
}

/// Second differences of the values, relative to them, that have about six digits.
const VISIBLE_BEND: f64 = 1e-9;
/// Change of `J^T u`, of a Jacobian by differences and relative to it, that has about as many.
const VISIBLE_SLOPE: f64 = 1e-5;
