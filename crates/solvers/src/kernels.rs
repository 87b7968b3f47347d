//! The four kernels for `((1 - rho) J^T J + rho I) v = J^T b`, one function each.

use crate::cholesky::Cholesky;
use crate::condition::{estimate_smallest, inverse_norm};
use crate::damped::{DampedSolver, SolveReport};
use crate::error::SolveError;
use crate::factors::Factors;
use crate::householder_qr::HouseholderQr;
use crate::operator::{JacobianOperator, symmetric_product};
use crate::vector::add_scaled;

impl Factors {
    /// `(1-rho) J^T J + rho I = L L^T`.
    pub(crate) fn solve_primal(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rho: f64,
        b: &[f64],
        v: &mut [f64],
        report: &mut SolveReport,
    ) -> Result<(), SolveError> {
        let columns = self.columns;
        if rho == 0.0 && columns > self.rows {
            // J^T J has rank n at most; rounding could hide it.
            let solver = DampedSolver::PrimalCholesky;
            return Err(SolveError::NotPositiveDefinite { solver, damping: rho, index: self.rows });
        }
        let (cholesky, current) = self.primal.open(rho, || Cholesky::new(columns));
        if !current {
            self.counts.cholesky += 1;
            let dense = self.dense.as_ref();
            symmetric_product(cholesky.matrix_mut(), dense.transpose(), dense);
            if let Err(index) = damp_and_factor(cholesky, columns, rho) {
                self.primal.damping = None;
                let solver = DampedSolver::PrimalCholesky;
                return Err(SolveError::NotPositiveDefinite { solver, damping: rho, index });
            }
        }
        jacobian.apply_transposed(b, v);
        cholesky.solve(v);
        describe(cholesky, &mut self.parameter[..columns], report);
        Ok(())
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
        let rows = self.rows;
        if rho == 0.0 && rows > self.columns {
            // K has rank p at most; rounding could hide it.
            let (solver, index) = (DampedSolver::DualCholesky, self.columns);
            return Err(SolveError::NotPositiveDefinite { solver, damping: rho, index });
        }
        let (cholesky, current) = self.dual.open(rho, || Cholesky::new(rows));
        if !current {
            self.counts.cholesky += 1;
            let dense = self.dense.as_ref();
            symmetric_product(cholesky.matrix_mut(), dense, dense.transpose());
            if let Err(index) = damp_and_factor(cholesky, rows, rho) {
                self.dual.damping = None;
                let solver = DampedSolver::DualCholesky;
                return Err(SolveError::NotPositiveDefinite { solver, damping: rho, index });
            }
        }
        let z = &mut self.output[..rows];
        z.copy_from_slice(b);
        cholesky.solve(z);
        jacobian.apply_transposed(z, v);
        describe(cholesky, &mut self.parameter[..rows], report);
        Ok(())
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
        if self.rows < self.columns || !full {
            let extremes = self.extreme_singular_values(jacobian)?;
            let smallest = if self.rows < self.columns { 0.0 } else { extremes.smallest };
            let largest = extremes.largest;
            let largest = largest.max(self.rank_scale);
            return Err(SolveError::RankDeficient { solver, smallest, largest, cutoff });
        }
        report.condition_estimate = if let Some(known) = self.extremes {
            known.largest / known.smallest
        } else {
            let largest = self.dense_norm.unwrap_or(f64::NAN) / (self.columns as f64).sqrt();
            largest / self.smallest_estimate()
        };
        let Some(qr) = &mut self.qr.workspace else { return Ok(()) };
        let rotated = &mut self.output[..self.rows];
        rotated.copy_from_slice(b);
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
        self.dense_norm(jacobian)?;
        let (rows, columns) = (self.rows, self.columns);
        let scale = (1.0 - rho).sqrt();
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
        for (r, b) in rotated[columns..].iter_mut().zip(b) {
            *r = b / scale;
        }
        qr.apply_q_transposed(rotated);
        v.copy_from_slice(&rotated[..columns]);
        qr.solve_upper(v);
        (report.smallest_pivot, report.largest_pivot) = qr.pivots();
        let norm = self.dense_norm.unwrap_or(f64::NAN) / (columns as f64).sqrt();
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
        let rank = if rho == 0.0 { svd.rank(cutoff, self.rank_scale) } else { svd.values().len() };
        report.rank = svd.rank(cutoff, self.rank_scale);
        for (k, s) in svd.values().enumerate().take(rank) {
            let coordinate = jacobian.inner_product(svd.left(k), b);
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
}

/// Writes pivots and condition of the factored matrix to the report; `work` has its order.
fn describe(cholesky: &Cholesky, work: &mut [f64], report: &mut SolveReport) {
    (report.smallest_pivot, report.largest_pivot) = cholesky.pivots();
    let inverse = inverse_norm(work, |x| cholesky.solve(x));
    report.condition_estimate = cholesky.largest_diagonal() * inverse;
}

/// `A <- (1-rho) A + rho I` on the lower triangle, then its Cholesky factor.
fn damp_and_factor(cholesky: &mut Cholesky, order: usize, rho: f64) -> Result<(), usize> {
    let mut matrix = cholesky.matrix_mut();
    for c in 0..order {
        for r in c..order {
            matrix[(r, c)] *= 1.0 - rho;
        }
        matrix[(c, c)] += rho;
    }
    cholesky.factor()
}
