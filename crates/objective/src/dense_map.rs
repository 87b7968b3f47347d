//! Any smooth map with its Jacobian held densely, so that maps known only at run time share a type.

use gaussflow_solvers::{DenseJacobian, JacobianOperator};

use crate::map::{MapError, Residuals, SecondOrderMap, SmoothMap};

/// A boxed map with a dense Jacobian and second derivatives: one type for every model.
pub type BoxedMap = Box<dyn SecondOrderMap<Jacobian = DenseJacobian> + Send + Sync>;

/// Presents a map of any Jacobian type as one with a dense Jacobian.
///
/// The structure of the inner Jacobian is lost: solves cost what a dense one costs, and a second
/// derivative linearizes the inner map once more.
///
/// # Examples
/// ```
/// use gaussflow_objective::{BoxedMap, Dense, FiniteDifferences, ResidualFn, Residuals};
/// let square = FiniteDifferences::new(ResidualFn::new(1, 1, |w, out| out[0] = w[0] * w[0]));
/// let boxed: BoxedMap = Box::new(Dense::new(square));
/// assert_eq!(boxed.parameters(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Dense<M> {
    inner: M,
}

impl<M: SmoothMap> Dense<M> {
    /// Wraps `inner`.
    pub fn new(inner: M) -> Self {
        Self { inner }
    }

    /// The inner map's own Jacobian at `w`.
    fn inner_jacobian(&self, w: &[f64]) -> Result<M::Jacobian, MapError> {
        let mut jacobian = self.inner.new_jacobian();
        let mut value = vec![0.0; self.inner.outputs()];
        self.inner.linearize(w, &mut value, &mut jacobian)?;
        Ok(jacobian)
    }
}

impl<M: SmoothMap> Residuals for Dense<M> {
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

impl<M: SecondOrderMap> SmoothMap for Dense<M> {
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
        let mut structured = self.inner.new_jacobian();
        self.inner.linearize(w, value, &mut structured)?;
        structured.write_dense(jacobian.matrix_mut());
        Ok(())
    }

    fn linearize_within(
        &self,
        w: &[f64],
        lower: &[f64],
        upper: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        let mut structured = self.inner.new_jacobian();
        self.inner.linearize_within(w, lower, upper, value, &mut structured)?;
        structured.write_dense(jacobian.matrix_mut());
        Ok(())
    }

    fn jacobian_error(&self) -> f64 {
        self.inner.jacobian_error()
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = Self::Jacobian>> {
        Some(self)
    }
}

impl<M: SecondOrderMap> SecondOrderMap for Dense<M> {
    fn second_derivative(
        &self,
        w: &[f64],
        _jacobian: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        self.inner.second_derivative(w, &self.inner_jacobian(w)?, u, v, out)
    }

    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        _jacobian: &DenseJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        self.inner.weighted_hessian_apply(w, &self.inner_jacobian(w)?, weights, v, out)
    }
}
