//! The reference: a network on synthetic data, its derivatives by definition, the dense Hessian.

use gaussflow::network::{Activation, InitialPoint, Initialization, Network};
use gaussflow::objective::{Objective, Residuals, Squared};
use gaussflow::solvers::faer::Mat;
use gaussflow_faer::{self_adjoint_eigenvalues, thin_svd};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

pub const ROWS: usize = 256;
pub const HIDDEN: usize = 18;
pub const FEATURES: usize = 8;
pub const PARAMETERS: usize = HIDDEN * FEATURES;

pub fn normals(seed: u64, count: usize) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| random.sample(StandardNormal)).collect()
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub fn length(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// Columns of mean 0 and variance 1, each sharing a part with the one before.
pub fn standardized(rows: usize, features: usize) -> Vec<f64> {
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
pub struct Case {
    pub inputs: Vec<f64>,
    pub features: usize,
    pub signs: Vec<f64>,
    pub targets: Vec<f64>,
    pub weights: Vec<f64>,
    pub network: Network,
}

impl Case {
    pub fn new(rows: usize, hidden: usize, features: usize) -> Self {
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

    pub fn paper_size() -> Self {
        Self::new(ROWS, HIDDEN, FEATURES)
    }

    pub fn objective(&self, alpha: f64) -> Objective<Network, Squared> {
        let loss = Squared::new(self.targets.clone()).unwrap();
        Objective::new(self.network.clone(), loss, alpha).unwrap()
    }

    /// `x_j . w^(i)`.
    pub fn pre_activation(&self, w: &[f64], j: usize, i: usize) -> f64 {
        let d = self.features;
        dot(&self.inputs[j * d..(j + 1) * d], &w[i * d..(i + 1) * d])
    }

    /// Df(w) by its definition: `c_i (1 - tanh^2 z_ji) x_jk`.
    pub fn jacobian(&self, w: &[f64]) -> Mat<f64> {
        let d = self.features;
        Mat::from_fn(self.targets.len(), w.len(), |j, e| {
            let value = self.pre_activation(w, j, e / d).tanh();
            self.signs[e / d] * (1.0 - value * value) * self.inputs[j * d + e % d]
        })
    }

    /// `sum_j u_j Hess f_j(w)` by its definition: unit i's block has `c_i tanh'' z_ji x_jk x_jl`.
    pub fn weighted_hessian(&self, w: &[f64], u: &[f64]) -> Mat<f64> {
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
    pub fn output(&self, w: &[f64], alpha: f64) -> Vec<f64> {
        let mut output = vec![0.0; self.targets.len()];
        self.network.value(w, &mut output).unwrap();
        output.iter_mut().for_each(|x| *x *= alpha);
        output
    }

    /// `g(alpha f(w)) - g(x)` without cancellation of the two losses.
    pub fn loss_change(&self, x: &[f64], w: &[f64], alpha: f64) -> f64 {
        let terms = self.output(w, alpha).into_iter().zip(x).zip(&self.targets);
        terms.map(|((y, x), target)| (y - x) * (y + x - 2.0 * target)).sum()
    }

    /// `norm(alpha J(w) v)` and inner products of such vectors, by the definition of J.
    pub fn tangent(&self, w: &[f64], v: &[f64], alpha: f64) -> Vec<f64> {
        let jacobian = self.jacobian(w);
        let column = Mat::from_fn(v.len(), 1, |k, _| alpha * v[k]);
        (jacobian * column).col_as_slice(0).to_vec()
    }
}

/// Extreme eigenvalues of the Riemannian Hessian by dense singular vectors, and cond(J).
pub struct Reference {
    pub smallest: f64,
    pub largest: f64,
    pub condition: f64,
}

pub fn dense_hessian(case: &Case, alpha: f64) -> Reference {
    let (w, n) = (&case.weights, case.targets.len());
    let jacobian = case.jacobian(w);
    let svd = thin_svd(jacobian.as_ref()).unwrap();
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
    let values = self_adjoint_eigenvalues(hessian.as_ref()).unwrap();
    Reference { smallest: values[0], largest: values[p - 1], condition: s[0] / s[p - 1] }
}
