//! Second derivatives by central differences of a Jacobian, for maps that give first derivatives only.
//!
//! `D2f(w)[u, v] = (J(w + h v) u - J(w - h v) u) / 2h`, with a relative error near eps^(2/3).

use gaussflow_solvers::JacobianOperator;

use crate::map::{MapError, Residuals, SecondOrderMap, SmoothMap};

/// A [`SmoothMap`] made into a [`SecondOrderMap`]; each second derivative costs two Jacobians.
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

    /// The Jacobians at `w + h v` and `w - h v`, and the width 2h.
    fn around(&self, w: &[f64], v: &[f64]) -> Result<([M::Jacobian; 2], f64), MapError> {
        let reach = v
            .iter()
            .zip(w)
            .map(|(v, w)| v.abs() / if *w == 0.0 { 1.0 } else { w.abs() })
            .fold(0.0, f64::max);
        let h = f64::EPSILON.cbrt() / if reach > 0.0 { reach } else { 1.0 };
        let mut value = vec![0.0; self.inner.outputs()];
        let mut at = |sign: f64| {
            let shifted: Vec<f64> = w.iter().zip(v).map(|(w, v)| w + sign * h * v).collect();
            let mut jacobian = self.inner.new_jacobian();
            self.inner.linearize(&shifted, &mut value, &mut jacobian).map(|()| jacobian)
        };
        Ok(([at(1.0)?, at(-1.0)?], 2.0 * h))
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
        let ([after, before], width) = self.around(w, v)?;
        let mut low = vec![0.0; out.len()];
        after.apply(u, out);
        before.apply(u, &mut low);
        for (o, low) in out.iter_mut().zip(&low) {
            *o = (*o - low) / width;
        }
        Ok(())
    }

    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        _jacobian: &M::Jacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let ([after, before], width) = self.around(w, v)?;
        let mut low = vec![0.0; out.len()];
        after.apply_transposed(weights, out);
        before.apply_transposed(weights, &mut low);
        for (o, low) in out.iter_mut().zip(&low) {
            *o = (*o - low) / width;
        }
        Ok(())
    }
}
