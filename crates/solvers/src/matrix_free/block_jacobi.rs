//! The preconditioner of primal conjugate gradients: the inverse of the diagonal blocks of
//! `H_rho = (1-rho) J^T J + rho I` that the structure of J has.
//!
//! For `S (.) X` there is one block a hidden unit, `sum_j S[j, i]^2 x_j x_j^T`: they take n m d^2 operations
//! and m d^2 numbers, and where J's rows lie on several machines they are sums over them, unlike the factor of K.

use crate::jacobian::operator::JacobianOperator;

/// The blocks and their factors.
#[derive(Default)]
pub(crate) struct BlockJacobi {
    orders: Vec<usize>,
    /// Of `J^T J`, one after the other, each row-major.
    blocks: Vec<f64>,
    /// Cholesky factors L of `(1-rho) B + rho I`, lower triangles likewise.
    factors: Vec<f64>,
    current: bool,
}

impl BlockJacobi {
    /// Forgets the blocks: the Jacobian has changed.
    pub(crate) fn invalidate(&mut self) {
        self.current = false;
    }

    /// Makes the factors at `rho`; `false` where J has no blocks, or one is not positive definite.
    pub(crate) fn prepare(&mut self, jacobian: &dyn JacobianOperator, rho: f64) -> bool {
        if !self.current {
            jacobian.gram_blocks(&mut self.blocks, &mut self.orders);
            self.current = true;
        }
        if self.orders.is_empty() {
            return false;
        }
        self.factors.clear();
        self.factors.extend(self.blocks.iter().map(|b| (1.0 - rho) * b));
        let mut rest = &mut self.factors[..];
        self.orders.iter().all(|&order| {
            let (block, later) = std::mem::take(&mut rest).split_at_mut(order * order);
            rest = later;
            (0..order).for_each(|k| block[k * order + k] += rho);
            factor(block, order)
        })
    }

    /// `out = P r`, both of length p.
    pub(crate) fn apply(&self, r: &[f64], out: &mut [f64]) {
        out.copy_from_slice(r);
        let (mut factors, mut rest) = (&self.factors[..], out);
        for &order in &self.orders {
            let (l, other_factors) = factors.split_at(order * order);
            let (x, later) = rest.split_at_mut(order);
            (factors, rest) = (other_factors, later);
            for i in 0..order {
                let known: f64 = (0..i).map(|k| l[i * order + k] * x[k]).sum();
                x[i] = (x[i] - known) / l[i * order + i];
            }
            for i in (0..order).rev() {
                let known: f64 = (i + 1..order).map(|k| l[k * order + i] * x[k]).sum();
                x[i] = (x[i] - known) / l[i * order + i];
            }
        }
    }
}

/// `A = L L^T` in place, row-major, lower triangle; `false` at a pivot that is not positive and finite.
fn factor(a: &mut [f64], order: usize) -> bool {
    for i in 0..order {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| a[i * order + k] * a[j * order + k]).sum();
            let rest = a[i * order + j] - known;
            a[i * order + j] = if j < i {
                rest / a[j * order + j]
            } else if rest > 0.0 && rest.is_finite() {
                rest.sqrt()
            } else {
                return false;
            };
        }
    }
    true
}
