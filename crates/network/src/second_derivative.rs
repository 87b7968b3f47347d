//! Second derivatives of the network: `D2f[u,v]_j = sum_i C_ji (x_j . u_i)(x_j . v_i)`.
//!
//! `B(weights) = sum_j weights_j Hess f_j` is block diagonal, m blocks d x d.

use gaussflow_solvers::faer::MatMut;
use gaussflow_solvers::{RowBlocks, inner_product};

/// Most rows of a block.
pub(crate) const ROW_BLOCK: usize = RowBlocks::ROWS;

/// Where C comes from.
pub(crate) trait CurvatureColumns {
    /// Writes column i of C on the rows of block b.
    fn fill(&self, b: usize, i: usize, out: &mut [f64]);
}

/// X, and the columns of C.
pub(crate) struct Curved<'a, C> {
    pub(crate) inputs: &'a RowBlocks,
    pub(crate) hidden: usize,
    pub(crate) columns: C,
}

impl<C: CurvatureColumns> Curved<'_, C> {
    /// `out_j = sum_i C_ji (x_j . u_i)(x_j . v_i)`.
    pub(crate) fn second_derivative(&self, u: &[f64], v: &[f64], out: &mut [f64]) {
        let d = self.inputs.columns();
        // A geodesic asks for u = v: one projection is enough.
        let same = u.iter().zip(v).all(|(a, b)| a.to_bits() == b.to_bits());
        let mut buffers = [[0.0; ROW_BLOCK]; 3];
        let [curvature, along_u, along_v] = &mut buffers;
        for (b, out) in out.chunks_mut(ROW_BLOCK).enumerate() {
            let n = out.len();
            let (curvature, along_u, along_v) =
                (&mut curvature[..n], &mut along_u[..n], &mut along_v[..n]);
            out.fill(0.0);
            for i in 0..self.hidden {
                let unit = i * d..(i + 1) * d;
                self.columns.fill(b, i, curvature);
                self.project(b, &u[unit.clone()], along_u);
                if same {
                    add_products(out, curvature, along_u, along_u);
                } else {
                    self.project(b, &v[unit], along_v);
                    add_products(out, curvature, along_u, along_v);
                }
            }
        }
    }

    /// `out_i = sum_j weights_j C_ji (x_j . v_i) x_j`.
    pub(crate) fn weighted_hessian_apply(&self, weights: &[f64], v: &[f64], out: &mut [f64]) {
        let d = self.inputs.columns();
        let mut buffers = [[0.0; ROW_BLOCK]; 2];
        let [curvature, along] = &mut buffers;
        out.fill(0.0);
        for (b, weights) in weights.chunks(ROW_BLOCK).enumerate() {
            let n = weights.len();
            let (curvature, along) = (&mut curvature[..n], &mut along[..n]);
            for i in 0..self.hidden {
                self.project(b, &v[i * d..(i + 1) * d], along);
                self.columns.fill(b, i, curvature);
                for ((a, c), w) in along.iter_mut().zip(&*curvature).zip(weights) {
                    *a *= c * w;
                }
                for (k, o) in out[i * d..(i + 1) * d].iter_mut().enumerate() {
                    *o += inner_product(along, self.inputs.column(b, k));
                }
            }
        }
    }

    /// Block i of the block diagonal matrix is `sum_j weights_j C_ji x_j x_j^T`.
    pub(crate) fn weighted_hessian(&self, weights: &[f64], mut out: MatMut<'_, f64>) {
        let d = self.inputs.columns();
        let mut buffers = [[0.0; ROW_BLOCK]; 2];
        let [curvature, weighted] = &mut buffers;
        out.fill(0.0);
        for (b, weights) in weights.chunks(ROW_BLOCK).enumerate() {
            let n = weights.len();
            let (curvature, weighted) = (&mut curvature[..n], &mut weighted[..n]);
            for i in 0..self.hidden {
                self.columns.fill(b, i, curvature);
                multiply(curvature, weights);
                for k in 0..d {
                    weighted.copy_from_slice(curvature);
                    multiply(weighted, self.inputs.column(b, k));
                    for l in 0..=k {
                        let sum = inner_product(weighted, self.inputs.column(b, l));
                        out[(i * d + k, i * d + l)] += sum;
                    }
                }
            }
        }
        // Mirrored, not summed again: symmetric to the last bit.
        for i in 0..self.hidden {
            for k in 0..d {
                for l in 0..k {
                    out[(i * d + l, i * d + k)] = out[(i * d + k, i * d + l)];
                }
            }
        }
    }

    /// `out_j = x_j . direction` on the rows of block b, direction of length d.
    fn project(&self, b: usize, direction: &[f64], out: &mut [f64]) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                out.fill(0.0);
                for (k, weight) in direction.iter().enumerate() {
                    for (o, x) in out.iter_mut().zip(self.inputs.column(b, k)) {
                        *o += weight * x;
                    }
                }
            },
        );
    }
}

/// `out += c * a * b`, entry by entry; vectorized for the processor at hand, same bits on every one.
fn add_products(out: &mut [f64], c: &[f64], a: &[f64], b: &[f64]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (((o, c), a), b) in out.iter_mut().zip(c).zip(a).zip(b) {
                *o += c * a * b;
            }
        },
    );
}

/// `out *= factors`, entry by entry; vectorized likewise.
fn multiply(out: &mut [f64], factors: &[f64]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || out.iter_mut().zip(factors).for_each(|(o, f)| *o *= f),
    );
}
