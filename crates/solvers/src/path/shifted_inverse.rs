//! The eigenvector of a symmetric H that is nearest to a shift s, with a factor of something near `H - s I`.
//!
//! The factor is that of `C = H - s I + tau x x^T`, which exists where x makes up for the only eigenvalue below s:
//! a certificate of the second one. `(H - s I)^-1 = C^-1 + tau q q^T / (1 - tau x . q)` with `q = C^-1 x` (Sherman
//! and Morrison 1950), so that the certificate's factor serves inverse iteration as well, and the nearer s is to
//! the eigenvalue, the fewer iterations it takes.

use crate::dense::cholesky::Cholesky;
use crate::vector::{add_scaled, inner_product, norm};

/// Most iterations: where so many are not enough, the start or the shift was no good.
const ITERATIONS: usize = 6;

/// Buffers of one order.
#[derive(Default)]
pub(crate) struct ShiftedInverse {
    /// The start x, then each iterate, of unit length.
    vector: Vec<f64>,
    /// x.
    start: Vec<f64>,
    /// `C^-1 x`.
    image: Vec<f64>,
    next: Vec<f64>,
}

impl ShiftedInverse {
    /// Makes room for order `order`.
    pub(crate) fn resize(&mut self, order: usize) {
        for buffer in [&mut self.vector, &mut self.start, &mut self.image, &mut self.next] {
            buffer.resize(order, 0.0);
        }
    }

    /// The start, which its writer need not normalize, and later the last iterate.
    pub(crate) fn vector_mut(&mut self) -> &mut [f64] {
        &mut self.vector
    }

    /// The last iterate, of unit length.
    pub(crate) fn vector(&self) -> &[f64] {
        &self.vector
    }

    /// Makes the start a unit vector; `false` where it has no length.
    pub(crate) fn normalize(&mut self) -> bool {
        let length = norm(&self.vector);
        self.vector.iter_mut().for_each(|x| *x /= length);
        length.is_finite() && length > 0.0
    }

    /// Iterates from the start x that the factor of C was made with, until `enough(theta, residual)` is content
    /// with the Rayleigh quotient theta and `norm(H v - theta v)` of the iterate v, both by the recurrence; returns
    /// the latter, `None` if it never is.
    pub(crate) fn iterate(
        &mut self,
        factor: &Cholesky,
        (shift, tau): (f64, f64),
        enough: impl Fn(f64, f64) -> bool,
    ) -> Option<f64> {
        self.start.copy_from_slice(&self.vector);
        self.image.copy_from_slice(&self.vector);
        factor.solve(&mut self.image);
        let denominator = 1.0 - tau * inner_product(&self.start, &self.image);
        for iteration in 0..ITERATIONS {
            let Self { vector, start, image, next } = self;
            if iteration == 0 {
                // Of x itself the inverse is a multiple of q.
                for (next, q) in next.iter_mut().zip(&*image) {
                    *next = q / denominator;
                }
            } else {
                next.copy_from_slice(vector);
                factor.solve(next);
                let share = tau * inner_product(start, next) / denominator;
                add_scaled(next, share, image);
            }
            let length = norm(next);
            if !(length.is_finite() && length > 0.0) {
                return None;
            }
            next.iter_mut().for_each(|x| *x /= length);
            // `(H - s I) next = vector / length`.
            let cosine = inner_product(next, vector);
            add_scaled(vector, -cosine, next);
            let residual = norm(vector) / length;
            std::mem::swap(vector, next);
            if enough(shift + cosine / length, residual) {
                return Some(residual);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense::padded_square::PaddedSquare;

    /// H = diag(1, 2, .., 20), turned by a reflection so that nothing is aligned with the axes.
    #[test]
    fn the_smallest_of_known_eigenvalues_from_a_rough_start() {
        let order = 20;
        let length = (0..order).map(|k| (1.0 + k as f64).powi(2)).sum::<f64>().sqrt();
        let mirror: Vec<f64> = (0..order).map(|k| (1.0 + k as f64) / length).collect();
        let turned = |r: usize, k: usize| f64::from(u8::from(r == k)) - 2.0 * mirror[r] * mirror[k];
        let mut h = PaddedSquare::zeros(order);
        for c in 0..order {
            for r in c..order {
                let terms = (0..order).map(|k| (1.0 + k as f64) * turned(r, k) * turned(c, k));
                h.as_mut()[(r, c)] = terms.sum();
            }
        }
        let mut inverse = ShiftedInverse::default();
        inverse.resize(order);
        for (shift, near) in [(1.001, true), (1.1, true), (1.45, false)] {
            for (r, x) in inverse.vector_mut().iter_mut().enumerate() {
                *x = turned(r, 0) + 0.01 * turned(r, 1) - 0.02 * turned(r, 7);
            }
            assert!(inverse.normalize());
            let (tau, mut factor) = (2.0 * shift, Cholesky::new(order));
            let x = inverse.vector().to_vec();
            assert_eq!(factor.factor_deflated(&h, -shift, (tau, &x)), Ok(()));
            let last = std::cell::Cell::new(0.0);
            let enough = |theta: f64, residual: f64| {
                last.set(theta);
                residual < 1e-6 * (shift - theta).sqrt()
            };
            let found = inverse.iterate(&factor, (shift, tau), enough);
            assert_eq!(found.is_some(), near, "{shift}");
            let Some(residual) = found else { continue };
            let theta = last.get();
            assert!((theta - 1.0).abs() < 1e-12, "{shift}: {theta}");
            // The recurrence's residual is that of the matrix.
            let v = inverse.vector();
            let row = |r: usize| -> f64 {
                let entry = |c: usize| h.as_ref()[(r.max(c), r.min(c))];
                (0..order).map(|c| entry(c) * v[c]).sum::<f64>() - theta * v[r]
            };
            let measured = (0..order).map(|r| row(r).powi(2)).sum::<f64>().sqrt();
            assert!((measured - residual).abs() < 1e-13 + 1e-9 * residual, "{shift}: {measured}");
        }
    }

    #[test]
    fn a_start_without_length_is_refused() {
        let mut inverse = ShiftedInverse::default();
        inverse.resize(3);
        assert!(!inverse.normalize());
        inverse.vector_mut()[1] = f64::INFINITY;
        assert!(!inverse.normalize());
    }
}
