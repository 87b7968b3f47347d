//! LSMR for the damped least-squares problem whose normal equations are the damped system.
//!
//! `min norm(sqrt(1-rho) J v - b / sqrt(1-rho))^2 + rho norm(v)^2` has the gradient
//! `2 (((1-rho) J^T J + rho I) v - J^T b)`: its minimum is the solution for rho in (0, 1), and at
//! rho = 0 the iterates stay in the row space of J, so that they approach the solution of least
//! norm. Fong and Saunders 2011, algorithm LSMR, on the stacked matrix `[sqrt(1-rho) J; sqrt(rho) I]`
//! with no damping of its own, which gives the same iterates and can start anywhere. In exact
//! arithmetic it minimizes `norm(J^T b - H v)`, the residual asked for, over each Krylov space.

use crate::jacobian::operator::JacobianOperator;
use crate::matrix_free::conjugate_gradients::{RunLimits, RunOutcome, RunStop};
use crate::vector::norm;

/// The vectors of one solve; n and p are the rows and columns of J.
#[derive(Default)]
pub(crate) struct Lsmr {
    /// Left Lanczos vector: its part in output space (n) and the part of the damping rows (p).
    output: Vec<f64>,
    damped: Vec<f64>,
    /// Right Lanczos vector (p).
    right: Vec<f64>,
    /// The paper's h and h-bar (p).
    direction: Vec<f64>,
    correction: Vec<f64>,
    /// `J right` (n) and `J^T output` (p).
    image: Vec<f64>,
    pullback: Vec<f64>,
}

/// The scalars of the two rotations that turn the bidiagonal into a triangle, paper section 2.
struct Rotations {
    alpha_bar: f64,
    zeta_bar: f64,
    rho: f64,
    rho_bar: f64,
    cosine_bar: f64,
    sine_bar: f64,
}

/// The matrix `[sqrt(1-rho) J; sqrt(rho) I]`.
struct Stacked<'a> {
    jacobian: &'a dyn JacobianOperator,
    of_jacobian: f64,
    of_identity: f64,
}

impl Lsmr {
    /// Makes room for an n x p Jacobian, once.
    fn reserve(&mut self, rows: usize, columns: usize) {
        self.output.resize(rows, 0.0);
        self.image.resize(rows, 0.0);
        for buffer in [
            &mut self.damped,
            &mut self.right,
            &mut self.direction,
            &mut self.correction,
            &mut self.pullback,
        ] {
            buffer.resize(columns, 0.0);
        }
    }

    /// Adds to `v` (length p) until the norm of the residual falls to the target by the recursion.
    ///
    /// `misfit` is `b - (1-rho) J v` (length n) at the start.
    pub(crate) fn run(
        &mut self,
        jacobian: &dyn JacobianOperator,
        damping: f64,
        misfit: &[f64],
        v: &mut [f64],
        limits: RunLimits,
    ) -> RunOutcome {
        self.reserve(misfit.len(), v.len());
        let (of_jacobian, of_identity) = ((1.0 - damping).sqrt(), damping.sqrt());
        let stacked = Stacked { jacobian, of_jacobian, of_identity };
        for (u, misfit) in self.output.iter_mut().zip(misfit) {
            *u = misfit / of_jacobian;
        }
        for (u, v) in self.damped.iter_mut().zip(&*v) {
            *u = -of_identity * v;
        }
        let beta = self.normalize_left(jacobian);
        self.right.fill(0.0);
        let mut alpha = self.next_right(&stacked, 0.0);
        self.direction.copy_from_slice(&self.right);
        self.correction.fill(0.0);
        let mut turn = Rotations {
            alpha_bar: alpha,
            zeta_bar: alpha * beta,
            rho: 1.0,
            rho_bar: 1.0,
            cosine_bar: 1.0,
            sine_bar: 0.0,
        };
        let mut iterations = 0;
        loop {
            let residual_norm = turn.zeta_bar.abs();
            let stop = if residual_norm <= limits.target {
                RunStop::Target
            } else if iterations >= limits.iterations {
                RunStop::Iterations
            } else {
                let beta = self.next_left(&stacked, alpha);
                alpha = self.next_right(&stacked, beta);
                if self.update(&mut turn, (alpha, beta), v) {
                    iterations += 1;
                    continue;
                }
                RunStop::Breakdown
            };
            return RunOutcome { iterations, residual_norm, stop };
        }
    }

    /// `beta u = A v - alpha u`, normalized.
    fn next_left(&mut self, stacked: &Stacked<'_>, alpha: f64) -> f64 {
        stacked.jacobian.apply(&self.right, &mut self.image);
        for (u, image) in self.output.iter_mut().zip(&self.image) {
            *u = stacked.of_jacobian * image - alpha * *u;
        }
        for (u, v) in self.damped.iter_mut().zip(&self.right) {
            *u = stacked.of_identity * v - alpha * *u;
        }
        self.normalize_left(stacked.jacobian)
    }

    /// Divides the left Lanczos vector by its norm, which it returns; zero stays zero.
    fn normalize_left(&mut self, jacobian: &dyn JacobianOperator) -> f64 {
        let size = jacobian.output_norm(&self.output).hypot(norm(&self.damped));
        divide(size, self.output.iter_mut().chain(&mut self.damped));
        size
    }

    /// `alpha v = A^T u - beta v`, normalized.
    fn next_right(&mut self, stacked: &Stacked<'_>, beta: f64) -> f64 {
        stacked.jacobian.apply_transposed(&self.output, &mut self.pullback);
        for ((v, pullback), u) in self.right.iter_mut().zip(&self.pullback).zip(&self.damped) {
            *v = stacked.of_jacobian * pullback + stacked.of_identity * u - beta * *v;
        }
        let size = norm(&self.right);
        divide(size, self.right.iter_mut());
        size
    }

    /// The rotations of one step, h-bar, v and h; `false`, with v as it was, on a breakdown.
    fn update(&mut self, turn: &mut Rotations, (alpha, beta): (f64, f64), v: &mut [f64]) -> bool {
        let rho = turn.alpha_bar.hypot(beta);
        let (cosine, sine) = (turn.alpha_bar / rho, beta / rho);
        let theta = sine * alpha;
        let theta_bar = turn.sine_bar * rho;
        let rho_bar = (turn.cosine_bar * rho).hypot(theta);
        let cosine_bar = turn.cosine_bar * rho / rho_bar;
        let step = cosine_bar * turn.zeta_bar / (rho * rho_bar);
        if !step.is_finite() {
            return false;
        }
        let keep = theta_bar * rho / (turn.rho * turn.rho_bar);
        let turned = theta / rho;
        let vectors = self.correction.iter_mut().zip(&mut self.direction).zip(&self.right);
        for ((correction, direction), (right, v)) in
            vectors.zip(v).map(|((pair, right), v)| (pair, (right, v)))
        {
            *correction = *direction - keep * *correction;
            *v += step * *correction;
            *direction = right - turned * *direction;
        }
        let sine_bar = theta / rho_bar;
        *turn = Rotations {
            alpha_bar: cosine * alpha,
            zeta_bar: -sine_bar * turn.zeta_bar,
            rho,
            rho_bar,
            cosine_bar,
            sine_bar,
        };
        true
    }
}

/// Divides a vector by its norm; zero stays zero.
fn divide<'v>(size: f64, vector: impl Iterator<Item = &'v mut f64>) {
    if size > 0.0 {
        let factor = 1.0 / size;
        vector.for_each(|x| *x *= factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DenseJacobian;

    /// A diagonal J has the solution `s b / ((1-rho) s^2 + rho)`; the start is far from it.
    #[test]
    fn a_nonzero_start_leads_to_the_same_solution() {
        let (values, b, rho) = ([1.0, 2.0, 5.0], [1.0, -1.0, 2.0], 0.2);
        let mut jacobian = DenseJacobian::zeros(3, 3);
        for (k, value) in values.into_iter().enumerate() {
            jacobian.matrix_mut()[(k, k)] = value;
        }
        let mut v = [3.0, 1.0, -2.0];
        let misfit: Vec<f64> = (0..3).map(|k| b[k] - (1.0 - rho) * values[k] * v[k]).collect();
        let limits = RunLimits { target: 1e-13, iterations: 10 };
        let outcome = Lsmr::default().run(&jacobian, rho, &misfit, &mut v, limits);
        assert_eq!(outcome.stop, RunStop::Target);
        for k in 0..3 {
            let exact = values[k] * b[k] / ((1.0 - rho) * values[k] * values[k] + rho);
            assert!((v[k] - exact).abs() < 1e-12, "{k}: {} {exact}", v[k]);
        }
    }
}
