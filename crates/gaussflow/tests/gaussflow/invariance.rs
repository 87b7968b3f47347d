//! A linear change of the weights names the same points: neither curvature nor geodesics may change.

use gaussflow::manifold::{GeodesicSettings, OutputManifold};
use gaussflow::network::Network;
use gaussflow::objective::{
    MapError, Objective, Residuals, SecondOrderMap, SmoothMap, Squared, require_length,
};
use gaussflow::solvers::faer::Mat;
use gaussflow::solvers::{DenseJacobian, JacobianOperator};

use crate::reference::{Case, dense_hessian, dot, length, normals};

/// `z -> f(A z)` for an invertible A (p x p): the same manifold in other parameters.
struct Mixed {
    network: Network,
    matrix: Mat<f64>,
}

impl Mixed {
    fn image(&self, z: &[f64]) -> Vec<f64> {
        (&self.matrix * Mat::from_fn(z.len(), 1, |k, _| z[k])).col_as_slice(0).to_vec()
    }
}

impl Residuals for Mixed {
    fn parameters(&self) -> usize {
        self.network.parameters()
    }
    fn outputs(&self) -> usize {
        self.network.outputs()
    }
    fn value(&self, z: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        require_length("the parameters z", z, self.parameters())?;
        self.network.value(&self.image(z), out)
    }
}

impl SmoothMap for Mixed {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.outputs(), self.parameters())
    }
    fn linearize(
        &self,
        z: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        let mut inner = self.network.new_jacobian();
        self.network.linearize(&self.image(z), value, &mut inner)?;
        for k in 0..self.parameters() {
            let mut column = vec![0.0; value.len()];
            inner.apply(self.matrix.col_as_slice(k), &mut column);
            let target = jacobian.matrix_mut().col_mut(k);
            target.iter_mut().zip(&column).for_each(|(o, x)| *o = *x);
        }
        Ok(())
    }
}

impl SecondOrderMap for Mixed {
    fn second_derivative(
        &self,
        z: &[f64],
        _: &DenseJacobian,
        a: &[f64],
        b: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let (w, mut value) = (self.image(z), vec![0.0; self.outputs()]);
        let mut inner = self.network.new_jacobian();
        self.network.linearize(&w, &mut value, &mut inner)?;
        self.network.second_derivative(&w, &inner, &self.image(a), &self.image(b), out)
    }
    fn weighted_hessian_apply(
        &self,
        z: &[f64],
        _: &DenseJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let (w, mut value) = (self.image(z), vec![0.0; self.outputs()]);
        let mut inner = self.network.new_jacobian();
        self.network.linearize(&w, &mut value, &mut inner)?;
        let mut image = vec![0.0; w.len()];
        self.network.weighted_hessian_apply(&w, &inner, weights, &self.image(v), &mut image)?;
        for (k, o) in out.iter_mut().enumerate() {
            *o = dot(self.matrix.col_as_slice(k), &image);
        }
        Ok(())
    }
}

/// The parametrization by w itself is what each quantity in other parameters is compared with.
#[test]
fn an_invertible_change_of_the_weights_changes_neither_curvature_nor_geodesics() {
    let case = Case::new(24, 2, 3);
    let p = case.weights.len();
    let alpha = 8.0;
    let random = normals(11, p * p);
    let matrix = Mat::from_fn(p, p, |a, b| random[a * p + b] + if a == b { 3.0 } else { 0.0 });
    let svd = gaussflow_faer::thin_svd(matrix.as_ref()).unwrap();
    let (u, s, v) = (svd.U(), svd.S().column_vector(), svd.V());
    let back = |w: &[f64]| -> Vec<f64> {
        let rotated = u.transpose() * Mat::from_fn(p, 1, |k, _| w[k]);
        (v * Mat::from_fn(p, 1, |k, _| rotated[(k, 0)] / s[k])).col_as_slice(0).to_vec()
    };
    let condition = dense_hessian(&case, alpha).condition * s[0] / s[p - 1];
    let plain = case.objective(alpha);
    let loss = Squared::new(case.targets.clone()).unwrap();
    let mixed = Mixed { network: case.network.clone(), matrix: matrix.clone() };
    let mixed = Objective::new(mixed, loss, alpha).unwrap();
    let mut one = OutputManifold::new(&plain).unwrap();
    let mut other = OutputManifold::new(&mixed).unwrap();
    let (w, z) = (&case.weights, back(&case.weights));
    let mut direction = normals(12, p);
    let size = length(&case.tangent(w, &direction, alpha));
    direction.iter_mut().for_each(|v| *v /= size);
    let turned = back(&direction);

    let (mut here, mut there) = (one.at(w).unwrap(), other.at(&z).unwrap());
    let (a, b) = (here.hessian_extremes().unwrap(), there.hessian_extremes().unwrap());
    let bound = 1e3 * f64::EPSILON * condition;
    let same =
        |a: f64, b: f64| assert!((a - b).abs() <= bound * a.abs().max(1.0), "{a} {b} {bound:e}");
    same(a.smallest.value, b.smallest.value);
    same(a.largest.value, b.largest.value);
    same(
        here.largest_normal_curvature().unwrap().value,
        there.largest_normal_curvature().unwrap().value,
    );
    same(here.normal_curvature_bound().unwrap(), there.normal_curvature_bound().unwrap());
    let (mut bend, mut same_bend) = (vec![0.0; 24], vec![0.0; 24]);
    here.second_fundamental_form(&direction, &direction, &mut bend).unwrap();
    there.second_fundamental_form(&turned, &turned, &mut same_bend).unwrap();
    bend.iter().zip(&same_bend).for_each(|(a, b)| same(*a, *b));

    let settings = GeodesicSettings::default();
    let curve = one.exp(w, &direction, &settings).unwrap();
    let same_curve = other.exp(&z, &turned, &settings).unwrap();
    let end = case.output(&curve.complete().unwrap().point, alpha);
    let same_end = case.output(&mixed.map().image(&same_curve.complete().unwrap().point), alpha);
    end.iter().zip(&same_end).for_each(|(a, b)| assert!((a - b).abs() < 1e-8));
    let distance = other.distance(&z, &same_curve.last().point, &settings).unwrap();
    assert!((distance - 1.0).abs() < 1e-8);
}
