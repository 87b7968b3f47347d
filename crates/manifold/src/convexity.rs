//! The loss along a geodesic: `(g o gamma)' = <grad g, gamma'>`, `(g o gamma)'' = <gamma', Hess_M g gamma'>`.

use gaussflow_objective::{Loss, SecondOrderMap};
use gaussflow_solvers::inner_product;

use crate::error::GeometryError;
use crate::geodesic::Geodesic;
use crate::manifold::OutputManifold;

/// The loss and its derivatives at one place of a geodesic, per unit of output length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossSample {
    /// Output length from the start.
    pub length: f64,
    /// `g`.
    pub value: f64,
    /// Its first derivative by length.
    pub first: f64,
    /// Its second derivative by length: the Riemannian Hessian's quotient on the velocity.
    pub second: f64,
}

/// The loss along a geodesic.
#[derive(Clone, Debug, PartialEq)]
pub struct LossAlongGeodesic {
    /// At the geodesic's samples.
    pub samples: Vec<LossSample>,
    /// The smallest second derivative at the samples: g is convex along the segment, as far as they
    /// tell, where it is not negative.
    pub smallest_second: f64,
}

impl<M: SecondOrderMap, L: Loss> OutputManifold<'_, M, L> {
    /// g, and its first and second derivative, at the samples of a geodesic.
    ///
    /// # Errors
    /// [`GeometryError`] where a sample has no tangent space.
    pub fn loss_along(&mut self, curve: &Geodesic) -> Result<LossAlongGeodesic, GeometryError> {
        let mut samples = Vec::with_capacity(curve.samples.len());
        for sample in &curve.samples {
            let mut point = self.at(&sample.point)?;
            let (tangent, square) = point.tangent_of(&sample.velocity)?;
            let first = inner_product(point.here.loss_gradient(), &tangent) / square.sqrt();
            let second = point.hessian_quotient(&sample.velocity)?.total();
            let (length, value) = (sample.fraction * curve.length, point.here.loss());
            samples.push(LossSample { length, value, first, second });
        }
        let smallest_second = samples.iter().map(|s| s.second).fold(f64::INFINITY, f64::min);
        Ok(LossAlongGeodesic { samples, smallest_second })
    }
}
