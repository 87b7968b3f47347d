//! A map from residuals written in dual numbers: exact Jacobians for test functions.

use gaussflow_objective::{MapError, Residuals, SmoothMap};
use gaussflow_solvers::DenseJacobian;

use num_dual::Dual64 as Dual;

/// Residuals of a fixed number of parameters.
pub struct Analytic<F> {
    parameters: usize,
    outputs: usize,
    function: F,
}

impl<F: Fn(&[Dual]) -> Vec<Dual>> Analytic<F> {
    pub fn new(parameters: usize, function: F) -> Self {
        let outputs = function(&vec![Dual::from(0.5); parameters]).len();
        Self { parameters, outputs, function }
    }

    /// Values, and their derivatives by parameter k.
    fn evaluate(&self, w: &[f64], k: usize) -> Vec<Dual> {
        let part = |(l, &w): (usize, &f64)| Dual::new(w, if l == k { 1.0 } else { 0.0 });
        (self.function)(&w.iter().enumerate().map(part).collect::<Vec<_>>())
    }
}

impl<F: Fn(&[Dual]) -> Vec<Dual>> Residuals for Analytic<F> {
    fn parameters(&self) -> usize {
        self.parameters
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        out.iter_mut().zip(self.evaluate(w, 0)).for_each(|(o, dual)| *o = dual.re);
        Ok(())
    }
}

impl<F: Fn(&[Dual]) -> Vec<Dual>> SmoothMap for Analytic<F> {
    type Jacobian = DenseJacobian;

    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.outputs, self.parameters)
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        let mut matrix = jacobian.matrix_mut();
        self.value(w, value)?;
        for k in 0..w.len() {
            let column = self.evaluate(w, k).into_iter().enumerate();
            column.for_each(|(j, dual)| matrix[(j, k)] = dual.eps);
        }
        Ok(())
    }
}
