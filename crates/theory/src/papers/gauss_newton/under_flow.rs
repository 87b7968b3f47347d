//! Theorem 5 along the Gauss-Newton flow: rate, radius, decay of the gradient, and their corrected forms.

use gaussflow_solvers::norm;

use crate::TheoryError;
use crate::best_in_class::BestInClass;
use crate::local::Local;
use crate::papers::gauss_newton::under_geometry::corrected_rate;
use crate::papers::gauss_newton::under_immersion::Ball;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::trajectory::{Sample, Trajectory};

/// A Gauss-Newton flow with its best in class.
#[derive(Clone, Copy)]
pub struct UnderRun<'a> {
    /// Problem, constants, alpha and r.
    pub ball: Ball<'a>,
    /// The flow at that alpha.
    pub trajectory: &'a Trajectory,
    /// The optimum it tends to, where it was found.
    pub optimum: Option<&'a BestInClass>,
}

impl UnderRun<'_> {
    fn best(&self) -> f64 {
        self.optimum.map_or(f64::NAN, |o| o.loss)
    }

    /// Loss at w_0.
    fn top(&self) -> f64 {
        self.ball.constants.initial_gap + self.ball.problem.loss.minimum()
    }

    /// The gap at w_0 over the manifold.
    fn initial_gap(&self) -> f64 {
        self.top() - self.best()
    }

    /// Assumptions 2 and 3 and the printed alpha, with the gap over the manifold.
    fn of_theorem_5(&self) -> Vec<Hypothesis> {
        let mut assumed = self.ball.assumed();
        let distance = self.optimum.map_or(f64::NAN, |o| o.distance);
        let threshold =
            self.ball.constants.theorem_5_scaling_for(self.ball.fraction, self.initial_gap());
        assumed.push(Hypothesis::below(
            "norm(w* - w_0) against B's radius (Assumption 3)",
            distance,
            self.ball.radius(),
        ));
        assumed.push(Hypothesis::at_least("alpha against Theorem 5", self.ball.scaling, threshold));
        assumed
    }

    fn of_corrected(&self) -> Result<(Vec<Hypothesis>, f64), TheoryError> {
        let rate = corrected_rate(&self.ball)?;
        let mut assumed = self.ball.assumed();
        let least = rate.least_scaling();
        assumed.push(Hypothesis::at_least("alpha, corrected", self.ball.scaling, least));
        Ok((assumed, rate.theta(self.ball.scaling)))
    }

    /// Delta_t against `factor exp(-rate t)` while the gap can be told from its error.
    fn gaps(&self, factor: f64, rate: f64) -> Vec<Comparison> {
        let best = self.best();
        let later = self.trajectory.later().iter();
        later
            .map(|s| {
                let bound = factor * (-rate * s.time).exp();
                Comparison::new(s.loss - best, bound, 2.0 * s.loss_error, time(s))
            })
            .collect()
    }
}

fn time(sample: &Sample) -> String {
    format!("t = {:.4}", sample.time)
}

/// After Corollary 1: g does not increase on [0, T).
pub fn monotone(run: &UnderRun<'_>) -> Record {
    let row = Statement {
        id: "under/monotone",
        place: "after Corollary 1",
        text: "g at a sample <= g at the sample before, t < T",
    };
    let inside = run.trajectory.inside(run.ball.radius());
    let places = inside.windows(2).map(|pair| {
        let tolerance = pair[0].loss_error + pair[1].loss_error;
        Comparison::new(pair[1].loss, pair[0].loss, tolerance, time(&pair[1]))
    });
    row.judge(&run.ball.name(), run.ball.assumed(), places)
}

/// Assumption 3: norm(w* - w_0) against the radius of B: reported.
pub fn assumption_3(run: &UnderRun<'_>) -> Record {
    let row = Statement {
        id: "under/assumption-3",
        place: "Assumption 3",
        text: "norm(w* - w_0) (left) against B's radius 2 lambda0 r/L (right)",
    };
    let (found, note) = if let Some(optimum) = run.optimum {
        let note = format!(
            "Polished to norm(P grad g) = {:.1e}; smallest eigenvalue of the Riemannian Hessian {:.4}. \
             Section 5 calls it satisfied \"as observed in the figures\", which do not show it.",
            optimum.tangent_gradient, optimum.smallest_curvature
        );
        (optimum.distance, note)
    } else {
        // The flow's limit stands in: where it has come to is at least how far w* is looked for.
        let last = run.trajectory.last();
        let left = format!("left is norm(w_t - w_0) at t = {:.2}.", last.time);
        (last.deviation, format!("No certified optimum; {left}"))
    };
    row.report(&run.ball.name(), found, run.ball.radius(), &note)
}

/// (22) and (24).
pub fn theorem_5_rate(run: &UnderRun<'_>) -> Result<Vec<Record>, TheoryError> {
    let row = |place, text| Statement { id: "under/theorem-5-rate", place, text };
    let nu = run.ball.constants.strong_convexity;
    let theta = corrected_rate(&run.ball)?.theta(run.ball.scaling);
    let note = format!("theta = {theta:.4} at this alpha. ");
    Ok(vec![
        row("Theorem 5, (22)", "Delta_t <= g(0) exp(-2 nu t) for all t")
            .judge(&run.ball.name(), run.of_theorem_5(), run.gaps(run.top(), 2.0 * nu))
            .with_note(&note),
        row("(24)", "Delta_t <= Delta_0 exp(-2 nu t) for all t")
            .judge(&run.ball.name(), run.of_theorem_5(), run.gaps(run.initial_gap(), 2.0 * nu))
            .with_note(&note),
    ])
}

/// The corrected Theorem 5: at its alpha, `g_t - g_inf <= (g_0 - g_inf) exp(-2 theta t)`.
pub fn theorem_5_corrected(run: &UnderRun<'_>) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/theorem-5-rate",
        place: "Theorem 5, corrected",
        text: "alpha >= L/(4 nu lambda0^2) [Gamma/(1-r)^2 + norm(P grad g(0))/(r(1-r))]: g_t - g_inf <= (g_0 - g_inf) exp(-2 theta t)",
    };
    let (assumed, theta) = run.of_corrected()?;
    let share = run.trajectory.largest_deviation().0 / run.ball.radius();
    let places = run.gaps(run.initial_gap(), 2.0 * theta);
    Ok(row.judge(&run.ball.name(), assumed, places).with_note(&format!(
        "theta = {theta:.4}; largest deviation over B's radius {share:.4}. Neither Assumption 3 nor geodesic \
         convexity is used."
    )))
}

/// (23): the flow stays within 2 r lambda0/L, and H >= 4 (1-r)^2 lambda0^2.
pub fn theorem_5_radius(run: &UnderRun<'_>, corrected: Corrections) -> Result<Record, TheoryError> {
    let (place, assumed) = match corrected {
        Corrections::AsPrinted => ("(23)", run.of_theorem_5()),
        Corrections::Applied => ("(23), at the corrected alpha", run.of_corrected()?.0),
    };
    let row = Statement {
        id: "under/theorem-5-radius",
        place,
        text: "max(norm(w_t - w_0)/(2 r lambda0/L), 4 (1-r)^2 lambda0^2/lambda_min(H)) <= 1 for all t",
    };
    let (deviation, at) = run.trajectory.largest_deviation();
    let radius = run.ball.radius();
    let error = run.trajectory.weight_error / radius;
    let mut places = vec![Comparison::new(deviation / radius, 1.0, error, format!("t = {at:.4}"))];
    let bound = (2.0 * (1.0 - run.ball.fraction) * run.ball.constants.lambda0).powi(2);
    let samples = &run.trajectory.samples;
    for s in samples.iter().step_by((samples.len() / 8).max(1)) {
        let here = Local::measure(run.ball.problem, 1.0, &s.weights)?;
        let n = run.ball.problem.outputs() as f64;
        // Rounding of w moves J by L eps norm(w).
        let moved = run.ball.constants.jacobian_lipschitz * f64::EPSILON * norm(&s.weights);
        let tolerance = n * f64::EPSILON * here.largest() / here.smallest()
            + 4.0 * moved / here.smallest().sqrt();
        places.push(Comparison::new(bound / here.smallest(), 1.0, tolerance, time(s)));
    }
    Ok(row.judge(&run.ball.name(), assumed, places))
}

/// Which hypotheses a statement of Theorem 5 is judged under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrections {
    /// The printed ones.
    AsPrinted,
    /// The corrected ones.
    Applied,
}

/// (27): `norm(grad_M g) <= sqrt(2 Delta_0/nu) mu exp(-nu s)`; corrected: `<= norm at 0 exp(-theta s)`.
pub fn gradient_decay(run: &UnderRun<'_>, corrected: Corrections) -> Result<Record, TheoryError> {
    let c = run.ball.constants;
    let (assumed, theta) = run.of_corrected()?;
    let (place, text, assumed, factor, rate) = match corrected {
        Corrections::AsPrinted => (
            "(27)",
            "norm(grad_M g) <= sqrt(2 Delta_0/nu) mu exp(-nu s)",
            run.of_theorem_5(),
            (2.0 * run.initial_gap() / c.strong_convexity).sqrt() * c.smoothness,
            c.strong_convexity,
        ),
        Corrections::Applied => (
            "(27), corrected",
            "norm(grad_M g) <= norm(grad_M g at 0) exp(-theta s)",
            assumed,
            run.trajectory.samples[0].dissipation.max(0.0).sqrt(),
            theta,
        ),
    };
    let row = Statement { id: "under/gradient-decay", place, text };
    let mu = c.smoothness;
    let places = run.trajectory.later().iter().map(|s| {
        let found = s.dissipation.max(0.0).sqrt();
        // grad g is mu-Lipschitz; P turns by less than a tenth of the output's error here, and the
        // direction that gives P grad g is solved to 1e-12.
        let tolerance = 2.0 * mu * s.output_error + 1e-11 * found;
        Comparison::new(found, factor * (-rate * s.time).exp(), tolerance, time(s))
    });
    Ok(row.judge(&run.ball.name(), assumed, places))
}
