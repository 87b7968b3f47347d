//! The Riemannian Hessian of g on M: `Hess_M g = P Hess g P + S_(N grad g)`.
//!
//! On `u = alpha J v`: `<u, Hess_M g u> = u^T Hess g u + alpha (N grad g) . D2f[v,v]`, the second
//! derivative of g along the geodesic of velocity u. The second term is the one that the paper's
//! Lemma 7 leaves out. Over orthonormal coordinates its matrix is
//! `Q^T Hess g Q + (1/alpha) R^-T B(N grad g) R^-1`, `J = Q R`: `J^T J` is never formed.

use gaussflow_faer::faer::{Accum, Mat};
use gaussflow_faer::matmul;
use gaussflow_objective::{Loss, SecondOrderMap};
use gaussflow_solvers::{Eigenpair, JacobianOperator, SymmetricEigen};

use crate::error::GeometryError;
use crate::point::ManifoldPoint;

/// Holds the two terms of the Riemannian Hessian on one tangent vector u, each over `norm(u)^2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HessianQuotient {
    /// `u^T Hess g u / norm(u)^2`, in `[nu, mu]`.
    pub loss: f64,
    /// `alpha (N grad g) . D2f[v,v] / norm(u)^2`, of either sign.
    pub curvature: f64,
}

impl HessianQuotient {
    /// Returns the sum of both terms: the second derivative of g along the geodesic of unit velocity u.
    pub fn total(self) -> f64 {
        self.loss + self.curvature
    }
}

/// Holds an eigenvalue of the Riemannian Hessian, and its unit eigenvector `alpha J v` by the parameters v (length p).
#[derive(Clone, Debug, PartialEq)]
pub struct HessianEigenpair {
    /// The eigenvalue, in the unit of g over squared output length.
    pub value: f64,
    /// The parameters v of the eigenvector.
    pub direction: Vec<f64>,
}

/// Holds the smallest and the largest eigenvalue of the Riemannian Hessian of g.
#[derive(Clone, Debug, PartialEq)]
pub struct HessianExtremes {
    /// The smallest one: the constant of geodesic strong convexity at this output, where it is positive.
    pub smallest: HessianEigenpair,
    /// The largest one: the constant of geodesic smoothness at this output.
    pub largest: HessianEigenpair,
}

impl<M: SecondOrderMap, L: Loss> ManifoldPoint<'_, M, L> {
    /// Evaluates the Riemannian Hessian of g on `u = alpha J v` (v of length p), over `norm(u)^2`.
    ///
    /// With N the projection on the normal space it is `[u^T Hess g u + alpha (N grad g) . D2f(w)[v, v]] / norm(u)^2`. The
    /// first term lies in `[nu, mu]`; the second is the curvature of M, and can move the sum out of that interval.
    ///
    /// # Cost
    /// One product with J, one Hessian product of the loss, one projection and one second derivative of the map.
    ///
    /// # Errors
    /// [`GeometryError::ZeroDirection`] for `J v = 0`; others for wrong lengths or entries that are not finite.
    ///
    /// # Source
    /// Lemma 7 of the paper, which omits the second term.
    pub fn hessian_quotient(&mut self, v: &[f64]) -> Result<HessianQuotient, GeometryError> {
        let alpha = self.objective.scaling();
        let (tangent, square) = self.tangent_of(v)?;
        if square == 0.0 {
            return Err(GeometryError::ZeroDirection { what: "the direction v" });
        }
        let mut image = vec![0.0; tangent.len()];
        self.objective.loss().hessian_apply(self.here.output(), &tangent, &mut image);
        let mut normal = vec![0.0; tangent.len()];
        self.normal_gradient(&mut normal)?;
        let bent = self.bend(v, v)?;
        Ok(HessianQuotient {
            loss: self.product(&tangent, &image) / square,
            curvature: alpha * self.product(&normal, &bent) / square,
        })
    }

    /// Computes the matrix of the Riemannian Hessian of g (p x p) in the orthonormal basis [`Self::tangent_basis`].
    ///
    /// # Cost
    /// One weighted Hessian of the map and two triangular solves with p x p matrices; p Hessian products of the loss, unless
    /// it is quadratic with nu = mu.
    ///
    /// # Errors
    /// [`GeometryError`] where the map has no second derivative.
    ///
    /// # Source
    /// Lemma 7 of the paper, which omits the term of the curvature of M.
    pub fn riemannian_hessian(&mut self) -> Result<Mat<f64>, GeometryError> {
        let (n, p) = (self.here.output().len(), self.parameters());
        let mut normal = vec![0.0; n];
        self.normal_gradient(&mut normal)?;
        let mut hessian = self.curvature_form(&normal)?;
        let loss = self.objective.loss();
        let (nu, mu) = (loss.strong_convexity(), loss.smoothness());
        if nu.to_bits() == mu.to_bits() {
            // nu <= Hess g <= nu leaves nothing but nu I.
            for k in 0..p {
                hessian[(k, k)] += nu;
            }
            return Ok(hessian);
        }
        let basis = self.tangent_basis()?;
        let mut image = Mat::zeros(n, p);
        for k in 0..p {
            let (u, out) = (basis.col_as_slice(k), image.col_as_slice_mut(k));
            loss.hessian_apply(self.here.output(), u, out);
        }
        let mut of_loss = Mat::zeros(p, p);
        matmul(of_loss.as_mut(), Accum::Replace, basis.transpose(), image.as_ref(), 1.0);
        self.here.jacobian().sum_matrix(of_loss.as_mut());
        hessian += of_loss;
        Ok(hessian)
    }

    /// Computes the smallest and the largest eigenvalue of the Riemannian Hessian of g, with eigenvectors.
    ///
    /// The values are the quotients of [`Self::hessian_quotient`] on the eigenvectors, which are accurate to about `eps
    /// cond(J)`; the matrix itself carries errors of `eps cond(J)^2`.
    ///
    /// # Errors
    /// [`GeometryError`] where the map has no second derivative, or the eigenvalue iteration failed.
    pub fn hessian_extremes(&mut self) -> Result<HessianExtremes, GeometryError> {
        let hessian = self.riemannian_hessian()?;
        let ends = SymmetricEigen::new(self.parameters())?.extremes(hessian.as_ref())?;
        let mut pair = |end: &Eigenpair| -> Result<HessianEigenpair, GeometryError> {
            let direction = self.direction_of(&end.vector)?;
            let value = self.hessian_quotient(&direction)?.total();
            Ok(HessianEigenpair { value, direction })
        };
        Ok(HessianExtremes { smallest: pair(&ends[0])?, largest: pair(&ends[1])? })
    }
}
