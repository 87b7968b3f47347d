//! Orthogonal projection on the range of J, `P = J J^+`, from the factors at hand.

use crate::error::{SolveError, require_cutoff, require_length};
use crate::jacobian::operator::{JacobianOperator, require_finite_output};
use crate::jacobian::scaling::Frame;
use crate::point::factors::Factors;
use crate::vector::{add_scaled, inner_product};

impl Factors {
    /// Computes `out = P u = J J^+ u`, the orthogonal projection of u (length n) on the range of J, and returns the rank
    /// used.
    ///
    /// Where rows lie on several machines, u and out hold the entries of those here. With full numerical column rank it uses the QR factorization of J, otherwise the left singular vectors above
    /// `rank_cutoff` times the largest singular value.
    ///
    /// # Errors
    /// [`SolveError`] for a wrong shape or entries that are not finite; [`SolveError::MemoryLimit`].
    ///
    /// # Source
    /// Equation (15) of the paper.
    pub fn project_on_range(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rank_cutoff: f64,
        u: &[f64],
        out: &mut [f64],
    ) -> Result<usize, SolveError> {
        require_cutoff(rank_cutoff)?;
        require_length("the vector u", u, self.rows)?;
        require_length("the projection", out, self.rows)?;
        let length = require_finite_output("the vector u", u, jacobian)?;
        self.require_memory()?;
        let scaled = self.scaled(jacobian)?;
        let jacobian = scaled.operator();
        let frame = Frame::new(0, length, 0.0);
        let tall = !self.is_wide();
        if tall || self.extremes.is_none() {
            self.qr(jacobian)?;
        }
        let full = self.is_full_rank(jacobian, rank_cutoff)?;
        if full && !tall {
            // n independent rows: the range is all of output space.
            out.copy_from_slice(u);
            return Ok(self.total_rows);
        }
        if let (true, Some(qr)) = (full, &mut self.qr.workspace) {
            let reduced = &mut self.output[..self.reduced_rows];
            jacobian.reduce(u, reduced);
            frame.take_in(reduced);
            qr.apply_q_transposed(reduced);
            reduced[self.columns..].fill(0.0);
            qr.apply_q(reduced);
            frame.restore_misfit(reduced);
            jacobian.restore(reduced, out);
            return Ok(self.columns);
        }
        self.svd(jacobian)?;
        out.fill(0.0);
        let Some(svd) = &self.svd.workspace else { return Ok(0) };
        let rank = svd.rank(rank_cutoff, self.scaled_rank_scale());
        let reduced = &mut self.output[..self.reduced_rows];
        jacobian.reduce(u, reduced);
        frame.take_in(reduced);
        let part = &mut self.parameter[..self.reduced_rows];
        part.fill(0.0);
        for k in 0..rank {
            let left = svd.left(k);
            let coordinate = inner_product(left, reduced);
            add_scaled(part, coordinate, left);
        }
        frame.restore_misfit(part);
        jacobian.restore(part, out);
        Ok(rank)
    }
}
