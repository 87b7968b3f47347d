//! A map of one's own, the catenary t -> (t, cosh t): its curvature, its geodesics and the loss along them.
//!
//! Everything is known: the curvature is sech^2 t, the length from the vertex sinh t. Run it with
//! `cargo run --release -p gaussflow-manifold --example curve`.

use gaussflow_manifold::{GeodesicSettings, OutputManifold};
use gaussflow_objective::{MapError, Objective, Residuals, SecondOrderMap, SmoothMap, Squared};
use gaussflow_solvers::{DenseJacobian, norm};

/// `t -> (t, cosh t)`: one parameter, two outputs.
struct Catenary;

impl Residuals for Catenary {
    fn parameters(&self) -> usize {
        1
    }

    fn outputs(&self) -> usize {
        2
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        out.copy_from_slice(&[w[0], w[0].cosh()]);
        Ok(())
    }
}

impl SmoothMap for Catenary {
    type Jacobian = DenseJacobian;

    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(2, 1)
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        let mut column = jacobian.matrix_mut();
        (column[(0, 0)], column[(1, 0)]) = (1.0, w[0].sinh());
        self.value(w, value)
    }
}

impl SecondOrderMap for Catenary {
    /// `D2f[u, v] = (0, cosh t) u v`.
    fn second_derivative(
        &self,
        w: &[f64],
        _: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        out.copy_from_slice(&[0.0, w[0].cosh() * u[0] * v[0]]);
        Ok(())
    }

    /// `sum_j weights_j Hess f_j v`: only the second output is curved.
    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        _: &DenseJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        out[0] = weights[1] * w[0].cosh() * v[0];
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // g(x) = norm(x - (0, 3))^2: the target lies above the vertex, beyond the center of curvature (0, 2).
    let objective = Objective::new(Catenary, Squared::new(vec![0.0, 3.0])?, 1.0)?;
    let mut manifold = OutputManifold::new(&objective)?;

    println!("    t   curvature    sech^2 t");
    let mut bend = [0.0; 2];
    for t in [0.0_f64, 0.5, 1.0, 2.0] {
        let mut point = manifold.at(&[t])?;
        let unit = [t.cosh().recip()]; // J has norm cosh t: this direction has unit length
        point.second_fundamental_form(&unit, &unit, &mut bend)?;
        println!("{t:5.1}  {:10.7}  {:10.7}", norm(&bend), t.cosh().powi(-2));
    }

    // The geodesic from the vertex with length 2 is the curve itself, at t = asinh s after length s.
    let settings = GeodesicSettings { samples: 4, ..GeodesicSettings::default() };
    let curve = manifold.exp(&[0.0], &[2.0], &settings)?;
    let along = manifold.loss_along(&curve)?;
    println!("\n    s     t = Exp     asinh s        g        g'       g''");
    for (sample, loss) in curve.samples.iter().zip(&along.samples) {
        let (s, t) = (loss.length, sample.point[0]);
        let (g, first, second) = (loss.value, loss.first, loss.second);
        println!("{s:5.2}  {t:10.7}  {:10.7}  {g:8.4}  {first:8.4}  {second:8.4}", s.asinh());
    }
    println!("drift of the speed {:.1e}", curve.speed_drift);
    // At the vertex g'' = 2 - 2 * 2: the curvature term -4 outweighs the loss's own 2.
    println!("smallest g'' {:.4}: g is not convex along it", along.smallest_second);

    // Log is the way back, the distance the length.
    let log = manifold.log(&[0.0], &curve.complete()?.point, &settings)?;
    println!("\nLog gives {:.9} for 2, in {} shots", log.velocity[0], log.shots);

    // Curvature is largest at the vertex, with radius 1: no point of the curve bends more.
    let points: Vec<[f64; 1]> = (-4..=4).map(|k| [0.25 * f64::from(k)]).collect();
    let points: Vec<&[f64]> = points.iter().map(<[f64; 1]>::as_slice).collect();
    let reach = manifold.reach_along(&points)?.estimate();
    println!("reach, from nine points: {reach:.7} (radius of curvature at the vertex: 1)");
    Ok(())
}
