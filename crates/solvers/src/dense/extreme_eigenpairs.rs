//! The smallest and the largest eigenvalue of a symmetric matrix with their eigenvectors.
//!
//! Eigenvalues alone cost a fraction of a full decomposition. Each eigenvector then comes by inverse
//! iteration, `x <- (A - (theta_1 - delta) I)^-1 x` and likewise `((theta_p + delta) I - A)^-1 x`, whose
//! matrices are positive definite: delta lies above the rounding of theta and of the Cholesky factor.

use faer::MatRef;

use crate::dense::cholesky::Cholesky;
use crate::dense::symmetric::{SymmetricEigen, Wanted};
use crate::error::SolveError;
use crate::vector::{inner_product, norm};

/// Steps of inverse iteration: the first brings the residual to a few delta, the others mix out what
/// the start had of distant eigenvectors.
const STEPS: usize = 3;

/// delta over `order eps norm(A)`; also the accepted residual.
const SHIFT: f64 = 16.0;

/// Holds an eigenvalue with a unit eigenvector.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigenpair {
    /// The eigenvalue.
    pub value: f64,
    /// The eigenvector, of norm 1.
    pub vector: Vec<f64>,
}

/// One end of the spectrum.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Smallest,
    Largest,
}

impl SymmetricEigen {
    /// Computes the smallest and the largest eigenvalue, in this order, with unit eigenvectors, of the symmetric matrix whose
    /// lower triangle is that of `matrix` (p x p).
    ///
    /// Afterwards [`Self::value`] and [`Self::vector`] must not be read before the next [`Self::factor`].
    ///
    /// # Examples
    /// ```
    /// use gaussflow_solvers::{SymmetricEigen, faer::mat};
    /// let matrix = mat![[2.0, 1.0], [1.0, 2.0]];
    /// let [smallest, largest] = SymmetricEigen::new(2)?.extremes(matrix.as_ref())?;
    /// assert!((smallest.value - 1.0).abs() < 1e-15 && (largest.value - 3.0).abs() < 1e-15);
    /// assert!((largest.vector[0] - largest.vector[1]).abs() < 1e-12);
    /// # Ok::<(), gaussflow_solvers::SolveError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::factor`].
    pub fn extremes(&mut self, matrix: MatRef<'_, f64>) -> Result<[Eigenpair; 2], SolveError> {
        let scale = self.load(matrix)?;
        self.decompose(Wanted::Values)?;
        let last = self.order() - 1;
        let (low, high) = (self.value(0), self.value(last));
        let mut cholesky = Cholesky::new(self.order());
        let found = [(End::Smallest, low), (End::Largest, high)]
            .map(|(end, theta)| self.eigenvector(&mut cholesky, end, theta, low.abs().max(high)));
        let [Some(smallest), Some(largest)] = found else {
            self.factor(matrix)?;
            return Ok([0, last]
                .map(|k| Eigenpair { value: self.value(k), vector: self.vector(k).to_vec() }));
        };
        Ok([
            Eigenpair { value: low * scale, vector: smallest },
            Eigenpair { value: high * scale, vector: largest },
        ])
    }

    /// The unit eigenvector of `theta` at one end of the loaded matrix's spectrum, `size` its norm; none
    /// where the residual stays above what rounding explains.
    fn eigenvector(
        &self,
        cholesky: &mut Cholesky,
        end: End,
        theta: f64,
        size: f64,
    ) -> Option<Vec<f64>> {
        let order = self.order();
        let bound = SHIFT * order as f64 * f64::EPSILON * size;
        let shift = if end == End::Smallest { bound - theta } else { theta + bound };
        let scale = if end == End::Smallest { 1.0 } else { -1.0 };
        cholesky.matrix_mut().copy_from_triangular_lower(self.loaded());
        cholesky.factor_written(scale, shift).ok()?;
        // Entries of unlike size and sign: orthogonal to no eigenvector that symmetry prefers.
        let mut x: Vec<f64> = (1..=order).map(|k| (1.7 * k as f64).sin() + 0.5).collect();
        for _ in 0..STEPS {
            cholesky.solve(&mut x);
            let length = norm(&x);
            if !(length.is_finite() && length > 0.0) {
                return None;
            }
            x.iter_mut().for_each(|x| *x /= length);
        }
        let loaded = self.loaded();
        let residual: Vec<f64> = (0..order)
            .map(|k| {
                inner_product(loaded.col(k).try_as_col_major().map_or(&[], |c| c.as_slice()), &x)
                    - theta * x[k]
            })
            .collect();
        (norm(&residual) <= bound).then_some(x)
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::*;

    /// The defining equation, for well separated, clustered and equal eigenvalues and for tiny entries.
    #[test]
    fn extremes_satisfy_the_defining_equation() -> Result<(), SolveError> {
        for order in [1, 2, 3, 17, 60] {
            for (spread, scale) in [(1.0, 1.0), (1e-9, 3e-200), (0.0, 7e150)] {
                // A Householder reflection of a known diagonal.
                let u: Vec<f64> = (0..order).map(|k| (0.9 * k as f64 + 0.3).cos()).collect();
                let uu = inner_product(&u, &u);
                let h = Mat::from_fn(order, order, |r, c| {
                    f64::from(u8::from(r == c)) - 2.0 * u[r] * u[c] / uu
                });
                let theta = |k: usize| scale * (2.0 + spread * ((k * k) as f64 - 5.0));
                let d = Mat::from_fn(order, order, |r, c| if r == c { theta(r) } else { 0.0 });
                let matrix = &h * &d * &h;
                let [smallest, largest] = SymmetricEigen::new(order)?.extremes(matrix.as_ref())?;
                let size = theta(0).abs().max(theta(order - 1).abs());
                let bound = 100.0 * order as f64 * f64::EPSILON * size;
                assert!((smallest.value - theta(0)).abs() <= bound, "{order} {spread}");
                assert!((largest.value - theta(order - 1)).abs() <= bound, "{order} {spread}");
                for Eigenpair { value, vector } in [smallest, largest] {
                    assert!((norm(&vector) - 1.0).abs() < 1e-14);
                    for r in 0..order {
                        let image: f64 = (0..order).map(|c| matrix[(r, c)] * vector[c]).sum();
                        assert!((image - value * vector[r]).abs() <= bound, "{order} {spread}");
                    }
                }
            }
        }
        Ok(())
    }
}
