//! The kernels for `((1 - rho) J^T J + rho I) v = J^T b`, one function each.

use crate::damped::{DampedSolver, SolveReport, SolveRequest};
use crate::dense::cholesky::Cholesky;
use crate::dense::condition::estimate_smallest;
use crate::dense::householder_qr::HouseholderQr;
use crate::error::SolveError;
use crate::jacobian::operator::JacobianOperator;
use crate::jacobian::right_side::RightSide;
use crate::matrix_free::iterative::IterativeSettings;
use crate::point::factors::Factors;
use crate::vector::{add_scaled, inner_product, norm};

impl Factors {
    /// `(1-rho) J^T J + rho I = L L^T`; returns `norm(J^T b)`.
    pub(crate) fn solve_primal(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rho: f64,
        b: RightSide<'_>,
        v: &mut [f64],
        report: &mut SolveReport,
    ) -> Result<f64, SolveError> {
        if rho == 0.0 && self.is_wide() {
            // J^T J has rank n at most; rounding could hide it.
            let solver = DampedSolver::PrimalCholesky;
            return Err(SolveError::NotPositiveDefinite {
                solver,
                damping: rho,
                index: self.total_rows,
            });
        }
        let cholesky = self.primal(jacobian, rho)?;
        b.pull_back(jacobian, v);
        let gradient = norm(v);
        solve_by(cholesky, v, report);
        Ok(gradient)
    }

    /// `((1-rho) K + rho I) z = b`, then `v = J^T z`; needs rho > 0 unless K is nonsingular.
    pub(crate) fn solve_dual(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rho: f64,
        b: &[f64],
        v: &mut [f64],
        report: &mut SolveReport,
    ) -> Result<(), SolveError> {
        let (rows, held) = (self.total_rows, self.rows);
        if rho == 0.0 && rows > self.columns {
            // K has rank p at most; rounding could hide it.
            let (solver, index) = (DampedSolver::DualCholesky, self.columns);
            return Err(SolveError::NotPositiveDefinite { solver, damping: rho, index });
        }
        let mut z = std::mem::take(&mut self.output);
        z.resize(z.len().max(rows), 0.0);
        let outcome = self.dual(jacobian, rho).map(|cholesky| {
            jacobian.gather(b, &mut z[..rows]);
            solve_by(cholesky, &mut z[..rows], report);
            if held == rows {
                jacobian.apply_transposed(&z[..rows], v);
            } else {
                let mut here = vec![0.0; held];
                jacobian.take_own(&z[..rows], &mut here);
                jacobian.apply_transposed(&here, v);
            }
        });
        self.output = z;
        outcome
    }

    /// rho = 0: `v = R^-1 Q^T b`; refuses below the cutoff.
    pub(crate) fn solve_qr(
        &mut self,
        jacobian: &dyn JacobianOperator,
        cutoff: f64,
        b: &[f64],
        v: &mut [f64],
        report: &mut SolveReport,
    ) -> Result<(), SolveError> {
        self.qr(jacobian)?;
        let solver = DampedSolver::HouseholderQr;
        let full = self.is_full_rank(jacobian, cutoff)?;
        if self.is_wide() || !full {
            let extremes = self.scaled_extremes(jacobian)?;
            let smallest = if self.is_wide() { 0.0 } else { extremes.smallest };
            let largest = extremes.largest;
            let largest = largest.max(self.scaled_rank_scale());
            return Err(SolveError::RankDeficient { solver, smallest, largest, cutoff });
        }
        report.condition_estimate = if let Some(known) = self.extremes {
            known.largest / known.smallest
        } else {
            let largest = self.size(jacobian)? / (self.columns as f64).sqrt();
            largest / self.smallest_estimate()
        };
        let Some(qr) = &mut self.qr.workspace else { return Ok(()) };
        let rotated = &mut self.output[..self.reduced_rows];
        jacobian.reduce(b, rotated);
        qr.apply_q_transposed(rotated);
        v.copy_from_slice(&rotated[..self.columns]);
        qr.solve_upper(v);
        (report.smallest_pivot, report.largest_pivot) = qr.pivots();
        Ok(())
    }

    /// rho > 0: least squares with `[sqrt(rho) I; sqrt(1-rho) J]` and `[0; b / sqrt(1-rho)]`.
    ///
    /// The damping rows come first: where they outweigh J, each reflector then leaves b in place,
    /// and `J^T b` is not lost in the rounding of b.
    pub(crate) fn solve_stacked(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rho: f64,
        b: &[f64],
        v: &mut [f64],
        report: &mut SolveReport,
    ) -> Result<(), SolveError> {
        let size = self.size(jacobian)?;
        let (rows, columns) = (self.reduced_rows, self.columns);
        let scale = (1.0 - rho).sqrt();
        self.form_dense(jacobian);
        let (qr, current) = self.stacked.open(rho, || HouseholderQr::new(rows + columns, columns));
        if !current {
            self.counts.stacked_qr += 1;
            let dense = &self.dense;
            qr.factor(|mut matrix| {
                for c in 0..columns {
                    for r in 0..columns {
                        matrix[(r, c)] = if r == c { rho.sqrt() } else { 0.0 };
                    }
                    for (r, x) in dense.col_as_slice(c).iter().enumerate() {
                        matrix[(columns + r, c)] = scale * x;
                    }
                }
            });
        }
        let rotated = &mut self.output[..rows + columns];
        rotated[..columns].fill(0.0);
        jacobian.reduce(b, &mut rotated[columns..]);
        rotated[columns..].iter_mut().for_each(|r| *r /= scale);
        qr.apply_q_transposed(rotated);
        v.copy_from_slice(&rotated[..columns]);
        qr.solve_upper(v);
        (report.smallest_pivot, report.largest_pivot) = qr.pivots();
        let norm = size / (columns as f64).sqrt();
        report.condition_estimate = (scale * scale * norm * norm + rho).sqrt()
            / estimate_smallest(qr, &mut self.parameter[..columns]);
        Ok(())
    }

    /// `v = V diag(s / ((1-rho) s^2 + rho)) U^T b`; at rho = 0 only singular values above the cutoff.
    pub(crate) fn solve_svd(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rho: f64,
        cutoff: f64,
        b: &[f64],
        v: &mut [f64],
        report: &mut SolveReport,
    ) -> Result<(), SolveError> {
        self.svd(jacobian)?;
        v.fill(0.0);
        let Some(svd) = &self.svd.workspace else { return Ok(()) };
        let rank = if rho == 0.0 {
            svd.rank(cutoff, self.scaled_rank_scale())
        } else {
            svd.values().len()
        };
        report.rank = svd.rank(cutoff, self.scaled_rank_scale());
        let reduced = &mut self.output[..self.reduced_rows];
        jacobian.reduce(b, reduced);
        for (k, s) in svd.values().enumerate().take(rank) {
            let coordinate = inner_product(svd.left(k), reduced);
            // s / ((1-rho) s^2 + rho) without squaring s, which could leave the range of numbers.
            let inverse = if rho == 0.0 { s } else { (1.0 - rho) * s + rho / s };
            add_scaled(v, coordinate / inverse, svd.right(k));
        }
        report.largest_pivot = svd.values().next().unwrap_or(0.0);
        report.smallest_pivot = svd.values().nth(rank.saturating_sub(1)).unwrap_or(0.0);
        report.condition_estimate = if report.smallest_pivot > 0.0 {
            report.largest_pivot / report.smallest_pivot
        } else {
            f64::INFINITY
        };
        Ok(())
    }

    /// By products with J alone, to the request's tolerance.
    pub(crate) fn solve_matrix_free(
        &mut self,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        b: &[f64],
        v: &mut [f64],
        report: &mut SolveReport,
    ) -> Result<(), SolveError> {
        let settings = IterativeSettings {
            tolerance: request.tolerance,
            preconditioner_memory: self.memory_limit,
            ..IterativeSettings::default()
        };
        let solver = self.matrix_free()?;
        let found = if report.solver == DampedSolver::Lsmr {
            solver.solve_lsmr(jacobian, request.damping, settings, b, v)?
        } else {
            solver.solve_cg(jacobian, request.damping, settings, b, v)?
        };
        self.counts.iterative += 1;
        self.counts.iterations += found.iterations as u64;
        report.iterations = found.iterations;
        let (smallest, largest) = found.ritz_values;
        report.condition_estimate =
            if smallest > 0.0 && largest >= smallest { largest / smallest } else { 1.0 };
        Ok(())
    }
}

/// Solves with a factor for x; pivots and condition of the factored matrix go to the report.
fn solve_by(cholesky: &mut Cholesky, x: &mut [f64], report: &mut SolveReport) {
    (report.smallest_pivot, report.largest_pivot) = cholesky.pivots();
    report.condition_estimate = cholesky.solve_and_condition(x);
}
