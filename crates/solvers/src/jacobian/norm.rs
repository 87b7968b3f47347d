//! The Frobenius norm of a Jacobian where its square leaves the range of numbers.

use crate::error::SolveError;
use crate::jacobian::operator::JacobianOperator;
use crate::vector::norm;

/// The norm of which `squared` is the square, if that has kept its digits.
pub(crate) fn size_of_square(squared: f64) -> Option<f64> {
    let kept = squared.is_finite() && squared > f64::MIN_POSITIVE / f64::EPSILON;
    kept.then(|| squared.sqrt())
}

/// The Frobenius norm of J from its columns, each a product: where its square is outside the range of numbers.
///
/// # Errors
/// [`SolveError::NonFinite`].
pub(crate) fn norm_by_columns(jacobian: &dyn JacobianOperator) -> Result<f64, SolveError> {
    let (mut unit, mut column) = (vec![0.0; jacobian.columns()], vec![0.0; jacobian.rows()]);
    let mut norms = vec![0.0; jacobian.columns()];
    for (c, found) in norms.iter_mut().enumerate() {
        unit[c] = 1.0;
        jacobian.apply(&unit, &mut column);
        unit[c] = 0.0;
        *found = jacobian.output_norm(&column);
    }
    require_norm(norm(&norms))
}

/// Refuses a norm that is not finite.
pub(crate) fn require_norm(found: f64) -> Result<f64, SolveError> {
    if found.is_finite() {
        return Ok(found);
    }
    Err(SolveError::NonFinite { what: "the Jacobian's norm", index: 0, value: found })
}
