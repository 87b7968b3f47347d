//! The best generic way: J formed, a triangular product, a Cholesky factor, all by faer.
//!
//! Of `J^T J` (p x p) and `J J^T` (n x n) the smaller one is formed: the yardstick for every shape.

use gaussflow::network::NetworkJacobian;
use gaussflow::prelude::*;
use gaussflow::solvers::faer::dyn_stack::{MemBuffer, MemStack};
use gaussflow::solvers::faer::linalg::cholesky::llt::factor::{
    LltRegularization, cholesky_in_place, cholesky_in_place_scratch,
};
use gaussflow::solvers::faer::linalg::matmul::{
    matmul,
    triangular::{BlockStructure, matmul as triangular_matmul},
};
use gaussflow::solvers::faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use gaussflow::solvers::faer::{Accum, Mat, MatMut, MatRef, Par, Spec};

use crate::case::Fallible;
use crate::euler::Stepper;
use crate::problems::{Problem, STEP};

/// The generic steps.
pub struct DenseEuler {
    objective: Objective<Network, Squared>,
    structured: NetworkJacobian,
    jacobian: Mat<f64>,
    matrix: Mat<f64>,
    scratch: MemBuffer,
    initial: Vec<f64>,
    weights: Vec<f64>,
    output: Vec<f64>,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    damping: f64,
}

impl DenseEuler {
    /// Steps from the problem's initial weights.
    pub fn new(problem: &Problem, scaling: f64, damping: f64) -> Fallible<Self> {
        let objective = problem.objective(scaling)?;
        let (n, p) = (problem.shape.n, problem.shape.p);
        let order = n.min(p);
        let initial = problem.point.weights.clone();
        Ok(Self {
            structured: objective.map().new_jacobian(),
            objective,
            jacobian: Mat::zeros(n, p),
            matrix: Mat::zeros(order, order),
            scratch: scratch(order),
            weights: initial.clone(),
            initial,
            output: vec![0.0; n],
            gradient: vec![0.0; n],
            direction: vec![0.0; p],
            damping,
        })
    }
}

/// `x <- (matrix + damping I)^-1 x`, factoring the matrix, of which the lower triangle counts, in place.
pub fn solve_damped(
    mut matrix: MatMut<'_, f64>,
    damping: f64,
    x: &mut [f64],
    scratch: &mut MemBuffer,
) -> Fallible<()> {
    for i in 0..matrix.nrows() {
        matrix[(i, i)] += damping;
    }
    let (stack, none) = (MemStack::new(scratch), LltRegularization::default());
    let factored = cholesky_in_place(matrix.as_mut(), none, Par::Seq, stack, Spec::default());
    if let Err(error) = factored {
        return Err(format!("the generic Cholesky failed: {error:?}").into());
    }
    solve_lower_triangular_in_place(matrix.as_ref(), column_mut(x), Par::Seq);
    solve_upper_triangular_in_place(matrix.transpose(), column_mut(x), Par::Seq);
    Ok(())
}

/// Room for [`solve_damped`].
pub fn scratch(order: usize) -> MemBuffer {
    MemBuffer::new(cholesky_in_place_scratch::<f64>(order, Par::Seq, Spec::default()))
}

impl Stepper for DenseEuler {
    fn reset(&mut self) -> Fallible<()> {
        self.weights.copy_from_slice(&self.initial);
        Ok(())
    }

    fn step(&mut self) -> Fallible<()> {
        self.objective.map().linearize(&self.weights, &mut self.output, &mut self.structured)?;
        self.output.iter_mut().for_each(|x| *x *= self.objective.scaling());
        self.objective.loss().gradient(&self.output, &mut self.gradient);
        self.structured.write_dense(self.jacobian.as_mut());
        let weight = 1.0 - self.damping;
        let mut direction = std::mem::take(&mut self.direction);
        if self.jacobian.nrows() >= self.jacobian.ncols() {
            let jacobian = self.jacobian.as_ref();
            lower_product(self.matrix.as_mut(), jacobian.transpose(), jacobian, weight);
            multiply(&mut direction, jacobian.transpose(), &self.gradient);
            solve_damped(self.matrix.as_mut(), self.damping, &mut direction, &mut self.scratch)?;
        } else {
            let jacobian = self.jacobian.as_ref();
            lower_product(self.matrix.as_mut(), jacobian, jacobian.transpose(), weight);
            let mut dual = std::mem::take(&mut self.gradient);
            solve_damped(self.matrix.as_mut(), self.damping, &mut dual, &mut self.scratch)?;
            multiply(&mut direction, self.jacobian.transpose(), &dual);
            self.gradient = dual;
        }
        let rate = STEP / self.objective.scaling();
        for (w, v) in self.weights.iter_mut().zip(&direction) {
            *w -= rate * v;
        }
        self.direction = direction;
        Ok(())
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}

/// The lower triangle of `out = weight left right`.
pub fn lower_product(
    out: MatMut<'_, f64>,
    left: MatRef<'_, f64>,
    right: MatRef<'_, f64>,
    weight: f64,
) {
    triangular_matmul(
        out,
        BlockStructure::TriangularLower,
        Accum::Replace,
        left,
        BlockStructure::Rectangular,
        right,
        BlockStructure::Rectangular,
        weight,
        Par::Seq,
    );
}

/// `out = matrix x`.
pub fn multiply(out: &mut [f64], matrix: MatRef<'_, f64>, x: &[f64]) {
    let x = MatRef::from_column_major_slice(x, x.len(), 1);
    matmul(column_mut(out), Accum::Replace, matrix, x, 1.0, Par::Seq);
}

/// A slice as a matrix of one column.
fn column_mut(x: &mut [f64]) -> MatMut<'_, f64> {
    let length = x.len();
    MatMut::from_column_major_slice_mut(x, length, 1)
}
