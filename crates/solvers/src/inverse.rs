//! Products with the inverse, `x <- H_rho^-1 x`, H_rho = (1 - rho) J^T J + rho I, from factors at hand.
//!
//! A right-hand side `J^T b` belongs in [`Factors::solve`], which need not square the condition; this
//! is for right-hand sides that are not of that form, such as second-derivative terms.

use crate::cholesky::Cholesky;
use crate::damped::{DampedSolver, SolveRequest};
use crate::error::{SolveError, require_finite, require_length};
use crate::factors::Factors;
use crate::operator::JacobianOperator;
use crate::vector::inner_product;

impl Factors {
    /// `x <- H_rho^-1 x` (length p) through the factor that [`Self::solve`] uses for `request`.
    ///
    /// At rho = 0 with a truncating SVD the inverse is the pseudo-inverse.
    ///
    /// # Errors
    /// As [`Self::solve`].
    pub fn apply_inverse(
        &mut self,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        x: &mut [f64],
    ) -> Result<(), SolveError> {
        require_length("the vector x", x, self.columns)?;
        require_finite("the vector x", x)?;
        if request.damping == 1.0 {
            return Ok(());
        }
        // A solve with b = 0 checks the request, makes the factor current and tells which it is.
        let zero = vec![0.0; self.rows];
        let mut nothing = vec![0.0; self.columns];
        let report = self.solve(jacobian, request, &zero, &mut nothing)?;
        let rho = request.damping;
        match report.solver {
            DampedSolver::PrimalCholesky => {
                if let Some(cholesky) = &self.primal.workspace {
                    cholesky.solve(x);
                }
            }
            DampedSolver::DualCholesky => {
                if let Some(cholesky) = &self.dual.workspace {
                    woodbury(jacobian, cholesky, rho, x);
                }
            }
            DampedSolver::HouseholderQr => {
                let slot = if rho == 0.0 { &self.qr } else { &self.stacked };
                if let Some(qr) = &slot.workspace {
                    qr.solve_upper_transposed(x);
                    qr.solve_upper(x);
                }
            }
            DampedSolver::ThinSvd | DampedSolver::Auto => {
                let Some(svd) = &self.svd.workspace else { return Ok(()) };
                let rank =
                    if rho == 0.0 { svd.rank(request.rank_cutoff) } else { svd.values().len() };
                let given = x.to_vec();
                // Outside the span of the right singular vectors H_rho is rho I.
                let outside = if rho > 0.0 { rho.recip() } else { 0.0 };
                x.iter_mut().for_each(|x| *x *= outside);
                for (k, s) in svd.values().enumerate().take(rank) {
                    let right = svd.right(k);
                    let factor = ((1.0 - rho) * s * s + rho).recip() - outside;
                    let coordinate = inner_product(right, &given);
                    for (x, v) in x.iter_mut().zip(right) {
                        *x += factor * coordinate * v;
                    }
                }
            }
        }
        Ok(())
    }
}

/// `H_rho^-1 x = (x - (1-rho) J^T ((1-rho) K + rho I)^-1 J x) / rho`.
fn woodbury(jacobian: &dyn JacobianOperator, cholesky: &Cholesky, rho: f64, x: &mut [f64]) {
    let mut image = vec![0.0; jacobian.rows()];
    jacobian.apply(x, &mut image);
    cholesky.solve(&mut image);
    let mut back = vec![0.0; x.len()];
    jacobian.apply_transposed(&image, &mut back);
    for (x, back) in x.iter_mut().zip(&back) {
        *x = (*x - (1.0 - rho) * back) / rho;
    }
}
