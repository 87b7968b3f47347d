//! Second derivatives by central differences of a Jacobian, for maps that give first derivatives only.
//!
//! `D2f(w)[u, v] = (J(w + h v) u - J(w - h v) u) / 2h`, with a relative error near eps^(2/3).

use gaussflow_solvers::JacobianOperator;

use crate::difference_quotient::Scales;
use crate::difference_step::{Steps, subtract};
use crate::map::{MapError, Residuals, SecondOrderMap, SmoothMap};

/// Change of a product of the Jacobian, relative to it, that has about seven digits.
const VISIBLE: f64 = 1e-9;

/// Gives a [`SmoothMap`] second derivatives by central differences of its Jacobian,
/// `D2f(w)[u, v] = (J(w + h v) u - J(w - h v) u) / 2h`, with a relative error near eps^(2/3) = 4e-11.
///
/// # Cost
/// Two Jacobians for each second derivative, and two more each time that they hardly differ. The step is relative to the
/// parameters, and grows at most until it is relative to 1.
///
/// # Examples
/// ```
/// use gaussflow_objective::{
///     FiniteDifferences, JacobianDifferences, ResidualFn, check_second_derivative,
/// };
/// let first_order = FiniteDifferences::new(ResidualFn::new(1, 1, |w, out| out[0] = w[0].sin()));
/// let map = JacobianDifferences::new(first_order);
/// assert!(check_second_derivative(&map, &[1.0], &[1.0])?.passed());
/// # Ok::<(), gaussflow_objective::MapError>(())
/// ```
#[derive(Clone, Debug)]
pub struct JacobianDifferences<M> {
    inner: M,
}

impl<M: SmoothMap> JacobianDifferences<M> {
    /// Wraps `inner`.
    pub fn new(inner: M) -> Self {
        Self { inner }
    }

    /// `(apply(J(w + h v)) - apply(J(w - h v))) / 2h`.
    fn difference(
        &self,
        w: &[f64],
        v: &[f64],
        apply: impl Fn(&M::Jacobian, &mut [f64]),
        out: &mut [f64],
    ) -> Result<(), MapError> {
        // Truncation h^2 against the Jacobian's error e over h.
        let relative = self.inner.jacobian_error().max(f64::EPSILON).cbrt();
        let mut steps = Steps::along(v, w, &Scales::default(), relative);
        let (mut value, mut low) = (vec![0.0; self.inner.outputs()], vec![0.0; out.len()]);
        let mut jacobian = self.inner.new_jacobian();
        let visible = VISIBLE.max(1e4 * self.inner.jacobian_error());
        let numerator = steps.difference(out.len(), visible, |steps, after| {
            for (sign, target) in [(1.0, &mut *after), (-1.0, &mut low[..])] {
                self.inner.linearize(&steps.place(w, sign), &mut value, &mut jacobian)?;
                apply(&jacobian, target);
            }
            Ok(subtract(after, &low))
        })?;
        for (out, difference) in out.iter_mut().zip(&numerator) {
            *out = difference / (2.0 * steps.step());
        }
        Ok(())
    }
}

impl<M: SmoothMap> Residuals for JacobianDifferences<M> {
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

impl<M: SmoothMap> SmoothMap for JacobianDifferences<M> {
    type Jacobian = M::Jacobian;

    fn new_jacobian(&self) -> M::Jacobian {
        self.inner.new_jacobian()
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut M::Jacobian,
    ) -> Result<(), MapError> {
        self.inner.linearize(w, value, jacobian)
    }

    fn linearize_within(
        &self,
        w: &[f64],
        lower: &[f64],
        upper: &[f64],
        value: &mut [f64],
        jacobian: &mut M::Jacobian,
    ) -> Result<(), MapError> {
        self.inner.linearize_within(w, lower, upper, value, jacobian)
    }

    fn jacobian_error(&self) -> f64 {
        self.inner.jacobian_error()
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = Self::Jacobian>> {
        Some(self)
    }
}

impl<M: SmoothMap> SecondOrderMap for JacobianDifferences<M> {
    fn second_derivative(
        &self,
        w: &[f64],
        _jacobian: &M::Jacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        self.difference(w, v, |jacobian, target| jacobian.apply(u, target), out)
    }

    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        _jacobian: &M::Jacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        self.difference(w, v, |jacobian, target| jacobian.apply_transposed(weights, target), out)
    }
}
