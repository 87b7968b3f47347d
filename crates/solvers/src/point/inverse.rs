//! Products with the inverse of `H_rho = (1 - rho) J^T J + rho I`, `x <- H_rho^-1 x`, from its factors.
//!
//! A right-hand side `J^T b` belongs in [`Factors::solve`], which need not square the condition; this
//! is for right-hand sides that are not of that form, such as second-derivative terms.

use crate::damped::{DampedSolver, SolveRequest};
use crate::error::require_solution;
use crate::error::{SolveError, require_finite, require_length};
use crate::jacobian::operator::JacobianOperator;
use crate::jacobian::right_side::RightSide;
use crate::jacobian::scaling::Frame;
use crate::point::factors::Factors;
use crate::point::solve::require_request;
use crate::vector::{add_scaled, inner_product, norm};

impl Factors {
    /// Replaces x (length p) by `[(1-rho) J^T J + rho I]^-1 x`, with the factor that [`Self::solve`] uses for `request`.
    ///
    /// At rho = 0 with a truncating SVD the inverse is the pseudo-inverse.
    ///
    /// # Errors
    /// As [`Self::solve`]; [`SolveError::NoFactor`] where its algorithm iterates.
    pub fn apply_inverse(
        &mut self,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        x: &mut [f64],
    ) -> Result<(), SolveError> {
        require_request(request)?;
        require_length("the vector x", x, self.columns)?;
        require_finite("the vector x", x)?;
        if request.damping >= 1.0 {
            return Ok(());
        }
        self.measure_size(jacobian, request)?;
        let frame = Frame::new(self.exponent, norm(x), request.damping);
        let scaled = self.scaled(jacobian)?;
        let within = SolveRequest { damping: frame.damping, ..request };
        frame.take_in(x);
        let mut work = std::mem::take(&mut self.inverse_work);
        work.resize(self.rows + self.columns, 0.0);
        let outcome = self.apply_factor(scaled.operator(), within, x, &mut work);
        self.inverse_work = work;
        let solver = outcome.map_err(|error| frame.restate(error))?;
        frame.restore_inverse(x);
        require_solution(solver, x)
    }

    /// As [`Self::apply_inverse`], for rho below 1, a J and an x of ordinary sizes, with n + p numbers to work in;
    /// returns the kernel.
    fn apply_factor(
        &mut self,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        x: &mut [f64],
        work: &mut [f64],
    ) -> Result<DampedSolver, SolveError> {
        // A solve with b = 0 checks the request, makes the factor current and tells which it is.
        let (output, parameter) = work.split_at_mut(self.rows);
        output.fill(0.0);
        let solver = self
            .solve_ordinary(jacobian, request, (RightSide::from(&*output), 0.0), parameter)?
            .solver;
        let rho = request.damping;
        match solver {
            DampedSolver::PrimalCholesky => {
                if let Some(cholesky) = self.held_primal(rho) {
                    cholesky.solve(x);
                }
            }
            DampedSolver::DualCholesky if rho == 0.0 => {
                // K = J J^T alone tells nothing of H_0 = J^T J, which is singular for p > n.
                if self.is_wide() {
                    let index = self.total_rows;
                    return Err(SolveError::NotPositiveDefinite { solver, damping: rho, index });
                }
                jacobian.apply(x, output);
                // For n = p: H_0^-1 = J^T K^-2 J.
                self.solve_by_kernel(jacobian, output);
                self.solve_by_kernel(jacobian, output);
                jacobian.apply_transposed(output, x);
            }
            DampedSolver::DualCholesky => {
                // H_rho^-1 x = (x - (1-rho) J^T ((1-rho) K + rho I)^-1 J x) / rho.
                jacobian.apply(x, output);
                self.solve_by_kernel(jacobian, output);
                jacobian.apply_transposed(output, parameter);
                for (x, back) in x.iter_mut().zip(&*parameter) {
                    *x = (*x - (1.0 - rho) * back) / rho;
                }
            }
            DampedSolver::HouseholderQr => {
                let slot = if rho == 0.0 { &self.qr } else { &self.stacked };
                if let Some(qr) = &slot.workspace {
                    qr.solve_upper_transposed(x);
                    qr.solve_upper(x);
                }
            }
            DampedSolver::ConjugateGradients | DampedSolver::Lsmr => {
                return Err(SolveError::NoFactor { solver });
            }
            DampedSolver::ThinSvd | DampedSolver::Auto | DampedSolver::AmortizedCholesky => {
                let Some(svd) = &self.svd.workspace else { return Ok(solver) };
                let rank = if rho == 0.0 {
                    svd.rank(request.rank_cutoff, self.scaled_rank_scale())
                } else {
                    svd.values().len()
                };
                parameter.copy_from_slice(x);
                x.fill(0.0);
                for (k, s) in svd.values().enumerate().take(rank) {
                    let right = svd.right(k);
                    let coordinate = inner_product(right, parameter);
                    add_scaled(x, coordinate / ((1.0 - rho) * s * s + rho), right);
                }
                if rho > 0.0 && rank < self.columns {
                    // Outside the span of the right singular vectors H_rho is rho I. Twice, since
                    // what one subtraction leaves of the span by rounding counts for 1 / rho.
                    for k in (0..rank).chain(0..rank) {
                        let right = svd.right(k);
                        add_scaled(parameter, -inner_product(right, parameter), right);
                    }
                    add_scaled(x, rho.recip(), parameter);
                }
            }
        }
        Ok(solver)
    }

    /// `u <- ((1-rho) K + rho I)^-1 u` for the rows of u here, with the factor at hand.
    fn solve_by_kernel(&self, jacobian: &dyn JacobianOperator, u: &mut [f64]) {
        let Some(cholesky) = &self.dual.workspace else { return };
        if self.is_split() {
            let mut all = vec![0.0; self.total_rows];
            jacobian.gather(u, &mut all);
            cholesky.solve(&mut all);
            jacobian.take_own(&all, u);
        } else {
            cholesky.solve(u);
        }
    }
}
