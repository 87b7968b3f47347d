//! Householder bidiagonalization `A = U B V^T` of a square matrix; U and V are kept as reflectors where asked for.
//!
//! Golub and Kahan (1965): a reflector from the left clears each column below the diagonal, one from
//! the right each row beyond the superdiagonal. With left reflector v, right reflector u,
//! `y = tau v^T A` and `x = t (A - v y^T) u`, the trailing matrix becomes `A - v y^T - x u^T`. The
//! update of one step and the product `v'^T A` of the next share one pass over the matrix, so each
//! step reads the trailing matrix twice instead of four times.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use crate::simd::arch::arch;
use crate::vector::{add_scaled, inner_product, inner_product_inlined, norm};

/// Columns taken together in the product `A u`: the accumulator is read once for all of them.
const TOGETHER: usize = 4;

/// A tail this small is left where it is: the matrix is scaled to entries near 1, so it does not
/// count, and dividing by smaller numbers would overflow.
const NEGLIGIBLE: f64 = 1e-150;

/// Buffers of one order.
pub(crate) struct Bidiagonalization {
    order: usize,
    /// Column-major, overwritten.
    matrix: Vec<f64>,
    /// Left reflector v of the step at hand, from the diagonal down.
    left: Vec<f64>,
    /// Right reflector u, over the columns right of the diagonal.
    right: Vec<f64>,
    /// `y = tau v^T A` over the columns right of the diagonal.
    row: Vec<f64>,
    /// `x = t (A - v y^T) u` over the rows below the diagonal.
    column: Vec<f64>,
    /// The left reflector of the next step.
    next: Vec<f64>,
    /// The right reflectors u by columns, each from its first entry on; empty where V is not asked for.
    rights: Vec<f64>,
    /// The factors tau of the left reflectors, which lie below the diagonal of `matrix`, and t of the right ones.
    left_factors: Vec<f64>,
    right_factors: Vec<f64>,
}

impl Bidiagonalization {
    /// Buffers for order `order`.
    pub(crate) fn new(order: usize) -> Self {
        let vector = || vec![0.0; order];
        Self {
            order,
            matrix: vec![0.0; order * order],
            left: vector(),
            right: vector(),
            row: vector(),
            column: vector(),
            next: vector(),
            rights: Vec::new(),
            left_factors: vector(),
            right_factors: vector(),
        }
    }

    /// Buffers that also keep V.
    pub(crate) fn with_vectors(order: usize) -> Self {
        Self { rights: vec![0.0; order * order], ..Self::new(order) }
    }

    /// `x <- U^T x`.
    pub(crate) fn apply_left_transposed(&self, x: &mut [f64]) {
        (0..self.order).for_each(|k| self.reflect_left(k, x));
    }

    /// `x <- U x`.
    pub(crate) fn apply_left(&self, x: &mut [f64]) {
        (0..self.order).rev().for_each(|k| self.reflect_left(k, x));
    }

    /// `x <- V^T x`; of buffers that keep V.
    pub(crate) fn apply_right_transposed(&self, x: &mut [f64]) {
        (1..self.order).for_each(|k| self.reflect_right(k - 1, x));
    }

    /// `x <- V x`; of buffers that keep V.
    pub(crate) fn apply_right(&self, x: &mut [f64]) {
        (1..self.order).rev().for_each(|k| self.reflect_right(k - 1, x));
    }

    fn reflect_left(&self, k: usize, x: &mut [f64]) {
        let n = self.order;
        reflect(&self.matrix[k * n + k..(k + 1) * n], self.left_factors[k], &mut x[k..]);
    }

    fn reflect_right(&self, k: usize, x: &mut [f64]) {
        let n = self.order;
        reflect(&self.rights[k * n..][..n - k - 1], self.right_factors[k], &mut x[k + 1..]);
    }

    /// Column `c` of the matrix, to be written before [`Self::run`].
    pub(crate) fn column_mut(&mut self, c: usize) -> &mut [f64] {
        &mut self.matrix[c * self.order..(c + 1) * self.order]
    }

    /// Writes `d_1, e_1, d_2, e_2, ..., d_p` (length 2p - 1) of B; puts the left reflectors in the place of the
    /// matrix, whose largest entry must be of the order of 1.
    pub(crate) fn run(&mut self, entries: &mut [f64]) {
        arch().dispatch(Run { work: self, entries });
    }
}

/// The whole computation as one closure, compiled for the processor at hand.
struct Run<'a> {
    work: &'a mut Bidiagonalization,
    entries: &'a mut [f64],
}

impl pulp::NullaryFnOnce for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Run { work, entries } = self;
        let n = work.order;
        if n == 0 {
            return;
        }
        let Bidiagonalization { matrix, left, right, row, column, next, .. } = work;
        let (rights, lefts) = (&mut work.rights, &mut work.left_factors);
        // The first left reflector and its products, alone.
        let (head, tail) = matrix.split_at_mut(n);
        let (diagonal, tau) = reflector(head, left);
        entries[0] = diagonal;
        head.copy_from_slice(left);
        lefts[0] = tau;
        for (y, a) in row[1..].iter_mut().zip(tail.chunks_exact(n)) {
            *y = tau * inner_product_inlined(&left[..n], a);
        }
        for k in 0..n.saturating_sub(1) {
            let (rows, columns) = (n - k, n - k - 1);
            let v = &left[..rows];
            let trailing = &mut matrix[(k + 1) * n..];
            // Row k right of the diagonal after the left reflector (v_k = 1), then its own reflector.
            let y = &row[k + 1..n];
            for (u, (a, y)) in right[..columns].iter_mut().zip(trailing.chunks_exact(n).zip(y)) {
                *u = a[k] - y;
            }
            let t = {
                let u = &mut right[..columns];
                let (superdiagonal, t) = reflector_in_place(u);
                entries[2 * k + 1] = superdiagonal;
                work.right_factors[k] = t;
                if !rights.is_empty() {
                    rights[k * n..][..columns].copy_from_slice(u);
                }
                t
            };
            let u = &right[..columns];
            // x = t (A u - v (y . u)), rows below k.
            let x = &mut column[..columns];
            product(trailing, n, k + 1, u, x);
            let along = inner_product_inlined(y, u);
            for (x, v) in x.iter_mut().zip(&v[1..]) {
                *x = t * (*x - v * along);
            }
            // Column k + 1 first: it makes the next left reflector.
            update(&mut trailing[k + 1..n], &v[1..], y[0], x, u[0]);
            let (diagonal, next_tau) = reflector(&trailing[k + 1..n], next);
            entries[2 * k + 2] = diagonal;
            lefts[k + 1] = next_tau;
            trailing[k + 1..n].copy_from_slice(&next[..columns]);
            // Every further column: update, and its product with the next reflector, in one pass.
            let w = &next[..columns];
            for (j, a) in trailing.chunks_exact_mut(n).enumerate().skip(1) {
                let a = &mut a[k + 1..];
                update(a, &v[1..], row[k + 1 + j], x, u[j]);
                // The column is still in the first-level cache.
                row[k + 1 + j] = next_tau * inner_product_inlined(w, a);
            }
            left[..columns].copy_from_slice(w);
        }
    }
}

/// `x <- (I - factor v v^T) x`.
fn reflect(v: &[f64], factor: f64, x: &mut [f64]) {
    if factor != 0.0 {
        let product = factor * inner_product(v, x);
        add_scaled(x, -product, v);
    }
}

/// The reflector `I - tau v v^T`, v_0 = 1, that maps `a` to `beta e_0`; returns (beta, tau).
#[inline(always)]
fn reflector(a: &[f64], v: &mut [f64]) -> (f64, f64) {
    let v = &mut v[..a.len()];
    v.copy_from_slice(a);
    reflector_in_place(v)
}

/// [`reflector`] with v in the place of a.
#[inline(always)]
fn reflector_in_place(a: &mut [f64]) -> (f64, f64) {
    let Some((head, tail)) = a.split_first_mut() else { return (0.0, 0.0) };
    let alpha = *head;
    *head = 1.0;
    let below = norm(tail);
    if below <= NEGLIGIBLE {
        return (alpha, 0.0);
    }
    // Of the sign that makes alpha - beta a sum.
    let beta = -f64::hypot(alpha, below).copysign(alpha);
    let inverse = (alpha - beta).recip();
    tail.iter_mut().for_each(|t| *t *= inverse);
    (beta, (beta - alpha) / beta)
}

/// `out = A u` over rows from `first`, A being the columns of `trailing`.
#[inline(always)]
fn product(trailing: &[f64], n: usize, first: usize, u: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    let mut groups = trailing.chunks_exact(TOGETHER * n);
    let mut factors = u.chunks_exact(TOGETHER);
    for (group, f) in groups.by_ref().zip(factors.by_ref()) {
        let (a0, rest) = group.split_at(n);
        let (a1, rest) = rest.split_at(n);
        let (a2, a3) = rest.split_at(n);
        let columns = a0[first..].iter().zip(&a1[first..]).zip(&a2[first..]).zip(&a3[first..]);
        for (o, (((a0, a1), a2), a3)) in out.iter_mut().zip(columns) {
            *o += (a0 * f[0] + a1 * f[1]) + (a2 * f[2] + a3 * f[3]);
        }
    }
    for (a, f) in groups.remainder().chunks_exact(n).zip(factors.remainder()) {
        for (o, a) in out.iter_mut().zip(&a[first..]) {
            *o += a * f;
        }
    }
}

/// `a -= v y + x u`.
#[inline(always)]
fn update(a: &mut [f64], v: &[f64], y: f64, x: &[f64], u: f64) {
    for ((a, v), x) in a.iter_mut().zip(v).zip(x) {
        *a -= v * y + x * u;
    }
}
