//! Dense first-order data of an objective at one point: `J`, `K = J J^T` or `H = J^T J` with eigenpairs.
//!
//! Functions of the kernel are taken through its spectrum: `J h(H) J^T u = sum_k gamma_k h(gamma_k)
//! <u_k, u> u_k`, for any h, which is what bounds on the spectrum are compared with.

use gaussflow_network::ActivationFunction;
use gaussflow_objective::{Loss, SmoothMap};
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{JacobianOperator, SymmetricEigen, inner_product, norm};

use crate::TheoryError;
use crate::problem::Problem;

/// Holds values, gradient, Jacobian and spectrum of a [`Problem`] at one parameter vector w.
///
/// Eigenvalues are those of the smaller of `K = J J^T` (n x n) and `H = J^T J` (p x p).
pub struct Local {
    /// The parameters w (length p).
    pub point: Vec<f64>,
    /// The outputs `alpha f(w)` (length n).
    pub output: Vec<f64>,
    /// The loss `g(alpha f(w))`.
    pub loss: f64,
    /// `grad g(alpha f(w))` (length n).
    pub gradient: Vec<f64>,
    /// The Jacobian J, n x p.
    pub jacobian: Mat<f64>,
    eigen: SymmetricEigen,
}

impl Local {
    /// Measures `problem` at `w` (length p) and alpha = `scaling`.
    ///
    /// # Cost
    /// A dense J, its smaller Gram matrix, and a symmetric eigenvalue decomposition of order min(n, p).
    pub fn measure<A: ActivationFunction>(
        problem: &Problem<A>,
        scaling: f64,
        w: &[f64],
    ) -> Result<Self, TheoryError> {
        let (n, p) = (problem.outputs(), problem.parameters());
        let mut output = vec![0.0; n];
        let mut operator = problem.network.new_jacobian();
        problem.network.linearize(w, &mut output, &mut operator)?;
        output.iter_mut().for_each(|x| *x *= scaling);
        let mut gradient = vec![0.0; n];
        problem.loss.gradient(&output, &mut gradient);
        let mut jacobian = Mat::zeros(n, p);
        operator.write_dense(jacobian.as_mut());
        let order = n.min(p);
        let mut gram = Mat::zeros(order, order);
        let mut work = Vec::new();
        if p >= n {
            operator.kernel(gram.as_mut(), &mut work);
        } else {
            operator.gram(gram.as_mut(), &mut work);
        }
        let mut eigen = SymmetricEigen::new(order)?;
        eigen.factor(gram.as_ref())?;
        let loss = problem.loss.value(&output);
        Ok(Self { point: w.to_vec(), output, loss, gradient, jacobian, eigen })
    }

    /// Returns the min(n, p) eigenvalues of K or H, ascending.
    pub fn eigenvalues(&self) -> Vec<f64> {
        let order = self.jacobian.nrows().min(self.jacobian.ncols());
        (0..order).map(|k| self.eigen.value(k)).collect()
    }

    /// Returns the smallest of these eigenvalues.
    pub fn smallest(&self) -> f64 {
        self.eigen.value(0)
    }

    /// Returns the largest of these eigenvalues, `norm(K) = norm(H)`.
    pub fn largest(&self) -> f64 {
        self.eigen.value(self.jacobian.nrows().min(self.jacobian.ncols()) - 1)
    }

    /// Returns unit eigenvector k in output space (length n): of K, or `J v_k / norm(J v_k)`.
    pub fn output_eigenvector(&self, k: usize) -> Vec<f64> {
        let vector = self.eigen.vector(k);
        if self.jacobian.ncols() >= self.jacobian.nrows() {
            return vector.to_vec();
        }
        let mut image = self.times(vector);
        let length = norm(&image);
        image.iter_mut().for_each(|x| *x /= length);
        image
    }

    /// Returns unit eigenvector k in parameter space (length p): of H, or `J^T u_k / norm(J^T u_k)`.
    pub fn parameter_eigenvector(&self, k: usize) -> Vec<f64> {
        let vector = self.eigen.vector(k);
        if self.jacobian.ncols() < self.jacobian.nrows() {
            return vector.to_vec();
        }
        let mut image = self.transposed_times(vector);
        let length = norm(&image);
        image.iter_mut().for_each(|x| *x /= length);
        image
    }

    /// Returns `J v` (length n).
    pub fn times(&self, v: &[f64]) -> Vec<f64> {
        multiply(&self.jacobian, v)
    }

    /// Returns `J^T u` (length p).
    pub fn transposed_times(&self, u: &[f64]) -> Vec<f64> {
        multiply_transposed(&self.jacobian, u)
    }

    /// Returns `<u, F u>`, where F has the eigenvectors of K and the eigenvalue `function(gamma)` where K has gamma (0
    /// outside the range of K when n > p).
    pub fn quadratic_form(&self, u: &[f64], function: impl Fn(f64) -> f64) -> f64 {
        (0..self.eigenvalues().len())
            .map(|k| {
                let coordinate = inner_product(&self.output_eigenvector(k), u);
                function(self.eigen.value(k)) * coordinate * coordinate
            })
            .sum()
    }
}

/// `A x`, column after column.
pub(crate) fn multiply(a: &Mat<f64>, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.nrows()];
    for (k, &x) in x.iter().enumerate() {
        out.iter_mut().zip(a.col(k).iter()).for_each(|(o, a)| *o += x * a);
    }
    out
}

/// `A^T u`.
pub(crate) fn multiply_transposed(a: &Mat<f64>, u: &[f64]) -> Vec<f64> {
    (0..a.ncols()).map(|k| a.col(k).iter().zip(u).map(|(a, u)| a * u).sum()).collect()
}

/// A lower bound of the operator norm by 30 power steps.
pub(crate) fn operator_norm_lower(matrix: &Mat<f64>) -> f64 {
    let columns = matrix.ncols();
    let mut v = vec![1.0 / (columns as f64).sqrt(); columns];
    let mut found = 0.0;
    for _ in 0..30 {
        let image = multiply(matrix, &v);
        found = norm(&image);
        let mut next = multiply_transposed(matrix, &image);
        let size = norm(&next);
        if size == 0.0 {
            break;
        }
        next.iter_mut().for_each(|x| *x /= size);
        v = next;
    }
    found
}
