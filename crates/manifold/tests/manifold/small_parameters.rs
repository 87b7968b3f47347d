//! Parameters near 0 say nothing about the change over which a map bends: differences must not take their size for it.

use gaussflow_manifold::{GeodesicSettings, OutputManifold};
use gaussflow_objective::{
    FiniteDifferences, JacobianDifferences, MapError, Objective, ResidualFn, Residuals,
    SecondOrderMap, SmoothMap, Squared,
};
use gaussflow_solvers::DenseJacobian;

const RADIUS: f64 = 1.5;

/// Longitude and latitude on a sphere.
fn sphere() -> ResidualFn<impl Fn(&[f64], &mut [f64])> {
    ResidualFn::new(3, 2, |w: &[f64], out: &mut [f64]| {
        let (a, b) = (w[0], w[1]);
        let point = [a.cos() * b.cos(), a.sin() * b.cos(), b.sin()];
        out.iter_mut().zip(point).for_each(|(out, x)| *out = RADIUS * x);
    })
}

/// The same with its Jacobian by hand, and no second derivatives.
struct WithSlopes<F>(ResidualFn<F>);

impl<F: Fn(&[f64], &mut [f64])> Residuals for WithSlopes<F> {
    fn parameters(&self) -> usize {
        2
    }
    fn outputs(&self) -> usize {
        3
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.0.value(w, out)
    }
}

impl<F: Fn(&[f64], &mut [f64])> SmoothMap for WithSlopes<F> {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(3, 2)
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let (a, b) = (w[0], w[1]);
        let columns = [
            [-a.sin() * b.cos(), a.cos() * b.cos(), 0.0],
            [-a.cos() * b.sin(), -a.sin() * b.sin(), b.cos()],
        ];
        for (k, column) in columns.iter().enumerate() {
            for (j, slope) in column.iter().enumerate() {
                jacobian.matrix_mut()[(j, k)] = RADIUS * slope;
            }
        }
        Ok(())
    }
}

fn curvatures<M: SecondOrderMap>(map: M, latitude: f64) -> (f64, f64) {
    let objective = Objective::new(map, Squared::of_residuals(3), 1.0).unwrap();
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let mut at = manifold.at(&[1.2566, latitude]).unwrap();
    let normal = at.largest_normal_curvature().unwrap().value;
    (normal, at.sectional_curvature(&[1.0, 0.0], &[0.0, 1.0]).unwrap())
}

#[test]
fn curvature_by_differences_holds_beside_the_equator() {
    for latitude in [0.0, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3, 0.3] {
        let values = FiniteDifferences::new(sphere());
        let slopes = JacobianDifferences::new(WithSlopes(sphere()));
        for (normal, sectional) in [curvatures(values, latitude), curvatures(slopes, latitude)] {
            assert!((normal * RADIUS - 1.0).abs() < 1e-4, "{latitude:e}: {normal}");
            assert!((sectional * RADIUS * RADIUS - 1.0).abs() < 1e-4, "{latitude:e}: {sectional}");
        }
    }
}

/// `(w, sqrt(w), ...)` has no value below 0: a step that grows from beside the edge must not go there.
#[test]
fn the_edge_of_what_is_defined_ends_the_growth_of_steps() {
    let curve = ResidualFn::new(3, 2, |w: &[f64], out: &mut [f64]| {
        let plane = [w[0] + w[1], w[0] - w[1], w[1]];
        let defined = w[0] >= 0.0;
        out.iter_mut().zip(plane).for_each(|(out, x)| *out = if defined { x } else { f64::NAN });
    });
    let objective =
        Objective::new(FiniteDifferences::new(curve), Squared::of_residuals(3), 1.0).unwrap();
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let mut at = manifold.at(&[1e-9, 1.0]).unwrap();
    let mut bent = [0.0; 3];
    at.second_fundamental_form(&[1.0, 0.5], &[1.0, 0.5], &mut bent).unwrap();
    assert!(bent.iter().all(|x| x.is_finite()), "{bent:?}");
}

#[test]
fn transport_does_not_depend_on_the_length_of_vectors() {
    let objective =
        Objective::new(FiniteDifferences::new(sphere()), Squared::of_residuals(3), 1.0).unwrap();
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let settings = GeodesicSettings { tolerance: 1e-6, ..GeodesicSettings::default() };
    let mut transported = |factor: f64| {
        let b = [0.3 * factor, 0.5 * factor];
        let curve = manifold.transport(&[1.2566, 0.1], &[-0.6, 1.0], &[&b], &settings).unwrap();
        let found = &curve.complete().unwrap().transported[0];
        [found[0] / factor, found[1] / factor]
    };
    let reference = transported(1.0);
    for factor in [1e-6, 10.0, 1e6] {
        for (found, expected) in transported(factor).iter().zip(reference) {
            assert!((found - expected).abs() < 1e-6, "{factor}: {found} {expected}");
        }
    }
}
