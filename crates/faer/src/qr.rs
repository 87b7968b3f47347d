//! Householder QR by blocks of reflectors.

use dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj,
    apply_block_householder_sequence_transpose_on_the_left_in_place_scratch,
    apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj,
};
use faer::linalg::qr::no_pivoting::factor::{qr_in_place, qr_in_place_scratch};
use faer::{Conj, MatMut, MatRef, Par, Spec};

/// Work space of [`qr`], of [`apply_q`] to as many columns as the matrix has, and of [`apply_q_transposed`] to one.
pub fn qr_scratch(rows: usize, columns: usize, block: usize) -> MemBuffer {
    let factor = qr_in_place_scratch::<f64>(rows, columns, block, Par::Seq, Spec::default());
    let apply =
        apply_block_householder_sequence_on_the_left_in_place_scratch::<f64>(rows, block, columns);
    let transposed = apply_block_householder_sequence_transpose_on_the_left_in_place_scratch::<f64>(
        rows, block, 1,
    );
    MemBuffer::new(StackReq::any_of(&[factor, apply, transposed]))
}

/// Writes R to the upper triangle of `factors` (A before), reflectors below it and their coefficients to
/// `coefficients` (block x columns); returns how many columns were reflected.
pub fn qr(
    factors: MatMut<'_, f64>,
    coefficients: MatMut<'_, f64>,
    scratch: &mut MemBuffer,
) -> usize {
    let stack = MemStack::new(scratch);
    qr_in_place(factors, coefficients, Par::Seq, stack, Spec::default()).rank
}

/// `X <- Q X`.
pub fn apply_q(
    factors: MatRef<'_, f64>,
    coefficients: MatRef<'_, f64>,
    x: MatMut<'_, f64>,
    scratch: &mut MemBuffer,
) {
    let stack = MemStack::new(scratch);
    apply_block_householder_sequence_on_the_left_in_place_with_conj(
        factors,
        coefficients,
        Conj::No,
        x,
        Par::Seq,
        stack,
    );
}

/// `X <- Q^T X`.
pub fn apply_q_transposed(
    factors: MatRef<'_, f64>,
    coefficients: MatRef<'_, f64>,
    x: MatMut<'_, f64>,
    scratch: &mut MemBuffer,
) {
    let stack = MemStack::new(scratch);
    apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj(
        factors,
        coefficients,
        Conj::No,
        x,
        Par::Seq,
        stack,
    );
}
