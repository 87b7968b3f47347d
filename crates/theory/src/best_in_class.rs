//! The minimum of g on `M = alpha f(R^p)` near a point, polished by Newton's method on M and certified.
//!
//! A step solves `Hess_M g u = -P grad g` in an orthonormal tangent basis and moves w by the v with
//! `alpha J v = u`. The certificate: `norm(P grad g)` at rounding level, and the smallest eigenvalue of
//! the Riemannian Hessian, which is positive at a strict minimum.

use gaussflow_manifold::OutputManifold;
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{SymmetricEigen, norm, squared_distance};

use crate::TheoryError;
use crate::local::{multiply, multiply_transposed};
use crate::problem::Problem;

/// Most Newton steps.
const STEPS: usize = 60;

/// Holds a stationary point w* of the loss on the manifold of outputs, with how well it satisfies that.
#[derive(Clone, Debug, PartialEq)]
pub struct BestInClass {
    /// The parameters w* (length p).
    pub weights: Vec<f64>,
    /// The loss `g(alpha f(w*))`.
    pub loss: f64,
    /// The norm of the Riemannian gradient there, `norm(P grad g)`.
    pub tangent_gradient: f64,
    /// The smallest eigenvalue of the Riemannian Hessian there.
    pub smallest_curvature: f64,
    /// `norm(w* - w_0)`.
    pub distance: f64,
    /// The number of Newton steps.
    pub steps: usize,
}

impl BestInClass {
    /// Improves `start` (length p) to a stationary point by Newton's method on the manifold, at alpha = `scaling`.
    ///
    /// # Errors
    /// [`TheoryError::NotConverged`] where the gradient does not fall to `1e3` times the rounding of `alpha f` times mu, or
    /// to `1e-9` of its initial norm; [`TheoryError::Geometry`] where J loses rank.
    pub fn polish(problem: &Problem, scaling: f64, start: &[f64]) -> Result<Self, TheoryError> {
        let objective = problem.objective(scaling)?;
        let mut manifold = OutputManifold::new(&objective)?;
        let p = problem.parameters();
        let mut eigen = SymmetricEigen::new(p)?;
        let mut w = start.to_vec();
        let mut gradient = vec![0.0; problem.outputs()];
        manifold.at(&problem.initial)?.riemannian_gradient(&mut gradient)?;
        let floor = 1e3 * problem.loss.smoothness() * problem.output_rounding(scaling);
        let wanted = floor.max(1e-9 * norm(&gradient));
        let mut best: Option<Self> = None;
        let mut stalled = 0;
        for steps in 0..STEPS {
            let mut point = manifold.at(&w)?;
            point.riemannian_gradient(&mut gradient)?;
            let size = norm(&gradient);
            let basis = point.tangent_basis()?;
            eigen.factor(point.riemannian_hessian()?.as_ref())?;
            let improved = best.as_ref().is_none_or(|b| size < 0.5 * b.tangent_gradient);
            stalled = if improved { 0 } else { stalled + 1 };
            if best.as_ref().is_none_or(|b| size < b.tangent_gradient) {
                best = Some(Self {
                    weights: w.clone(),
                    loss: objective.loss_at(&w)?,
                    tangent_gradient: size,
                    smallest_curvature: eigen.value(0),
                    distance: squared_distance(&w, &problem.initial).sqrt(),
                    steps,
                });
            }
            // Below what is wanted, on until rounding stops the fall.
            if size == 0.0 || (stalled > 2 && size <= wanted.max(floor)) || stalled > 6 {
                break;
            }
            let u = newton_step(&basis, &eigen, &gradient, problem.loss.strong_convexity());
            let mut v = vec![0.0; p];
            manifold.at(&w)?.parameter_direction(&u, &mut v)?;
            w.iter_mut().zip(&v).for_each(|(w, v)| *w += v);
        }
        match best {
            Some(found) if found.tangent_gradient <= wanted => Ok(found),
            found => Err(TheoryError::NotConverged {
                what: "the best loss on the manifold: norm(P grad g)",
                found: found.map_or(f64::NAN, |b| b.tangent_gradient),
                wanted,
                steps: STEPS,
            }),
        }
    }
}

/// `u = -Q sum_k e_k <e_k, Q^T gradient> / |theta_k|`, eigenvalues below nu/10 raised to it: downhill.
fn newton_step(basis: &Mat<f64>, eigen: &SymmetricEigen, gradient: &[f64], nu: f64) -> Vec<f64> {
    let p = basis.ncols();
    let coordinates = multiply_transposed(basis, gradient);
    let mut step = vec![0.0; p];
    for k in 0..p {
        let vector = eigen.vector(k);
        let along: f64 = vector.iter().zip(&coordinates).map(|(e, c)| e * c).sum();
        let divided = along / eigen.value(k).abs().max(0.1 * nu);
        step.iter_mut().zip(vector).for_each(|(s, e)| *s -= divided * e);
    }
    multiply(basis, &step)
}
