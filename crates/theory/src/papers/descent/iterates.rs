//! Theorems 2.1, 2.3 and 9.3 along the iterates of gradient descent.

use gaussflow_dynamics::Preconditioner;
use gaussflow_network::ActivationFunction;
use gaussflow_objective::LipschitzConstants;
use gaussflow_solvers::squared_distance;

use crate::TheoryError;
use crate::local::Local;
use crate::problem::Problem;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::sampling::Sampler;
use crate::trajectory::Trajectory;

/// What is proven of J on balls around w_0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// sigma_min(J) at w_0, exact to rounding.
    pub least_at_start: f64,
    /// norm(J) at w_0, exact to rounding.
    pub norm_at_start: f64,
    /// A lower bound of sigma_min(J) on all of R^p.
    pub least: f64,
    /// An upper bound of norm(J) on all of R^p.
    pub norm: f64,
    /// L.
    pub lipschitz: f64,
}

impl Bounds {
    /// Of a network with one hidden layer: sigma_min at w_0, and global constants above.
    pub fn of<A: ActivationFunction>(problem: &Problem<A>) -> Result<Self, TheoryError> {
        let start = Local::measure(problem, 1.0, &problem.initial)?;
        Ok(Self {
            least_at_start: start.smallest().max(0.0).sqrt(),
            norm_at_start: start.largest().sqrt(),
            least: 0.0,
            norm: problem.network.lipschitz(),
            lipschitz: problem.network.jacobian_lipschitz(),
        })
    }

    /// sigma_min(J) on the ball of a radius, from below (Weyl).
    pub fn least_within(&self, radius: f64) -> f64 {
        self.least.max(self.least_at_start - self.lipschitz * radius)
    }

    /// norm(J) on it, from above.
    pub fn norm_within(&self, radius: f64) -> f64 {
        self.norm.min(self.norm_at_start + self.lipschitz * radius)
    }

    /// The largest alpha_0 with `alpha_0 <= sigma_min(J)` on the ball of radius `reach / alpha_0`, from what is known:
    /// a root of `alpha_0 (sigma - alpha_0) = L reach`. NaN where there is none.
    pub fn largest_least(&self, reach: f64) -> f64 {
        let s = self.least_at_start;
        let root = 0.5 * (s + (s * s - 4.0 * self.lipschitz * reach).sqrt());
        // A bound on all of R^p serves where the root is missing or smaller.
        if self.least > 0.0 && (root.is_nan() || root < self.least) { self.least } else { root }
    }
}

/// alpha_0, beta and eta of a run, with lambda = 1/2 in Theorem 2.1.
#[derive(Clone, Copy)]
pub struct Descent<'a, A> {
    /// What records call it.
    pub name: &'a str,
    /// The problem; its loss is `norm(. - y)^2/2`.
    pub problem: &'a Problem<A>,
    /// What is proven of J.
    pub bounds: Bounds,
    /// alpha_0.
    pub least: f64,
    /// beta.
    pub norm: f64,
    /// norm(r_0).
    pub residual: f64,
    /// lambda in (0, 1].
    pub lambda: f64,
    /// eta.
    pub step: f64,
}

impl<'a, A: ActivationFunction> Descent<'a, A> {
    /// The largest alpha_0, the least beta, and `share` of the largest eta, for lambda.
    pub fn new(
        name: &'a str,
        problem: &'a Problem<A>,
        bounds: Bounds,
        (lambda, share): (f64, f64),
    ) -> Result<Self, TheoryError> {
        let here = Local::measure(problem, 1.0, &problem.initial)?;
        let residual = squared_distance(&here.output, &problem.minimizer()).sqrt();
        // eta beta^2 <= lambda, so that D lies in the ball of radius 2 norm(r_0)/(lambda alpha_0).
        let reach = 2.0 * residual / lambda;
        let least = bounds.largest_least(reach);
        let norm = bounds.norm_within(reach / least);
        let run = Self { name, problem, bounds, least, norm, residual, lambda, step: 0.0 };
        Ok(Self { step: share * run.largest_step(), ..run })
    }

    /// `(1/beta^2) min(lambda, 2 (1 - lambda) alpha_0^2/(L norm(r_0)))`; for lambda = 1/2 that of Theorem 2.1.
    pub fn largest_step(&self) -> f64 {
        let square = self.least * self.least;
        // A linear map has L = 0 and no second bound.
        let bend = self.bounds.lipschitz * self.residual;
        let second = if bend > 0.0 { square / bend } else { f64::INFINITY };
        let largest = if self.lambda.total_cmp(&0.5).is_eq() {
            0.5 * second.min(1.0)
        } else {
            self.lambda.min(2.0 * (1.0 - self.lambda) * second)
        };
        largest / (self.norm * self.norm)
    }

    /// The radius of D.
    pub fn radius(&self) -> f64 {
        if self.lambda.total_cmp(&0.5).is_eq() {
            return 4.0 * self.residual / self.least;
        }
        self.residual / ((self.lambda - 0.5 * self.step * self.norm * self.norm) * self.least)
    }

    fn assumed(&self) -> Vec<Hypothesis> {
        let radius = self.radius();
        // Both sides come from the same singular value of J_0.
        let slack = 1e-12 * self.bounds.norm_at_start;
        let (least, norm) = (self.bounds.least_within(radius), self.bounds.norm_within(radius));
        vec![
            Hypothesis::above("alpha_0", self.least, 0.0),
            Hypothesis::at_most("alpha_0 against sigma_min(J) on D", self.least, least + slack),
            Hypothesis::at_least("beta against norm(J) on D", self.norm, norm - slack),
            Hypothesis::at_most("eta", self.step, self.largest_step() * (1.0 + 1e-12)),
        ]
    }

    /// What rounding does to a residual: f's, and that of the difference from the labels.
    pub(super) fn rounding(&self) -> f64 {
        self.problem.output_rounding(1.0) + 2.0 * f64::EPSILON * self.residual
    }

    /// `steps` iterates.
    pub fn iterate(&self, steps: usize) -> Result<Trajectory, TheoryError> {
        Trajectory::iterate(self.problem, Preconditioner::Gradient, 1.0, self.step, steps)
    }

    /// The rate, the distance and the path: places along the iterates, with `factor` (1 but for a planted bound) at
    /// alpha_0^2 eta lambda.
    fn places(&self, trajectory: &Trajectory, factor: f64) -> [Vec<Comparison>; 3] {
        let target = self.problem.minimizer();
        let rounding = self.rounding();
        let modulus = 1.0 - factor * self.lambda * self.step * self.least * self.least;
        let (mut rate, mut distance) = (Vec::new(), Vec::new());
        let (mut bound, mut path) = (self.residual * self.residual, 0.0);
        for pair in trajectory.samples.windows(2) {
            let (before, now) = (&pair[0], &pair[1]);
            bound *= modulus;
            path += squared_distance(&before.weights, &now.weights).sqrt();
            let left = now.distance_to(&target);
            let at = format!("k = {}", rate.len() + 1);
            let off = 2.0 * rounding * (left + rounding) + 1e-13 * bound;
            rate.push(Comparison::new(left * left, bound, off, at.clone()));
            let moved = 0.25 * self.least * now.deviation + left;
            distance.push(Comparison::new(moved, self.residual, 2.0 * rounding, at));
        }
        let longest = 4.0 * self.residual / self.least;
        let at = format!("{} steps", rate.len());
        let off = rounding / self.least * rate.len() as f64;
        let path = Comparison::new(path, longest, off, at);
        [rate, distance, vec![path]]
    }
}

/// Theorem 2.1 with its three conclusions; `factor` is 1 but for a planted rate.
pub fn theorem_2_1<A: ActivationFunction>(
    run: &Descent<'_, A>,
    trajectory: &Trajectory,
    factor: f64,
) -> Vec<Record> {
    let row = |place, text| Statement { id: "descent/theorem-2-1", place, text };
    let [rate, distance, path] = run.places(trajectory, factor);
    vec![
        row("Theorem 2.1, rate", "norm(r_k)^2 <= (1 - eta alpha_0^2/2)^k norm(r_0)^2").judge(
            run.name,
            run.assumed(),
            rate,
        ),
        row("Theorem 2.1, distance", "(alpha_0/4) norm(w_k - w_0) + norm(r_k) <= norm(r_0)").judge(
            run.name,
            run.assumed(),
            distance,
        ),
        row("Theorem 2.1, path", "sum norm(w_(k+1) - w_k) <= 4 norm(r_0)/alpha_0").judge(
            run.name,
            run.assumed(),
            path,
        ),
    ]
}

/// Theorem 2.3: no point of D is nearer to the labels than its distance allows; `factor` is 1 but for a planted beta.
pub fn theorem_2_3<A: ActivationFunction>(
    run: &Descent<'_, A>,
    trajectory: &Trajectory,
    factor: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "descent/theorem-2-3",
        place: "Theorem 2.3",
        text: "norm(r_0) <= norm(r(w)) + beta norm(w - w_0) on D",
    };
    let (target, initial) = (run.problem.minimizer(), &run.problem.initial);
    let rounding = run.rounding();
    let radius = run.radius();
    let mut places = Vec::new();
    let mut compare = |output: &[f64], away: f64, at: String| {
        let right = squared_distance(output, &target).sqrt() + factor * run.norm * away;
        places.push(Comparison::new(run.residual, right, 2.0 * rounding, at));
    };
    for (k, s) in trajectory.later().iter().enumerate() {
        compare(&s.output, s.deviation, format!("k = {}", k + 1));
    }
    for (k, w) in Sampler::new(60).ball(initial, radius, 4).iter().enumerate().skip(1) {
        let here = Local::measure(run.problem, 1.0, w)?;
        let away = squared_distance(w, initial).sqrt();
        compare(&here.output, away, format!("point {k} of D"));
    }
    let norm = run.bounds.norm_within(radius);
    let slack = 1e-12 * norm;
    let assumed = vec![Hypothesis::at_least("beta against norm(J) on D", run.norm, norm - slack)];
    Ok(row.judge(run.name, assumed, places))
}

/// Theorem 9.3: any lambda in (0, 1]; `factor` is 1 but for a planted rate.
pub fn theorem_9_3<A: ActivationFunction>(
    run: &Descent<'_, A>,
    trajectory: &Trajectory,
    factor: f64,
) -> Record {
    let row = Statement {
        id: "descent/theorem-9-3",
        place: "Theorem 9.3",
        text: "norm(r_k)^2 <= (1 - eta alpha_0^2 lambda)^k norm(r_0)^2",
    };
    let [rate, ..] = run.places(trajectory, factor);
    let mut assumed = run.assumed();
    assumed.push(Hypothesis::above("lambda", run.lambda, 0.0));
    assumed.push(Hypothesis::at_most("lambda", run.lambda, 1.0));
    row.judge(run.name, assumed, rate)
}
