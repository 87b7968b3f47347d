//! The flow of the linearized model in closed form, and how far the nonlinear flow is from it.
//!
//! For `R = norm(. - y)^2/2` the residual of `alpha hbar(w) = alpha h(w_0) + J_0 vbar`, `vbar = alpha (wbar - w_0)`, obeys
//! `rbar' = -K_0 rbar`. With eigenpairs (gamma_k, u_k) of K_0 and `r_0 = alpha h(w_0) - y`,
//! `alpha hbar = alpha h(w_0) + sum_k expm1(-gamma_k t) <u_k, r_0> u_k` and
//! `vbar = J_0^T sum_k (expm1(-gamma_k t)/gamma_k) <u_k, r_0> u_k` (App. B.2 of the paper starts from the same equation).

use gaussflow_solvers::{inner_product, norm};

use crate::papers::lazy::setting::Setting;
use crate::trajectory::{Sample, Trajectory};

/// The linearized flow of a setting with squares.
pub struct Linearized<'a> {
    setting: &'a Setting,
    eigenvalues: Vec<f64>,
    vectors: Vec<Vec<f64>>,
    /// `<u_k, r_0>`.
    coordinates: Vec<f64>,
}

/// Distances between the two flows at one time, each with a bound of its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distances {
    /// t.
    pub time: f64,
    /// `norm(alpha h(w_t) - alpha hbar(wbar_t))`.
    pub output: (f64, f64),
    /// `alpha norm(w_t - wbar_t)`.
    pub scaled_weights: (f64, f64),
}

impl<'a> Linearized<'a> {
    /// Diagonalizes K_0 on the range of J_0.
    pub fn new(setting: &'a Setting) -> Self {
        let start = &setting.start;
        // K_0 is positive semidefinite; an eigenvalue below 0 is rounding.
        let eigenvalues: Vec<f64> = start.eigenvalues().iter().map(|g| g.max(0.0)).collect();
        let vectors: Vec<Vec<f64>> =
            (0..eigenvalues.len()).map(|k| start.output_eigenvector(k)).collect();
        let target = setting.problem.minimizer();
        let coordinates = vectors.iter().map(|u| -inner_product(u, &target)).collect();
        Self { setting, eigenvalues, vectors, coordinates }
    }

    /// `sum_k function(gamma_k) <u_k, r_0> u_k`.
    fn combine(&self, function: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut sum = vec![0.0; self.setting.problem.outputs()];
        for ((gamma, u), c) in self.eigenvalues.iter().zip(&self.vectors).zip(&self.coordinates) {
            let factor = function(*gamma) * c;
            sum.iter_mut().zip(u).for_each(|(s, u)| *s += factor * u);
        }
        sum
    }

    /// `alpha hbar(wbar_t)`, length n.
    pub fn output(&self, time: f64) -> Vec<f64> {
        self.combine(|gamma| (-gamma * time).exp_m1())
    }

    /// `alpha (wbar_t - w_0)`, length p.
    pub fn displacement(&self, time: f64) -> Vec<f64> {
        let quotient = |gamma: f64| {
            if gamma > 0.0 { (-gamma * time).exp_m1() / gamma } else { -time }
        };
        self.setting.start.transposed_times(&self.combine(quotient))
    }

    /// What rounding may have changed [`Self::output`] and [`Self::displacement`] by: norms.
    ///
    /// K_0 is known to `n eps norm(J_0)^2`, which moves `exp(-K_0 t) r_0` by at most that times `tau norm(r_0)` with
    /// `tau = min(t, 1/gamma_min)`, and the quotient above by at most that times `tau^2 norm(r_0)`.
    fn rounding(&self, time: f64) -> (f64, f64) {
        let (n, size) = (self.coordinates.len() as f64, self.setting.norm());
        let smallest = self.eigenvalues.first().copied().unwrap_or(0.0);
        let tau = if smallest > 0.0 { time.min(1.0 / smallest) } else { time };
        let output = 4.0 * n * f64::EPSILON * self.setting.residual * (1.0 + size * size * tau);
        (output, output * size * tau)
    }

    /// The distances of `flow`, at alpha, from this one at `sample`.
    pub fn distances(&self, flow: &Trajectory, sample: &Sample) -> Distances {
        let (time, alpha) = (sample.time, flow.scaling);
        let (of_output, of_weights) = self.rounding(time);
        let initial = &self.setting.problem.initial;
        let gap = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
        };
        let moved: Vec<f64> =
            sample.weights.iter().zip(initial).map(|(w, w0)| alpha * (w - w0)).collect();
        // w itself is a rounded number.
        let rounded = alpha * f64::EPSILON * norm(&sample.weights);
        let output = gap(&sample.output, &self.output(time));
        let weights = gap(&moved, &self.displacement(time));
        Distances {
            time,
            output: (output, sample.output_error + of_output),
            scaled_weights: (weights, alpha * flow.weight_error + rounded + of_weights),
        }
    }
}
