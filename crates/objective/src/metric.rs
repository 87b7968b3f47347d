//! The metric of output space in which a direction is steepest: Euclidean, or the Hessian of the loss.

use gaussflow_solvers::{BlockDiagonal, JacobianOperator};

use crate::loss::Loss;
use crate::map::{MapError, require_finite};

/// Chooses the metric G of output space in `H_rho = (1 - rho) J^T G J + rho I`.
///
/// With `G = Hess g` this is the generalized Gauss-Newton method. For the squared loss at rho = 0 it differs from the
/// Euclidean one only by the constant factor nu.
///
/// # Source
/// N. N. Schraudolph, "Fast Curvature Matrix-Vector Products for Second-Order Gradient Descent", 2002. Section 8 of
/// `docs/learn/derivations.md` derives what holds for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Metric {
    /// `G = I`, as in the paper.
    #[default]
    Euclidean,
    /// `G = Hess g(alpha f(w))`, for a loss with [`Loss::hessian_root`].
    LossHessian,
}

impl Metric {
    /// All variants.
    pub const ALL: [Self; 2] = [Self::Euclidean, Self::LossHessian];

    /// Returns the name that configuration files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Euclidean => "euclidean",
            Self::LossHessian => "loss-hessian",
        }
    }
}

/// Jacobian and loss gradient at a point, and in the metric of the loss's Hessian what takes their place.
pub(crate) struct System<J> {
    /// `Df(w)`.
    pub(crate) jacobian: J,
    /// `grad g` (length n).
    pub(crate) gradient: Vec<f64>,
    weighted: Option<Weighted<J>>,
}

/// With `G = R R^T`: the operator `R^T J`, and b with `R b = grad g`, so that `(R^T J)^T b = J^T grad g`.
///
/// The system of the metric is the Euclidean one of these two.
struct Weighted<J> {
    jacobian: J,
    /// b (length n).
    right_side: Vec<f64>,
    /// The blocks of R (n o), and their order o.
    root: Vec<f64>,
    order: usize,
}

impl<J: JacobianOperator> System<J> {
    /// The Euclidean system of n outputs.
    pub(crate) fn new(jacobian: J, n: usize) -> Self {
        Self { jacobian, gradient: vec![0.0; n], weighted: None }
    }

    /// Takes the metric of a loss's Hessian with blocks of `order`; `jacobian` is room for `R^T J`.
    pub(crate) fn weigh(&mut self, jacobian: J, order: usize) {
        let (right_side, root) = (self.gradient.clone(), vec![0.0; self.gradient.len() * order]);
        self.weighted = Some(Weighted { jacobian, right_side, root, order });
    }

    /// Whether the metric is that of the loss's Hessian.
    pub(crate) fn is_weighted(&self) -> bool {
        self.weighted.is_some()
    }

    /// What takes the place of J.
    pub(crate) fn operator(&self) -> &J {
        self.weighted.as_ref().map_or(&self.jacobian, |weighted| &weighted.jacobian)
    }

    /// What takes the place of grad g.
    pub(crate) fn right_side(&self) -> &[f64] {
        self.weighted.as_ref().map_or(&self.gradient, |weighted| &weighted.right_side)
    }

    /// Writes what depends on the output `psi`, where the Jacobian was written.
    ///
    /// # Errors
    /// [`MapError::NoMetric`], or [`MapError::NonFinite`] where the root overflows.
    pub(crate) fn update(&mut self, loss: &impl Loss, psi: &[f64]) -> Result<(), MapError> {
        loss.gradient(psi, &mut self.gradient);
        let Some(Weighted { jacobian, right_side, root, order }) = &mut self.weighted else {
            return Ok(());
        };
        if !loss.hessian_root(psi, root, right_side) {
            return Err(MapError::NoMetric { what: "a root of the loss's Hessian is not there" });
        }
        require_finite("the root of the loss's Hessian", root)?;
        require_finite("the gradient in the metric of the loss", right_side)?;
        if !self.jacobian.write_weighted(BlockDiagonal::new(*order, root), jacobian) {
            return Err(MapError::NoMetric { what: "the Jacobian's rows cannot be weighted" });
        }
        Ok(())
    }
}
