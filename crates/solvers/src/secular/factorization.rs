//! The singular values of A and its right singular vectors: by QR and those of R, or from `A^T A`.

use faer::Mat;
use gaussflow_faer::self_adjoint_eigen;

use crate::dense::householder_qr::HouseholderQr;
use crate::dense::thin_svd::ThinSvd;
use crate::error::SolveError;
use crate::powers::binary_scale;
use crate::secular::factor::{DECOMPOSED, SMALL, SecularFactor, Shape, Source};
use crate::secular::reduced::Reduced;
use crate::secular::{jacobi, reflections};

impl SecularFactor {
    /// QR of A or `A^T`, then the singular values of R.
    pub(super) fn factor_dense(&mut self, scales: &[f64]) {
        let Source::Dense(dense) = &self.source else { return };
        let (n, f) = (self.rows, self.free.len());
        let (long, k) = (n.max(f), n.min(f));
        self.shape = if n >= f { Shape::Tall } else { Shape::Wide };
        self.tall.resize(long * k, 0.0);
        // The kernels multiply squares of entries: they see columns of norm at most 2, scaled without rounding.
        let sizes = self.free.iter().map(|&column| self.column_norms[column] / scales[column]);
        let unit = binary_scale(sizes.fold(0.0, f64::max));
        for (c, &column) in self.free.iter().enumerate() {
            let source = &dense[column * n..][..n];
            let inverse = scales[column].recip() * unit.recip();
            if self.shape == Shape::Tall {
                let target = &mut self.tall[c * n..][..n];
                target.iter_mut().zip(source).for_each(|(t, x)| *t = x * inverse);
            } else {
                for (j, x) in source.iter().enumerate() {
                    self.tall[j * f + c] = x * inverse;
                }
            }
        }
        if k > SMALL {
            let mut qr = HouseholderQr::new(long, k);
            let tall = faer::MatRef::from_column_major_slice(&self.tall, long, k);
            qr.factor(|mut out| out.copy_from(tall));
            if k <= DECOMPOSED {
                return self.decompose_triangle(qr, unit);
            }
            self.values.clear();
            self.right.clear();
            match Reduced::new(qr, self.shape == Shape::Wide, unit, self.cutoff) {
                Ok(reduced) => self.reduced = Some(reduced),
                Err(qr) => {
                    self.fallbacks += 1;
                    self.decompose_triangle(*qr, unit);
                }
            }
            return;
        }
        self.reserve(k);
        self.blocked = None;
        self.coefficients.resize(k, 0.0);
        reflections::factor(&mut self.tall, long, &mut self.coefficients, &mut self.triangle);
        jacobi::rotate(&mut self.triangle, &mut self.rotation, &mut self.values);
        self.finish(unit);
    }

    /// Zeros for R and Y of order k.
    fn reserve(&mut self, k: usize) {
        self.triangle.clear();
        self.triangle.resize(k * k, 0.0);
        self.rotation.clear();
        self.rotation.resize(k * k, 0.0);
        self.values.resize(k, 0.0);
    }

    /// V from the decomposition of R, and the values in their own units.
    fn finish(&mut self, unit: f64) {
        let (f, k, long) = (self.free.len(), self.values.len(), self.rows.max(self.free.len()));
        self.right.clear();
        if self.shape == Shape::Tall {
            self.right.extend_from_slice(&self.rotation);
        } else {
            // V = Q X.
            self.right.resize(f * k, 0.0);
            for (i, &s) in self.values.iter().enumerate() {
                let column = &mut self.right[i * f..][..f];
                if s > 0.0 {
                    let x = &self.triangle[i * k..][..k];
                    column[..k].iter_mut().zip(x).for_each(|(v, x)| *v = x / s);
                }
                match &mut self.blocked {
                    Some(qr) => qr.apply_q(column),
                    None => reflections::apply_q(&self.tall, long, &self.coefficients, column),
                }
            }
        }
        self.values.iter_mut().chain(&mut self.triangle).for_each(|x| *x *= unit);
    }

    /// The same by faer's kernels, for larger orders, from the QR factors of `A / unit`.
    pub(super) fn decompose_triangle(&mut self, qr: HouseholderQr, unit: f64) {
        let k = qr.upper().ncols();
        self.reserve(k);
        let mut upper = Mat::zeros(k, k);
        for c in 0..k {
            for r in 0..=c {
                upper[(r, c)] = qr.upper()[(r, c)];
            }
        }
        self.blocked = Some(qr);
        let mut svd = ThinSvd::new(k, k);
        if svd.factor(upper.as_ref()).is_ok() {
            for (i, s) in svd.values().enumerate() {
                self.values[i] = s;
                self.rotation[i * k..][..k].copy_from_slice(svd.right(i));
                let target = &mut self.triangle[i * k..][..k];
                target.iter_mut().zip(svd.left(i)).for_each(|(t, x)| *t = x * s);
            }
        } else {
            // Rotations need several times as long, and converge where faer's iteration does not.
            self.fallbacks += 1;
            self.rotate(&upper);
        }
        self.finish(unit);
    }

    /// Singular values of an upper triangle by Jacobi rotations.
    fn rotate(&mut self, upper: &Mat<f64>) {
        for (column, target) in upper.col_iter().zip(self.triangle.chunks_exact_mut(upper.nrows()))
        {
            target.iter_mut().zip(column.iter()).for_each(|(t, x)| *t = *x);
        }
        jacobi::rotate(&mut self.triangle, &mut self.rotation, &mut self.values);
    }

    /// Eigenvalues of `A^T A`.
    pub(super) fn factor_gram(&mut self, scales: &[f64]) -> Result<(), SolveError> {
        let Source::Gram(gram) = &self.source else { return Ok(()) };
        let f = self.free.len();
        self.shape = Shape::Normal;
        let mut scaled = Mat::zeros(f, f);
        for (c, &column) in self.free.iter().enumerate() {
            for (r, &row) in self.free.iter().enumerate().skip(c) {
                scaled[(r, c)] = gram[(row, column)] / scales[row] / scales[column];
            }
        }
        let order = SolveError::NoConvergence { rows: f, columns: f };
        let eigen = self_adjoint_eigen(scaled.as_ref()).map_err(|_| order)?;
        // Rounding may have made small eigenvalues negative. Raised to the size of their error they stay within
        // it, and each direction keeps its share of the gradient: a step without that share misses its
        // equation by as much as sqrt(eps).
        let eigenvalues = eigen.S().column_vector();
        let least = self.gram_error() * eigenvalues.iter().copied().fold(0.0, f64::max);
        self.values.clear();
        self.values.extend(eigenvalues.iter().map(|s| s.max(least).sqrt()));
        self.right.resize(f * f, 0.0);
        for (i, column) in self.right.chunks_exact_mut(f.max(1)).enumerate() {
            column.iter_mut().enumerate().for_each(|(r, v)| *v = eigen.U()[(r, i)]);
        }
        self.work.resize(self.columns, 0.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use crate::SecularFactor;
    use crate::vector::inner_product;

    /// `R Y = X diag(s)` with orthonormal Y and X, for a graded triangle of order 40.
    #[test]
    fn rotations_decompose_what_the_iteration_would() {
        let k = 40;
        let upper = Mat::from_fn(k, k, |r, c| {
            let entry = ((3 * r * c + 7 * c) as f64).sin() + if r == c { 8.0 } else { 0.0 };
            let entry = entry * (-(r as f64) / 2.0).exp();
            if r <= c { entry } else { 0.0 }
        });
        let mut factor = SecularFactor::new(k, k);
        factor.triangle.resize(k * k, 0.0);
        factor.rotation.resize(k * k, 0.0);
        factor.values.resize(k, 0.0);
        factor.rotate(&upper);
        let size = upper.norm_l2();
        let column = |x: &[f64], i: usize| x[i * k..][..k].to_vec();
        for i in 0..k {
            let (y, left) = (column(&factor.rotation, i), column(&factor.triangle, i));
            for r in 0..k {
                let product: f64 = (0..k).map(|c| upper[(r, c)] * y[c]).sum();
                assert!((product - left[r]).abs() < 1e-13 * size);
            }
            for other in 0..k {
                let expected = f64::from(u8::from(i == other));
                let product = inner_product(&y, &column(&factor.rotation, other));
                assert!((product - expected).abs() < 1e-13);
                let scale = factor.values[i] * factor.values[other];
                let product = inner_product(&left, &column(&factor.triangle, other));
                assert!((product - expected * scale).abs() <= 1e-12 * scale);
            }
        }
    }
}
