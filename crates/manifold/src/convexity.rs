//! The loss along a geodesic: `(g o gamma)' = <grad g, gamma'>`, `(g o gamma)'' = <gamma', Hess_M g gamma'>`.

use gaussflow_objective::{Loss, SecondOrderMap};

use crate::error::GeometryError;
use crate::geodesic::Geodesic;
use crate::manifold::OutputManifold;

/// Holds the loss and its derivatives at one point of a geodesic, with respect to output length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossSample {
    /// The output length from the start.
    pub length: f64,
    /// The loss g.
    pub value: f64,
    /// Its first derivative by length.
    pub first: f64,
    /// Its second derivative by length: the Riemannian Hessian on the unit velocity.
    pub second: f64,
}

/// Holds the loss along a geodesic.
#[derive(Clone, Debug, PartialEq)]
pub struct LossAlongGeodesic {
    /// One entry per sample of the geodesic.
    pub samples: Vec<LossSample>,
    /// The smallest second derivative at the samples; where it is not negative, g is convex along the geodesic as far as they
    /// tell.
    pub smallest_second: f64,
}

impl<M: SecondOrderMap, L: Loss> OutputManifold<'_, M, L> {
    /// Evaluates g and its first two derivatives at the samples of a geodesic.
    ///
    /// # Cost
    /// One [`OutputManifold::at`] and one second derivative of the map per sample.
    ///
    /// # Errors
    /// [`GeometryError`] where a sample has no tangent space.
    ///
    /// # Source
    /// Lemma 7 of the paper, in the corrected form, gives the second derivative.
    pub fn loss_along(&mut self, curve: &Geodesic) -> Result<LossAlongGeodesic, GeometryError> {
        let mut samples = Vec::with_capacity(curve.samples.len());
        for sample in &curve.samples {
            let mut point = self.at(&sample.point)?;
            let (tangent, square) = point.tangent_of(&sample.velocity)?;
            let first = point.product(point.here.loss_gradient(), &tangent) / square.sqrt();
            let second = point.hessian_quotient(&sample.velocity)?.total();
            let (length, value) = (sample.fraction * curve.length, point.here.loss());
            samples.push(LossSample { length, value, first, second });
        }
        let smallest_second = samples.iter().map(|s| s.second).fold(f64::INFINITY, f64::min);
        Ok(LossAlongGeodesic { samples, smallest_second })
    }
}
