//! An orthonormal basis of the range of J and the coordinates in it: `J = Q R`, from the QR at hand.
//!
//! A vector `u = J v` of the range has the coordinates `c = Q^T u = R v`, so that a quadratic form
//! `v^T A v` over `norm(J v)^2` is `c^T (R^-T A R^-1) c` over `norm(c)^2`, without ever forming `J^T J`.

use faer::prelude::ReborrowMut;
use faer::{MatMut, MatRef};
use gaussflow_faer::solve_lower;

use crate::damped::DampedSolver;
use crate::dense::householder_qr::HouseholderQr;
use crate::error::{SolveError, require_cutoff, require_length};
use crate::jacobian::operator::{JacobianOperator, require_finite_output};
use crate::point::factors::Factors;
use crate::powers::times_power;

/// Gives an orthonormal basis Q (n x p) of the range of J with full column rank, and the triangular R (p x p) with `J = Q R`.
///
/// Where the rows of J lie on several machines, vectors of length n hold the entries of those here, R and coordinates are the
/// same on all machines, and all of them must make the same calls.
pub struct RangeBasis<'a> {
    jacobian: &'a dyn JacobianOperator,
    qr: &'a mut HouseholderQr,
    /// Work vector as long as J is reduced to.
    work: &'a mut [f64],
    columns: usize,
}

impl Factors {
    /// Computes an orthonormal basis of the range of J, which must have full column rank at `rank_cutoff`.
    ///
    /// # Errors
    /// [`SolveError::RankDeficient`]; other variants for a wrong shape, entries that are not finite, or the memory limit.
    pub fn range_basis<'a>(
        &'a mut self,
        jacobian: &'a dyn JacobianOperator,
        rank_cutoff: f64,
    ) -> Result<RangeBasis<'a>, SolveError> {
        require_cutoff(rank_cutoff)?;
        self.require_memory()?;
        let scaled = self.scaled(jacobian)?;
        let within = scaled.operator();
        self.qr(within)?;
        let tall = !self.is_wide();
        if !(tall && self.is_full_rank(within, rank_cutoff)?) {
            let extremes = self.scaled_extremes(within)?;
            let restore = |value| times_power(value, -self.exponent);
            return Err(SolveError::RankDeficient {
                solver: DampedSolver::HouseholderQr,
                smallest: if tall { restore(extremes.smallest) } else { 0.0 },
                largest: restore(extremes.largest).max(self.rank_scale),
                cutoff: rank_cutoff,
            });
        }
        let (long, short, columns) = (self.reduced_rows, self.columns, self.columns);
        let qr = self.qr.workspace.get_or_insert_with(|| HouseholderQr::new(long, short));
        if self.exponent != 0 {
            // The factor becomes that of J, and is no longer the one that this point's kernels expect.
            qr.scale_upper(-self.exponent);
            self.qr.damping = None;
        }
        Ok(RangeBasis { jacobian, qr, work: &mut self.output[..long], columns })
    }
}

impl RangeBasis<'_> {
    /// Returns the dimension p of the range.
    pub fn dimension(&self) -> usize {
        self.columns
    }

    /// Computes `out = Q^T u` (length p), the coordinates of the projection of u (length n) on the range.
    ///
    /// # Errors
    /// [`SolveError`] on wrong lengths or a u that is not finite.
    pub fn coordinates(&mut self, u: &[f64], out: &mut [f64]) -> Result<(), SolveError> {
        require_length("the vector u", u, self.jacobian.rows())?;
        require_length("the coordinates", out, self.columns)?;
        require_finite_output("the vector u", u, self.jacobian)?;
        self.jacobian.reduce(u, self.work);
        self.qr.apply_q_transposed(self.work);
        out.copy_from_slice(&self.work[..self.columns]);
        Ok(())
    }

    /// Computes `out = Q c` (length n), the vector of the range with the coordinates c (length p).
    ///
    /// # Errors
    /// [`SolveError::ShapeMismatch`].
    pub fn combine(&mut self, c: &[f64], out: &mut [f64]) -> Result<(), SolveError> {
        require_length("the coordinates", c, self.columns)?;
        require_length("the vector of the range", out, self.jacobian.rows())?;
        self.combine_into(c, out);
        Ok(())
    }

    /// `out = Q c`, of the right lengths.
    fn combine_into(&mut self, c: &[f64], out: &mut [f64]) {
        self.work[..self.columns].copy_from_slice(c);
        self.work[self.columns..].fill(0.0);
        self.qr.apply_q(self.work);
        self.jacobian.restore(self.work, out);
    }

    /// Returns R (p x p) in the upper triangle; the entries below it are unspecified.
    pub fn upper(&self) -> MatRef<'_, f64> {
        self.qr.upper()
    }

    /// Replaces x (length p) by `R^-1 x`: from coordinates c to the parameters v with `J v = Q c`.
    ///
    /// # Errors
    /// [`SolveError::ShapeMismatch`].
    pub fn solve(&self, x: &mut [f64]) -> Result<(), SolveError> {
        require_length("the coordinates", x, self.columns)?;
        self.qr.solve_upper(x);
        Ok(())
    }

    /// Replaces x (length p) by `R^-T x`: from a gradient over parameters to one over coordinates.
    ///
    /// # Errors
    /// [`SolveError::ShapeMismatch`].
    pub fn solve_transposed(&self, x: &mut [f64]) -> Result<(), SolveError> {
        require_length("the gradient", x, self.columns)?;
        self.qr.solve_upper_transposed(x);
        Ok(())
    }

    /// Replaces a symmetric A (p x p, both triangles given) by `R^-T A R^-1`: from a quadratic form over parameters to the
    /// one over coordinates. The result is exactly symmetric.
    ///
    /// # Errors
    /// [`SolveError::ShapeMismatch`].
    pub fn congruence(&self, mut a: MatMut<'_, f64>) -> Result<(), SolveError> {
        for found in [a.nrows(), a.ncols()] {
            if found != self.columns {
                let (what, expected) = ("a side of the quadratic form", self.columns);
                return Err(SolveError::ShapeMismatch { what, expected, found });
            }
        }
        let lower = self.qr.upper().transpose();
        solve_lower(lower, a.rb_mut());
        solve_lower(lower, a.rb_mut().transpose_mut());
        for c in 0..self.columns {
            for r in 0..c {
                let mean = 0.5 * (a[(r, c)] + a[(c, r)]);
                (a[(r, c)], a[(c, r)]) = (mean, mean);
            }
        }
        Ok(())
    }

    /// Writes Q (n x p).
    ///
    /// # Errors
    /// [`SolveError::ShapeMismatch`].
    pub fn write(&mut self, mut out: MatMut<'_, f64>) -> Result<(), SolveError> {
        for (what, found, expected) in [
            ("the basis's row count", out.nrows(), self.jacobian.rows()),
            ("the basis's column count", out.ncols(), self.columns),
        ] {
            if found != expected {
                return Err(SolveError::ShapeMismatch { what, expected, found });
            }
        }
        if self.jacobian.total_rows() == self.jacobian.rows() {
            out.fill(0.0);
            for k in 0..self.columns {
                out[(k, k)] = 1.0;
            }
            self.qr.apply_q_to(out);
            return Ok(());
        }
        let (mut unit, mut column) = (vec![0.0; self.columns], vec![0.0; out.nrows()]);
        for k in 0..self.columns {
            unit[k] = 1.0;
            self.combine_into(&unit, &mut column);
            unit[k] = 0.0;
            out.rb_mut().col_mut(k).iter_mut().zip(&column).for_each(|(entry, x)| *entry = *x);
        }
        Ok(())
    }
}
