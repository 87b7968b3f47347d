//! The Cholesky factor by tiles at every small order and on both sides of the switch to faer's.
//!
//! A computed factor and two triangular solves satisfy `(A + E) v = f` with
//! `norm(E) <= (3 p + 1) eps norm(L)_F^2` (Higham 2002, theorem 10.4), and `norm(L)_F^2` is the trace of A,
//! at most `(1-rho) norm(J)_F^2 + p rho`; the Gram matrix and `J^T b` add sums of n products each.

use gaussflow_solvers::faer::{Mat, MatMut};
use gaussflow_solvers::{DampedSolver, DenseJacobian, Factors, JacobianOperator, SolveError};
use gaussflow_solvers::{SolveRequest, norm};

use crate::systems::{EPS, gaussian, generator, residual};

/// Every way in which an order can end a tile, and the switch at 288.
fn orders() -> impl Iterator<Item = usize> {
    (1..=40).chain(285..=292)
}

fn dense(seed: u64, n: usize, p: usize) -> DenseJacobian {
    let entries = gaussian(&mut generator(seed), n * p);
    DenseJacobian::from_matrix(Mat::from_fn(n, p, |r, c| entries[r * p + c]))
}

/// A tolerance that nothing exceeds, so that no refinement repairs what a factor does.
fn unrefined(solver: DampedSolver, damping: f64) -> SolveRequest {
    SolveRequest { damping, solver, tolerance: f64::INFINITY, ..SolveRequest::default() }
}

#[test]
fn every_order_solves_to_its_backward_error() {
    for order in orders() {
        for (solver, n, p) in [
            (DampedSolver::PrimalCholesky, order + 3, order),
            (DampedSolver::PrimalCholesky, order.div_ceil(2), order),
            (DampedSolver::DualCholesky, order, order + 3),
        ] {
            let jacobian = dense(order as u64, n, p);
            let b = gaussian(&mut generator(7), n);
            for rho in [1e-3, 0.5] {
                let mut v = vec![f64::NAN; p];
                let mut factors = Factors::new(n, p).unwrap();
                let report = factors.solve(&jacobian, unrefined(solver, rho), &b, &mut v).unwrap();
                assert_eq!((report.iterations, report.solver), (0, solver));
                let trace = (1.0 - rho) * jacobian.squared_norm() + order as f64 * rho;
                let terms = (n + 3 * order + 8) as f64;
                let size = jacobian.matrix().norm_l2();
                // The dual kernel solves for z, `v = J^T z`: its error passes through J^T J once more.
                let reach = match solver {
                    DampedSolver::DualCholesky => size * trace * norm(&b) / rho,
                    _ => trace * norm(&v),
                };
                let bound = terms * EPS * (reach + size * norm(&b));
                let found = residual(&jacobian, rho, &b, &v);
                assert!(found <= bound, "{solver:?}, {n} x {p}, rho {rho}: {found:e} {bound:e}");
            }
        }
    }
}

/// An operator whose Gram matrix is whatever it is told to be; as an operator it is `I`, and zero below.
struct Forged {
    gram: Mat<f64>,
}

impl JacobianOperator for Forged {
    fn rows(&self) -> usize {
        self.gram.nrows() + 2
    }

    fn columns(&self) -> usize {
        self.gram.nrows()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        out[..v.len()].copy_from_slice(v);
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        let columns = out.len();
        out.copy_from_slice(&u[..columns]);
    }

    fn write_dense(&self, mut out: MatMut<'_, f64>) {
        out.fill(0.0);
        (0..self.columns()).for_each(|c| out[(c, c)] = 1.0);
    }

    fn gram(&self, mut out: MatMut<'_, f64>, _work: &mut Vec<f64>) {
        out.copy_from_triangular_lower(self.gram.as_ref());
    }
}

/// `A = L L^T` in integers, which a factorization by the order of the columns finds exactly.
fn integers(p: usize) -> (Mat<f64>, Mat<f64>) {
    let factor = Mat::from_fn(p, p, |r, c| match r.cmp(&c) {
        std::cmp::Ordering::Less => 0.0,
        std::cmp::Ordering::Equal => 2.0 + (c % 3) as f64,
        std::cmp::Ordering::Greater => ((r * 3 + c * 5) % 4) as f64 - 1.0,
    });
    let mut gram = Mat::zeros(p, p);
    for c in 0..p {
        for r in 0..p {
            gram[(r, c)] = (0..=r.min(c)).map(|k| factor[(r, k)] * factor[(c, k)]).sum();
        }
    }
    (factor, gram)
}

fn refusal(gram: &Mat<f64>, damping: f64) -> Option<SolveError> {
    let forged = Forged { gram: gram.clone() };
    let p = gram.nrows();
    let request = unrefined(DampedSolver::PrimalCholesky, damping);
    let mut factors = Factors::new(p + 2, p).unwrap();
    factors.solve(&forged, request, &vec![1.0; p + 2], &mut vec![0.0; p]).err()
}

fn not_definite(damping: f64, index: usize) -> SolveError {
    SolveError::NotPositiveDefinite { solver: DampedSolver::PrimalCholesky, damping, index }
}

/// Columns at the ends of blocks of three and four, and at those of the matrix.
fn places(p: usize) -> impl Iterator<Item = usize> {
    [0, 1, 2, 3, 4, 5, 8, 11, 12, p / 2, p.saturating_sub(2), p - 1]
        .into_iter()
        .filter(move |&k| k < p)
}

#[test]
fn the_pivots_of_an_integer_matrix_are_those_of_its_factor() {
    for p in orders() {
        let (factor, gram) = integers(p);
        let mut factors = Factors::new(p + 2, p).unwrap();
        let request = unrefined(DampedSolver::PrimalCholesky, 0.0);
        let forged = Forged { gram };
        let report = factors.solve(&forged, request, &vec![1.0; p + 2], &mut vec![0.0; p]).unwrap();
        let pivots = (0..p).map(|k| factor[(k, k)] * factor[(k, k)]);
        let expected = pivots.fold((f64::INFINITY, 0.0_f64), |(a, b), x| (a.min(x), b.max(x)));
        for (found, expected) in
            [(report.smallest_pivot, expected.0), (report.largest_pivot, expected.1)]
        {
            // Higham, theorem 10.3, for the Schur complement in the integers' range.
            assert!((found / expected - 1.0).abs() <= 1e-10, "p {p}: {found} for {expected}");
        }
    }
}

/// Column k of A beyond a leading block that is definite: its pivot becomes -1, or is no number.
#[test]
fn an_indefinite_matrix_is_refused_at_its_first_bad_pivot() {
    for p in orders() {
        let (factor, gram) = integers(p);
        assert_eq!(refusal(&gram, 0.0), None, "p {p}");
        for k in places(p) {
            let mut indefinite = gram.clone();
            indefinite[(k, k)] -= factor[(k, k)] * factor[(k, k)] + 1.0;
            assert_eq!(refusal(&indefinite, 0.0), Some(not_definite(0.0, k)), "p {p}, pivot {k}");
        }
    }
}

#[test]
fn a_matrix_with_an_entry_that_is_no_number_is_refused_at_its_row() {
    for p in orders() {
        let (_, gram) = integers(p);
        for k in places(p) {
            for c in [0, k / 2, k] {
                for rho in [0.0, 0.25] {
                    let mut broken = gram.clone();
                    broken[(k, c)] = f64::NAN;
                    assert_eq!(
                        refusal(&broken, rho),
                        Some(not_definite(rho, k)),
                        "p {p}, ({k}, {c})"
                    );
                }
            }
        }
    }
}

/// Integers, so that the dependent column's pivot is a difference of equal sums: zero to rounding.
#[test]
fn a_dependent_column_is_named() {
    for p in orders().skip(1) {
        for k in places(p).filter(|&k| k > 0) {
            for from in [0, k - 1, k / 2] {
                let mut jacobian = dense(3, p + 5, p);
                for r in 0..p + 5 {
                    jacobian.matrix_mut()[(r, k)] = -2.0 * jacobian.matrix()[(r, from)];
                }
                let request = unrefined(DampedSolver::PrimalCholesky, 0.0);
                let mut factors = Factors::new(p + 5, p).unwrap();
                let outcome =
                    factors.solve(&jacobian, request, &vec![1.0; p + 5], &mut vec![0.0; p]).err();
                assert_eq!(outcome, Some(not_definite(0.0, k)), "p {p}, column {k} like {from}");
            }
        }
    }
}

/// The Jacobian itself is looked at before anything is factored.
#[test]
fn a_jacobian_that_is_no_number_is_refused_by_its_entry() {
    for p in orders() {
        let mut jacobian = dense(4, p + 1, p);
        jacobian.matrix_mut()[(p / 2, p - 1)] = f64::NAN;
        for damping in [0.0, 0.5] {
            let request = unrefined(DampedSolver::PrimalCholesky, damping);
            let mut factors = Factors::new(p + 1, p).unwrap();
            let outcome = factors.solve(&jacobian, request, &vec![1.0; p + 1], &mut vec![0.0; p]);
            let index = (p - 1) * (p + 1) + p / 2;
            let named = matches!(outcome, Err(SolveError::NonFinite { index: found, .. }) if found == index);
            assert!(named, "p {p}: {outcome:?}");
        }
    }
}
