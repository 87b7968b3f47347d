//! Theorem 2 and its appendix along the iterates `w <- w - eta H_rho^-1 J^T grad g`.

use gaussflow_objective::{Loss, SmoothMap};
use gaussflow_solvers::{JacobianOperator, inner_product, norm, squared_distance};

use crate::TheoryError;
use crate::network_constants::NetworkConstants;
use crate::problem::Problem;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::sampling::Sampler;
use crate::trajectory::{Sample, Trajectory};

/// Iterates with the constants of their problem.
#[derive(Clone, Copy)]
pub struct Iterates<'a> {
    /// What records call it.
    pub name: &'a str,
    /// The problem.
    pub problem: &'a Problem,
    /// At w_0.
    pub constants: &'a NetworkConstants,
    /// rho in (0, 1).
    pub damping: f64,
    /// alpha eta.
    pub scaled_step: f64,
    /// The iterates; sample k is w_k.
    pub trajectory: &'a Trajectory,
}

impl Iterates<'_> {
    fn kappa(&self) -> f64 {
        (1.0 - self.damping) * self.constants.lambda0.powi(2) + self.damping
    }

    fn gap(&self, sample: &Sample) -> f64 {
        sample.loss - self.problem.loss.minimum()
    }

    /// Hypotheses of Theorem 2 as printed.
    fn of_theorem_2(&self) -> Vec<Hypothesis> {
        let c = self.constants;
        let (alpha, step) = (self.trajectory.scaling, c.theorem_2_step(self.damping));
        vec![
            Hypothesis::above("lambda0", c.lambda0, 0.0),
            Hypothesis::at_most(
                "rho against lambda_n^2/(1+lambda_n^2)",
                self.damping,
                c.largest_damping(),
            ),
            Hypothesis::at_least(
                "alpha against Theorem 2",
                alpha,
                c.theorem_2_scaling(self.damping),
            ),
            self.steps_by("|alpha eta / printed - 1|", step),
            self.bounded_gradient(),
        ]
    }

    /// That alpha eta is `step`, up to rounding.
    fn steps_by(&self, name: &str, step: f64) -> Hypothesis {
        Hypothesis::at_most(name, (self.scaled_step / step - 1.0).abs(), 1e-12)
    }

    /// norm(grad g) along the iterates against Lip_g of the sublevel set.
    fn bounded_gradient(&self) -> Hypothesis {
        let largest = self.trajectory.samples.iter().map(|s| s.gradient_norm).fold(0.0, f64::max);
        let bound = self.constants.gradient_bound();
        // Plain squares attain it at w_0.
        let slack = 8.0 * self.problem.outputs() as f64 * f64::EPSILON * bound;
        Hypothesis::at_most("norm(grad g) on the iterates against Lip_g", largest, bound + slack)
    }

    /// Hypotheses of the repaired rate.
    fn of_repaired(&self) -> Vec<Hypothesis> {
        let c = self.constants;
        let (alpha, step) = (self.trajectory.scaling, c.repaired_step(self.damping));
        vec![
            Hypothesis::above("lambda0", c.lambda0, 0.0),
            Hypothesis::above("rho", self.damping, 0.0),
            Hypothesis::at_least("alpha", alpha, c.repaired_scaling(self.damping)),
            self.steps_by("|alpha eta mu/(1-rho) - 1|", step),
        ]
    }

    /// Delta_k against `Delta_0 modulus^k`.
    fn contraction(&self, modulus: f64) -> Vec<Comparison> {
        let mut bound = self.constants.initial_gap;
        let later = self.trajectory.later().iter().enumerate();
        later
            .map(|(k, s)| {
                bound *= modulus;
                Comparison::new(self.gap(s), bound, s.loss_error, format!("k = {}", k + 1))
            })
            .collect()
    }

    /// The geometric mean decrement a step, `1 - (Delta_K/Delta_0)^(1/K)`.
    fn mean_decrement(&self) -> f64 {
        let steps = self.trajectory.later().len().max(1) as f64;
        1.0 - (self.gap(self.trajectory.last()) / self.constants.initial_gap).powf(1.0 / steps)
    }
}

/// Theorem 2's extra assumption, norm(grad g) <= Lip_g on all of R^n, at a point where strong convexity
/// forbids it; corrected: on {g <= g(0)} with `Lip_g = sqrt(2 mu Delta_0)`.
pub fn bounded_gradient(problem: &Problem, constants: &NetworkConstants, corrected: f64) -> Record {
    let row = Statement {
        id: "over/bounded-gradient",
        place: "Theorem 2",
        text: "norm(grad g(psi)) <= Lip_g for all psi in R^n",
    };
    let n = problem.outputs();
    let loss = &problem.loss;
    let (minimizer, mut gradient) = (problem.minimizer(), vec![0.0; n]);
    let claimed = constants.gradient_bound();
    let mut sampler = Sampler::new(5);
    let mut far = Vec::new();
    let mut near = Vec::new();
    for k in 0..16 {
        let direction = sampler.direction(n);
        let at = |length: f64| -> Vec<f64> {
            minimizer.iter().zip(&direction).map(|(m, d)| m + length * d).collect()
        };
        // norm(grad g) >= nu norm(psi - f*): beyond Lip_g/nu no bound Lip_g can hold, whatever it is.
        loss.gradient(&at(2.0 * claimed / constants.strong_convexity), &mut gradient);
        let place = format!("direction {k}, at distance 2 Lip_g/nu from f*");
        far.push(Comparison::new(norm(&gradient), claimed, 0.0, place));
        // The boundary of {g <= g(0)} on the same ray, by bisection.
        let (mut low, mut high) = (0.0, 2.0 * claimed / constants.strong_convexity);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            let inside = loss.value(&at(middle)) - loss.minimum() <= constants.initial_gap;
            if inside { low = middle } else { high = middle }
        }
        loss.gradient(&at(low), &mut gradient);
        let slack = 8.0 * n as f64 * f64::EPSILON * corrected;
        near.push(Comparison::new(norm(&gradient), corrected, slack, format!("direction {k}")));
    }
    row.judge(
        &problem.name,
        vec![Hypothesis::above("nu", constants.strong_convexity, 0.0)],
        far,
    )
    .with_corrected("norm(grad g) <= sqrt(2 mu Delta_0) on {g <= g(0)}", &[], near)
    .with_note(
        "Lip_g is that of the sublevel set; for any other value the point at twice Lip_g/nu serves as well.",
    )
}

/// The statement of [`theorem_2`].
pub const THEOREM_2: Statement = Statement {
    id: "over/theorem-2",
    place: "Theorem 2, (14)",
    text: "Delta_k <= Delta_0 (1 - (nu/mu) lambda0^4/(lambda_n^2 Lip_f^2) [((1-rho) lambda_n^2+rho)/((1-rho) lambda0^2+rho)]^2)^k",
};

/// (14): `Delta_k <= Delta_0 q^k` with the printed step and alpha.
pub fn theorem_2(run: &Iterates<'_>) -> Record {
    let row = THEOREM_2;
    let modulus = run.constants.theorem_2_modulus(run.damping);
    row.judge(run.name, run.of_theorem_2(), run.contraction(modulus)).with_note(&format!(
        "Mean decrement a step {:.4e}, claimed {:.4e}. The printed eta has 1/sqrt(m) where the appendix has \
         1/(2 mu). ",
        run.mean_decrement(),
        1.0 - modulus
    ))
}

/// Theorem 2 with (10) corrected and the step that its proof then asks for.
pub fn theorem_2_consistent(run: &Iterates<'_>) -> Record {
    let row = Statement {
        id: "over/theorem-2",
        place: "Theorem 2, consistent step",
        text: "alpha eta = (lambda0^2/kappa)/(2 mu Lip_f^2 S): Delta_k <= Delta_0 (1 - nu alpha eta lambda0^2/kappa)^k",
    };
    let c = run.constants;
    let (step, least) = (c.consistent_step(run.damping), c.consistent_scaling(run.damping));
    let assumed = vec![
        Hypothesis::above("lambda0", c.lambda0, 0.0),
        Hypothesis::at_least("alpha", run.trajectory.scaling, least),
        run.steps_by("|alpha eta / consistent - 1|", step),
    ];
    let modulus = c.consistent_modulus(run.damping);
    row.judge(run.name, assumed, run.contraction(modulus)).with_note(&format!(
        "Mean decrement a step {:.4e}, guaranteed {:.4e}.",
        run.mean_decrement(),
        1.0 - modulus
    ))
}

/// The limit of (14) for rho to 0, judged at a small rho with the printed step.
pub fn small_damping_rate(run: &Iterates<'_>) -> Record {
    let row = Statement {
        id: "over/small-damping-rate",
        place: "after Theorem 2",
        text: "rho -> 0: Delta_k <= Delta_0 (1 - (nu/mu) lambda_n^2/Lip_f^2)^k",
    };
    let mut assumed = run.of_theorem_2();
    let square = run.constants.lambda0.powi(2);
    assumed.push(Hypothesis::at_most("rho0/lambda0^2 (the limit)", run.damping / square, 1e-2));
    // (14) at this rho differs from its limit by at most this factor in the decrement.
    let exact = 1.0 - run.constants.theorem_2_modulus(run.damping);
    let limit = 1.0 - run.constants.small_damping_modulus();
    let modulus = 1.0 - limit.min(exact);
    row.judge(run.name, assumed, run.contraction(modulus)).with_note(&format!(
        "Mean decrement a step {:.4e}, claimed {limit:.4e}. ",
        run.mean_decrement()
    ))
}

/// The repaired, conditioning-free discrete rate: alpha eta = (1-rho)/mu.
pub fn repaired_rate(run: &Iterates<'_>) -> Record {
    let row = Statement {
        id: "over/small-damping-rate",
        place: "after Theorem 2, repaired",
        text: "alpha eta = (1-rho)/mu: Delta_k <= Delta_0 (1 - (nu/mu)(1-rho)(lambda0^2/kappa)(1 - 2e - e^2/4))^k, e = O(1/alpha)",
    };
    let (hypotheses, mean) = (run.of_repaired(), run.mean_decrement());
    let Some(modulus) = run.constants.repaired_modulus(run.damping, run.trajectory.scaling) else {
        // Far below the least alpha, a hypothesis that is then unmet.
        let note = format!(
            "Mean decrement a step {mean:.4}; at this alpha e >= 0.472, and nothing is guaranteed."
        );
        return Record { hypotheses, ..row.unavailable(run.name, &note) };
    };
    let note = format!("Mean decrement a step {mean:.4}, guaranteed {:.4}.", 1.0 - modulus);
    row.judge(run.name, hypotheses, run.contraction(modulus)).with_note(&note)
}

/// App. A: N = infinity, the iterates stay within lambda0/L.
pub fn never_exits(run: &Iterates<'_>) -> Record {
    let row = Statement {
        id: "over/never-exits-discrete",
        place: "Appendix A",
        text: "norm(w_k - w_0) <= lambda0/L for all k",
    };
    let (deviation, time) = run.trajectory.largest_deviation();
    let radius = run.constants.lambda0 / run.constants.jacobian_lipschitz_lower;
    let at = format!("k alpha eta = {time:.4}");
    row.judge(run.name, run.of_theorem_2(), [Comparison::new(deviation, radius, 0.0, at)])
}

/// The same at the repaired step and alpha.
pub fn never_exits_repaired(run: &Iterates<'_>) -> Record {
    let row = Statement {
        id: "over/never-exits-discrete",
        place: "Appendix A, repaired",
        text: "alpha eta = (1-rho)/mu at the repaired alpha: norm(w_k - w_0) <= lambda0/L for all k",
    };
    let (deviation, time) = run.trajectory.largest_deviation();
    let at = format!("k alpha eta = {time:.4}");
    let radius = run.constants.kernel_radius();
    row.judge(run.name, run.of_repaired(), [Comparison::new(deviation, radius, 0.0, at)])
}

/// (28) to (32), one record each, along the iterates.
pub fn descent_chain(run: &Iterates<'_>) -> Result<Vec<Record>, TheoryError> {
    let row = |place, text| Statement { id: "over/descent-chain", place, text };
    let (c, problem) = (run.constants, run.problem);
    let (mu, nu) = (c.smoothness, c.strong_convexity);
    let step = run.scaled_step;
    let wide = (1.0 - run.damping) * c.lambda_n.powi(2) + run.damping;
    let second =
        step * step * mu * c.lipschitz_printed.powi(2) * c.lambda_n.powi(2) / (wide * wide);
    let (mut smooth, mut linear, mut whole, mut rate, mut outputs) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut linear_corrected = Vec::new();
    let mut rate_corrected = Vec::new();
    let minimizer = problem.minimizer();
    let factor = 1.0 - step * c.lambda0.powi(2) / run.kappa();
    let with_nu = 1.0 - nu * step * c.lambda0.powi(2) / run.kappa();
    let printed = 0.5 * c.second_bound * (problem.outputs() as f64 / c.hidden as f64).sqrt();
    let mut power = 1.0;
    for (k, pair) in run.trajectory.samples.windows(2).enumerate() {
        let (now, next) = (&pair[0], &pair[1]);
        let at = format!("k = {k}");
        let tolerance = now.loss_error + next.loss_error;
        let move_ = linearization(problem, run.trajectory.scaling, now, next)?;
        let right = now.loss + move_.first + 0.5 * mu * move_.square;
        smooth.push(Comparison::new(next.loss, right, tolerance, at.clone()));
        let moved = squared_distance(&now.weights, &next.weights);
        // f carries rounding, which the quotient divides by the squared step.
        let rounding = 4.0 * problem.output_rounding(1.0) / moved;
        linear.push(Comparison::new(move_.remainder / moved, printed, rounding, at.clone()));
        let half = 0.5 * c.jacobian_lipschitz;
        linear_corrected.push(Comparison::new(move_.remainder / moved, half, rounding, at.clone()));
        let square = now.gradient_norm.powi(2);
        let right = run.gap(now) + (second - step * c.lambda0.powi(2) / run.kappa()) * square;
        whole.push(Comparison::new(run.gap(next), right, tolerance, at.clone()));
        rate.push(Comparison::new(run.gap(next), factor * run.gap(now), tolerance, at.clone()));
        rate_corrected.push(Comparison::new(
            run.gap(next),
            with_nu * run.gap(now),
            tolerance,
            at.clone(),
        ));
        power *= with_nu;
        let bound = 2.0 * c.initial_gap / nu * power;
        let square = next.distance_to(&minimizer).powi(2);
        outputs.push(Comparison::new(square, bound, 2.0 / nu * next.loss_error, at));
    }
    let appendix = Hypothesis::at_most(
        "alpha eta against the appendix's",
        step,
        c.appendix_step(run.damping) * (1.0 + 1e-12),
    );
    let linear_alpha = Hypothesis::at_least(
        "alpha against Theorem 2",
        run.trajectory.scaling,
        c.theorem_2_scaling(run.damping),
    );
    let assumed = || vec![Hypothesis::above("lambda0", c.lambda0, 0.0), run.bounded_gradient()];
    let with_step = || [assumed(), vec![appendix.clone(), linear_alpha.clone()]].concat();
    let root = factor.max(0.0).sqrt();
    let (left, right) = ((1.0 - root).recip(), 2.0 / (1.0 - factor));
    let equality = (left - right).abs();
    Ok(vec![
        row("(28)", "g_(k+1) <= g_k + alpha grad g . df + (alpha^2 mu/2) norm(df)^2")
            .judge(run.name, vec![], smooth),
        row("before (29)", "norm(f_(k+1) - f_k - J dw) / norm(dw)^2 <= (sigma_2/2) sqrt(n/m)")
            .judge(run.name, vec![], linear)
            .with_corrected("at most L/2", &[], linear_corrected)
            .with_note(
                "sqrt(n/m) needs norm(x_j) <= 1 and a network scaled by 1/sqrt(m); here neither is the case.",
            ),
        row("(30)", "Delta_(k+1) <= Delta_k + (-alpha eta lambda0^2/kappa + (alpha eta)^2 mu Lip_f^2 lambda_n^2/((1-rho) lambda_n^2+rho)^2) norm(grad g)^2")
            .judge(run.name, with_step(), whole)
            .with_note("The display before (30) lost a factor alpha. "),
        row("(31)", "Delta_(k+1) <= (1 - alpha eta lambda0^2/kappa) Delta_k")
            .judge(run.name, with_step(), rate)
            .with_corrected("(1 - nu alpha eta lambda0^2/kappa) Delta_k", &with_step(), rate_corrected)
            .with_note("(31) drops nu, which a loss with nu < 1 shows."),
        row("(32)", "norm(alpha f_k - f*)^2 <= (2 Delta_0/nu) q^k, q with its nu")
            .judge(run.name, with_step(), outputs),
        row("below (32)", "|1/(1 - sqrt q) - 2/(1 - q)| <= rounding")
            .judge(
                run.name,
                vec![],
                [Comparison::new(equality, 4.0 * f64::EPSILON * right, 0.0, format!("q = {factor:.6}"))],
            )
            .with_corrected(
                "1/(1 - sqrt q) <= 2/(1 - q)",
                &[],
                [Comparison::new(left, right, 4.0 * f64::EPSILON * right, format!("q = {factor:.6}"))],
            ),
    ])
}

/// What one step changes.
struct Change {
    /// `alpha grad g . (f_(k+1) - f_k)`.
    first: f64,
    /// `alpha^2 norm(f_(k+1) - f_k)^2`.
    square: f64,
    /// `norm(f_(k+1) - f_k - J dw)`.
    remainder: f64,
}

fn linearization(
    problem: &Problem,
    scaling: f64,
    now: &Sample,
    next: &Sample,
) -> Result<Change, TheoryError> {
    let n = problem.outputs();
    let (mut value, mut gradient) = (vec![0.0; n], vec![0.0; n]);
    let mut jacobian = problem.network.new_jacobian();
    problem.network.linearize(&now.weights, &mut value, &mut jacobian)?;
    problem.loss.gradient(&now.output, &mut gradient);
    let step: Vec<f64> = next.weights.iter().zip(&now.weights).map(|(a, b)| a - b).collect();
    let mut image = vec![0.0; n];
    jacobian.apply(&step, &mut image);
    let moved: Vec<f64> =
        next.output.iter().zip(&now.output).map(|(a, b)| (a - b) / scaling).collect();
    Ok(Change {
        first: scaling * inner_product(&gradient, &moved),
        square: scaling * scaling * inner_product(&moved, &moved),
        remainder: squared_distance(&moved, &image).sqrt(),
    })
}
