//! One point of the output manifold M = alpha f(R^p): tangent and normal space, gradient of g.
//!
//! T M = Im J (Lemma 6); with P the projection on it and N = I - P, grad_M g = P grad g (Theorem 4).
//! A tangent vector `u = alpha J v` is given by its parameters v (length p), by itself (length n), or
//! by its coordinates `c = Q^T u = alpha R v` in the orthonormal basis of `J = Q R` (length p).

use gaussflow_objective::{
    Linearization, Loss, MapError, Metric, Objective, PointError, SecondOrderMap, SmoothMap,
    require_finite, require_length,
};
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{JacobianOperator, RangeBasis, SolveError};

use crate::error::GeometryError;

/// Cutoff on sigma / sigma_max below which J counts as not injective.
pub(crate) const RANK_CUTOFF: f64 = 1e-14;

/// Length of the wrong part of a vector, relative to it, up to which it counts as tangent or normal.
const DEFECT: f64 = 1e-8;

/// Gives the geometry of M at one output `alpha f(w)`: tangent and normal parts, Riemannian gradient and Hessian, curvature.
///
/// [`crate::OutputManifold::at`] makes one; [`Self::new`] shares the linearization of a flow. J must have full column rank.
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
/// point.second_fundamental_form(&[0.5], &[0.5], &mut bend)?; // v = 1/2 is unit speed
/// assert!((bend[0] + 0.5).abs() < 1e-6 && bend[1].abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ManifoldPoint<'a, M: SmoothMap, L> {
    pub(crate) objective: &'a Objective<M, L>,
    pub(crate) here: &'a mut Linearization<M::Jacobian>,
}

impl<'a, M: SecondOrderMap, L: Loss> ManifoldPoint<'a, M, L> {
    /// Creates the geometry of M at the parameters of the linearization `here`.
    ///
    /// # Cost
    /// One QR factorization of J, unless `here` holds it already.
    ///
    /// # Errors
    /// [`GeometryError::NotImmersed`] where J lacks full column rank; [`MapError::NoMetric`] for a linearization in another
    /// metric than the Euclidean one.
    pub fn new(
        objective: &'a Objective<M, L>,
        here: &'a mut Linearization<M::Jacobian>,
    ) -> Result<Self, GeometryError> {
        if here.metric() != Metric::Euclidean {
            let what = "the geometry of the outputs is that of the Euclidean metric";
            return Err(PointError::from(MapError::NoMetric { what }).into());
        }
        let mut point = Self { objective, here };
        point.basis()?;
        Ok(point)
    }

    /// The orthonormal tangent basis Q (n x p) with `J = Q R`.
    pub(crate) fn basis(&mut self) -> Result<RangeBasis<'_>, GeometryError> {
        let parameters = self.parameters();
        let found = self.here.tangent_basis(RANK_CUTOFF);
        found.map_err(|error| match error {
            SolveError::RankDeficient { smallest, largest, cutoff, .. } => {
                GeometryError::NotImmersed { parameters, smallest, largest, cutoff }
            }
            other => other.into(),
        })
    }

    /// Returns the dimension p of M.
    pub fn parameters(&self) -> usize {
        self.here.point().len()
    }

    /// Returns the output `alpha f(w)` (length n).
    pub fn output(&self) -> &[f64] {
        self.here.output()
    }

    /// Returns the orthonormal tangent basis Q (n x p).
    ///
    /// # Errors
    /// [`GeometryError::NotImmersed`].
    pub fn tangent_basis(&mut self) -> Result<Mat<f64>, GeometryError> {
        let mut basis = Mat::zeros(self.here.output().len(), self.parameters());
        self.basis()?.write(basis.as_mut())?;
        Ok(basis)
    }

    /// Computes `out = P u`, the tangent part of an output vector (both of length n).
    ///
    /// # Errors
    /// [`GeometryError`] on wrong lengths or entries that are not finite.
    pub fn tangent_part(&mut self, u: &[f64], out: &mut [f64]) -> Result<(), GeometryError> {
        self.here.project_on_tangent(RANK_CUTOFF, u, out)?;
        Ok(())
    }

    /// Computes `out = N u = u - P u`, the normal part of an output vector (both of length n).
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

    /// Writes the Riemannian gradient `P grad g` (length n); the outputs of the Gauss-Newton flow move along its negative.
    ///
    /// # Errors
    /// As [`Self::tangent_part`].
    ///
    /// # Source
    /// Theorem 4 of the paper.
    pub fn riemannian_gradient(&mut self, out: &mut [f64]) -> Result<(), GeometryError> {
        let gradient = self.here.loss_gradient().to_vec();
        self.tangent_part(&gradient, out)
    }

    /// Writes the normal part `N grad g` of the loss gradient (length n), through which the curvature of M enters the
    /// Riemannian Hessian.
    ///
    /// # Errors
    /// As [`Self::tangent_part`].
    pub fn normal_gradient(&mut self, out: &mut [f64]) -> Result<(), GeometryError> {
        let gradient = self.here.loss_gradient().to_vec();
        self.normal_part(&gradient, out)
    }

    /// Computes `out = alpha J v` (length n), the tangent vector with the parameters v (length p).
    ///
    /// # Errors
    /// [`GeometryError`] on wrong lengths or entries that are not finite.
    pub fn tangent_vector(&self, v: &[f64], out: &mut [f64]) -> Result<(), GeometryError> {
        require_length("the direction v", v, self.parameters())?;
        require_finite("the direction v", v)?;
        require_length("the tangent vector", out, self.here.output().len())?;
        self.here.jacobian().apply(v, out);
        let alpha = self.objective.scaling();
        out.iter_mut().for_each(|o| *o *= alpha);
        Ok(())
    }

    /// Computes the parameters v (length p) of a tangent vector `u = alpha J v` (length n).
    ///
    /// # Errors
    /// [`GeometryError::NotTangent`] for a u with a normal part; others for wrong lengths or entries that are not finite.
    pub fn parameter_direction(&mut self, u: &[f64], out: &mut [f64]) -> Result<(), GeometryError> {
        require_length("the direction v", out, self.parameters())?;
        let mut rest = vec![0.0; u.len()];
        self.normal_part(u, &mut rest)?;
        let (defect, length) = (self.length(&rest), self.length(u));
        if defect > DEFECT * length {
            return Err(GeometryError::NotTangent { defect, length, tolerance: DEFECT });
        }
        let alpha = self.objective.scaling();
        let mut basis = self.basis()?;
        basis.coordinates(u, out)?;
        basis.solve(out)?;
        out.iter_mut().for_each(|v| *v /= alpha);
        Ok(())
    }

    /// Refuses a vector with a tangent part.
    pub(crate) fn require_normal(&mut self, u: &[f64]) -> Result<(), GeometryError> {
        let mut part = vec![0.0; u.len()];
        self.tangent_part(u, &mut part)?;
        let (defect, length) = (self.length(&part), self.length(u));
        if defect > DEFECT * length {
            return Err(GeometryError::NotNormal { defect, length, tolerance: DEFECT });
        }
        Ok(())
    }

    /// The length `norm(alpha J v)`, and its square, of the tangent vector with parameters v.
    pub(crate) fn tangent_of(&self, v: &[f64]) -> Result<(Vec<f64>, f64), GeometryError> {
        let mut tangent = vec![0.0; self.here.output().len()];
        self.tangent_vector(v, &mut tangent)?;
        let square = self.product(&tangent, &tangent);
        Ok((tangent, square))
    }

    /// The inner product of two output vectors (length n), over all machines that hold rows.
    pub(crate) fn product(&self, a: &[f64], b: &[f64]) -> f64 {
        self.here.jacobian().inner_product(a, b)
    }

    /// The 2-norm of an output vector, likewise.
    pub(crate) fn length(&self, u: &[f64]) -> f64 {
        self.here.jacobian().output_norm(u)
    }

    /// The matrix of `alpha v^T B(weights) v` over the coordinates: `(1/alpha) R^-T B(weights) R^-1`.
    pub(crate) fn curvature_form(&mut self, weights: &[f64]) -> Result<Mat<f64>, GeometryError> {
        let (p, alpha) = (self.parameters(), self.objective.scaling());
        let mut form = Mat::zeros(p, p);
        let here = &self.here;
        self.objective.map().weighted_hessian(
            here.point(),
            here.jacobian(),
            weights,
            form.as_mut(),
        )?;
        self.basis()?.congruence(form.as_mut())?;
        for column in form.col_iter_mut() {
            column.iter_mut().for_each(|entry| *entry /= alpha);
        }
        Ok(form)
    }

    /// `D2f[a,b]` (length n).
    pub(crate) fn bend(&self, a: &[f64], b: &[f64]) -> Result<Vec<f64>, GeometryError> {
        require_length("the direction a", a, self.parameters())?;
        require_length("the direction b", b, self.parameters())?;
        require_finite("the direction a", a)?;
        require_finite("the direction b", b)?;
        let mut bent = vec![0.0; self.here.output().len()];
        let here = &self.here;
        self.objective.map().second_derivative(here.point(), here.jacobian(), a, b, &mut bent)?;
        Ok(bent)
    }
}
