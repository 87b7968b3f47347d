//! Orthonormal coordinates around one point: `c = alpha R v` for parameters v, with `J = Q R` there.
//!
//! Curves are integrated in these coordinates, not in parameters: `norm(c)` is an output length, and an
//! invertible linear change of the parameters changes nothing, neither the numbers nor the step sizes.

use gaussflow_faer::faer::{Mat, MatMut};
use gaussflow_faer::solve_upper;
use gaussflow_solvers::RangeBasis;

/// The point `origin` with its triangular factor R and the scaling alpha.
pub(crate) struct Frame {
    origin: Vec<f64>,
    upper: Mat<f64>,
    scaling: f64,
}

impl Frame {
    /// The frame of `basis` at `origin`.
    pub(crate) fn new(origin: &[f64], basis: &RangeBasis<'_>, scaling: f64) -> Self {
        Self { origin: origin.to_vec(), upper: basis.upper().to_owned(), scaling }
    }

    /// The dimension p.
    pub(crate) fn dimension(&self) -> usize {
        self.origin.len()
    }

    /// `out = R^-1 c / alpha`: the parameters of a direction.
    pub(crate) fn direction(&self, coordinates: &[f64], out: &mut [f64]) {
        out.copy_from_slice(coordinates);
        let order = out.len();
        let column = MatMut::from_column_major_slice_mut(out, order, 1);
        solve_upper(self.upper.as_ref(), column);
        out.iter_mut().for_each(|v| *v /= self.scaling);
    }

    /// `out = origin + R^-1 c / alpha`: the parameters of a point.
    pub(crate) fn point(&self, coordinates: &[f64], out: &mut [f64]) {
        self.direction(coordinates, out);
        for (w, origin) in out.iter_mut().zip(&self.origin) {
            *w += origin;
        }
    }

    /// `out = alpha R v`: the coordinates of a direction.
    pub(crate) fn coordinates(&self, v: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (c, v) in v.iter().enumerate() {
            let column = &self.upper.col_as_slice(c)[..=c];
            for (o, r) in out.iter_mut().zip(column) {
                *o += r * v;
            }
        }
        out.iter_mut().for_each(|o| *o *= self.scaling);
    }
}
