//! The output manifold `M = alpha f(R^p)` as a whole, with the buffers that its geometry works in.

use gaussflow_objective::{Linearization, Loss, Objective, SecondOrderMap, SmoothMap};
use gaussflow_solvers::{DenseJacobian, Factors, norm};

use crate::error::GeometryError;
use crate::frame::Frame;
use crate::point::ManifoldPoint;

/// Represents the output manifold `M = alpha f(R^p)` of an objective, with the loss g on it.
///
/// Most methods need J with full column rank (p <= n), so that M has a tangent space of dimension p.
///
/// # Examples
/// ```
/// use gaussflow_manifold::{GeodesicSettings, OutputManifold};
/// use gaussflow_objective::{FiniteDifferences, Objective, ResidualFn, Squared};
///
/// // A cylinder rolls out flat: distances are those of the plane.
/// let cylinder = FiniteDifferences::new(ResidualFn::new(3, 2, |w, out| {
///     out.copy_from_slice(&[w[0].cos(), w[0].sin(), w[1]]);
/// }));
/// let objective = Objective::new(cylinder, Squared::of_residuals(3), 1.0)?;
/// let mut manifold = OutputManifold::new(&objective)?;
/// let settings = GeodesicSettings { tolerance: 1e-6, ..Default::default() };
/// let distance = manifold.distance(&[0.0, 0.0], &[0.3, 0.4], &settings)?;
/// assert!((distance - 0.5).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OutputManifold<'a, M: SmoothMap, L> {
    pub(crate) objective: &'a Objective<M, L>,
    pub(crate) here: Linearization<M::Jacobian>,
}

/// Holds the smallest and the largest principal angle between two tangent spaces, in radians from 0 to pi/2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TangentAngles {
    /// The smallest angle: 0 where the spaces share a direction.
    pub smallest: f64,
    /// The largest angle: 0 where the spaces are equal.
    pub largest: f64,
}

impl<'a, M: SecondOrderMap, L: Loss> OutputManifold<'a, M, L> {
    /// Creates the manifold of `objective`.
    ///
    /// # Errors
    /// [`GeometryError`] for a map without outputs or parameters.
    pub fn new(objective: &'a Objective<M, L>) -> Result<Self, GeometryError> {
        Ok(Self { objective, here: Linearization::new(objective.map())? })
    }

    /// Sets the bytes that matrices may take ([`Linearization::set_memory_limit`]).
    pub fn set_memory_limit(&mut self, bytes: usize) {
        self.here.set_memory_limit(bytes);
    }

    /// Returns the objective.
    pub fn objective(&self) -> &'a Objective<M, L> {
        self.objective
    }

    /// Moves to the parameters `w` (length p) and returns the geometry of M at `alpha f(w)`.
    ///
    /// # Cost
    /// One linearization and one QR factorization of J, about `2 n p^2` operations.
    ///
    /// # Errors
    /// [`GeometryError::NotImmersed`] where J lacks full column rank; others as [`Linearization::move_to`].
    pub fn at(&mut self, w: &[f64]) -> Result<ManifoldPoint<'_, M, L>, GeometryError> {
        self.here.move_to(self.objective, w)?;
        ManifoldPoint::new(self.objective, &mut self.here)
    }

    /// The orthonormal coordinates around w.
    pub(crate) fn frame_at(&mut self, w: &[f64]) -> Result<Frame, GeometryError> {
        let alpha = self.objective.scaling();
        Ok(Frame::new(w, &self.at(w)?.basis()?, alpha))
    }

    /// Computes the principal angles between the tangent spaces at `w` and at `other` (length p each).
    ///
    /// With tangent bases Q, Q' and N the projection on the normal space, their sines are the singular values of `N Q'`, and
    /// their cosines those of `Q^T Q'`. Both are used, so that neither small nor right angles lose digits.
    ///
    /// # Errors
    /// As [`Self::at`].
    /// As [`Self::at`].
    pub fn tangent_angles(
        &mut self,
        w: &[f64],
        other: &[f64],
    ) -> Result<TangentAngles, GeometryError> {
        let second = self.at(other)?.tangent_basis()?;
        let (n, p) = (second.nrows(), second.ncols());
        let mut here = self.at(w)?;
        let (mut sines, mut cosines) = (DenseJacobian::zeros(n, p), DenseJacobian::zeros(p, p));
        let mut part = vec![0.0; n];
        for k in 0..p {
            let column = second.col_as_slice(k);
            here.normal_part(column, &mut part)?;
            sines.matrix_mut().col_mut(k).iter_mut().zip(&part).for_each(|(s, x)| *s = *x);
            let mut coordinates = vec![0.0; p];
            here.basis()?.coordinates(column, &mut coordinates)?;
            let target = cosines.matrix_mut().col_mut(k);
            target.iter_mut().zip(&coordinates).for_each(|(c, x)| *c = *x);
        }
        let sines = Factors::new(n, p)?.extreme_singular_values(&sines)?;
        let cosines = Factors::new(p, p)?.extreme_singular_values(&cosines)?;
        Ok(TangentAngles {
            smallest: sines.smallest.atan2(cosines.largest),
            largest: sines.largest.atan2(cosines.smallest),
        })
    }

    /// Output distance of first order between the points of w and `other`: `norm(alpha J (other - w))`
    /// with J at `other`.
    pub(crate) fn miss(&mut self, w: &[f64], other: &[f64]) -> Result<f64, GeometryError> {
        let difference: Vec<f64> = w.iter().zip(other).map(|(a, b)| a - b).collect();
        let (tangent, _) = self.at(other)?.tangent_of(&difference)?;
        Ok(norm(&tangent))
    }
}
