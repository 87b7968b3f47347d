//! The geometry of the network's output manifold at n = 256, p = 144, against dense computations.
//!
//! The reference forms J and `sum_k u_k Hess f_k` entry by entry from the network's definition with
//! tanh of the standard library, and takes the tangent space from the singular vectors of J, not from
//! a QR: `Hess_M g = 2 I + (1/alpha) S^-1 V^T B(N grad g) V S^-1` over `J = U S V^T`.

use gaussflow::manifold::{GeodesicSettings, OutputManifold};
use gaussflow::network::{Activation, InitialPoint, Initialization, Network};
use gaussflow::objective::{
    MapError, Objective, Residuals, SecondOrderMap, SmoothMap, Squared, require_length,
};
use gaussflow::solvers::faer::{Mat, Side};
use gaussflow::solvers::{DenseJacobian, JacobianOperator};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

const ROWS: usize = 256;
const HIDDEN: usize = 18;
const FEATURES: usize = 8;
const PARAMETERS: usize = HIDDEN * FEATURES;

fn normals(seed: u64, count: usize) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| random.sample(StandardNormal)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// Columns of mean 0 and variance 1, each sharing a part with the one before.
fn standardized(rows: usize, features: usize) -> Vec<f64> {
    let mut inputs = normals(1, rows * features);
    for row in inputs.chunks_exact_mut(features) {
        for k in 1..features {
            row[k] += 0.5 * row[k - 1];
        }
    }
    for k in 0..features {
        let column = || inputs.iter().skip(k).step_by(features);
        let mean = column().sum::<f64>() / rows as f64;
        let variance = column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows as f64;
        let scale = variance.sqrt().recip();
        inputs.iter_mut().skip(k).step_by(features).for_each(|x| *x = (*x - mean) * scale);
    }
    inputs
}

/// A nullified network on synthetic data, a point off its start, and the targets.
struct Case {
    inputs: Vec<f64>,
    features: usize,
    signs: Vec<f64>,
    targets: Vec<f64>,
    weights: Vec<f64>,
    network: Network,
}

impl Case {
    fn new(rows: usize, hidden: usize, features: usize) -> Self {
        let inputs = standardized(rows, features);
        let start = InitialPoint::draw(Initialization::Nullified, hidden, features, 3).unwrap();
        let network = Network::new(&inputs, features, &start.signs, Activation::Tanh)
            .unwrap()
            .nullified_at(&start.weights)
            .unwrap();
        let targets = inputs.chunks(features).zip(normals(2, rows));
        let targets = targets.map(|(x, e)| 4.0 + 2.0 * x[0] - x[1] * x[2] + 0.6 * e).collect();
        let moved = normals(4, hidden * features);
        let weights = start.weights.iter().zip(moved).map(|(w, m)| w + 0.02 * m).collect();
        Self { inputs, features, signs: start.signs, targets, weights, network }
    }

    fn paper_size() -> Self {
        Self::new(ROWS, HIDDEN, FEATURES)
    }

    fn objective(&self, alpha: f64) -> Objective<Network, Squared> {
        let loss = Squared::new(self.targets.clone()).unwrap();
        Objective::new(self.network.clone(), loss, alpha).unwrap()
    }

    /// `x_j . w^(i)`.
    fn pre_activation(&self, w: &[f64], j: usize, i: usize) -> f64 {
        let d = self.features;
        dot(&self.inputs[j * d..(j + 1) * d], &w[i * d..(i + 1) * d])
    }

    /// Df(w) by its definition: `c_i (1 - tanh^2 z_ji) x_jk`.
    fn jacobian(&self, w: &[f64]) -> Mat<f64> {
        let d = self.features;
        Mat::from_fn(self.targets.len(), w.len(), |j, e| {
            let value = self.pre_activation(w, j, e / d).tanh();
            self.signs[e / d] * (1.0 - value * value) * self.inputs[j * d + e % d]
        })
    }

    /// `sum_j u_j Hess f_j(w)` by its definition: unit i's block has `c_i tanh'' z_ji x_jk x_jl`.
    fn weighted_hessian(&self, w: &[f64], u: &[f64]) -> Mat<f64> {
        let d = self.features;
        Mat::from_fn(w.len(), w.len(), |a, b| {
            let i = a / d;
            if i != b / d {
                return 0.0;
            }
            let terms = u.iter().enumerate().map(|(j, u)| {
                let value = self.pre_activation(w, j, i).tanh();
                let second = -2.0 * value * (1.0 - value * value);
                u * self.signs[i] * second * self.inputs[j * d + a % d] * self.inputs[j * d + b % d]
            });
            terms.sum()
        })
    }

    /// `alpha f(w)`.
    fn output(&self, w: &[f64], alpha: f64) -> Vec<f64> {
        let mut output = vec![0.0; self.targets.len()];
        self.network.value(w, &mut output).unwrap();
        output.iter_mut().for_each(|x| *x *= alpha);
        output
    }

    /// `g(alpha f(w)) - g(x)` without cancellation of the two losses.
    fn loss_change(&self, x: &[f64], w: &[f64], alpha: f64) -> f64 {
        let terms = self.output(w, alpha).into_iter().zip(x).zip(&self.targets);
        terms.map(|((y, x), target)| (y - x) * (y + x - 2.0 * target)).sum()
    }

    /// `norm(alpha J(w) v)` and inner products of such vectors, by the definition of J.
    fn tangent(&self, w: &[f64], v: &[f64], alpha: f64) -> Vec<f64> {
        let jacobian = self.jacobian(w);
        let column = Mat::from_fn(v.len(), 1, |k, _| alpha * v[k]);
        (jacobian * column).col_as_slice(0).to_vec()
    }
}

/// Extreme eigenvalues of the Riemannian Hessian by dense singular vectors, and cond(J).
struct Reference {
    smallest: f64,
    largest: f64,
    condition: f64,
}

fn dense_hessian(case: &Case, alpha: f64) -> Reference {
    let (w, n) = (&case.weights, case.targets.len());
    let jacobian = case.jacobian(w);
    let svd = jacobian.thin_svd().unwrap();
    let (u, s, v) = (svd.U(), svd.S().column_vector(), svd.V());
    let p = w.len();
    let scaled = Mat::from_fn(n, p, |j, k| u[(j, k)] * s[k]);
    let defect = (&scaled * v.transpose() - &jacobian).norm_l2();
    assert!(defect < 1e-12 * s[0], "the reference itself: {defect:e}");
    let x = case.output(w, alpha);
    let gradient = Mat::from_fn(n, 1, |j, _| 2.0 * (x[j] - case.targets[j]));
    let tangent = u * (u.transpose() * &gradient);
    let normal: Vec<f64> = (0..n).map(|j| gradient[(j, 0)] - tangent[(j, 0)]).collect();
    let inner = v.transpose() * case.weighted_hessian(w, &normal) * v;
    let hessian = Mat::from_fn(p, p, |a, b| {
        let loss = if a == b { 2.0 } else { 0.0 };
        loss + inner[(a, b)] / (alpha * s[a] * s[b])
    });
    let values = hessian.self_adjoint_eigenvalues(Side::Lower).unwrap();
    Reference { smallest: values[0], largest: values[p - 1], condition: s[0] / s[p - 1] }
}

/// Both signs of curvature: it takes the eigenvalues out of [nu, mu] = {2}, at alpha = 8 below 0.
#[test]
fn extreme_eigenvalues_are_those_of_a_dense_computation() {
    let case = Case::paper_size();
    for alpha in [8.0, 256.0] {
        let expected = dense_hessian(&case, alpha);
        let objective = case.objective(alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let found = manifold.at(&case.weights).unwrap().hessian_extremes().unwrap();
        let scale = expected.largest.abs().max(expected.smallest.abs());
        let bound = 1e-10 * expected.condition * scale;
        let errors = [
            (found.smallest.value - expected.smallest).abs(),
            (found.largest.value - expected.largest).abs(),
        ];
        println!(
            "alpha {alpha}: {:e} to {:e}, cond {:e}, relative errors {:e}",
            expected.smallest,
            expected.largest,
            expected.condition,
            errors[0].max(errors[1]) / scale
        );
        assert!(errors.iter().all(|e| *e <= bound), "{errors:?} {bound:e}");
        assert!(found.smallest.value < 2.0 && found.largest.value > 2.0, "curvature of both signs");
        assert!(alpha > 8.0 || found.smallest.value < 0.0, "g is not convex on M at alpha = 8");
    }
}

/// The Hessian's quotient is the second derivative of g along the geodesic: against differences of g
/// itself (fourth order), whose sign shows the sign of the curvature term.
#[test]
fn second_differences_along_geodesics_show_the_extreme_eigenvalues() {
    let case = Case::paper_size();
    for alpha in [8.0, 256.0] {
        let objective = case.objective(alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let mut point = manifold.at(&case.weights).unwrap();
        let extremes = point.hessian_extremes().unwrap();
        let found = [extremes.smallest, extremes.largest];
        let quotients = found.each_ref().map(|e| point.hessian_quotient(&e.direction).unwrap());
        assert!(quotients[0].curvature < 0.0 && quotients[1].curvature > 0.0);
        let x = case.output(&case.weights, alpha);
        for (eigen, quotient) in found.iter().zip(quotients) {
            let mut bend = vec![0.0; x.len()];
            let v = &eigen.direction;
            let mut point = manifold.at(&case.weights).unwrap();
            point.second_fundamental_form(v, v, &mut bend).unwrap();
            let radius = length(&bend).recip();
            let step = 0.02 * radius;
            let mut change = |times: f64| {
                let shot: Vec<f64> = v.iter().map(|v| times * step * v).collect();
                let settings = GeodesicSettings { samples: 1, ..GeodesicSettings::default() };
                let curve = manifold.exp(&case.weights, &shot, &settings).unwrap();
                case.loss_change(&x, &curve.complete().unwrap().point, alpha)
            };
            let (near, far) = (change(1.0) + change(-1.0), change(2.0) + change(-2.0));
            let second = (16.0 * near - far) / (12.0 * step * step);
            let error = (second - eigen.value).abs() / eigen.value.abs();
            println!(
                "alpha {alpha}: {} by differences {second}, off {error:e}, radius {radius:e}",
                eigen.value
            );
            assert!(error < 1e-4, "{} {second}", eigen.value);
            assert!((quotient.total() - eigen.value).abs() < 1e-9 * eigen.value.abs());
        }
    }
}

/// The norm of II found by ascent is attained (a definition), and the bound covers it.
#[test]
fn the_curvature_found_is_attained_and_covered_by_the_bound() {
    let case = Case::paper_size();
    let objective = case.objective(8.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let mut point = manifold.at(&case.weights).unwrap();
    let largest = point.largest_normal_curvature().unwrap();
    let bound = point.normal_curvature_bound().unwrap();
    println!("curvature {} to {bound}", largest.value);
    assert!(bound >= largest.value && bound <= (PARAMETERS as f64).sqrt() * largest.value * 1.5);
    let v = &largest.direction;
    let tangent = case.tangent(&case.weights, v, 8.0);
    assert!((length(&tangent) - 1.0).abs() < 1e-9, "a unit tangent vector");
    for random in 0..20 {
        let v = normals(100 + random, PARAMETERS);
        let square =
            dot(&case.tangent(&case.weights, &v, 8.0), &case.tangent(&case.weights, &v, 8.0));
        let mut bend = vec![0.0; ROWS];
        point.second_fundamental_form(&v, &v, &mut bend).unwrap();
        assert!(length(&bend) / square <= largest.value);
    }
}

/// Unit length at alpha = 256: speed by the definition of J, log against the velocity that was shot,
/// inner products of transported vectors by the definition of J.
#[test]
fn geodesics_of_unit_length_keep_speed_and_inner_products_and_are_found_again() {
    let case = Case::paper_size();
    let alpha = 256.0;
    let objective = case.objective(alpha);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let w = &case.weights;
    let mut gradient = vec![0.0; ROWS];
    let mut downhill = vec![0.0; PARAMETERS];
    let mut point = manifold.at(w).unwrap();
    point.riemannian_gradient(&mut gradient).unwrap();
    point.parameter_direction(&gradient, &mut downhill).unwrap();
    for mut v in [downhill, normals(7, PARAMETERS)] {
        let size = length(&case.tangent(w, &v, alpha));
        v.iter_mut().for_each(|v| *v /= size);
        let moved = [normals(8, PARAMETERS), normals(9, PARAMETERS)];
        let settings = GeodesicSettings { samples: 4, ..GeodesicSettings::default() };
        let curve = manifold.transport(w, &v, &[&moved[0], &moved[1]], &settings).unwrap();
        println!("drift {:e}, {:?}", curve.speed_drift, curve.statistics);
        let end = curve.complete().unwrap();
        assert!((curve.length - 1.0).abs() < 1e-10);
        assert!(curve.speed_drift < 1e-9);
        let products = |w: &[f64], vectors: [&[f64]; 3]| {
            let [a, b, c] = vectors.map(|v| case.tangent(w, v, alpha));
            let scale = [length(&a), length(&b), length(&c)];
            [
                dot(&a, &a) / scale[0] / scale[0],
                dot(&a, &b) / scale[0] / scale[1],
                dot(&a, &c) / scale[0] / scale[2],
                dot(&b, &c) / scale[1] / scale[2],
                scale[0],
                scale[1] / scale[2],
            ]
        };
        let before = products(w, [&v, &moved[0], &moved[1]]);
        let after = products(&end.point, [&end.velocity, &end.transported[0], &end.transported[1]]);
        for (b, a) in before.iter().zip(after) {
            assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{before:?} {after:?}");
        }
        let target = end.point.clone();
        let log = manifold.log(w, &target, &settings).unwrap();
        println!("log: {} shots, distance {}", log.shots, log.distance);
        assert!((log.distance - 1.0).abs() < 1e-8);
        let again = manifold.exp(w, &log.velocity, &settings).unwrap();
        let arrived = case.output(&again.complete().unwrap().point, alpha);
        let expected = case.output(&target, alpha);
        let miss = expected.iter().zip(&arrived).map(|(a, b)| a - b);
        assert!(length(&miss.collect::<Vec<_>>()) < 1e-8);
        let off: Vec<f64> = log.velocity.iter().zip(&v).map(|(a, b)| a - b).collect();
        assert!(length(&case.tangent(w, &off, alpha)) < 1e-8);
    }
}

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
    let svd = matrix.thin_svd().unwrap();
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
