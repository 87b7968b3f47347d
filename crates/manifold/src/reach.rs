//! How far around M nearest points are unique: curvature radius and reach (Federer 1959).
//!
//! `reach(M) = inf norm(y - x)^2 / (2 norm(N_x (y - x)))` over pairs of points of M. Near the diagonal
//! the quotient is a radius of curvature, `norm(u)^2 / norm(II(u,u))`; far pairs show bottlenecks.

use gaussflow_objective::{Loss, SecondOrderMap};
use gaussflow_solvers::norm;

use crate::error::GeometryError;
use crate::manifold::OutputManifold;

/// The reach as far as some points of M show it; all in output length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReachEstimate {
    /// The smallest radius of normal curvature found at the points.
    pub curvature_radius: f64,
    /// The smallest `norm(y - x)^2 / (2 norm(N_x (y - x)))` over pairs of the points; infinite for one.
    pub chord_radius: f64,
}

impl ReachEstimate {
    /// The smaller of the two: no less than the true reach, to the accuracy of the search.
    pub fn estimate(self) -> f64 {
        self.curvature_radius.min(self.chord_radius)
    }
}

/// A proven lower bound of the reach of `alpha f(B)`, B the ball of `radius` around w_0.
///
/// With L a Lipschitz constant of Df and `s = sigma_min(Df(w_0)) - L radius`,
/// `norm(f(w) - f(w')) >= s norm(w - w')` and `norm(N (f(w) - f(w'))) <= (L/2) norm(w - w')^2` on B, so
/// that Federer's quotient is at least `alpha s^2 / L` between points of B. 0 where s is not positive.
pub fn reach_lower_bound(
    scaling: f64,
    jacobian_lipschitz: f64,
    smallest_singular_value: f64,
    radius: f64,
) -> f64 {
    let slope = (smallest_singular_value - jacobian_lipschitz * radius).max(0.0);
    scaling * slope * slope / jacobian_lipschitz
}

/// An upper bound of the norm of II at a point: `L / (alpha sigma_min^2)`, L a Lipschitz constant of Df.
///
/// `norm(alpha N D2f[a,b]) <= alpha L norm(a) norm(b)` and `norm(a) <= norm(alpha J a) / (alpha sigma_min)`.
pub fn curvature_bound(scaling: f64, jacobian_lipschitz: f64, smallest_singular_value: f64) -> f64 {
    jacobian_lipschitz / (scaling * smallest_singular_value * smallest_singular_value)
}

impl<M: SecondOrderMap, L: Loss> OutputManifold<'_, M, L> {
    /// Curvature radius and chords at `points` (parameters), such as those of a trajectory.
    ///
    /// # Errors
    /// [`GeometryError`] where a point has no tangent space.
    pub fn reach_along(&mut self, points: &[&[f64]]) -> Result<ReachEstimate, GeometryError> {
        let mut outputs = Vec::with_capacity(points.len());
        for w in points {
            outputs.push(self.at(w)?.output().to_vec());
        }
        let mut estimate =
            ReachEstimate { curvature_radius: f64::INFINITY, chord_radius: f64::INFINITY };
        for (w, x) in points.iter().zip(&outputs) {
            let mut point = self.at(w)?;
            let curvature = point.largest_normal_curvature()?.value;
            estimate.curvature_radius = estimate.curvature_radius.min(1.0 / curvature);
            let (mut chord, mut rest) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            for y in &outputs {
                chord.iter_mut().zip(y.iter().zip(x)).for_each(|(c, (y, x))| *c = y - x);
                let square = norm(&chord) * norm(&chord);
                if square > 0.0 {
                    point.normal_part(&chord, &mut rest)?;
                    let radius = square / (2.0 * norm(&rest));
                    estimate.chord_radius = estimate.chord_radius.min(radius);
                }
            }
        }
        Ok(estimate)
    }
}
