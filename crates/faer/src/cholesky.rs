//! Cholesky factors, dense and sparse.

use dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::ldlt::factor::LdltRegularization;
use faer::linalg::cholesky::llt::factor::{
    LltError, LltRegularization, cholesky_in_place, cholesky_in_place_scratch,
};
use faer::sparse::SparseColMatRef;
use faer::sparse::linalg::cholesky::{LdltRef, SymbolicCholesky};
use faer::{Conj, MatMut, Par, Side, Spec};

/// Work space of [`cholesky`].
pub fn cholesky_scratch(order: usize) -> MemBuffer {
    MemBuffer::new(cholesky_in_place_scratch::<f64>(order, Par::Seq, Spec::default()))
}

/// Writes L of `A = L L^T` over the lower triangle of A.
///
/// # Errors
/// The index of the first pivot that is not positive.
pub fn cholesky(a: MatMut<'_, f64>, scratch: &mut MemBuffer) -> Result<(), usize> {
    let stack = MemStack::new(scratch);
    match cholesky_in_place(a, LltRegularization::default(), Par::Seq, stack, Spec::default()) {
        Ok(_) => Ok(()),
        Err(LltError::NonPositivePivot { index }) => Err(index),
    }
}

/// Writes the numbers of L and D of `A = L D L^T` to `values`, A given by its lower triangle; a pivot that happens to
/// be exactly 0 becomes that of a matrix nearby. Whether a factor was found.
pub fn sparse_ldlt(
    symbolic: &SymbolicCholesky<usize>,
    a: SparseColMatRef<'_, usize, f64>,
    values: &mut [f64],
) -> bool {
    let scratch = symbolic.factorize_numeric_ldlt_scratch::<f64>(Par::Seq, Spec::default());
    let regularization = LdltRegularization {
        dynamic_regularization_signs: None,
        dynamic_regularization_delta: f64::EPSILON * f64::EPSILON,
        dynamic_regularization_epsilon: f64::MIN_POSITIVE,
    };
    let mut scratch = MemBuffer::new(scratch);
    let stack = MemStack::new(&mut scratch);
    let spec = Spec::default();
    symbolic
        .factorize_numeric_ldlt(values, a, Side::Lower, regularization, Par::Seq, stack, spec)
        .is_ok()
}

/// `x <- A^-1 x` by the factor that [`sparse_ldlt`] wrote to `values`.
pub fn sparse_ldlt_solve(symbolic: &SymbolicCholesky<usize>, values: &[f64], x: &mut [f64]) {
    let order = x.len();
    let mut scratch = MemBuffer::new(symbolic.solve_in_place_scratch::<f64>(1, Par::Seq));
    LdltRef::new(symbolic, values).solve_in_place_with_conj(
        Conj::No,
        MatMut::from_column_major_slice_mut(x, order, 1),
        Par::Seq,
        MemStack::new(&mut scratch),
    );
}
