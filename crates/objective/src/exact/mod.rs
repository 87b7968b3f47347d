//! Exact derivatives of residuals that are written once, over any scalar.
//!
//! `f(w + e)` over dual numbers, whose nilpotent parts e carry derivatives through every operation without truncation
//! (J. A. Fike and J. J. Alonso, "The Development of Hyper-Dual Numbers", 2011). `chunk.rs` has the number that
//! carries several directions at once.

mod chunk;
mod functions;

use gaussflow_solvers::faer::MatMut;
use gaussflow_solvers::{DenseJacobian, SparseJacobian, SparsityPattern};
use num_dual::{Dual64, DualNum, HyperDual64};

use crate::map::{
    MapError, Residuals, SecondOrderMap, SmoothMap, linearize_beside_bounds, require_length,
};
use crate::sparse_differences::{group, require_shape};
use chunk::{Chunk, DIRECTIONS};
pub use functions::{erf, erfc, sigmoid, tanh};

/// Stands for the number that residuals are written over: `f64`, or a number that carries derivatives along.
///
/// It has `+ - * /` with its own kind and with `f64` on the right, comparisons by value, `D::from(2.0)`, and the functions of
/// num-dual's `DualNum`: `exp`, `ln`, `sqrt`, `sin`, `atan2`, `powi`, `powf`, `powd` and so on. [`tanh`], [`sigmoid`],
/// [`erf`] and [`erfc`] complete them.
/// [`sigmoid`], [`erf`] and [`erfc`] stand beside it.
pub trait Scalar: DualNum<Primitive = f64> + Copy {}

impl<D: DualNum<Primitive = f64> + Copy> Scalar for D {}

/// Holds residuals, or outputs, written once over any [`Scalar`]; [`ExactDerivatives`] makes a map of them.
pub trait GenericResiduals {
    /// Returns the number of parameters p.
    fn parameters(&self) -> usize;

    /// Returns the number of outputs n.
    fn outputs(&self) -> usize;

    /// Writes `f(w)` (length n) at `w` (length p). A NaN or an infinity says that f is undefined there.
    fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]);
}

impl<M: GenericResiduals> GenericResiduals for &M {
    fn parameters(&self) -> usize {
        (**self).parameters()
    }

    fn outputs(&self) -> usize {
        (**self).outputs()
    }

    fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
        (**self).residuals(w, out);
    }
}

/// Gives a model written over any [`Scalar`] exact first and second derivatives, without truncation error.
///
/// Numbers that carry nilpotent parts e are evaluated in place of w: `f(w + e)` then holds the derivatives.
///
/// # Cost
/// With numbers that carry 8 directions, an evaluation takes one and a half to three times that of `f64` where functions such
/// as `exp` prevail. A Jacobian takes `ceil(p / 8)` of them and one of `f64`, a sparse one `ceil(groups / 8)`. `D2f(w)[u, v]`
/// takes one evaluation with hyper-dual numbers, `B(r) v` takes `ceil(p / 8)`, and the matrix `B(r)` about `p^2 / 128` with
/// 64 mixed derivatives each. Memory: 9 numbers per output, for `B(r)` 81.
///
/// # Source
/// J. A. Fike and J. J. Alonso, "The Development of Hyper-Dual Numbers", 2011.
///
/// # Limits
/// A derivative may be infinite although the value is finite, as that of `sqrt` or of `x.powf(1.5)` at 0. At a bound that a
/// fit gives, it is then taken a little inside the box (for dense Jacobians); elsewhere it is an error.
///
/// # Examples
/// ```
/// use gaussflow_objective::{
///     ExactDerivatives, GenericResiduals, Scalar, SecondOrderMap, SmoothMap, check_second_derivative,
/// };
/// struct Decay {
///     times: Vec<f64>,
/// }
/// impl GenericResiduals for Decay {
///     fn parameters(&self) -> usize {
///         2
///     }
///     fn outputs(&self) -> usize {
///         self.times.len()
///     }
///     fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
///         for (out, &t) in out.iter_mut().zip(&self.times) {
///             *out = w[0] * (-w[1] * t).exp();
///         }
///     }
/// }
/// let map = ExactDerivatives::new(Decay { times: vec![0.0, 0.5, 1.0] });
/// assert!(check_second_derivative(&map, &[3.0, 1.0], &[0.3, -0.2])?.passed());
/// let (mut value, mut jacobian) = ([0.0; 3], map.new_jacobian());
/// map.linearize(&[3.0, 1.0], &mut value, &mut jacobian)?;
/// assert_eq!(jacobian.matrix()[(2, 1)], -3.0 * f64::exp(-1.0));
/// # Ok::<(), gaussflow_objective::MapError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExactDerivatives<M, P = ()> {
    model: M,
    pattern: P,
}

/// Lists the entries that a sparse Jacobian has, and its columns in groups without a common row, which share a direction.
#[derive(Clone, Debug)]
pub struct SharedDirections {
    pattern: SparsityPattern,
    groups: Vec<Vec<usize>>,
}

impl<M: GenericResiduals> ExactDerivatives<M> {
    /// Creates the map of `model`.
    pub fn new(model: M) -> Self {
        Self { model, pattern: () }
    }

    /// Returns the same map with a [`SparseJacobian`], which has entries only where `pattern` (n x p) has them.
    ///
    /// The pattern must hold every entry that can be nonzero: what is missing is taken for an entry of another column.
    /// [`check_jacobian`](crate::check_jacobian) shows a pattern that misses some.
    ///
    /// # Errors
    /// [`MapError::ShapeMismatch`] for a pattern of another shape.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_objective::{ExactDerivatives, GenericResiduals, Scalar, SmoothMap};
    /// use gaussflow_solvers::SparsityPattern;
    /// struct Chain;
    /// impl GenericResiduals for Chain {
    ///     fn parameters(&self) -> usize {
    ///         1000
    ///     }
    ///     fn outputs(&self) -> usize {
    ///         999
    ///     }
    ///     fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
    ///         (0..999).for_each(|j| out[j] = w[j] * w[j] - w[j + 1]);
    ///     }
    /// }
    /// let pattern = SparsityPattern::banded(999, 1000, 0, 1);
    /// let map = ExactDerivatives::new(Chain).with_sparsity(pattern)?;
    /// let (mut value, mut jacobian) = (vec![0.0; 999], map.new_jacobian());
    /// map.linearize(&[3.0; 1000], &mut value, &mut jacobian)?;
    /// assert_eq!(jacobian.column(7).1, &[-1.0, 6.0]);
    /// # Ok::<(), gaussflow_objective::MapError>(())
    /// ```
    pub fn with_sparsity(
        self,
        pattern: SparsityPattern,
    ) -> Result<ExactDerivatives<M, SharedDirections>, MapError> {
        require_shape(&pattern, self.outputs(), self.parameters())?;
        let groups = group(&pattern);
        Ok(ExactDerivatives { model: self.model, pattern: SharedDirections { pattern, groups } })
    }
}

impl<M: GenericResiduals, P> ExactDerivatives<M, P> {
    /// Returns the model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// `f(w)` over another number than `f64`.
    fn over<D: Scalar>(&self, w: &[D]) -> Vec<D> {
        let mut out = vec![D::from(0.0); self.model.outputs()];
        self.model.residuals(w, &mut out);
        out
    }

    /// Shows the derivatives of all outputs along the sum of unit vectors of each of `groups`, some groups at a time:
    /// the number of the first of them, and for each output one number a group.
    fn along<T: Scalar>(
        &self,
        w: &[T],
        groups: &[impl AsRef<[usize]>],
        mut see: impl FnMut(usize, &[Chunk<T>]),
    ) {
        let constant: Vec<Chunk<T>> = w.iter().map(|&w| Chunk::from_re(w)).collect();
        for (number, chunk) in groups.chunks(DIRECTIONS).enumerate() {
            let mut moved = constant.clone();
            for (direction, group) in chunk.iter().enumerate() {
                group.as_ref().iter().for_each(|&k| moved[k] = moved[k].along(direction));
            }
            see(number * DIRECTIONS, &self.over(&moved));
        }
    }

    /// Each parameter as a group of its own.
    fn alone(&self) -> Vec<[usize; 1]> {
        (0..self.model.parameters()).map(|k| [k]).collect()
    }
}

impl<M: GenericResiduals, P> Residuals for ExactDerivatives<M, P> {
    fn parameters(&self) -> usize {
        self.model.parameters()
    }

    fn outputs(&self) -> usize {
        self.model.outputs()
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        require_length("the parameters w", w, self.parameters())?;
        require_length("the output", out, self.outputs())?;
        self.model.residuals(w, out);
        Ok(())
    }
}

impl<M: GenericResiduals> SmoothMap for ExactDerivatives<M> {
    type Jacobian = DenseJacobian;

    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.outputs(), self.parameters())
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let mut matrix = jacobian.matrix_mut();
        self.along(w, &self.alone(), |first, out| {
            for k in first..matrix.ncols().min(first + DIRECTIONS) {
                let column = matrix.as_mut().col_mut(k).iter_mut();
                column.zip(out).for_each(|(entry, out)| *entry = out.eps.0[k - first]);
            }
        });
        Ok(())
    }

    fn linearize_within(
        &self,
        w: &[f64],
        lower: &[f64],
        upper: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        linearize_beside_bounds(self, w, (lower, upper), value, jacobian)
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = DenseJacobian>> {
        Some(self)
    }
}

impl<M: GenericResiduals> SmoothMap for ExactDerivatives<M, SharedDirections> {
    type Jacobian = SparseJacobian;

    fn new_jacobian(&self) -> SparseJacobian {
        SparseJacobian::zeros(self.pattern.pattern.clone())
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut SparseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let groups = &self.pattern.groups;
        self.along(w, groups, |first, out| {
            for (direction, group) in groups[first..].iter().take(DIRECTIONS).enumerate() {
                for &k in group {
                    let (rows, entries) = jacobian.column_mut(k);
                    let found = rows.iter().map(|&j| out[j].eps.0[direction]);
                    entries.iter_mut().zip(found).for_each(|(entry, found)| *entry = found);
                }
            }
        });
        Ok(())
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = SparseJacobian>> {
        Some(self)
    }
}

impl<M: GenericResiduals, P> SecondOrderMap for ExactDerivatives<M, P>
where
    Self: SmoothMap,
{
    fn second_derivative(
        &self,
        w: &[f64],
        _jacobian: &Self::Jacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        for (what, vector) in
            [("the parameters w", w), ("the direction u", u), ("the direction v", v)]
        {
            require_length(what, vector, self.parameters())?;
        }
        require_length("the second derivative", out, self.outputs())?;
        let moved: Vec<HyperDual64> =
            w.iter().zip(u).zip(v).map(|((&w, &u), &v)| HyperDual64::new(w, u, v, 0.0)).collect();
        let found = self.over(&moved);
        out.iter_mut().zip(&found).for_each(|(out, found)| *out = found.eps1eps2);
        Ok(())
    }

    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        _jacobian: &Self::Jacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        for (what, vector) in
            [("the parameters w", w), ("the direction v", v), ("the product", &*out)]
        {
            require_length(what, vector, self.parameters())?;
        }
        require_length("the weights", weights, self.outputs())?;
        let moved: Vec<Dual64> = w.iter().zip(v).map(|(&w, &v)| Dual64::new(w, v)).collect();
        self.along(&moved, &self.alone(), |first, found| {
            for (direction, out) in out[first..].iter_mut().take(DIRECTIONS).enumerate() {
                let mixed = found.iter().map(|found| found.eps.0[direction].eps);
                *out = weights.iter().zip(mixed).map(|(weight, mixed)| weight * mixed).sum();
            }
        });
        Ok(())
    }

    fn weighted_hessian(
        &self,
        w: &[f64],
        _jacobian: &Self::Jacobian,
        weights: &[f64],
        mut out: MatMut<'_, f64>,
    ) -> Result<(), MapError> {
        require_length("the parameters w", w, self.parameters())?;
        require_length("the weights", weights, self.outputs())?;
        let p = w.len();
        let constant: Vec<Chunk<f64>> = w.iter().map(|&w| Chunk::from_re(w)).collect();
        let columns = self.alone();
        for (number, inner) in columns.chunks(DIRECTIONS).enumerate() {
            // Directions of the inner numbers are columns of B, those of the outer ones rows, from the diagonal on.
            let mut moved = constant.clone();
            inner.iter().enumerate().for_each(|(c, &[k])| moved[k] = moved[k].along(c));
            let below = number * DIRECTIONS;
            self.along(&moved, &columns[below..], |first, found| {
                for r in below + first..p.min(below + first + DIRECTIONS) {
                    for (c, &[k]) in inner.iter().enumerate() {
                        let row = r - below - first;
                        let mixed = found.iter().map(|found| found.eps.0[row].eps.0[c]);
                        let sum = weights.iter().zip(mixed).map(|(weight, x)| weight * x).sum();
                        (out[(r, k)], out[(k, r)]) = (sum, sum);
                    }
                }
            });
        }
        Ok(())
    }
}
