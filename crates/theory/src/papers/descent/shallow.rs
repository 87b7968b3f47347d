//! Theorem 4.3: one hidden layer with fixed output weights v of norm 1, at most as many rows as features, and an
//! activation whose slope lies between gamma > 0 and Gamma.

use std::sync::Arc;

use gaussflow_network::{ActivationBounds, ActivationFunction, Network};
use gaussflow_objective::Loss;
use gaussflow_solvers::norm;

use crate::TheoryError;
use crate::local::Local;
use crate::papers::descent::iterates::{Bounds, Descent};
use crate::problem::{Problem, half_squares};
use crate::referee::{Comparison, Hypothesis, Record, Statement};

/// `phi(z) = size ((1 - slope) tanh z + slope z)`: its slope lies between `size slope` and `size`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leaky {
    /// Gamma.
    pub size: f64,
    /// gamma / Gamma, in (0, 1].
    pub slope: f64,
}

impl ActivationFunction for Leaky {
    fn bounds(&self) -> ActivationBounds {
        // sup |tanh''| = 4/(3 sqrt 3).
        let second = self.size * (1.0 - self.slope) * 4.0 / (3.0 * 3_f64.sqrt());
        ActivationBounds { value: f64::INFINITY, first: self.size, second }
    }

    fn evaluate(&self, z: &[f64], value: &mut [f64], first: &mut [f64], second: &mut [f64]) {
        let (bend, line) = (self.size * (1.0 - self.slope), self.size * self.slope);
        for (((z, value), first), second) in z.iter().zip(value).zip(first).zip(second) {
            let t = z.tanh();
            let square = 1.0 - t * t;
            (*value, *first, *second) =
                (bend * t + line * z, bend * square + line, -2.0 * bend * t * square);
        }
    }

    fn value(&self, z: &[f64], value: &mut [f64]) {
        let (bend, line) = (self.size * (1.0 - self.slope), self.size * self.slope);
        for (z, value) in z.iter().zip(value) {
            *value = bend * z.tanh() + line * z;
        }
    }
}

/// A network of Theorem 4.3 with residual r_0 at its start.
#[derive(Clone)]
pub struct Shallow {
    /// The network, its labels `f(w_0) - r_0` and w_0.
    pub problem: Problem<Leaky>,
    /// sigma_min(X).
    pub least_input: f64,
    /// norm(X).
    pub input_norm: f64,
    /// norm(X)_(2,inf): the largest norm of a row.
    pub longest_row: f64,
    /// norm(r_0).
    pub residual: f64,
}

impl Shallow {
    /// On `inputs` (n x `features`, row-major) with output weights `weights_out` scaled to norm 1, W_0 (k x d).
    pub fn new(
        name: &str,
        (inputs, features): (&[f64], usize),
        output: &[f64],
        initial: &[f64],
        (activation, residual): (Leaky, &[f64]),
    ) -> Result<Self, TheoryError> {
        let length = norm(output);
        let output: Vec<f64> = output.iter().map(|v| v / length).collect();
        let network = Network::new(inputs, features, &output, activation)?.nullified_at(initial)?;
        let labels = residual.iter().map(|r| -r).collect();
        let loss: Arc<dyn Loss> = half_squares(labels)?;
        let problem = Problem { name: name.to_owned(), network, loss, initial: initial.to_vec() };
        // X itself is the Jacobian of one linear unit.
        let linear = Network::new(inputs, features, &[1.0], Leaky { size: 1.0, slope: 1.0 })?;
        let loss: Arc<dyn Loss> = half_squares(vec![0.0; residual.len()])?;
        let unit = Problem { name: String::new(), network: linear, loss, initial: vec![] };
        let x = Local::measure(&unit, 1.0, &vec![0.0; features])?;
        let longest_row = inputs.chunks(features).map(norm).fold(0.0, f64::max);
        Ok(Self {
            problem,
            least_input: x.smallest().max(0.0).sqrt(),
            input_norm: x.largest().sqrt(),
            longest_row,
            residual: norm(residual),
        })
    }

    fn activation(&self) -> Leaky {
        self.problem.network.last_layer().activation
    }

    /// gamma sigma_min(X).
    pub fn least(&self) -> f64 {
        self.activation().size * self.activation().slope * self.least_input
    }

    /// `(gamma^2/(Gamma M)) sigma_min(X)^2/(norm(X)_(2,inf) norm(X))/norm(r_0)`: the second bound of the printed step.
    pub fn bend_quotient(&self) -> f64 {
        let Leaky { size, slope } = self.activation();
        let bend = size * self.activation().bounds().second;
        (size * slope).powi(2) / bend * self.least_input.powi(2)
            / (self.longest_row * self.input_norm)
            / self.residual
    }

    /// The printed eta: `(1/(2 Gamma^2 norm(X)^2)) min(1, q)`, q of [`Self::bend_quotient`].
    pub fn printed_step(&self) -> f64 {
        let steepest = self.activation().size * self.input_norm;
        self.bend_quotient().min(1.0) / (2.0 * steepest * steepest)
    }

    /// Theorem 2.1 with `alpha_0 = gamma sigma_min(X)`, `beta = Gamma norm(X)`, `L = M norm(X)_(2,inf) norm(X)`, which
    /// hold on all of R^p, at its largest eta.
    pub fn repaired<'a>(&'a self, name: &'a str) -> Result<Descent<'a, Leaky>, TheoryError> {
        let bounds = ActivationFunction::bounds(&self.activation());
        let (least, norm) = (self.least(), bounds.first * self.input_norm);
        let lipschitz = bounds.second * self.longest_row * self.input_norm;
        let start = Local::measure(&self.problem, 1.0, &self.problem.initial)?;
        let bounds = Bounds {
            least_at_start: start.smallest().max(0.0).sqrt(),
            norm_at_start: start.largest().sqrt(),
            least,
            norm,
            lipschitz,
        };
        let run = Descent {
            name,
            problem: &self.problem,
            bounds,
            least,
            norm,
            residual: self.residual,
            lambda: 0.5,
            step: 0.0,
        };
        Ok(Descent { step: run.largest_step(), ..run })
    }
}

/// Theorem 4.3 as printed at its printed step, each conclusion corrected by Theorem 2.1 at the repaired step on the same
/// data; `factor` is 1 but for a planted rate of the corrected statement.
pub fn theorem_4_3(
    shallow: &Shallow,
    steps: usize,
    factor: f64,
) -> Result<Vec<Record>, TheoryError> {
    let row = |place, text| Statement { id: "descent/theorem-4-3", place, text };
    let name = &shallow.problem.name;
    let repaired = shallow.repaired(name)?;
    let printed = Descent { step: shallow.printed_step(), ..repaired };
    let (rows, features) = (shallow.problem.outputs(), shallow.problem.network.features());
    let assumed = vec![
        Hypothesis::at_most("n against d", rows as f64, features as f64),
        Hypothesis::above("gamma sigma_min(X)", shallow.least(), 0.0),
        Hypothesis::at_most("eta against the printed", printed.step, shallow.printed_step()),
    ];
    let trajectory = printed.iterate(steps)?;
    let (mut rate, mut distance, mut symbol) = (Vec::new(), Vec::new(), 0.0_f64);
    let target = shallow.problem.minimizer();
    let rounding = printed.rounding();
    let modulus = 1.0 - printed.step * shallow.least().powi(2);
    let mut bound = shallow.residual;
    for (k, s) in trajectory.samples.iter().enumerate() {
        let left = s.distance_to(&target);
        let at = format!("k = {k}");
        if k > 0 {
            bound *= modulus;
            rate.push(Comparison::new(left, bound, 2.0 * rounding, at.clone()));
        }
        symbol = symbol.max((0.25 * shallow.least() * s.deviation + left) / shallow.residual);
        let moved = 0.25 * shallow.least() * norm(&s.weights) + left;
        distance.push(Comparison::new(moved, shallow.residual, 2.0 * rounding, at));
    }
    let kept = repaired.iterate(steps)?;
    let corrected = crate::papers::descent::iterates::theorem_2_1(&repaired, &kept, factor);
    let note = format!(
        "The printed step is {:.3e} times the repaired one. ",
        printed.step / repaired.step
    );
    let text = "norm(r_k) <= (1 - eta gamma^2 sigma_min(X)^2)^k norm(r_0)";
    let mut records = vec![
        row("Theorem 4.3, rate", text).judge(name, assumed.clone(), rate).with_note(&note),
        row("Theorem 4.3, distance", "(gamma sigma_min(X)/4) norm(W_k)_F + norm(r_k) <= norm(r_0)")
            .judge(name, assumed, distance)
            .with_note(&format!(
                "With W_k - W_0 in place of W_k the left side comes to {symbol:.4} of the right one at the printed step. "
            )),
    ];
    // Of Theorem 2.1's conclusions, the rate and the distance take the places of these.
    records = records.into_iter().zip(corrected).map(|(r, c)| r.corrected_by(c)).collect();
    Ok(records)
}

/// The known counterexample to the printed step: two unit rows of inner product -0.97, one flat unit.
pub fn counterexample() -> Result<Shallow, TheoryError> {
    let (inner, z): (f64, [f64; 2]) = (-0.97, [0.2235, 1.5528]);
    let height = (1.0 - inner * inner).sqrt();
    let inputs = [1.0, 0.0, inner, height];
    // x_1 . w = z_1 and x_2 . w = z_2.
    let initial = [z[0], (z[1] - inner * z[0]) / height];
    let (size, angle) = (1.618e-4, 3.898_f64);
    let residual = [size * angle.cos(), size * angle.sin()];
    let activation = Leaky { size: 1e-5, slope: 0.0735 };
    Shallow::new("n = d = 2, one unit", (&inputs, 2), &[1.0], &initial, (activation, &residual))
}
