//! Differentiable maps `f: R^p -> R^n` in three levels: value, Jacobian, second derivatives.

use std::rc::Rc;
use std::sync::Arc;

use gaussflow_solvers::faer::MatMut;
use gaussflow_solvers::{DenseJacobian, JacobianOperator, all_finite};

/// Says why a map has no value or derivative at given parameters.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// A vector has another length than the map's shape asks for.
    #[error("{what} has length {found}, but the map asks for {expected}")]
    ShapeMismatch {
        /// Which vector.
        what: &'static str,
        /// The length that the map asks for.
        expected: usize,
        /// The length that was given.
        found: usize,
    },
    /// An entry is infinite or NaN.
    #[error("{what} is not finite: entry {index} is {value}")]
    NonFinite {
        /// What holds the entry.
        what: &'static str,
        /// Position of the first such entry.
        index: usize,
        /// The entry.
        value: f64,
    },
    /// Second derivatives are needed, and [`SmoothMap::second_order`] offers none.
    #[error(
        "the map offers no second derivatives: wrap it in JacobianDifferences, or let its \
         SmoothMap::second_order return Some(self) where it implements SecondOrderMap"
    )]
    NoSecondDerivatives,
    /// The metric of the loss's Hessian is asked for where it does not exist.
    #[error("{what}, which the metric \"loss-hessian\" asks for; accepted here: \"euclidean\"")]
    NoMetric {
        /// What is missing.
        what: &'static str,
    },
    /// The magnitude of a parameter for difference steps is not positive and finite.
    #[error("scale {index} is {value}; accepted: finite numbers above 0")]
    InvalidScale {
        /// Position of the parameter.
        index: usize,
        /// The value that was given.
        value: f64,
    },
    /// The user, or an exception in a language that calls this one, stopped the work; nothing more is to be evaluated.
    #[error("the work was stopped: {reason}")]
    Stopped {
        /// Who stopped it, or why.
        reason: String,
    },
    /// The map itself reports that it is undefined at these parameters, with its reason.
    #[error("the map is undefined at this point: {reason}")]
    Undefined {
        /// The reason in the map's own words.
        reason: String,
    },
}

/// Maps p parameters to n outputs (or residuals), by value only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a map from parameters to outputs",
    note = "`ResidualFn::new(n, p, |w, out| ...)` makes one of a closure"
)]
pub trait Residuals {
    /// Returns the number of parameters p.
    fn parameters(&self) -> usize;

    /// Returns the number of outputs n.
    fn outputs(&self) -> usize;

    /// Writes `f(w)` (length n) at `w` (length p).
    ///
    /// # Errors
    /// [`MapError`] where the map is undefined at `w`. Callers treat a value that is not finite in the same way.
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError>;
}

/// Holds what one machine has of a linearization: see [`SmoothMap::join`].
#[derive(Clone, Copy, Debug)]
pub struct Share<'a, J> {
    /// The operator A of the systems, by the rows here.
    pub operator: &'a J,
    /// Their right-hand side b, the entries here.
    pub right_side: &'a [f64],
    /// The loss of the rows here.
    pub loss: f64,
}

/// Holds what all machines together have of a linearization: see [`SmoothMap::join`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Totals {
    /// The loss.
    pub loss: f64,
    /// The Frobenius norm of A and the 2-norm of b, where they were summed on the way and their squares are in range.
    pub norms: Option<[f64; 2]>,
}

/// Maps p parameters to n outputs, with a Jacobian `Df(w)` (n x p).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a map with a Jacobian",
    note = "`FiniteDifferences::new(map)` gives one to a map of values, such as a `ResidualFn`"
)]
pub trait SmoothMap: Residuals {
    /// How the Jacobian is held.
    type Jacobian: JacobianOperator;

    /// Returns a Jacobian of the right shape, to be filled by [`Self::linearize`].
    fn new_jacobian(&self) -> Self::Jacobian;

    /// Writes `f(w)` (length n) and `Df(w)` (n x p) in one pass.
    ///
    /// # Errors
    /// As [`Residuals::value`].
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut Self::Jacobian,
    ) -> Result<(), MapError>;

    /// Completes the linearization at `w`, where the rows of the map lie on several machines: every machine calls it with
    /// what came of its rows, and learns what came of all of them.
    ///
    /// `gradient` (length p) receives `A^T b` where the totals have norms. The default, for a map whose rows are all here,
    /// returns the loss and no norms, and leaves `gradient` as it is.
    ///
    /// # Errors
    /// `own`, or the error of another machine.
    fn join(
        &self,
        w: &[f64],
        own: Result<Share<'_, Self::Jacobian>, MapError>,
        gradient: &mut [f64],
    ) -> Result<Totals, MapError> {
        let _ = (w, gradient);
        own.map(|share| Totals { loss: share.loss, norms: None })
    }

    /// Linearizes as [`Self::linearize`] does, for a `w` in the box `[lower, upper]` (length p each; infinities are allowed)
    /// outside of which f must not be evaluated.
    ///
    /// A map that evaluates f beside w overrides it, and a map that wraps another one passes it on. The default is
    /// [`Self::linearize`].
    ///
    /// # Errors
    /// As [`Residuals::value`].
    fn linearize_within(
        &self,
        w: &[f64],
        lower: &[f64],
        upper: &[f64],
        value: &mut [f64],
        jacobian: &mut Self::Jacobian,
    ) -> Result<(), MapError> {
        let _ = (lower, upper);
        self.linearize(w, value, jacobian)
    }

    /// Linearizes with fewer evaluations and fewer digits, if the map has that choice, and returns the error of the Jacobian
    /// relative to its columns.
    ///
    /// Fits use it far from the minimum, where a step needs no more than a direction. The default is [`Self::linearize`],
    /// with [`Self::jacobian_error`].
    ///
    /// # Errors
    /// As [`Residuals::value`].
    fn linearize_roughly(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut Self::Jacobian,
    ) -> Result<f64, MapError> {
        self.linearize(w, value, jacobian).map(|()| self.jacobian_error())
    }

    /// Returns the error of the Jacobian relative to its columns, to the order of magnitude; by default eps = 2.2e-16.
    ///
    /// Directions that change the outputs by less than this are not told from directions that do not change them.
    fn jacobian_error(&self) -> f64 {
        f64::EPSILON
    }

    /// Returns the second derivatives of the map, for callers that need them at run time (the stiff integrator); by default
    /// `None`. A [`SecondOrderMap`] returns `Some(self)`.
    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = Self::Jacobian>> {
        None
    }
}

/// Maps p parameters to n outputs, with second derivatives. [`JacobianDifferences`](crate::JacobianDifferences) makes one of
/// any [`SmoothMap`].
///
/// Each method receives the Jacobian that [`SmoothMap::linearize`] wrote at the same `w`, so that a map may keep in it what
/// both need. Override [`SmoothMap::second_order`] as well, for the stiff integrator.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no second derivatives",
    label = "second derivatives are needed here",
    note = "`JacobianDifferences::new(map)` gives them to any map with a Jacobian"
)]
pub trait SecondOrderMap: SmoothMap {
    /// Writes `D2f(w)[u, v]` (length n), bilinear and symmetric in u and v (length p).
    ///
    /// # Errors
    /// As [`Residuals::value`].
    fn second_derivative(
        &self,
        w: &[f64],
        jacobian: &Self::Jacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError>;

    /// Writes `B(weights) v = sum_j weights_j Hess f_j(w) v` (length p).
    ///
    /// # Errors
    /// As [`Residuals::value`].
    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        jacobian: &Self::Jacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError>;

    /// Writes the symmetric p x p matrix `B(weights) = sum_j weights_j Hess f_j(w)`.
    ///
    /// # Errors
    /// As [`Residuals::value`].
    fn weighted_hessian(
        &self,
        w: &[f64],
        jacobian: &Self::Jacobian,
        weights: &[f64],
        out: MatMut<'_, f64>,
    ) -> Result<(), MapError> {
        weighted_hessian_by_products(self, w, jacobian, weights, out)
    }
}

/// Writes the symmetric p x p matrix `B(weights) = sum_j weights_j Hess f_j(w)` of `map`, column by column.
///
/// # Cost
/// p calls of [`SecondOrderMap::weighted_hessian_apply`].
///
/// # Errors
/// As [`Residuals::value`].
pub fn weighted_hessian_by_products<M: SecondOrderMap + ?Sized>(
    map: &M,
    w: &[f64],
    jacobian: &M::Jacobian,
    weights: &[f64],
    mut out: MatMut<'_, f64>,
) -> Result<(), MapError> {
    let p = map.parameters();
    let (mut unit, mut column) = (vec![0.0; p], vec![0.0; p]);
    for k in 0..p {
        unit[k] = 1.0;
        map.weighted_hessian_apply(w, jacobian, weights, &unit, &mut column)?;
        unit[k] = 0.0;
        for (r, &entry) in column.iter().enumerate() {
            out[(r, k)] = entry;
        }
    }
    // Columns that carry rounding, or come from differences, are symmetric only nearly.
    for k in 0..p {
        for r in 0..k {
            let mean = 0.5 * (out[(r, k)] + out[(k, r)]);
            out[(r, k)] = mean;
            out[(k, r)] = mean;
        }
    }
    Ok(())
}

/// How far inside of a bound an infinite derivative is taken, relative to the parameter: about sqrt(eps).
const EDGE: f64 = 1e-8;

/// Linearizes as [`SmoothMap::linearize`] does, and replaces infinite derivatives at an edge of the box `[lower, upper]`.
///
/// An example is the derivative of `sqrt(b)` at the bound b = 0: such entries are taken a little inside the box, where their
/// sign tells whether the bound holds the parameter. A map with a dense Jacobian may implement
/// [`SmoothMap::linearize_within`] by it.
///
/// # Errors
/// As [`Residuals::value`].
pub fn linearize_beside_bounds<M: SmoothMap<Jacobian = DenseJacobian>>(
    map: &M,
    w: &[f64],
    (lower, upper): (&[f64], &[f64]),
    value: &mut [f64],
    jacobian: &mut DenseJacobian,
) -> Result<(), MapError> {
    map.linearize(w, value, jacobian)?;
    for k in 0..map.parameters() {
        if jacobian.matrix().col(k).iter().all(|x| x.is_finite()) {
            continue;
        }
        let step = EDGE * if w[k] == 0.0 { 1.0 } else { w[k].abs() };
        let mut inner = w.to_vec();
        if w[k] - lower[k] <= step && w[k] + step < upper[k] {
            inner[k] += step;
        } else if upper[k] - w[k] <= step && w[k] - step > lower[k] {
            inner[k] -= step;
        } else {
            continue;
        }
        let (mut scratch, mut inside) = (value.to_vec(), map.new_jacobian());
        map.linearize(&inner, &mut scratch, &mut inside)?;
        let entries = jacobian.matrix_mut().col_mut(k);
        for (entry, inner) in entries.iter_mut().zip(inside.matrix().col(k).iter()) {
            if !entry.is_finite() {
                *entry = *inner;
            }
        }
    }
    Ok(())
}

/// Bounds the Lipschitz constants that the paper's hypotheses name; every number is a proven upper bound.
///
/// Deep networks have no finite constants over all of `R^p`, but have them on every ball. A map with global constants need
/// not override the last two methods.
pub trait LipschitzConstants {
    /// Returns an upper bound of the Lipschitz constant L of `w -> Df(w)` in the operator norm, over all of `R^p`; infinite
    /// where there is none.
    fn jacobian_lipschitz(&self) -> f64;

    /// Returns an upper bound of the Lipschitz constant `Lip_f` of `f`, over all of `R^p`; infinite where there is none.
    fn lipschitz(&self) -> f64;

    /// Returns the same as [`Self::jacobian_lipschitz`] on the ball of `radius` around `center` (length p). It grows with the
    /// radius; at radius 0 it bounds the norm of the second derivative at the center.
    fn jacobian_lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        let _ = (center, radius);
        self.jacobian_lipschitz()
    }

    /// Returns the same as [`Self::lipschitz`] on that ball.
    fn lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        let _ = (center, radius);
        self.lipschitz()
    }
}

macro_rules! forward_through_pointer {
    ($($pointer:ty),*) => {$(
        impl<M: Residuals + ?Sized> Residuals for $pointer {
            fn parameters(&self) -> usize {
                (**self).parameters()
            }
            fn outputs(&self) -> usize {
                (**self).outputs()
            }
            fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
                (**self).value(w, out)
            }
        }

        impl<M: SmoothMap + ?Sized> SmoothMap for $pointer {
            type Jacobian = M::Jacobian;
            fn new_jacobian(&self) -> Self::Jacobian {
                (**self).new_jacobian()
            }
            fn linearize(
                &self,
                w: &[f64],
                value: &mut [f64],
                jacobian: &mut Self::Jacobian,
            ) -> Result<(), MapError> {
                (**self).linearize(w, value, jacobian)
            }
            fn join(
                &self,
                w: &[f64],
                own: Result<Share<'_, Self::Jacobian>, MapError>,
                gradient: &mut [f64],
            ) -> Result<Totals, MapError> {
                (**self).join(w, own, gradient)
            }
            fn linearize_within(
                &self,
                w: &[f64],
                lower: &[f64],
                upper: &[f64],
                value: &mut [f64],
                jacobian: &mut Self::Jacobian,
            ) -> Result<(), MapError> {
                (**self).linearize_within(w, lower, upper, value, jacobian)
            }
            fn linearize_roughly(
                &self,
                w: &[f64],
                value: &mut [f64],
                jacobian: &mut Self::Jacobian,
            ) -> Result<f64, MapError> {
                (**self).linearize_roughly(w, value, jacobian)
            }
            fn jacobian_error(&self) -> f64 {
                (**self).jacobian_error()
            }
            fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = Self::Jacobian>> {
                (**self).second_order()
            }
        }

        impl<M: SecondOrderMap + ?Sized> SecondOrderMap for $pointer {
            fn second_derivative(
                &self,
                w: &[f64],
                jacobian: &Self::Jacobian,
                u: &[f64],
                v: &[f64],
                out: &mut [f64],
            ) -> Result<(), MapError> {
                (**self).second_derivative(w, jacobian, u, v, out)
            }
            fn weighted_hessian_apply(
                &self,
                w: &[f64],
                jacobian: &Self::Jacobian,
                weights: &[f64],
                v: &[f64],
                out: &mut [f64],
            ) -> Result<(), MapError> {
                (**self).weighted_hessian_apply(w, jacobian, weights, v, out)
            }
            fn weighted_hessian(
                &self,
                w: &[f64],
                jacobian: &Self::Jacobian,
                weights: &[f64],
                out: MatMut<'_, f64>,
            ) -> Result<(), MapError> {
                (**self).weighted_hessian(w, jacobian, weights, out)
            }
        }
    )*};
}

forward_through_pointer!(&M, Box<M>, Rc<M>, Arc<M>);

/// Returns an error if `values`, called `what` in its message, has another length than `expected`.
///
/// # Errors
/// [`MapError::ShapeMismatch`].
pub fn require_length(what: &'static str, values: &[f64], expected: usize) -> Result<(), MapError> {
    if values.len() == expected {
        Ok(())
    } else {
        Err(MapError::ShapeMismatch { what, expected, found: values.len() })
    }
}

/// Returns an error if an entry of `values`, called `what` in its message, is infinite or NaN.
///
/// # Errors
/// [`MapError::NonFinite`] with the first such entry.
pub fn require_finite(what: &'static str, values: &[f64]) -> Result<(), MapError> {
    // The position is looked for only where it is needed.
    if all_finite(values) {
        return Ok(());
    }
    match values.iter().enumerate().find(|(_, x)| !x.is_finite()) {
        Some((index, &value)) => Err(MapError::NonFinite { what, index, value }),
        None => Ok(()),
    }
}
