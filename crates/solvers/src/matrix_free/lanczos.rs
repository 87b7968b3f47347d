//! Extreme singular values of `J` by Golub-Kahan bidiagonalization through products with J.
//!
//! `A V = U B`, `A^T U = V B^T + r e_k^T` with B upper bidiagonal (Golub and Kahan 1965), A = J or
//! its transpose, whichever has the fewer columns. The Lanczos vectors of the short side are kept
//! and orthogonalized against each other, twice; those of the long side then keep orthogonal by
//! themselves (Simon and Zha 2000), and only the last one is needed. A value `sigma` of B lies
//! within `norm(r) |last entry of its left vector|` of a singular value of J.

use crate::dense::thin_svd::ThinSvd;
use crate::error::SolveError;
use crate::jacobian::operator::JacobianOperator;
use crate::vector::{add_scaled, inner_product, norm};

/// Bounds the extreme singular values of J from a Lanczos process.
///
/// Such a process cannot prove that no smaller singular value exists. Up to rounding, `smallest` is an upper bound of the
/// smallest one, and `largest` a lower bound of the largest one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpectrumBounds {
    /// Lower bound of the largest singular value, up to rounding.
    pub largest: f64,
    /// A singular value of J lies within this of `largest`.
    pub largest_residual: f64,
    /// Upper bound of the smallest of the min(n, p) singular values, up to rounding.
    pub smallest: f64,
    /// A singular value of J lies within this of `smallest`.
    pub smallest_residual: f64,
    /// Steps taken, at most min(n, p).
    pub steps: usize,
    /// Whether all min(n, p) steps were taken: both values are then exact to rounding.
    pub coverage: Coverage,
}

/// Says how much of the space a Lanczos process has explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All of it: both values are exact to rounding.
    Whole,
    /// A subspace: both values are bounds.
    Partial,
}

/// Buffers of one process.
#[derive(Default)]
pub(crate) struct Lanczos {
    /// The short-side vectors, one after the other.
    basis: Vec<f64>,
    /// Diagonal and superdiagonal of B.
    alphas: Vec<f64>,
    betas: Vec<f64>,
    /// The present long-side vector, and a product on its way.
    long: Vec<f64>,
    product: Vec<f64>,
    short: Vec<f64>,
}

impl Lanczos {
    /// The extreme values after `steps` steps, at most min(n, p) and at least 1.
    pub(crate) fn extremes(
        &mut self,
        jacobian: &dyn JacobianOperator,
        steps: usize,
    ) -> Result<SpectrumBounds, SolveError> {
        let (rows, columns) = (jacobian.rows(), jacobian.columns());
        let wide = columns > jacobian.total_rows();
        let (short, long) = if wide { (rows, columns) } else { (columns, rows) };
        let steps = steps.clamp(1, short);
        self.basis.clear();
        self.alphas.clear();
        self.betas.clear();
        self.long.clear();
        self.long.resize(long, 0.0);
        self.product.resize(long, 0.0);
        self.short.resize(short, 0.0);
        let apply = |x: &[f64], out: &mut [f64]| {
            if wide { jacobian.apply_transposed(x, out) } else { jacobian.apply(x, out) }
        };
        let apply_transposed = |x: &[f64], out: &mut [f64]| {
            if wide { jacobian.apply(x, out) } else { jacobian.apply_transposed(x, out) }
        };
        let mut size = 0.0_f64;
        let mut beta = 0.0;
        self.fresh_short(0);
        for k in 0..steps {
            self.basis.extend_from_slice(&self.short);
            // alpha u_k = A v_k - beta u_{k-1}
            apply(&self.short, &mut self.product);
            for (u, product) in self.long.iter_mut().zip(&self.product) {
                *u = product - beta * *u;
            }
            let alpha = if wide { norm(&self.long) } else { jacobian.output_norm(&self.long) };
            if !alpha.is_finite() {
                let what = "a product with the Jacobian";
                return Err(SolveError::NonFinite { what, index: k, value: alpha });
            }
            size = size.max(alpha);
            let noise = short as f64 * f64::EPSILON * size;
            let unit = if alpha > noise { 1.0 / alpha } else { 0.0 };
            self.long.iter_mut().for_each(|u| *u *= unit);
            self.alphas.push(alpha);
            // beta v_{k+1} = A^T u_k - alpha v_k, orthogonal to all before
            apply_transposed(&self.long, &mut self.short);
            self.orthogonalize();
            beta = norm(&self.short);
            size = size.max(beta);
            if beta > short as f64 * f64::EPSILON * size {
                let unit = 1.0 / beta;
                self.short.iter_mut().for_each(|v| *v *= unit);
            } else if k + 1 < steps {
                // An invariant subspace: the process starts again in its complement.
                beta = 0.0;
                self.fresh_short(k + 1);
            }
            self.betas.push(beta);
        }
        self.values(steps == short)
    }

    /// A unit vector of irregular signs and sizes, orthogonal to the basis, into `short`.
    fn fresh_short(&mut self, seed: usize) {
        for (i, v) in self.short.iter_mut().enumerate() {
            // Fractional parts of multiples of the golden ratio: spread evenly, never a pattern of
            // the coordinates; any vector with a part along every singular vector serves.
            let at = (i + 1) as f64 * 0.618_033_988_749_894_9 + seed as f64 * 0.414_213_562_373_095;
            *v = at.fract() - 0.5;
            *v += (at * at * 0.1).fract() - 0.5;
        }
        self.orthogonalize();
        let size = norm(&self.short);
        if size > 0.0 {
            self.short.iter_mut().for_each(|v| *v *= 1.0 / size);
        }
    }

    /// Removes from `short` its part along the basis, twice (Kahan: twice is enough).
    fn orthogonalize(&mut self) {
        for _ in 0..2 {
            for v in self.basis.chunks_exact(self.short.len()) {
                let part = inner_product(v, &self.short);
                add_scaled(&mut self.short, -part, v);
            }
        }
    }

    /// The extreme values of B and their bounds.
    fn values(&self, whole: bool) -> Result<SpectrumBounds, SolveError> {
        let steps = self.alphas.len();
        let bidiagonal = faer::Mat::from_fn(steps, steps, |r, c| {
            if r == c {
                self.alphas[r]
            } else if r + 1 == c {
                self.betas[r]
            } else {
                0.0
            }
        });
        let mut svd = ThinSvd::new(steps, steps);
        svd.factor(bidiagonal.as_ref())?;
        let last = if whole { 0.0 } else { self.betas[steps - 1] };
        let residual = |k: usize| last * svd.left(k)[steps - 1].abs();
        let mut values = svd.values();
        let largest = values.next().unwrap_or(0.0);
        let smallest = values.last().unwrap_or(largest);
        Ok(SpectrumBounds {
            largest,
            largest_residual: residual(0),
            smallest,
            smallest_residual: residual(steps - 1),
            steps,
            coverage: if whole { Coverage::Whole } else { Coverage::Partial },
        })
    }
}
