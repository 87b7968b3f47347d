//! The extreme eigenvalues of the Riemannian Hessian at a fresh point, QR included, beside one
//! Gauss-Newton step by QR: nu_eff and mu_eff along a trajectory.
//!
//! The error is the distance from a dense computation that shares nothing with ours, the eigenvalues of
//! `A^-1/2 (alpha^2 J^T Hg J + alpha B(N grad g)) A^-1/2`, A = alpha^2 J^T J, through an SVD of J, relative
//! to the largest.

use gaussflow::prelude::*;
use gaussflow::solvers::faer::Mat;
use gaussflow_faer::product;

use super::exponential::{Walk, qr_step};
use crate::case::{Case, Effort, Fallible, Side, Visit};
use crate::problems::Problem;

/// The question's name.
pub const NAME: &str = "hessian_range";

/// The paper's size at alpha = 256 and, where the effort is full, at 8 and at another width.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let shapes: &[(usize, f64)] =
        effort.choose(&[(18, 256.0)], &[(18, 256.0), (18, 8.0), (8, 256.0)]);
    for &(m, scaling) in shapes {
        visit(case(&Problem::california(256, m)?, scaling)?)?;
    }
    Ok(())
}

/// Eigenvalues beside the step.
fn case(problem: &Problem, scaling: f64) -> Fallible<Case> {
    let mut walk = Walk::new(problem, scaling)?;
    let error = dense_distance(problem, &mut walk)?;
    let mut next = 0;
    let ours = Side::calling(None, error, move || {
        next = (next + 1) % walk.points.len();
        walk.manifold.at(&walk.points[next])?.hessian_extremes()?;
        Ok(())
    });
    let sides = vec![ours, qr_step(problem, scaling)?];
    Ok(Case::new(NAME, format!("alpha={scaling}"), problem.shape, sides))
}

/// The larger error of both eigenvalues at one point, relative to the largest eigenvalue.
fn dense_distance(problem: &Problem, walk: &mut Walk) -> Fallible<f64> {
    let point = walk.points[7].clone();
    let found = walk.manifold.at(&point)?.hessian_extremes()?;
    let objective = walk.manifold.objective();
    let mut here = Linearization::new(objective.map())?;
    here.move_to(objective, &point)?;
    let p = problem.shape.p;
    let mut jacobian = Mat::zeros(problem.shape.n, p);
    here.jacobian().write_dense(jacobian.as_mut());
    let svd = gaussflow_faer::thin_svd(jacobian.as_ref())
        .map_err(|error| format!("the SVD failed: {error:?}"))?;
    let (u, s, v) = (svd.U(), svd.S().column_vector(), svd.V());
    let gradient = Mat::from_fn(problem.shape.n, 1, |j, _| here.loss_gradient()[j]);
    let normal = &gradient - product(u, product(u.transpose(), gradient.as_ref()).as_ref());
    let mut bent = Mat::zeros(p, p);
    for k in 0..p {
        let mut unit = vec![0.0; p];
        unit[k] = 1.0;
        let column = bent.col_as_slice_mut(k);
        let weights = normal.col_as_slice(0);
        let map = objective.map();
        map.weighted_hessian_apply(&point, here.jacobian(), weights, &unit, column)?;
    }
    let rotated = product(product(v.transpose(), bent.as_ref()).as_ref(), v);
    // The squared loss has Hess g = 2 I.
    let hessian = Mat::from_fn(p, p, |r, c| {
        let loss = if r == c { 2.0 } else { 0.0 };
        loss + rotated[(r, c)] / (objective.scaling() * s[r] * s[c])
    });
    let values = gaussflow_faer::self_adjoint_eigenvalues(hessian.as_ref());
    let values = values.map_err(|error| format!("the eigenvalues failed: {error:?}"))?;
    let (Some(smallest), Some(largest)) = (values.first(), values.last()) else {
        return Err("no eigenvalues".into());
    };
    let distance = (found.smallest.value - smallest).abs();
    let distance = distance.max((found.largest.value - largest).abs());
    Ok(distance / largest.abs().max(smallest.abs()))
}
