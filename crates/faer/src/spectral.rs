//! Singular values and eigenvalues.

use dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::diag::DiagMut;
use faer::linalg::evd::{
    ComputeEigenvectors, SelfAdjointEvdParams, self_adjoint_evd, self_adjoint_evd_scratch,
};
use faer::linalg::solvers::{SelfAdjointEigen, Svd};
use faer::linalg::svd::{ComputeSvdVectors, SvdParams};
use faer::{Auto, MatMut, MatRef, Par, Side, Spec};

/// An iteration for singular values or eigenvalues did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoConvergence;

/// QR iteration for the whole bidiagonal matrix, and no QR decomposition ahead of it.
///
/// faer's divide and conquer invents singular values of 1e-6 of the largest where half of the
/// columns are negatives of the others (antisymmetric networks), and at these sizes it is the slower
/// of the two. faer's QR passes over columns below 16 n eps of their norm, and its SVD would then
/// apply reflectors that were never written.
fn of_svd() -> Spec<SvdParams, f64> {
    let defaults = <SvdParams as Auto<f64>>::auto();
    Spec::new(SvdParams {
        qr_ratio_threshold: f64::INFINITY,
        recursion_threshold: usize::MAX,
        ..defaults
    })
}

/// Work space of [`svd`] with both sets of vectors.
pub fn svd_scratch(rows: usize, columns: usize) -> MemBuffer {
    let thin = ComputeSvdVectors::Thin;
    let of_svd = of_svd();
    MemBuffer::new(faer::linalg::svd::svd_scratch::<f64>(
        rows,
        columns,
        thin,
        thin,
        Par::Seq,
        of_svd,
    ))
}

/// The thin singular value decomposition `A = U diag(s) V^T`, values from the largest on.
pub fn svd(
    a: MatRef<'_, f64>,
    values: DiagMut<'_, f64>,
    left: MatMut<'_, f64>,
    right: MatMut<'_, f64>,
    scratch: &mut MemBuffer,
) -> Result<(), NoConvergence> {
    let stack = MemStack::new(scratch);
    faer::linalg::svd::svd(a, values, Some(left), Some(right), Par::Seq, stack, of_svd())
        .map_err(|_| NoConvergence)
}

/// The thin singular value decomposition of A, by faer's own choice of method.
pub fn thin_svd(a: MatRef<'_, f64>) -> Result<Svd<f64>, NoConvergence> {
    a.thin_svd().map_err(|_| NoConvergence)
}

/// The singular values of A, from the largest on, by faer's own choice of method.
pub fn singular_values(a: MatRef<'_, f64>) -> Result<Vec<f64>, NoConvergence> {
    a.singular_values().map_err(|_| NoConvergence)
}

/// QR iteration for the whole tridiagonal matrix: no divide and conquer, whose deflation has gone wrong
/// for singular values.
fn of_evd() -> Spec<SelfAdjointEvdParams, f64> {
    let defaults = <SelfAdjointEvdParams as Auto<f64>>::auto();
    Spec::new(SelfAdjointEvdParams { recursion_threshold: usize::MAX, ..defaults })
}

/// Work space of [`evd`] with or without vectors.
pub fn evd_scratch(order: usize) -> MemBuffer {
    let scratch = [ComputeEigenvectors::Yes, ComputeEigenvectors::No]
        .map(|wanted| self_adjoint_evd_scratch::<f64>(order, wanted, Par::Seq, of_evd()));
    MemBuffer::new(StackReq::any_of(&scratch))
}

/// Eigenvalues of a symmetric A, and where there is room for them eigenvectors, from the smallest on.
pub fn evd(
    a: MatRef<'_, f64>,
    values: DiagMut<'_, f64>,
    vectors: Option<MatMut<'_, f64>>,
    scratch: &mut MemBuffer,
) -> Result<(), NoConvergence> {
    let stack = MemStack::new(scratch);
    self_adjoint_evd(a, values, vectors, Par::Seq, stack, of_evd()).map_err(|_| NoConvergence)
}

/// Eigenvalues of the symmetric matrix with this lower triangle, by faer's own choice of method.
pub fn self_adjoint_eigenvalues(a: MatRef<'_, f64>) -> Result<Vec<f64>, NoConvergence> {
    a.self_adjoint_eigenvalues(Side::Lower).map_err(|_| NoConvergence)
}

/// Eigenvalues and -vectors of the symmetric matrix with this lower triangle, by faer's own choice of method.
pub fn self_adjoint_eigen(a: MatRef<'_, f64>) -> Result<SelfAdjointEigen<f64>, NoConvergence> {
    a.self_adjoint_eigen(Side::Lower).map_err(|_| NoConvergence)
}
