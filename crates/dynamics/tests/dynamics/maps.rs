//! Maps in closed form that the tests of this crate share.

#![allow(dead_code, reason = "each test file uses some of them")]

use gaussflow_dynamics::{Outcome, Settings, simulate};
use gaussflow_objective::{Loss, MapError, Objective, Residuals, SecondOrderMap, SmoothMap};
use gaussflow_solvers::DenseJacobian;

/// `f_j(w) = tanh(a_j . w) + b (a_j . w)^2 / 2 + c_j . w` on pseudo-random rows: of full rank for
/// any n and p, curved, with every derivative in closed form.
#[derive(Clone)]
pub struct Ridge {
    pub outputs: usize,
    pub parameters: usize,
}

impl Ridge {
    pub fn row(&self, j: usize) -> Vec<f64> {
        let angle = |k: usize| 1.3 * ((j + 1) * (k + 2)) as f64 + (j as f64) * 0.7;
        (0..self.parameters).map(|k| 0.6 * angle(k).sin()).collect()
    }

    pub fn straight(&self, j: usize) -> Vec<f64> {
        (0..self.parameters).map(|k| 0.4 * (0.9 * ((j + 3) * (k + 1)) as f64).cos()).collect()
    }

    /// Value, first and second derivative of output j along its own row.
    fn jet(&self, j: usize, w: &[f64]) -> (f64, f64, f64) {
        let z: f64 = self.row(j).iter().zip(w).map(|(a, w)| a * w).sum();
        let t = z.tanh();
        (t + 0.1 * z * z, 1.0 - t * t + 0.2 * z, -2.0 * t * (1.0 - t * t) + 0.2)
    }
}

impl Residuals for Ridge {
    fn parameters(&self) -> usize {
        self.parameters
    }
    fn outputs(&self) -> usize {
        self.outputs
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        for (j, o) in out.iter_mut().enumerate() {
            let line: f64 = self.straight(j).iter().zip(w).map(|(c, w)| c * w).sum();
            *o = self.jet(j, w).0 + line;
        }
        Ok(())
    }
}

impl SmoothMap for Ridge {
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
        let mut matrix = jacobian.matrix_mut();
        for j in 0..self.outputs {
            let (row, straight, slope) = (self.row(j), self.straight(j), self.jet(j, w).1);
            for k in 0..self.parameters {
                matrix[(j, k)] = slope * row[k] + straight[k];
            }
        }
        Ok(())
    }
    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = DenseJacobian>> {
        Some(self)
    }
}

impl SecondOrderMap for Ridge {
    fn second_derivative(
        &self,
        w: &[f64],
        _: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        for (j, o) in out.iter_mut().enumerate() {
            let row = self.row(j);
            let along = |x: &[f64]| row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>();
            *o = self.jet(j, w).2 * along(u) * along(v);
        }
        Ok(())
    }
    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        _: &DenseJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        out.fill(0.0);
        for (j, weight) in weights.iter().enumerate() {
            let row = self.row(j);
            let along: f64 = row.iter().zip(v).map(|(a, v)| a * v).sum();
            for (o, a) in out.iter_mut().zip(&row) {
                *o += weight * self.jet(j, w).2 * along * a;
            }
        }
        Ok(())
    }
}

/// `f(w) = A w` with A of n x p given by rows.
#[derive(Clone)]
pub struct Linear(pub Vec<Vec<f64>>);

impl Residuals for Linear {
    fn parameters(&self) -> usize {
        self.0[0].len()
    }
    fn outputs(&self) -> usize {
        self.0.len()
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        for (o, row) in out.iter_mut().zip(&self.0) {
            *o = row.iter().zip(w).map(|(a, w)| a * w).sum();
        }
        Ok(())
    }
}

impl SmoothMap for Linear {
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
        self.value(w, value)?;
        for (j, row) in self.0.iter().enumerate() {
            for (k, entry) in row.iter().enumerate() {
                jacobian.matrix_mut()[(j, k)] = *entry;
            }
        }
        Ok(())
    }
    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = DenseJacobian>> {
        Some(self)
    }
}

impl SecondOrderMap for Linear {
    fn second_derivative(
        &self,
        _: &[f64],
        _: &DenseJacobian,
        _: &[f64],
        _: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        out.fill(0.0);
        Ok(())
    }
    fn weighted_hessian_apply(
        &self,
        _: &[f64],
        _: &DenseJacobian,
        _: &[f64],
        _: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        out.fill(0.0);
        Ok(())
    }
}

/// `f(w) = (w_0, w_0 w_1)`: the second column of its Jacobian is zero where w_0 = 0.
pub struct Pinched;

impl Residuals for Pinched {
    fn parameters(&self) -> usize {
        2
    }
    fn outputs(&self) -> usize {
        2
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        out.copy_from_slice(&[w[0], w[0] * w[1]]);
        Ok(())
    }
}

impl SmoothMap for Pinched {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(2, 2)
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let mut matrix = jacobian.matrix_mut();
        matrix[(0, 0)] = 1.0;
        matrix[(1, 0)] = w[1];
        matrix[(1, 1)] = w[0];
        Ok(())
    }
    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = DenseJacobian>> {
        Some(self)
    }
}

impl SecondOrderMap for Pinched {
    fn second_derivative(
        &self,
        _: &[f64],
        _: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        out.copy_from_slice(&[0.0, u[0] * v[1] + u[1] * v[0]]);
        Ok(())
    }
    fn weighted_hessian_apply(
        &self,
        _: &[f64],
        _: &DenseJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        out.copy_from_slice(&[weights[1] * v[1], weights[1] * v[0]]);
        Ok(())
    }
}

/// The run and all that was observed: step, time, weights.
pub type Trace = Vec<(usize, f64, Vec<f64>)>;

pub fn run<M: SmoothMap, L: Loss>(
    objective: &Objective<M, L>,
    initial: &[f64],
    settings: &Settings,
) -> (Outcome, Trace) {
    let mut trace = Trace::new();
    let outcome = simulate(objective, initial, settings, |step, time, flow| {
        trace.push((step, time, flow.linearization().point().to_vec()));
    })
    .unwrap();
    (outcome, trace)
}

/// Solves `matrix x = right` by Gaussian elimination with partial pivoting.
pub fn eliminate(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let order = right.len();
    for c in 0..order {
        let size = |row: &usize| matrix[*row][c].abs();
        let pivot = (c..order).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap();
        matrix.swap(c, pivot);
        right.swap(c, pivot);
        for r in c + 1..order {
            let factor = matrix[r][c] / matrix[c][c];
            let pivot_row = matrix[c].clone();
            for (entry, above) in matrix[r][c..].iter_mut().zip(&pivot_row[c..]) {
                *entry -= factor * above;
            }
            right[r] -= factor * right[c];
        }
    }
    for c in (0..order).rev() {
        let known: f64 = (c + 1..order).map(|k| matrix[c][k] * right[k]).sum();
        right[c] = (right[c] - known) / matrix[c][c];
    }
    right
}
