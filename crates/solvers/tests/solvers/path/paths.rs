//! Jacobians that move: `J(t) = S(t) (.) X` with `S_ji = tanh'(x_j . w_i(t))`, and `U diag(s) V^T`.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{DenseJacobian, RowKronecker};
use rand_chacha::ChaCha8Rng;

pub use crate::cases::settings;
pub use crate::draws::{gaussian, generator};

/// The spacing of numbers at 1.
pub const EPS: f64 = f64::EPSILON;

/// Size of the weights: slopes between 0 and 1 that differ from unit to unit.
const WEIGHTS: f64 = 2.0;

/// A network's Jacobian while its weights move along a line, `w_i(t) = w_i + t u_i`.
pub struct NetworkPath {
    jacobian: RowKronecker,
    inputs: Vec<f64>,
    weights: Vec<f64>,
    velocity: Vec<f64>,
}

impl NetworkPath {
    /// n samples, d features, m hidden units; p = m d.
    pub fn new(seed: u64, (n, d, m): (usize, usize, usize)) -> Self {
        let rng = &mut generator(seed);
        let inputs = gaussian(rng, n * d);
        let scale = WEIGHTS / (d as f64).sqrt();
        let weights = gaussian(rng, m * d).iter().map(|w| scale * w).collect();
        let velocity = gaussian(rng, m * d).iter().map(|w| scale * w).collect();
        Self { jacobian: RowKronecker::new(&inputs, d, m), inputs, weights, velocity }
    }

    /// J(t).
    pub fn at(&mut self, t: f64) -> &RowKronecker {
        let d = self.jacobian.pieces()[0].features();
        for (j, x) in self.inputs.chunks_exact(d).enumerate() {
            for i in 0..self.jacobian.pieces()[0].hidden() {
                let at = i * d..(i + 1) * d;
                let (w, u) = (&self.weights[at.clone()], &self.velocity[at]);
                let z: f64 = x.iter().zip(w.iter().zip(u)).map(|(x, (w, u))| x * (w + t * u)).sum();
                self.jacobian.pieces_mut()[0].left_mut()[(j, i)] = 1.0 - z.tanh() * z.tanh();
            }
        }
        &self.jacobian
    }
}

/// `U diag(values) V^T`, n x p, with U and V products of two reflections drawn from `seed`.
///
/// Rounding moves each singular value by a few eps times the largest.
pub fn with_values(seed: u64, n: usize, values: &[f64]) -> DenseJacobian {
    let (rng, p) = (&mut generator(seed), values.len());
    let mut matrix = Mat::from_fn(n, p, |r, c| if r == c { values[c] } else { 0.0 });
    for _ in 0..2 {
        let u = unit(rng, n);
        for c in 0..p {
            let along: f64 = (0..n).map(|r| u[r] * matrix[(r, c)]).sum();
            (0..n).for_each(|r| matrix[(r, c)] -= 2.0 * along * u[r]);
        }
        let v = unit(rng, p);
        for r in 0..n {
            let along: f64 = (0..p).map(|c| v[c] * matrix[(r, c)]).sum();
            (0..p).for_each(|c| matrix[(r, c)] -= 2.0 * along * v[c]);
        }
    }
    DenseJacobian::from_matrix(matrix)
}

fn unit(rng: &mut ChaCha8Rng, count: usize) -> Vec<f64> {
    let x = gaussian(rng, count);
    let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    x.iter().map(|x| x / length).collect()
}

/// Values from `low` to `high` in equal ratios, in no order of size.
pub fn spread(count: usize, low: f64, high: f64) -> Vec<f64> {
    let last = (count - 1).max(1) as f64;
    (0..count).map(|k| low * (high / low).powf(((k * 7) % count) as f64 / last)).collect()
}
