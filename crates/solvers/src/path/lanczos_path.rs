//! A short Lanczos process with full orthogonalization: `A Q = Q T + beta q e_k^T` from a warm start.
//!
//! A few steps are enough where the start is near the wanted vector; the basis is kept orthogonal to
//! rounding, so that no eigenvalue appears twice.

use crate::dense::tridiagonal::largest_pair;
use crate::vector::{add_scaled, inner_product, norm};

/// Most steps: a start that is no better than a random one finds a well separated value within these.
const STEPS: usize = 40;

/// Steps before the first look, at least: a space of fewer knows nothing of the second value.
pub(crate) const FIRST_LOOK: usize = 3;

/// Part of a vector that must be left for one pass of orthogonalization to do.
const LITTLE_TAKEN: f64 = 0.1;

/// The largest pair of A in a Krylov space.
pub(crate) struct Ritz {
    /// The largest Ritz value.
    pub(crate) value: f64,
    /// The second largest.
    pub(crate) second: f64,
    /// `norm(A x - value x)` of its vector x.
    pub(crate) defect: f64,
    /// Steps that were taken.
    pub(crate) steps: usize,
}

/// Basis and coefficients, reused from search to search.
#[derive(Default)]
pub(crate) struct KrylovSpace {
    /// Up to `STEPS + 1` orthonormal vectors, one after the other.
    basis: Vec<f64>,
    diagonal: Vec<f64>,
    off: Vec<f64>,
    /// The vector of the largest value in the basis.
    coordinates: Vec<f64>,
    work: Vec<f64>,
    /// The unit vector of the last search.
    vector: Vec<f64>,
}

impl KrylovSpace {
    /// Searches the largest eigenvalue of A (order `order`) until `enough` is content, which is asked
    /// from step `first_look` on.
    ///
    /// `start` writes where to begin and says whether it knew; `apply(x, out)` is `out = A x`. `None`
    /// when the most steps were not enough, or a number was not finite.
    pub(crate) fn largest(
        &mut self,
        (order, first_look): (usize, usize),
        start: impl FnOnce(&mut [f64]) -> bool,
        mut apply: impl FnMut(&[f64], &mut [f64]),
        enough: impl Fn(&Ritz) -> bool,
    ) -> Option<Ritz> {
        let most = STEPS.min(order);
        self.basis.resize((STEPS.min(order) + 1) * order, 0.0);
        for list in [&mut self.diagonal, &mut self.off, &mut self.coordinates, &mut self.work] {
            list.resize(most, 0.0);
        }
        self.vector.resize(order, 0.0);
        let first = &mut self.basis[..order];
        if !start(first) {
            // No pattern that a structured matrix would share.
            for (k, x) in first.iter_mut().enumerate() {
                *x = 1.0 + ((k * k + 3 * k) % 17) as f64 / 17.0;
            }
        }
        let length = norm(first);
        first.iter_mut().for_each(|x| *x /= length);
        for k in 0..most {
            let (known, rest) = self.basis.split_at_mut((k + 1) * order);
            let next = &mut rest[..order];
            apply(&known[k * order..], next);
            self.diagonal[k] = inner_product(&known[k * order..], next);
            let mut beta = norm(next);
            // What a pass leaves is rounding of what it took away: twice is enough, and once where little
            // was taken.
            for _ in 0..2 {
                for q in known.chunks_exact(order) {
                    add_scaled(next, -inner_product(q, next), q);
                }
                let before = beta;
                beta = norm(next);
                if beta > LITTLE_TAKEN * before {
                    break;
                }
            }
            if !beta.is_finite() || !self.diagonal[k].is_finite() {
                return None;
            }
            self.off[k] = beta;
            let exhausted = beta <= f64::EPSILON * self.diagonal[0].abs() || k + 1 == order;
            if k + 1 >= first_look.clamp(FIRST_LOOK, most) || k + 1 == most || exhausted {
                let coordinates = &mut self.coordinates[..=k];
                let (value, second) = largest_pair(
                    &self.diagonal[..=k],
                    &self.off[..k],
                    coordinates,
                    &mut self.work[..=k],
                );
                let defect = if exhausted { 0.0 } else { beta * coordinates[k].abs() };
                let ritz = Ritz { value, second, defect, steps: k + 1 };
                if enough(&ritz) {
                    return Some(ritz);
                }
                if exhausted {
                    return None;
                }
            }
            next.iter_mut().for_each(|x| *x /= beta);
        }
        None
    }

    /// Makes the Ritz vector `x = Q s` the space's vector.
    pub(crate) fn vector_within(&mut self, ritz: &Ritz) {
        let order = self.vector.len();
        self.vector.fill(0.0);
        for (q, s) in self.basis.chunks_exact(order).zip(&self.coordinates[..ritz.steps]) {
            add_scaled(&mut self.vector, *s, q);
        }
        self.normalize();
    }

    /// Makes `A x`, of length one, the space's vector: a step of power iteration for free, since
    /// `A x = value x + beta s_k q` with the basis' last, still unscaled vector `beta q`.
    pub(crate) fn vector_beyond(&mut self, ritz: &Ritz) {
        self.vector_within(ritz);
        let order = self.vector.len();
        let last = &self.basis[ritz.steps * order..(ritz.steps + 1) * order];
        let factor = self.coordinates[ritz.steps - 1] / ritz.value;
        add_scaled(&mut self.vector, factor, last);
        self.normalize();
    }

    /// The unit vector of the last search.
    pub(crate) fn vector(&self) -> &[f64] {
        &self.vector
    }

    fn normalize(&mut self) {
        let length = norm(&self.vector);
        self.vector.iter_mut().for_each(|x| *x /= length);
    }
}
