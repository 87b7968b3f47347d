//! One point of the output manifold M = alpha f(R^p): tangent space, gradient and curvature of g.
//!
//! T M = Im J (Lemma 6); with P the projection on it and N = I - P, grad_M g = P grad g (Theorem 4),
//! II(alpha J v, alpha J v) = alpha N D2f[v,v], and on u = alpha J v
//! `<u, Hess_M g u> = u^T Hess g u + alpha (N grad g) . D2f[v,v]`: the second term is the one that the
//! paper's Lemma 7 leaves out.

use gaussflow_objective::{
    Linearization, Loss, MapError, Objective, PointError, SecondOrderMap, SmoothMap, require_length,
};
use gaussflow_solvers::{JacobianOperator, SolveError, inner_product};

/// Why a geometric quantity is not defined.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// The map or the linear algebra failed.
    #[error(transparent)]
    Point(#[from] PointError),
    /// The Jacobian is not injective: M is not an immersed manifold there.
    #[error(
        "the Jacobian has rank {rank} with {parameters} parameters: no tangent space of full dimension"
    )]
    NotImmersed {
        /// Numerical rank of J.
        rank: usize,
        /// Number of parameters p.
        parameters: usize,
    },
    /// The direction's image J v is zero: a quotient over its squared norm has no value.
    #[error("the direction v is zero (or J v underflows); give it length about 1")]
    ZeroDirection,
}

impl From<SolveError> for GeometryError {
    fn from(error: SolveError) -> Self {
        Self::Point(error.into())
    }
}

impl From<MapError> for GeometryError {
    fn from(error: MapError) -> Self {
        Self::Point(error.into())
    }
}

/// The geometry of M at the point of a [`Linearization`], through one QR of J there.
///
/// # Examples
/// ```
/// use gaussflow_manifold::ManifoldPoint;
/// use gaussflow_objective::{FiniteDifferences, Linearization, Objective, ResidualFn, Squared};
///
/// // A circle of radius 2: the curvature vector of the unit-speed parametrization is -x / 4.
/// let circle = FiniteDifferences::new(ResidualFn::new(2, 1, |w, out| {
///     out.copy_from_slice(&[2.0 * w[0].cos(), 2.0 * w[0].sin()]);
/// }));
/// let objective = Objective::new(circle, Squared::of_residuals(2), 1.0)?;
/// let mut here = Linearization::new(objective.map())?;
/// here.move_to(&objective, &[0.0])?;
/// let mut point = ManifoldPoint::new(&objective, &mut here)?;
/// let mut bend = [0.0; 2];
/// point.second_fundamental_form(&[0.5], &mut bend)?; // v = 1/2 is unit speed
/// assert!((bend[0] + 0.5).abs() < 1e-6 && bend[1].abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ManifoldPoint<'a, M: SmoothMap, L> {
    objective: &'a Objective<M, L>,
    here: &'a mut Linearization<M::Jacobian>,
}

/// Cutoff on sigma / sigma_max below which J counts as not injective.
const RANK_CUTOFF: f64 = 1e-14;

impl<'a, M: SecondOrderMap, L: Loss> ManifoldPoint<'a, M, L> {
    /// The manifold of `objective` where `here` is.
    ///
    /// # Errors
    /// [`GeometryError::NotImmersed`] where J lacks full column rank.
    pub fn new(
        objective: &'a Objective<M, L>,
        here: &'a mut Linearization<M::Jacobian>,
    ) -> Result<Self, GeometryError> {
        let mut unused = vec![0.0; objective.map().outputs()];
        let parameters = objective.map().parameters();
        let zero = vec![0.0; unused.len()];
        let rank = here.project_on_tangent(RANK_CUTOFF, &zero, &mut unused)?;
        if rank < parameters || unused.len() < parameters {
            return Err(GeometryError::NotImmersed { rank, parameters });
        }
        Ok(Self { objective, here })
    }

    /// `out = P u`: the tangent part of an output vector (length n).
    ///
    /// # Errors
    /// [`GeometryError`] on wrong lengths or entries that are not finite.
    pub fn tangent_part(&mut self, u: &[f64], out: &mut [f64]) -> Result<(), GeometryError> {
        self.here.project_on_tangent(RANK_CUTOFF, u, out)?;
        Ok(())
    }

    /// `out = N u = u - P u`: the normal part of an output vector (length n).
    ///
    /// # Errors
    /// As [`Self::tangent_part`].
    pub fn normal_part(&mut self, u: &[f64], out: &mut [f64]) -> Result<(), GeometryError> {
        self.tangent_part(u, out)?;
        for (o, u) in out.iter_mut().zip(u) {
            *o = u - *o;
        }
        Ok(())
    }

    /// The Riemannian gradient `P grad g` (length n); the Gauss-Newton flow moves along its negative.
    ///
    /// # Errors
    /// As [`Self::tangent_part`].
    pub fn riemannian_gradient(&mut self, out: &mut [f64]) -> Result<(), GeometryError> {
        let gradient = self.here.loss_gradient().to_vec();
        self.tangent_part(&gradient, out)
    }

    /// The second fundamental form `II(u, u) = alpha N D2f[v,v]` of `u = alpha J v` (v of length p).
    ///
    /// # Errors
    /// [`GeometryError`].
    pub fn second_fundamental_form(
        &mut self,
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), GeometryError> {
        let bent = self.curvature(v)?;
        self.normal_part(&bent, out)?;
        let alpha = self.objective.scaling();
        out.iter_mut().for_each(|o| *o *= alpha);
        Ok(())
    }

    /// The quadratic form of the Riemannian Hessian of g on `u = alpha J v`, over `norm(u)^2`.
    ///
    /// It lies in `[nu, mu]` where M is flat in the direction of `grad g`; curvature moves it out.
    ///
    /// # Errors
    /// [`GeometryError::ZeroDirection`] for `J v = 0`; wrong lengths.
    pub fn hessian_quotient(&mut self, v: &[f64]) -> Result<HessianQuotient, GeometryError> {
        let alpha = self.objective.scaling();
        require_length("the direction v", v, self.here.point().len())?;
        let n = self.here.output().len();
        let mut tangent = vec![0.0; n];
        self.here.jacobian().apply(v, &mut tangent);
        tangent.iter_mut().for_each(|t| *t *= alpha);
        let mut image = vec![0.0; n];
        self.objective.loss().hessian_apply(self.here.output(), &tangent, &mut image);
        let square = inner_product(&tangent, &tangent);
        if square == 0.0 {
            return Err(GeometryError::ZeroDirection);
        }

        let gradient = self.here.loss_gradient().to_vec();
        let mut normal = vec![0.0; n];
        self.normal_part(&gradient, &mut normal)?;
        let bent = self.curvature(v)?;
        Ok(HessianQuotient {
            loss: inner_product(&tangent, &image) / square,
            curvature: alpha * inner_product(&normal, &bent) / square,
        })
    }

    /// `D2f[v,v]` (length n).
    fn curvature(&mut self, v: &[f64]) -> Result<Vec<f64>, GeometryError> {
        require_length("the direction v", v, self.here.point().len())?;
        let mut bent = vec![0.0; self.here.output().len()];
        let here = &self.here;
        self.objective.map().second_derivative(here.point(), here.jacobian(), v, v, &mut bent)?;
        Ok(bent)
    }
}

/// The two terms of the Riemannian Hessian's quadratic form, each over `norm(u)^2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HessianQuotient {
    /// `u^T Hess g u / norm(u)^2`, in `[nu, mu]`.
    pub loss: f64,
    /// `alpha (N grad g) . D2f[v,v] / norm(u)^2`, of either sign.
    pub curvature: f64,
}

impl HessianQuotient {
    /// The quotient itself: the second derivative of g along the geodesic of unit velocity u.
    pub fn total(self) -> f64 {
        self.loss + self.curvature
    }
}
