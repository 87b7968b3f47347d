//! J as a dense matrix (where it is split, the Z with `J = Q Z`), for the kernels that factor it, and its Frobenius norm, which all of them ask for.

use faer::{Mat, MatRef};

use crate::error::{SolveError, require_finite};
use crate::jacobian::norm::{norm_by_columns, require_norm, size_of_square};
use crate::jacobian::operator::JacobianOperator;
use crate::jacobian::operator::require_shape;
use crate::jacobian::scaling::Scaled;
use crate::point::factors::Factors;
use crate::powers::{exponent, is_ordinary, times_power};
use crate::vector::norm;

impl Factors {
    /// The Frobenius norm of J, which proves shape and finiteness: the first question at a point, unless
    /// [`Self::gram_and_size`] has answered it.
    pub(crate) fn size(&mut self, jacobian: &dyn JacobianOperator) -> Result<f64, SolveError> {
        require_shape(jacobian, self.rows, self.columns)?;
        if let Some(known) = self.size {
            return Ok(known);
        }
        let found = if let Some(found) = size_of_square(jacobian.squared_norm()) {
            found
        } else if !self.is_split() && self.require_memory().is_ok() {
            // The square left the range of numbers, or an entry is no number: look at each.
            self.form_dense(jacobian);
            self.dense_norm()?
        } else {
            norm_by_columns(jacobian)?
        };
        Ok(self.settle(found))
    }

    /// Settles the norm of J at this point, and the power of two by which J is multiplied before anything is made
    /// of it: what was made before is forgotten where that is not 1.
    pub(crate) fn settle(&mut self, norm: f64) -> f64 {
        self.exponent = if is_ordinary(norm) { 0 } else { -exponent(norm) };
        let size = times_power(norm, self.exponent);
        self.size = Some(size);
        if self.exponent != 0 {
            self.forget_matrices();
        }
        size
    }

    /// `2^exponent J` for the exponent that [`Self::size`] found. Everything that is cached at this point belongs to it.
    pub(crate) fn scaled<'a>(
        &mut self,
        jacobian: &'a dyn JacobianOperator,
    ) -> Result<Scaled<'a>, SolveError> {
        let size = self.size(jacobian)?;
        Ok(Scaled::new(jacobian, self.exponent, size))
    }

    /// The scale that rank cutoffs are relative to, times the same power of two.
    pub(crate) fn scaled_rank_scale(&self) -> f64 {
        times_power(self.rank_scale, self.exponent).min(f64::MAX)
    }

    /// Makes the dense Z current.
    pub(crate) fn form_dense(&mut self, jacobian: &dyn JacobianOperator) {
        if self.dense_current {
            return;
        }
        if self.dense.nrows() != self.reduced_rows {
            self.dense = Mat::zeros(self.reduced_rows, self.columns);
        }
        jacobian.write_reduced(0, self.dense.as_mut());
        self.dense_current = true;
    }

    /// The Frobenius norm of the dense J, whatever the scale of its entries.
    fn dense_norm(&mut self) -> Result<f64, SolveError> {
        for c in 0..self.columns {
            let column = self.dense.col_as_slice(c);
            self.parameter[c] = norm(column);
            if !self.parameter[c].is_finite()
                && let Err(SolveError::NonFinite { what: _, index, value }) =
                    require_finite("J", column)
            {
                let index = c * self.rows + index;
                return Err(SolveError::NonFinite { what: "the Jacobian", index, value });
            }
        }
        require_norm(norm(&self.parameter[..self.columns]))
    }

    /// Returns J as a dense n x p matrix, which is formed at the first call; where its rows lie on several machines, the Z
    /// of [`JacobianOperator::write_reduced`].
    ///
    /// # Errors
    /// [`SolveError`] for a wrong shape, or entries that are not finite.
    pub fn dense(
        &mut self,
        jacobian: &dyn JacobianOperator,
    ) -> Result<MatRef<'_, f64>, SolveError> {
        self.size(jacobian)?;
        if self.exponent != 0 {
            // Kernels factor a multiple of J, this is J.
            self.dense_current = false;
        }
        self.form_dense(jacobian);
        self.dense_current = self.exponent == 0;
        Ok(self.dense.as_ref())
    }
}
