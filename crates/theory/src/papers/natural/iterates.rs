//! The statements along the iterates of undamped Gauss-Newton.

use gaussflow_dynamics::Preconditioner;
use gaussflow_network::ActivationFunction;
use gaussflow_objective::LipschitzConstants;
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::squared_distance;

use crate::TheoryError;
use crate::local::Local;
use crate::problem::{Problem, half_squares};
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::sampling::Sampler;
use crate::trajectory::Trajectory;

/// Iterates with what the theorem is stated in.
#[derive(Clone)]
pub struct Natural<'a, A> {
    /// What records call it.
    pub name: &'a str,
    /// The problem; its loss is `norm(. - y)^2/2`.
    pub problem: &'a Problem<A>,
    /// alpha.
    pub scaling: f64,
    /// C.
    pub stability: f64,
    /// eta.
    pub step: f64,
    /// sigma_min(Df(w_0)).
    pub least: f64,
    /// L, of Df.
    pub lipschitz: f64,
    /// The iterates; sample k is w_k.
    pub trajectory: Trajectory,
}

/// `9 L norm(y) / (C lambda_min(K_0))`, the least alpha for which the theorem's condition follows from L, nullified.
pub fn least_scaling(lipschitz: f64, residual: f64, least: f64, stability: f64) -> f64 {
    9.0 * lipschitz * residual / (stability * least * least)
}

/// `(1 - 2C)/(1 + C)^2`, the largest eta of the theorem.
pub fn largest_step(stability: f64) -> f64 {
    (1.0 - 2.0 * stability) / ((1.0 + stability) * (1.0 + stability))
}

impl<'a, A: ActivationFunction> Natural<'a, A> {
    /// `steps` iterates from w_0.
    pub fn iterate(
        name: &'a str,
        problem: &'a Problem<A>,
        (scaling, stability, step): (f64, f64, f64),
        steps: usize,
    ) -> Result<Self, TheoryError> {
        let start = Local::measure(problem, scaling, &problem.initial)?;
        let least = start.smallest().max(0.0).sqrt();
        let lipschitz = problem.network.jacobian_lipschitz();
        let newton = Preconditioner::GaussNewton;
        let trajectory = Trajectory::iterate(problem, newton, scaling, step / scaling, steps)?;
        Ok(Self { name, problem, scaling, stability, step, least, lipschitz, trajectory })
    }

    fn residual(&self) -> f64 {
        self.trajectory.samples[0].distance_to(&self.problem.minimizer())
    }

    /// The radius of the theorem's ball, `3 norm(r_0)/sqrt(lambda_min(G_0))`.
    fn radius(&self) -> f64 {
        3.0 * self.residual() / (self.scaling * self.least)
    }

    /// That J keeps within C/3 of sqrt(lambda_min(G_0)) on the ball, by L.
    fn assumed(&self, largest_step: f64) -> Vec<Hypothesis> {
        let moved = self.lipschitz * self.radius();
        // At the least alpha both sides are the same number.
        let allowed = self.stability / 3.0 * self.least * (1.0 + 1e-9);
        vec![
            Hypothesis::above("sigma_min(J_0)", self.least, 0.0),
            Hypothesis::at_most("norm(J - J_0)/alpha on the ball, by L", moved, allowed),
            Hypothesis::below("C", self.stability, 0.5),
            Hypothesis::at_most("eta", self.step, largest_step * (1.0 + 1e-12)),
        ]
    }

    /// What rounding does to a residual.
    fn rounding(&self) -> f64 {
        self.problem.output_rounding(self.scaling) + 2.0 * f64::EPSILON * self.residual()
    }

    /// norm(r_k).
    fn residuals(&self) -> Vec<f64> {
        let target = self.problem.minimizer();
        self.trajectory.samples.iter().map(|s| s.distance_to(&target)).collect()
    }
}

/// Theorem 1: `norm(r_k)^2 <= (1 - eta)^k norm(r_0)^2`; `factor` is 1 but for a planted rate.
pub fn theorem_1<A: ActivationFunction>(run: &Natural<'_, A>, factor: f64) -> Record {
    let row = Statement {
        id: "natural/theorem-1",
        place: "Theorem 1",
        text: "norm(r_k)^2 <= (1 - eta)^k norm(r_0)^2",
    };
    let residuals = run.residuals();
    let mut bound = residuals[0] * residuals[0];
    let places = residuals.iter().enumerate().skip(1).map(|(k, r)| {
        bound *= 1.0 - factor * run.step;
        let off = run.rounding();
        Comparison::new(r * r, bound, 2.0 * off * (r + off) + 1e-13 * bound, format!("k = {k}"))
    });
    let places: Vec<Comparison> = places.collect();
    row.judge(run.name, run.assumed(largest_step(run.stability)), places)
}

/// The sharper form: every eta up to 1, each step by itself, and the length of the path. C' is multiplied by `factor`
/// (1 but for a planted rate).
pub fn sharper<A: ActivationFunction>(run: &Natural<'_, A>, factor: f64) -> Vec<Record> {
    let row = |place, text| Statement { id: "natural/sharper", place, text };
    let (c, residuals) = (run.stability, run.residuals());
    let loss = factor * 2.0 * c / (3.0 - c);
    let modulus = 1.0 - run.step * (1.0 - loss);
    let each = residuals.windows(2).enumerate().map(|(k, pair)| {
        let at = format!("k = {k}");
        Comparison::new(pair[1], modulus * pair[0], 2.0 * run.rounding(), at)
    });
    let path: f64 = run
        .trajectory
        .samples
        .windows(2)
        .map(|pair| squared_distance(&pair[0].weights, &pair[1].weights).sqrt())
        .sum();
    let longest = factor * residuals[0] / ((1.0 - c) * run.scaling * run.least);
    let steps = residuals.len() as f64;
    let off = steps * run.rounding() / (run.scaling * run.least);
    let place = Comparison::new(path, longest, off, format!("{steps} iterates"));
    vec![
        row(
            "sharper rate",
            "norm(r_(k+1)) <= (1 - eta (1 - C')) norm(r_k), C' = 2C/(3-C), every eta <= 1",
        )
        .judge(run.name, run.assumed(1.0), each.collect::<Vec<_>>()),
        row("path", "sum norm(w_(k+1) - w_k) <= norm(r_0)/((1-C) sqrt(lambda_min(G_0)))").judge(
            run.name,
            run.assumed(1.0),
            [place],
        ),
    ]
}

/// The condition of Theorem 1 at `alpha >= 9 L norm(y)/(C lambda_min(K_0))`: J at points of the ball. `factor` multiplies
/// the claimed bound (1 but for a planted one).
pub fn scaling<A: ActivationFunction>(
    run: &Natural<'_, A>,
    factor: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "natural/scaling",
        place: "condition on alpha",
        text: "norm(J(w) - J_0) <= (C/3) sqrt(lambda_min(G_0)) for norm(w - w_0) <= 3 norm(r_0)/sqrt(lambda_min(G_0))",
    };
    let least = least_scaling(run.lipschitz, run.residual(), run.least, run.stability);
    let assumed = vec![
        Hypothesis::above("sigma_min(J_0)", run.least, 0.0),
        Hypothesis::at_least("alpha against 9 L norm(y)/(C lambda_min(K_0))", run.scaling, least),
    ];
    let start = Local::measure(run.problem, 1.0, &run.problem.initial)?;
    let right = factor * run.scaling * run.stability / 3.0 * run.least;
    let mut places = Vec::new();
    let points = Sampler::new(70).ball(&run.problem.initial, run.radius(), 6);
    for (k, w) in points.iter().enumerate().skip(1) {
        let here = Local::measure(run.problem, 1.0, w)?;
        let change: Mat<f64> = &here.jacobian - &start.jacobian;
        let left = run.scaling * crate::local::operator_norm_lower(&change);
        let off = run.scaling * 8.0 * f64::EPSILON * start.jacobian.norm_l2();
        places.push(Comparison::new(left, right, off, format!("point {k} of the ball")));
    }
    Ok(row.judge(run.name, assumed, places))
}

/// Whole steps: `norm(r_(k+1)) <= L norm(r_k)^2/(2 alpha sigma_min^2)`, sigma_min of Df at w_k; `factor` multiplies L
/// (1 but for a planted bound).
pub fn quadratic<A: ActivationFunction>(
    run: &Natural<'_, A>,
    factor: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "natural/quadratic",
        place: "whole steps",
        text: "eta = 1: norm(r_(k+1)) <= L norm(r_k)^2/(2 alpha sigma_min(Df(w_k))^2)",
    };
    let (residuals, rounding) = (run.residuals(), run.rounding());
    let mut places = Vec::new();
    for (k, pair) in residuals.windows(2).enumerate() {
        let here = Local::measure(run.problem, 1.0, &run.trajectory.samples[k].weights)?;
        let bound = factor * run.lipschitz * pair[0] * pair[0]
            / (2.0 * run.scaling * here.smallest().max(0.0));
        let off = 4.0 * rounding + 1e-12 * pair[0];
        places.push(Comparison::new(pair[1], bound, off, format!("k = {k}")));
    }
    let assumed = vec![
        Hypothesis::above("sigma_min(J_0)", run.least, 0.0),
        Hypothesis::at_least("eta", run.step, 1.0),
        Hypothesis::at_most("eta", run.step, 1.0),
    ];
    Ok(row.judge(run.name, assumed, places))
}

/// The slope of log norm(r_1) over log norm(r_0) is `order` (2): first whole steps with the labels multiplied by 1, 1/10
/// and 1/100.
pub fn quadratic_order<A: ActivationFunction + Clone>(
    name: &str,
    problem: &Problem<A>,
    scaling: f64,
    order: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "natural/quadratic",
        place: "whole steps, order",
        text: "|slope of log norm(r_1) over log norm(r_0) - 2| <= 0.1, labels nearer and nearer",
    };
    let mut points = Vec::new();
    let mut moved = problem.clone();
    for share in [1.0, 0.1, 0.01] {
        moved.loss = half_squares(problem.minimizer().iter().map(|y| share * y).collect())?;
        let run = Natural::iterate(name, &moved, (scaling, 0.0, 1.0), 1)?;
        let residuals = run.residuals();
        points.push((residuals[0].ln(), residuals[1].ln()));
    }
    let places = points.windows(2).map(|pair| {
        let slope = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
        let at = format!("norm(r_0) = {:.2e}, slope {slope:.4}", pair[1].0.exp());
        Comparison::new((slope - order).abs(), 0.1, 0.0, at)
    });
    Ok(row.judge(name, vec![], places.collect::<Vec<_>>()))
}
