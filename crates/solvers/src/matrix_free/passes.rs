//! One pass of conjugate gradients towards `((1-rho) J^T J + rho I) v = J^T b`, and its true residual.
//!
//! Primal: `H dv = J^T b - H v`. Dual: `((1-rho) K + rho I) dz = b - (1-rho) J v - rho z`, `dv = J^T dz`,
//! which leaves `J^T b - H (v + dv) = J^T (dual residual)` up to rounding.

use crate::jacobian::operator::JacobianOperator;
use crate::matrix_free::conjugate_gradients::{RunLimits, RunOutcome, RunStop, pcg};
use crate::matrix_free::iterate::REDUCTION;
use crate::matrix_free::solve::MatrixFree;
use crate::vector::{add_scaled, norm};

/// J^T usually damps what is left of the dual residual: the first look at it comes this much early.
const FIRST_CHECK: f64 = 3.0;

/// One system, with b scaled by a power of two.
pub(crate) struct Problem<'a> {
    pub(crate) jacobian: &'a dyn JacobianOperator,
    pub(crate) damping: f64,
    /// Frobenius norm of J, and norm of b.
    pub(crate) size: f64,
    pub(crate) b: f64,
    /// The residual asked for.
    pub(crate) goal: f64,
}

impl Problem<'_> {
    /// The rounding error of an evaluation of the residual at a solution of norm `v`.
    pub(crate) fn rounding_level(&self, v: f64) -> f64 {
        let image = self.b + (1.0 - self.damping) * self.size * v;
        f64::EPSILON * (self.size * image + self.damping * v)
    }
}

impl MatrixFree {
    /// `misfit = b - (1-rho) J v` and `defect = J^T misfit - rho v`.
    pub(crate) fn measure(&mut self, problem: &Problem<'_>, v: &[f64]) {
        problem.jacobian.apply(v, &mut self.image);
        for ((m, b), image) in self.misfit.iter_mut().zip(&self.target).zip(&self.image) {
            *m = b - (1.0 - problem.damping) * image;
        }
        problem.jacobian.apply_transposed(&self.misfit, &mut self.defect);
        add_scaled(&mut self.defect, -problem.damping, v);
    }

    /// Conjugate gradients for the correction of v in parameter space.
    pub(crate) fn primal_pass(
        &mut self,
        problem: &Problem<'_>,
        v: &mut [f64],
        limits: RunLimits,
        precondition: impl FnMut(&[f64], &mut [f64]),
    ) -> RunOutcome {
        let (jacobian, rho) = (problem.jacobian, problem.damping);
        let Self { gradients, correction, image, defect, .. } = self;
        correction.clear();
        correction.resize(v.len(), 0.0);
        let apply = |p: &[f64], out: &mut [f64]| {
            jacobian.normal_apply(p, image, out);
            for (o, p) in out.iter_mut().zip(p) {
                *o = (1.0 - rho) * *o + rho * p;
            }
        };
        let outcome = pcg(gradients, apply, precondition, defect, correction, limits);
        add_scaled(v, 1.0, correction);
        outcome
    }

    /// Conjugate gradients for the correction of z in output space, and of v through J^T.
    pub(crate) fn dual_pass(
        &mut self,
        problem: &Problem<'_>,
        v: &mut [f64],
        limits: RunLimits,
        residual: f64,
        mut precondition: impl FnMut(&[f64], &mut [f64]),
    ) -> RunOutcome {
        let (jacobian, rho) = (problem.jacobian, problem.damping);
        let Self { gradients, correction, pullback, .. } = self;
        for ((t, m), z) in self.dual_residual.iter_mut().zip(&self.misfit).zip(&self.dual) {
            *t = m - rho * z;
        }
        correction.clear();
        correction.resize(self.dual_residual.len(), 0.0);
        gradients.start(&self.dual_residual);
        let start = norm(&self.dual_residual);
        // What counts is J^T of the dual residual. Its size relative to the dual residual is known
        // only where it is measured: at the start, and at each stop on the way.
        let mut target = FIRST_CHECK * start * (limits.target / residual);
        let mut total = 0;
        loop {
            let apply = |p: &[f64], out: &mut [f64]| {
                jacobian.apply_transposed(p, pullback);
                jacobian.apply(pullback, out);
                for (o, p) in out.iter_mut().zip(p) {
                    *o = (1.0 - rho) * *o + rho * p;
                }
            };
            let limits_now = RunLimits { target, iterations: limits.iterations - total };
            let mut outcome = gradients.run(
                apply,
                &mut precondition,
                |alpha, p| add_scaled(correction, alpha, p),
                limits_now,
            );
            total += outcome.iterations;
            outcome.iterations = total;
            if outcome.stop == RunStop::Target && outcome.residual_norm > REDUCTION * start {
                jacobian.apply_transposed(gradients.residual(), pullback);
                let measured = norm(pullback);
                if measured > limits.target {
                    target = outcome.residual_norm * (limits.target / measured).min(0.5);
                    continue;
                }
            }
            jacobian.apply_transposed(correction, pullback);
            add_scaled(v, 1.0, pullback);
            add_scaled(&mut self.dual, 1.0, correction);
            return outcome;
        }
    }
}
