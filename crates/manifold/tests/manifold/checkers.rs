//! The checkers pass right maps and name what is wrong with wrong ones.

use gaussflow_manifold::{GeodesicSettings, GeometryCheck, GeometryError, OutputManifold};
use gaussflow_objective::{MapError, Objective, Residuals, SecondOrderMap, SmoothMap, Squared};
use gaussflow_solvers::DenseJacobian;

use crate::shapes::{SHAPES, dot, refused, squared};
use crate::surfaces::{SAME, Surface, sphere};

/// A sphere whose second derivatives are off: `wrong (u . v) (J (1, 1) tangential, alpha f normal)`.
struct Off {
    surface: Surface,
    tangential: f64,
    normal: f64,
}

impl Residuals for Off {
    fn parameters(&self) -> usize {
        self.surface.parameters()
    }
    fn outputs(&self) -> usize {
        self.surface.outputs()
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.surface.value(w, out)
    }
}

impl SmoothMap for Off {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        self.surface.new_jacobian()
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.surface.linearize(w, value, jacobian)
    }
}

impl SecondOrderMap for Off {
    fn second_derivative(
        &self,
        w: &[f64],
        jacobian: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        self.surface.second_derivative(w, jacobian, u, v, out)?;
        let (product, jet) = (dot(u, v), (self.surface.jet)(w));
        for (k, o) in out.iter_mut().enumerate() {
            *o += product * (self.tangential * jet[1][k] + self.normal * jet[0][k]);
        }
        Ok(())
    }
    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        jacobian: &DenseJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        self.surface.weighted_hessian_apply(w, jacobian, weights, v, out)
    }
}

fn names(checks: &[GeometryCheck]) -> Vec<String> {
    checks.iter().filter(|check| !check.passed()).map(ToString::to_string).collect()
}

#[test]
fn right_maps_pass_all_five_checks() {
    for shape in &SHAPES {
        let surface = Surface { outputs: 3, parameters: 2, jet: shape.jet, mix: SAME };
        let objective = Objective::new(surface, squared(3), 1.5).unwrap();
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let settings = GeodesicSettings { tolerance: 1e-11, ..GeodesicSettings::default() };
        let checks = manifold.check(&[0.9, -0.4], &[0.2, 0.3], &settings).unwrap();
        assert_eq!(checks.len(), 5);
        assert!(names(&checks).is_empty(), "{}: {:?}", shape.name, names(&checks));
        for check in &checks {
            assert!(
                check.to_string().contains("consistent") || check.to_string().contains("exact")
            );
        }
    }
}

/// A tangential error bends "geodesics": they do not keep their speed, and no tolerance mends that.
#[test]
fn a_tangential_error_of_second_derivatives_shows_in_the_speed() {
    let objective = objective(0.5, 0.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    refused!(
        manifold.check(&[0.9, -0.4], &[0.2, 0.3], &GeodesicSettings::default()),
        GeometryError::SpeedDrift { drift, .. } if *drift > 1e-3
    );
}

/// A normal error leaves geodesics as they are, but the Hessian's remainder then falls with slope 2.
#[test]
fn a_normal_error_of_second_derivatives_shows_in_the_hessian() {
    let objective = objective(0.0, 0.5);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let checks = manifold.check(&[0.9, -0.4], &[0.2, 0.3], &GeodesicSettings::default()).unwrap();
    let wrong: Vec<_> = checks.iter().filter(|check| !check.passed()).collect();
    let [GeometryCheck::Slope { name, check }] = wrong[..] else { panic!("{wrong:?}") };
    assert_eq!(*name, "Riemannian Hessian along a geodesic");
    assert!((check.slope - 2.0).abs() < 0.1, "{check}");
    assert!(wrong[0].to_string().contains("INCONSISTENT"));
}

fn objective(tangential: f64, normal: f64) -> Objective<Off, Squared> {
    let surface = Surface { outputs: 3, parameters: 2, jet: sphere, mix: SAME };
    Objective::new(Off { surface, tangential, normal }, squared(3), 1.5).unwrap()
}
