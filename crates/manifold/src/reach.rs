//! How far around M nearest points are unique: curvature radius and reach (Federer 1959).
//!
//! `reach(M) = inf norm(y - x)^2 / (2 norm(N_x (y - x)))` over pairs of points of M. Near the diagonal
//! the quotient is a radius of curvature, `norm(u)^2 / norm(II(u,u))`; far pairs show bottlenecks.

use gaussflow_objective::{Loss, SecondOrderMap};
use gaussflow_solvers::norm;

use crate::error::GeometryError;
use crate::manifold::OutputManifold;

/// Holds an estimate of the reach of M from some of its outputs, in output length.
///
/// The reach is the largest r such that every output vector within r of M has one nearest point on M.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReachEstimate {
    /// The smallest radius of normal curvature found at these outputs.
    pub curvature_radius: f64,
    /// The smallest `norm(y - x)^2 / (2 norm(N_x (y - x)))` over pairs of these outputs; infinite for one.
    pub chord_radius: f64,
}

impl ReachEstimate {
    /// Returns the smaller of the two, which is an upper bound of the true reach, up to the accuracy of the search.
    pub fn estimate(self) -> f64 {
        self.curvature_radius.min(self.chord_radius)
    }
}

/// Computes a proven lower bound of the reach of `alpha f(B)`, with B the ball of `radius` around w_0: `alpha s^2 / L`.
///
/// Here L is a Lipschitz constant of Df and `s = sigma_min(Df(w_0)) - L radius`; the bound is 0 where s is not positive. It
/// follows from `norm(f(w) - f(w')) >= s norm(w - w')` and `norm(N (f(w) - f(w'))) <= (L/2) norm(w - w')^2` on B, and holds
/// for Federer's quotient between outputs of B.
pub fn reach_lower_bound(
    scaling: f64,
    jacobian_lipschitz: f64,
    smallest_singular_value: f64,
    radius: f64,
) -> f64 {
    let slope = (smallest_singular_value - jacobian_lipschitz * radius).max(0.0);
    scaling * slope * slope / jacobian_lipschitz
}

/// Computes an upper bound of the norm of the second fundamental form, `L / (alpha sigma_min^2)`, with L a Lipschitz constant
/// of Df and sigma_min the smallest singular value of J.
///
/// It follows from `norm(alpha N D2f[a,b]) <= alpha L norm(a) norm(b)` and `norm(a) <= norm(alpha J a) / (alpha sigma_min)`.
pub fn curvature_bound(scaling: f64, jacobian_lipschitz: f64, smallest_singular_value: f64) -> f64 {
    jacobian_lipschitz / (scaling * smallest_singular_value * smallest_singular_value)
}

impl<M: SecondOrderMap, L: Loss> OutputManifold<'_, M, L> {
    /// Estimates the reach from the outputs of `points` (parameter vectors of length p), such as those of a trajectory.
    ///
    /// # Errors
    /// [`GeometryError`] where one of them has no tangent space.
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
