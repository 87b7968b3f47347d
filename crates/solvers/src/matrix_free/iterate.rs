//! The loop of a matrix-free solve: passes, and after each the true residual.

use crate::error::SolveError;
use crate::jacobian::operator::JacobianOperator;
use crate::matrix_free::conjugate_gradients::RunLimits;
use crate::matrix_free::iterative::{Attained, IterativeReport, IterativeSettings};
use crate::matrix_free::passes::Problem;
use crate::matrix_free::solve::{MatrixFree, Method};
use crate::powers::binary_scale;
use crate::vector::norm;

/// A pass aims at this part of what is asked: the true residual is a little above the recursion's.
const MARGIN: f64 = 0.5;

/// A pass reduces its residual by no more than this: beyond, the recursion tells nothing.
pub(crate) const REDUCTION: f64 = 1e-12;

/// Iterations of a pass in the smaller dimension of J, and one: in exact arithmetic one each is enough, and a pass
/// that halves nothing within a hundred is the last.
const PASS_ITERATIONS: usize = 100;

/// A residual that no longer falls counts as rounding up to this multiple of the rounding level.
const ROUNDING_SLACK: f64 = 1e3;

impl MatrixFree {
    /// Passes of one method until the true residual is small enough.
    pub(crate) fn solve(
        &mut self,
        jacobian: &dyn JacobianOperator,
        damping: f64,
        settings: IterativeSettings,
        (b, v): (&[f64], &mut [f64]),
        method: Method,
    ) -> Result<IterativeReport, SolveError> {
        // Exact, and squares of entries of b neither overflow nor vanish.
        let scale = binary_scale(jacobian.output_norm(b).min(f64::MAX));
        self.target.iter_mut().zip(b).for_each(|(t, b)| *t = b / scale);
        v.fill(0.0);
        self.misfit.copy_from_slice(&self.target);
        jacobian.apply_transposed(&self.misfit, &mut self.defect);
        let gradient = norm(&self.defect);
        let size = self.jacobian_norm.unwrap_or(f64::NAN);
        if !gradient.is_finite() {
            let what = "the gradient J^T b";
            return Err(SolveError::NonFinite { what, index: 0, value: gradient });
        }
        let problem = Problem {
            jacobian,
            damping,
            size,
            b: jacobian.output_norm(&self.target),
            goal: settings.tolerance * gradient,
        };
        let mut report = IterativeReport {
            attained: Attained::Tolerance,
            iterations: 0,
            passes: 0,
            residual: gradient,
            relative_residual: 0.0,
            preconditioner_rank: 0,
            preconditioner_trace: 1.0,
            ritz_values: (f64::INFINITY, 0.0),
        };
        if damping >= 1.0 {
            v.copy_from_slice(&self.defect);
            report.residual = 0.0;
        } else if gradient > 0.0 {
            let solved = self.iterate(&problem, settings.max_iterations, v, method, &mut report);
            report.relative_residual = report.residual / gradient;
            if !solved {
                v.iter_mut().for_each(|v| *v *= scale);
                return Err(SolveError::NotConverged {
                    solver: if method == Method::Lsmr { "LSMR" } else { "conjugate gradients" },
                    iterations: report.iterations,
                    relative_residual: report.relative_residual,
                    tolerance: settings.tolerance,
                });
            }
        }
        v.iter_mut().for_each(|v| *v *= scale);
        report.residual *= scale;
        Ok(report)
    }

    /// Alternates passes and true residuals; whether an answer was reached.
    fn iterate(
        &mut self,
        problem: &Problem<'_>,
        max_iterations: usize,
        v: &mut [f64],
        method: Method,
        report: &mut IterativeReport,
    ) -> bool {
        if matches!(method, Method::Dual | Method::PreconditionedDual) {
            self.dual.clear();
            self.dual.resize(self.rows, 0.0);
            self.dual_residual.resize(self.rows, 0.0);
        }
        let order = problem.jacobian.total_rows().min(self.columns);
        let longest = PASS_ITERATIONS.saturating_mul(order).saturating_add(PASS_ITERATIONS);
        let mut previous = f64::INFINITY;
        loop {
            // Test the true residual: as small as asked, as small as rounding lets it be, or no longer falling.
            let rounding = problem.rounding_level(norm(v));
            if report.residual <= problem.goal {
                report.attained = Attained::Tolerance;
                return true;
            }
            if report.residual <= rounding {
                report.attained = Attained::Rounding;
                return true;
            }
            // Infinity falls no further, and is none of the cases above.
            if report.residual > 0.5 * previous || report.residual.is_infinite() {
                report.attained = Attained::Rounding;
                return report.residual <= ROUNDING_SLACK * rounding;
            }
            if report.iterations >= max_iterations {
                return false;
            }

            // Aim the next pass: a little below what is asked, and never beyond what its recursion can tell.
            previous = report.residual;
            let goal = MARGIN * problem.goal.max(rounding).max(REDUCTION * report.residual);
            let left = max_iterations - report.iterations;
            let limits = RunLimits { target: goal, iterations: left.min(longest) };

            // Run the pass, which corrects v.
            let outcome = match method {
                Method::Primal => {
                    let copy = |r: &[f64], out: &mut [f64]| out.copy_from_slice(r);
                    self.primal_pass(problem, v, limits, copy)
                }
                Method::PreconditionedPrimal => {
                    let blocks = std::mem::take(&mut self.blocks);
                    let precondition = |r: &[f64], out: &mut [f64]| blocks.apply(r, out);
                    let outcome = self.primal_pass(problem, v, limits, precondition);
                    self.blocks = blocks;
                    outcome
                }
                Method::Dual => {
                    let copy = |r: &[f64], out: &mut [f64]| out.copy_from_slice(r);
                    self.dual_pass(problem, v, limits, report.residual, copy)
                }
                Method::PreconditionedDual => {
                    let mut factor = std::mem::take(&mut self.preconditioner);
                    let precondition = |r: &[f64], out: &mut [f64]| factor.apply(r, out);
                    let outcome = self.dual_pass(problem, v, limits, report.residual, precondition);
                    self.preconditioner = factor;
                    outcome
                }
                Method::Lsmr => {
                    let (jacobian, damping) = (problem.jacobian, problem.damping);
                    self.lsmr.run(jacobian, damping, &self.misfit, v, limits)
                }
            };

            // Keep the extreme Ritz values of all passes.
            if method != Method::Lsmr && outcome.iterations > 0 {
                let (smallest, largest) = self.gradients.ritz_values();
                let known = report.ritz_values;
                // The preconditioner is applied without its factor 1 / rho.
                let unit = match method {
                    Method::PreconditionedDual => 1.0 / problem.damping,
                    _ => 1.0,
                };
                report.ritz_values = (known.0.min(smallest * unit), known.1.max(largest * unit));
            }

            // Measure `J^T b - (1-rho) J^T J v - rho v` with the v that would be returned.
            report.iterations += outcome.iterations;
            report.passes += 1;
            self.measure(problem, v);
            report.residual = norm(&self.defect);
            if report.residual.is_nan() {
                report.residual = f64::INFINITY;
            }
        }
    }
}
