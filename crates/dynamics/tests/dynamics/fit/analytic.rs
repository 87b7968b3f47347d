//! A map from residuals written in dual numbers: exact Jacobians for test functions.

use gaussflow_objective::{MapError, Residuals, SmoothMap};
use gaussflow_solvers::DenseJacobian;

use crate::fit::dual::{Dual, LARGEST};

/// Residuals of a fixed number of parameters.
pub struct Analytic<F> {
    parameters: usize,
    outputs: usize,
    function: F,
}

impl<F: Fn(&[Dual]) -> Vec<Dual>> Analytic<F> {
    pub fn new(parameters: usize, function: F) -> Self {
        assert!(parameters <= LARGEST);
        let outputs = function(&vec![Dual::constant(0.5); parameters]).len();
        Self { parameters, outputs, function }
    }

    fn evaluate(&self, w: &[f64]) -> Vec<Dual> {
        let duals: Vec<Dual> = w.iter().enumerate().map(|(k, &w)| Dual::parameter(w, k)).collect();
        (self.function)(&duals)
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
        out.iter_mut().zip(self.evaluate(w)).for_each(|(o, dual)| *o = dual.value);
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
        for (j, dual) in self.evaluate(w).into_iter().enumerate() {
            value[j] = dual.value;
            (0..w.len()).for_each(|k| matrix[(j, k)] = dual.slope[k]);
        }
        Ok(())
    }
}
