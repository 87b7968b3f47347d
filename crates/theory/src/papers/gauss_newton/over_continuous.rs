//! Section 3 along the flow: dissipation, rates, and whether it stays in the ball of radius r_0.

use gaussflow_objective::Loss;

use crate::network_constants::NetworkConstants;
use crate::printed::dissipation_rate;
use crate::problem::Problem;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::trajectory::{Sample, Trajectory};

/// A Levenberg-Marquardt or gradient flow with the constants of its problem.
#[derive(Clone, Copy)]
pub struct OverRun<'a> {
    /// What records call it.
    pub name: &'a str,
    /// At w_0.
    pub constants: &'a NetworkConstants,
    /// rho in (0, 1].
    pub damping: f64,
    /// The flow.
    pub trajectory: &'a Trajectory,
    /// `g(f*)`.
    pub minimum: f64,
    /// f*.
    pub minimizer: &'a [f64],
}

impl<'a> OverRun<'a> {
    /// A flow of `problem`, whose `minimizer` the caller keeps.
    pub fn new(
        name: &'a str,
        problem: &Problem,
        (constants, damping): (&'a NetworkConstants, f64),
        trajectory: &'a Trajectory,
        minimizer: &'a [f64],
    ) -> Self {
        let minimum = problem.loss.minimum();
        Self { name, constants, damping, trajectory, minimum, minimizer }
    }

    /// The exponent `2 nu lambda0^2 / (rho + (1-rho) lambda0^2)` of Lemma 1.
    pub fn rate(&self) -> f64 {
        2.0 * self.constants.strong_convexity
            * dissipation_rate(self.constants.lambda0, self.damping)
    }

    /// The samples of t < T.
    fn inside(&self) -> &[Sample] {
        self.trajectory.inside(self.constants.kernel_radius())
    }

    fn of_lemma_1(&self) -> Vec<Hypothesis> {
        vec![
            Hypothesis::above("lambda0", self.constants.lambda0, 0.0),
            Hypothesis::above("rho", self.damping, 0.0),
            Hypothesis::at_most("rho", self.damping, 1.0),
        ]
    }

    /// The hypotheses of Theorem 1: rho in its range, alpha at the threshold (12).
    fn of_theorem_1(&self) -> Vec<Hypothesis> {
        let c = self.constants;
        vec![
            Hypothesis::above("lambda0", c.lambda0, 0.0),
            Hypothesis::above("rho", self.damping, 0.0),
            Hypothesis::at_most(
                "rho against lambda_n^2/(1+lambda_n^2)",
                self.damping,
                c.largest_damping(),
            ),
            Hypothesis::at_least(
                "alpha against (12)",
                self.trajectory.scaling,
                c.theorem_1_scaling(self.damping),
            ),
        ]
    }

    /// The hypothesis of Lemma 2 corrected.
    fn of_corrected_lemma_2(&self) -> Vec<Hypothesis> {
        let threshold = self.constants.never_exits_scaling();
        let scaling = self.trajectory.scaling;
        vec![
            Hypothesis::above("lambda0", self.constants.lambda0, 0.0),
            Hypothesis::at_least(
                "alpha against (L/lambda0^2) sqrt(2 Delta_0/nu)",
                scaling,
                threshold,
            ),
        ]
    }

    /// Delta_t against `factor exp(-rate t)` at `samples`.
    fn gaps(&self, samples: &[Sample], factor: f64, rate: f64) -> Vec<Comparison> {
        let compare = |s: &Sample| {
            let bound = factor * (-rate * s.time).exp();
            Comparison::new(s.loss - self.minimum, bound, s.loss_error, time(s))
        };
        samples.iter().skip(1).map(compare).collect()
    }
}

fn time(sample: &Sample) -> String {
    format!("t = {:.4}", sample.time)
}

/// Lemma 1's rows along a flow.
pub fn lemma_1(run: &OverRun<'_>, outputs: usize) -> Vec<Record> {
    vec![
        energy_dissipation(run),
        polyak_lojasiewicz(run, outputs, run.constants.strong_convexity),
        gap_bound(run),
        output_bound(run),
    ]
}

/// (EDI), (5): `dg/dt <= -lambda0^2/(rho + (1-rho) lambda0^2) norm(grad g)^2`, t < T.
pub fn energy_dissipation(run: &OverRun<'_>) -> Record {
    let row = Statement {
        id: "over/energy-dissipation",
        place: "(EDI), (5)",
        text: "lambda0^2/(rho + (1-rho) lambda0^2) norm(grad g)^2 <= -dg/dt, t < T",
    };
    let rate = dissipation_rate(run.constants.lambda0, run.damping);
    let places = run.inside().iter().map(|s| {
        // Directions solve their system to 1e-12 of the right-hand side.
        let tolerance = 1e-11 * s.dissipation.abs();
        Comparison::new(rate * s.gradient_norm.powi(2), s.dissipation, tolerance, time(s))
    });
    row.judge(run.name, run.of_lemma_1(), places).with_note(
        "The text derives it with the Polyak-Lojasiewicz inequality, which it does not need.",
    )
}

/// `2 nu Delta <= norm(grad g)^2`, with the modulus `nu`.
pub fn polyak_lojasiewicz(run: &OverRun<'_>, outputs: usize, nu: f64) -> Record {
    let row = Statement {
        id: "over/polyak-lojasiewicz",
        place: "Lemma 1, proof",
        text: "2 nu Delta_t <= norm(grad g)^2",
    };
    let places = run.trajectory.samples.iter().map(|s| {
        let square = s.gradient_norm.powi(2);
        // Both sides are sums of n squares.
        let tolerance = 4.0 * outputs as f64 * f64::EPSILON * (square + 2.0 * nu * s.loss);
        Comparison::new(2.0 * nu * (s.loss - run.minimum), square, tolerance, time(s))
    });
    row.judge(run.name, vec![Hypothesis::above("nu", nu, 0.0)], places)
        .with_note("An equality for plain squares.")
}

/// (2), (6): `Delta_t <= Delta_0 exp(-2 nu lambda0^2 t/(rho + (1-rho) lambda0^2))`, t < T.
pub fn gap_bound(run: &OverRun<'_>) -> Record {
    let row = Statement {
        id: "over/gap-bound",
        place: "(2), (6)",
        text: "Delta_t <= Delta_0 exp(-2 nu lambda0^2 t/(rho + (1-rho) lambda0^2)), t < T",
    };
    let places = run.gaps(run.inside(), run.constants.initial_gap, run.rate());
    row.judge(run.name, run.of_lemma_1(), places)
}

/// (3), (7): `norm(alpha f - f*)^2 <= (2 Delta_0/nu) exp(-rate t)`, t < T.
pub fn output_bound(run: &OverRun<'_>) -> Record {
    let row = Statement {
        id: "over/output-bound",
        place: "(3), (7)",
        text: "norm(alpha f - f*)^2 <= (2 Delta_0/nu) exp(-2 nu lambda0^2 t/(rho + (1-rho) lambda0^2)), t < T",
    };
    let nu = run.constants.strong_convexity;
    let factor = 2.0 * run.constants.initial_gap / nu;
    let places = run.inside().iter().skip(1).map(|s| {
        let square = s.distance_to(run.minimizer).powi(2);
        // (nu/2) norm^2 <= gap: an error of the gap is at most 2/nu of one of the square.
        let bound = factor * (-run.rate() * s.time).exp();
        Comparison::new(square, bound, 2.0 / nu * s.loss_error, time(s))
    });
    row.judge(run.name, run.of_lemma_1(), places)
}

/// Lemma 2: alpha at the threshold keeps the flow within r_0. The printed statement is given the larger
/// radius lambda0 / (lower bound of L), the corrected one the smaller.
pub fn never_exits(run: &OverRun<'_>) -> Record {
    let row = Statement {
        id: "over/never-exits",
        place: "Lemma 2",
        text: "alpha at (12) or above: norm(w_t - w_0) <= r_0 = lambda0/L for all t",
    };
    let c = run.constants;
    let (deviation, at) = run.trajectory.largest_deviation();
    let place = |radius: f64| {
        let at = format!("t = {at:.4}");
        Comparison::new(deviation, radius, run.trajectory.weight_error, at)
    };
    let mut assumed = run.of_theorem_1();
    let stated = c.lemma_2_scaling(run.damping);
    assumed.push(Hypothesis::at_least(
        "alpha against Lemma 2 as stated, without L",
        run.trajectory.scaling,
        stated,
    ));
    let generous = c.lambda0 / c.jacobian_lipschitz_lower;
    let judged = row.judge(run.name, assumed, [place(generous)]);
    let exit = run.trajectory.samples.iter().find(|s| s.deviation > generous);
    let note = exit.map_or(String::new(), |s| format!("Outside r_0 from t = {:.3} on. ", s.time));
    judged.with_note(&note)
}

/// Lemma 2 corrected, as its own record: alpha at `(L/lambda0^2) sqrt(2 Delta_0/nu)`, every rho in (0, 1].
pub fn never_exits_corrected(run: &OverRun<'_>) -> Record {
    let row = Statement {
        id: "over/never-exits",
        place: "Lemma 2, corrected",
        text: "alpha >= (L/lambda0^2) sqrt(2 Delta_0/nu), any rho in (0, 1]: norm(w_t - w_0) <= sqrt(2 Delta_0/nu)/(alpha lambda0) <= r_0",
    };
    let bound = run.constants.deviation_bound(run.trajectory.scaling);
    let (deviation, at) = run.trajectory.largest_deviation();
    let at = format!("t = {at:.4}");
    let place = Comparison::new(deviation, bound, run.trajectory.weight_error, at);
    let share = deviation / run.constants.kernel_radius();
    row.judge(run.name, run.of_corrected_lemma_2(), [place])
        .with_note(&format!("Largest deviation over r_0: {share:.3}. "))
}

/// Theorem 1, (11): the gap bound for all t at the alpha of (12).
pub fn theorem_1(run: &OverRun<'_>) -> Record {
    let row = Statement {
        id: "over/theorem-1",
        place: "Theorem 1, (11)",
        text: "Delta_t <= g(0) exp(-2 nu lambda0^2 t/(rho + (1-rho) lambda0^2)) for all t",
    };
    let zero = run.constants.initial_gap + run.minimum;
    let places = run.gaps(&run.trajectory.samples, zero, run.rate());
    row.judge(run.name, run.of_theorem_1(), places).with_note(
        "Its proof rests on Lemma 2's threshold, which does not keep the flow in the ball; the corrected \
         threshold does. ",
    )
}

/// Theorem 1 at the corrected alpha of Lemma 2, as its own record.
pub fn theorem_1_corrected(run: &OverRun<'_>) -> Record {
    let row = Statement {
        id: "over/theorem-1",
        place: "Theorem 1, corrected",
        text: "alpha >= (L/lambda0^2) sqrt(2 Delta_0/nu), any rho in (0, 1]: Delta_t <= Delta_0 exp(-2 nu lambda0^2 t/(rho + (1-rho) lambda0^2)) for all t",
    };
    let places = run.gaps(&run.trajectory.samples, run.constants.initial_gap, run.rate());
    row.judge(run.name, run.of_corrected_lemma_2(), places)
}

/// rho = lambda0^2 in Theorem 1 gives `Delta_t <= g(0) exp(-nu t)`.
pub fn damping_equals_lambda(run: &OverRun<'_>) -> Record {
    let row = Statement {
        id: "over/damping-equals-lambda",
        place: "after Theorem 1",
        text: "rho = lambda0^2: Delta_t <= g(0) exp(-nu t) for all t",
    };
    let nu = run.constants.strong_convexity;
    let zero = run.constants.initial_gap + run.minimum;
    let square = run.constants.lambda0.powi(2);
    let mut assumed = run.of_theorem_1();
    assumed.push(Hypothesis::at_most("|rho - lambda0^2|", (run.damping - square).abs(), 1e-12));
    row.judge(run.name, assumed, run.gaps(&run.trajectory.samples, zero, nu)).with_note(
        "Needs lambda0^2 <= lambda_n^2/(1+lambda_n^2) < 1. The exact exponent is 2 nu/(2 - lambda0^2). ",
    )
}

/// rho = lambda0^2/(1+lambda0^2), always admissible: exponent `nu (1 + lambda0^2)`.
pub fn admissible_damping(run: &OverRun<'_>) -> Record {
    let row = Statement {
        id: "over/damping-equals-lambda",
        place: "after Theorem 1, corrected",
        text: "rho = lambda0^2/(1+lambda0^2): Delta_t <= g(0) exp(-nu (1+lambda0^2) t) for all t",
    };
    let square = run.constants.lambda0.powi(2);
    let rate = run.constants.strong_convexity * (1.0 + square);
    let zero = run.constants.initial_gap + run.minimum;
    let mut assumed = run.of_corrected_lemma_2();
    let distance = (run.damping - square / (1.0 + square)).abs();
    assumed.push(Hypothesis::at_most("|rho - lambda0^2/(1+lambda0^2)|", distance, 1e-12));
    row.judge(run.name, assumed, run.gaps(&run.trajectory.samples, zero, rate))
}

/// Remark 2: gradient flow has `Delta_t <= Delta_0 exp(-2 nu lambda0^2 t)`.
pub fn gradient_flow_rate(run: &OverRun<'_>) -> Record {
    let row = Statement {
        id: "over/gradient-flow-rate",
        place: "Remark 2",
        text: "rho = 1: Delta_t <= Delta_0 exp(-2 nu lambda0^2 t), t < T",
    };
    let mut assumed = run.of_lemma_1();
    assumed.push(Hypothesis::at_least("rho", run.damping, 1.0));
    let places = run.gaps(run.inside(), run.constants.initial_gap, run.rate());
    let all = run.gaps(&run.trajectory.samples, run.constants.initial_gap, run.rate());
    row.judge(run.name, assumed, places)
        .with_corrected(
            "the same for all t at alpha >= (L/lambda0^2) sqrt(2 Delta_0/nu)",
            &run.of_corrected_lemma_2(),
            all,
        )
        .with_note(&format!(
            "rho = 1 lies outside Theorem 1 (rho <= {:.6}); Lemma 1 covers t < T.",
            run.constants.largest_damping()
        ))
}
