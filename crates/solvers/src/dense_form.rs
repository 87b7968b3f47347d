//! J as a dense matrix, for the kernels that factor it, and its Frobenius norm, which all of them ask for.

use faer::{Mat, MatRef};

use crate::error::{SolveError, require_finite, require_shape};
use crate::factors::Factors;
use crate::operator::JacobianOperator;
use crate::vector::norm;

/// The norm of which `squared` is the square, if that has kept its digits.
pub(crate) fn size_of_square(squared: f64) -> Option<f64> {
    let kept = squared.is_finite() && squared > f64::MIN_POSITIVE / f64::EPSILON;
    kept.then(|| squared.sqrt())
}

impl Factors {
    /// The Frobenius norm of J, which proves shape and finiteness: the first question at a point, unless
    /// [`Self::gram_and_size`] has answered it.
    pub(crate) fn size(&mut self, jacobian: &dyn JacobianOperator) -> Result<f64, SolveError> {
        require_shape(jacobian, self.rows, self.columns)?;
        if let Some(known) = self.size {
            return Ok(known);
        }
        let squared = jacobian.squared_norm();
        let found = if let Some(found) = size_of_square(squared) {
            found
        } else if self.require_memory().is_ok() {
            // The square left the range of numbers, or an entry is no number: look at each.
            self.form_dense(jacobian);
            self.dense_norm()?
        } else if squared.is_finite() {
            squared.sqrt()
        } else {
            let what = "the square of the Jacobian's norm";
            return Err(SolveError::NonFinite { what, index: 0, value: squared });
        };
        self.size = Some(found);
        Ok(found)
    }

    /// Makes the dense J current.
    pub(crate) fn form_dense(&mut self, jacobian: &dyn JacobianOperator) {
        if self.dense_current {
            return;
        }
        if self.dense.nrows() != self.rows {
            self.dense = Mat::zeros(self.rows, self.columns);
        }
        jacobian.write_dense(self.dense.as_mut());
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
        let found = norm(&self.parameter[..self.columns]);
        if !found.is_finite() {
            let what = "the Jacobian's norm";
            return Err(SolveError::NonFinite { what, index: 0, value: found });
        }
        Ok(found)
    }

    /// The dense J of the present point, n x p (formed on first use).
    ///
    /// # Errors
    /// Shape and finiteness, as [`SolveError`] says.
    pub fn dense(
        &mut self,
        jacobian: &dyn JacobianOperator,
    ) -> Result<MatRef<'_, f64>, SolveError> {
        self.size(jacobian)?;
        self.form_dense(jacobian);
        Ok(self.dense.as_ref())
    }
}
