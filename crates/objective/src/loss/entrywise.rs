//! Losses that are a sum over outputs, `g(psi) = sum_j g_j(psi_j)`, whose Hessians are diagonal.

/// A loss of one output each: what is known of `g_j` at one number.
///
/// Everything that is not a sum or a product of these is here once, for all such losses.
pub(super) trait Entrywise: Send + Sync {
    /// Number of outputs n.
    fn count(&self) -> usize;

    /// `g_j(x)`.
    fn value_at(&self, j: usize, x: f64) -> f64;

    /// `g_j'(x)`.
    fn slope_at(&self, j: usize, x: f64) -> f64;

    /// `g_j''(x)`.
    fn curvature_at(&self, j: usize, x: f64) -> f64;

    /// `sqrt(g_j''(x))`, and `g_j'(x)` divided by it; where that is 0 / 0, its limit.
    fn root_at(&self, j: usize, x: f64) -> (f64, f64) {
        let root = self.curvature_at(j, x).sqrt();
        (root, self.slope_at(j, x) / root)
    }

    /// The modulus of strong convexity of all `g_j`.
    fn convexity(&self) -> f64;

    /// The Lipschitz modulus of all `g_j'`.
    fn lipschitz(&self) -> f64;

    /// The infimum of `g_j`, and where it is attained; an infinity where it is not.
    fn least(&self, j: usize) -> (f64, f64);
}

/// Makes a [`Loss`](super::Loss) of an [`Entrywise`] one.
macro_rules! loss_by_entries {
    ($loss:ty) => {
        impl $crate::loss::Loss for $loss {
            fn outputs(&self) -> usize {
                self.count()
            }

            fn value(&self, psi: &[f64]) -> f64 {
                psi.iter().enumerate().map(|(j, &x)| self.value_at(j, x)).sum()
            }

            fn gradient(&self, psi: &[f64], out: &mut [f64]) {
                for (j, (out, &x)) in out.iter_mut().zip(psi).enumerate() {
                    *out = self.slope_at(j, x);
                }
            }

            fn hessian_apply(&self, psi: &[f64], v: &[f64], out: &mut [f64]) {
                for (j, ((out, &x), v)) in out.iter_mut().zip(psi).zip(v).enumerate() {
                    *out = self.curvature_at(j, x) * v;
                }
            }

            fn hessian_root(&self, psi: &[f64], root: &mut [f64], b: &mut [f64]) -> bool {
                for (j, ((root, b), &x)) in root.iter_mut().zip(b).zip(psi).enumerate() {
                    (*root, *b) = self.root_at(j, x);
                }
                true
            }

            fn strong_convexity(&self) -> f64 {
                self.convexity()
            }

            fn smoothness(&self) -> f64 {
                self.lipschitz()
            }

            fn minimum(&self) -> f64 {
                (0..self.count()).map(|j| self.least(j).0).sum()
            }

            fn minimizer(&self, out: &mut [f64]) -> bool {
                out.iter_mut().enumerate().for_each(|(j, out)| *out = self.least(j).1);
                out.iter().all(|x| x.is_finite())
            }
        }
    };
}

pub(super) use loss_by_entries;
