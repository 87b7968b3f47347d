//! Residuals written over any scalar: derivatives against closed forms, counts of evaluations, bounds and patterns.

use std::cell::Cell;

use gaussflow_objective::{
    ExactDerivatives, GenericResiduals, MapError, Residuals, Scalar, SecondOrderMap, SmoothMap,
    check_jacobian, check_second_derivative,
};
use gaussflow_solvers::SparsityPattern;
use gaussflow_solvers::faer::Mat;

/// `f_j(w) = w_0 exp(-w_1 t_j) + w_2 / (1 + w_3 t_j) + sum_(k > 3) sin(w_k t_j)`.
struct Curves {
    times: Vec<f64>,
    parameters: usize,
    evaluations: Cell<usize>,
}

impl Curves {
    fn new(parameters: usize) -> Self {
        let times = (0..7).map(|j| 0.3 * f64::from(j)).collect();
        Self { times, parameters, evaluations: Cell::new(0) }
    }

    /// Gradient and Hessian of `f_j`, derived by hand.
    fn by_hand(&self, w: &[f64], j: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
        let (t, p) = (self.times[j], self.parameters);
        let (e, q) = ((-w[1] * t).exp(), 1.0 / (1.0 + w[3] * t));
        let (mut gradient, mut hessian) = (vec![0.0; p], vec![vec![0.0; p]; p]);
        gradient[..4].copy_from_slice(&[e, -t * w[0] * e, q, -w[2] * t * q * q]);
        (hessian[0][1], hessian[1][0], hessian[1][1]) = (-t * e, -t * e, t * t * w[0] * e);
        (hessian[2][3], hessian[3][2]) = (-t * q * q, -t * q * q);
        hessian[3][3] = 2.0 * w[2] * t * t * q * q * q;
        for k in 4..p {
            gradient[k] = t * (w[k] * t).cos();
            hessian[k][k] = -t * t * (w[k] * t).sin();
        }
        (gradient, hessian)
    }
}

impl GenericResiduals for Curves {
    fn parameters(&self) -> usize {
        self.parameters
    }

    fn outputs(&self) -> usize {
        self.times.len()
    }

    fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
        self.evaluations.set(self.evaluations.get() + 1);
        for (out, &t) in out.iter_mut().zip(&self.times) {
            let waves: D = w[4..].iter().map(|&w| (w * t).sin()).sum();
            *out = w[0] * (-w[1] * t).exp() + w[2] / (w[3] * t + 1.0) + waves;
        }
    }
}

fn point(p: usize) -> Vec<f64> {
    (0..p).map(|k| 0.7 + 0.31 * k as f64).collect()
}

fn agrees(found: f64, expected: f64, ulps: f64) -> bool {
    (found - expected).abs() <= ulps * f64::EPSILON * expected.abs().max(1.0)
}

#[test]
fn jacobians_are_the_closed_form_in_one_evaluation_for_eight_columns() {
    for p in [4, 5, 8, 9, 16, 21] {
        let map = ExactDerivatives::new(Curves::new(p));
        let w = point(p);
        let (mut value, mut jacobian) = (vec![0.0; 7], map.new_jacobian());
        map.linearize(&w, &mut value, &mut jacobian).unwrap();
        assert_eq!(map.model().evaluations.get(), p.div_ceil(8) + 1, "p = {p}");
        let mut alone = vec![0.0; 7];
        map.value(&w, &mut alone).unwrap();
        assert_eq!(value, alone);
        for j in 0..7 {
            let (gradient, _) = map.model().by_hand(&w, j);
            for (k, expected) in gradient.into_iter().enumerate() {
                let found = jacobian.matrix()[(j, k)];
                assert!(agrees(found, expected, 4.0), "p = {p}, ({j}, {k}): {found} {expected}");
            }
        }
    }
}

#[test]
fn second_derivatives_are_the_closed_form() {
    for p in [4, 9, 21] {
        let map = ExactDerivatives::new(Curves::new(p));
        let w = point(p);
        let jacobian = map.new_jacobian();
        let u: Vec<f64> = (0..p).map(|k| (k as f64 + 1.0).sin()).collect();
        let v: Vec<f64> = (0..p).map(|k| (2.0 * k as f64).cos()).collect();
        let weights: Vec<f64> = (0..7).map(|j| 0.5 - 0.2 * f64::from(j)).collect();
        let mut second = vec![0.0; 7];
        map.second_derivative(&w, &jacobian, &u, &v, &mut second).unwrap();
        let mut expected = vec![vec![0.0; p]; p];
        for j in 0..7 {
            let (_, hessian) = map.model().by_hand(&w, j);
            let pairs = (0..p).flat_map(|r| (0..p).map(move |c| (r, c)));
            let sum: f64 = pairs.map(|(r, c)| hessian[r][c] * u[r] * v[c]).sum();
            assert!(agrees(second[j], sum, 40.0), "p = {p}, {j}: {} {sum}", second[j]);
            for (r, row) in hessian.iter().enumerate() {
                row.iter().enumerate().for_each(|(c, h)| expected[r][c] += weights[j] * h);
            }
        }
        let mut matrix = Mat::<f64>::from_fn(p, p, |_, _| f64::NAN);
        map.weighted_hessian(&w, &jacobian, &weights, matrix.as_mut()).unwrap();
        let mut product = vec![f64::NAN; p];
        map.weighted_hessian_apply(&w, &jacobian, &weights, &v, &mut product).unwrap();
        for r in 0..p {
            for c in 0..p {
                assert!(agrees(matrix[(r, c)], expected[r][c], 20.0), "p = {p}, ({r}, {c})");
                assert_eq!(matrix[(r, c)].to_bits(), matrix[(c, r)].to_bits());
            }
            let sum: f64 = (0..p).map(|c| expected[r][c] * v[c]).sum();
            assert!(agrees(product[r], sum, 40.0), "p = {p}, {r}: {} {sum}", product[r]);
        }
        assert!(check_jacobian(&map, &w, &v).unwrap().passed());
        assert!(check_second_derivative(&map, &w, &v).unwrap().passed());
    }
}

/// `f_j(w) = w_j^2 w_(j+1)`, one row less than parameters.
#[derive(Debug)]
struct Chain(usize);

impl GenericResiduals for Chain {
    fn parameters(&self) -> usize {
        self.0
    }

    fn outputs(&self) -> usize {
        self.0 - 1
    }

    fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
        (0..self.0 - 1).for_each(|j| out[j] = w[j] * w[j] * w[j + 1]);
    }
}

#[test]
fn columns_without_a_common_row_share_a_direction() {
    let p = 300;
    let dense = ExactDerivatives::new(Chain(p));
    let pattern = SparsityPattern::banded(p - 1, p, 0, 1);
    let sparse = ExactDerivatives::new(Chain(p)).with_sparsity(pattern).unwrap();
    let w = point(p);
    let (mut value, mut full) = (vec![0.0; p - 1], dense.new_jacobian());
    dense.linearize(&w, &mut value, &mut full).unwrap();
    let mut other = vec![0.0; p - 1];
    let mut entries = sparse.new_jacobian();
    sparse.linearize(&w, &mut other, &mut entries).unwrap();
    assert_eq!(value, other);
    for k in 0..p {
        let (rows, found) = entries.column(k);
        for j in 0..p - 1 {
            let place = rows.iter().position(|&row| row == j);
            let entry = place.map_or(0.0_f64, |place| found[place]);
            assert_eq!(full.matrix()[(j, k)].to_bits(), entry.to_bits());
        }
    }
    assert!(check_second_derivative(&sparse, &w, &vec![0.1; p]).unwrap().passed());
    let wrong = ExactDerivatives::new(Chain(p)).with_sparsity(SparsityPattern::banded(p, p, 0, 1));
    let error = wrong.unwrap_err();
    assert_eq!(
        error.to_string(),
        "each column of the sparsity pattern has length 300, but the map asks for 299"
    );
}

#[test]
fn functions_are_those_of_the_standard_library_with_their_derivatives() {
    use gaussflow_objective::{erf, erfc, sigmoid, tanh};
    use num_dual::second_derivative;
    for k in -60..=60 {
        let x = 0.137 * f64::from(k);
        let [t, s] = [x.tanh(), 1.0 / (1.0 + (-x).exp())];
        let bell = 2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp();
        let check = |name: &str, found: (f64, f64, f64), expected: (f64, f64, f64)| {
            for (a, b) in [(found.0, expected.0), (found.1, expected.1), (found.2, expected.2)] {
                assert!((a - b).abs() <= 8.0 * f64::EPSILON, "{name}({x}): {found:?} {expected:?}");
            }
        };
        let slope = 1.0 - t * t;
        check("tanh", second_derivative(tanh, x), (t, slope, -2.0 * t * slope));
        check(
            "sigmoid",
            second_derivative(sigmoid, x),
            (s, s * (1.0 - s), s * (1.0 - s) * (1.0 - 2.0 * s)),
        );
        check("erf", second_derivative(erf, x), (libm::erf(x), bell, -2.0 * x * bell));
        check("erfc", second_derivative(erfc, x), (libm::erfc(x), -bell, 2.0 * x * bell));
        assert!(tanh(x).to_bits() == (-tanh(-x)).to_bits() || x == 0.0);
    }
    // Far out, where sinh and cosh overflow, and close to 0.
    let (value, slope, bend) = second_derivative(tanh, 900.0);
    assert_eq!((value, slope, bend), (1.0, 0.0, 0.0));
    assert!((tanh(1e-12) / 1e-12 - 1.0_f64).abs() < 1e-15);
}

/// `sqrt(w)`, whose derivative is infinite at 0.
struct Root;

impl GenericResiduals for Root {
    fn parameters(&self) -> usize {
        1
    }

    fn outputs(&self) -> usize {
        1
    }

    fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
        out[0] = w[0].sqrt();
    }
}

#[test]
fn an_infinite_derivative_on_a_bound_is_taken_inside_of_it() {
    let map = ExactDerivatives::new(Root);
    let (mut value, mut jacobian) = ([0.0], map.new_jacobian());
    map.linearize(&[0.0], &mut value, &mut jacobian).unwrap();
    assert!(!jacobian.matrix()[(0, 0)].is_finite());
    map.linearize_within(&[0.0], &[0.0], &[1.0], &mut value, &mut jacobian).unwrap();
    assert!(jacobian.matrix()[(0, 0)] > 1e3 && value == [0.0]);
    let short = map.value(&[], &mut value);
    assert!(matches!(short, Err(MapError::ShapeMismatch { found: 0, expected: 1, .. })));
}
