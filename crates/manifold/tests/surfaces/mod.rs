//! Surfaces given by their jets in closed form, in parameters that a matrix may mix.

use gaussflow_objective::{MapError, Residuals, SecondOrderMap, SmoothMap};
use gaussflow_solvers::DenseJacobian;

/// A surface with its jet: value, first and second derivatives for p <= 2 and n <= 3.
pub struct Surface {
    pub outputs: usize,
    pub parameters: usize,
    /// Value, then columns of J, then D2f for the pairs 00, 01, 11.
    pub jet: fn(&[f64]) -> [[f64; 3]; 6],
    /// Parameters are `mix * w`.
    pub mix: [[f64; 2]; 2],
}

impl Surface {
    fn mixed(&self, w: &[f64]) -> [f64; 2] {
        let second = w.get(1).copied().unwrap_or(0.0);
        [0, 1].map(|k| self.mix[k][0] * w[0] + self.mix[k][1] * second)
    }
}

impl Residuals for Surface {
    fn parameters(&self) -> usize {
        self.parameters
    }
    fn outputs(&self) -> usize {
        self.outputs
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        out.copy_from_slice(&(self.jet)(&self.mixed(w))[0][..self.outputs]);
        Ok(())
    }
}

impl SmoothMap for Surface {
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
        self.value(w, value)?;
        let jet = (self.jet)(&self.mixed(w));
        for (j, (u, v)) in jet[1].iter().zip(jet[2]).take(self.outputs).enumerate() {
            for k in 0..self.parameters {
                jacobian.matrix_mut()[(j, k)] = u * self.mix[0][k] + v * self.mix[1][k];
            }
        }
        Ok(())
    }
}

impl SecondOrderMap for Surface {
    fn second_derivative(
        &self,
        w: &[f64],
        _: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let jet = (self.jet)(&self.mixed(w));
        let (u, v) = (self.mixed(u), self.mixed(v));
        for (j, o) in out.iter_mut().enumerate() {
            let cross = u[0] * v[1] + u[1] * v[0];
            *o = jet[3][j] * u[0] * v[0] + jet[4][j] * cross + jet[5][j] * u[1] * v[1];
        }
        Ok(())
    }
    fn weighted_hessian_apply(
        &self,
        _: &[f64],
        _: &DenseJacobian,
        _: &[f64],
        _: &[f64],
        _: &mut [f64],
    ) -> Result<(), MapError> {
        Err(MapError::Undefined { reason: "the geometry does not need it".to_owned() })
    }
}
