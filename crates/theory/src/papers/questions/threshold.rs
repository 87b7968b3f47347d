//! How far above and below the true threshold are the alphas that theorems ask for?
//!
//! The true one is the alpha at which the largest `norm(w_t - w_0)` of a flow is the radius of its ball: the flow leaves
//! below it and stays above.

use gaussflow_dynamics::Preconditioner;

use crate::TheoryError;
use crate::local::Local;
use crate::network_constants::NetworkConstants;
use crate::papers::gauss_newton::under_geometry::corrected_rate;
use crate::papers::gauss_newton::under_immersion::Ball;
use crate::papers::later::flows::{Course, FINE, follow};
use crate::papers::later::runs::FRACTION;
use crate::problem::Problem;
use crate::referee::{Effort, Measurements, Plot, Record, Rows, Statement, Table};

/// rho of the overparameterized flows.
const DAMPING: f64 = 0.1;
/// Rows of the overparameterized problems: as few as let 1024 units be cheap.
const FEW: usize = 16;
/// Ratio of the ends of the bracket at which the search is done.
const NARROW: f64 = 1.02;
/// Runs that a search may take.
const RUNS: usize = 40;

/// A flow and a ball around w_0 that it may leave.
#[derive(Clone, Copy)]
pub struct Exit<'p> {
    /// The problem.
    pub problem: &'p Problem,
    /// Which flow.
    pub preconditioner: Preconditioner,
    /// The ball's.
    pub radius: f64,
}

/// The ends between which the true threshold lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bracket {
    /// An alpha at which the flow leaves.
    pub leaves: f64,
    /// An alpha, at most 2 % larger, at which it stays.
    pub stays: f64,
}

impl Bracket {
    /// The geometric mean.
    pub fn middle(&self) -> f64 {
        (self.leaves * self.stays).sqrt()
    }
}

impl Exit<'_> {
    /// The largest distance from w_0 at alpha = `scaling`, over the radius.
    ///
    /// The flow is followed for 10 times as long as its slowest mode needs to fall by e where f is linear.
    pub fn share(&self, scaling: f64) -> Result<f64, TheoryError> {
        let Self { problem, preconditioner, radius } = *self;
        let rho = preconditioner.damping();
        let slowest = Local::measure(problem, scaling, &problem.initial)?.smallest();
        let rate = slowest / ((1.0 - rho) * slowest + rho);
        let horizon = 10.0 / (problem.loss.strong_convexity() * rate);
        let course = Course { preconditioner, scaling, horizon, samples: 40, tolerance: FINE };
        let followed = follow(problem, &course)?;
        if followed.gave_up() {
            let time = followed.outcome.final_time;
            let reason = "it took too many linearizations".to_owned();
            return Err(TheoryError::Ended { time, horizon, reason });
        }
        Ok(followed.trajectory.largest_deviation().0 / radius)
    }

    /// The threshold, by bisection of log alpha that first tries `alpha share(alpha)`: the deviation is nearly
    /// proportional to 1/alpha.
    ///
    /// # Errors
    /// [`TheoryError::NotConverged`] where 40 runs do not narrow the bracket.
    pub fn threshold(&self) -> Result<Bracket, TheoryError> {
        let Self { problem, radius, .. } = *self;
        let start = Local::measure(problem, 1.0, &problem.initial)?;
        // Where f is linear the flow ends at J^+ (f* - f), which is J^+ grad g / nu for squares.
        let far = start.quadratic_form(&start.gradient, f64::recip).sqrt();
        let mut alpha = far / (problem.loss.strong_convexity() * radius);
        let (mut leaves, mut stays) = (0.0, f64::INFINITY);
        for _ in 0..RUNS {
            let share = self.share(alpha)?;
            if share >= 1.0 {
                leaves = alpha;
            } else {
                stays = alpha;
            }
            if stays <= NARROW * leaves {
                return Ok(Bracket { leaves, stays });
            }
            // A little beyond where a deviation proportional to 1/alpha would be the radius.
            let beyond = if share >= 1.0 { 1.008 } else { 1.0 / 1.008 };
            let next = alpha * share * beyond;
            alpha = if leaves < next && next < stays { next } else { (leaves * stays).sqrt() };
        }
        let what = "the alpha at which a flow leaves its ball: ratio of the bracket's ends";
        Err(TheoryError::NotConverged { what, found: stays / leaves, wanted: NARROW, steps: RUNS })
    }
}

/// Threshold and formulas on one problem.
struct Case {
    name: String,
    hidden: usize,
    truth: f64,
    /// Name in the legend, and alpha.
    formulas: Vec<(&'static str, f64)>,
}

/// Section 3: the Levenberg-Marquardt flow and r_0 = lambda0/L.
pub(super) fn over(sets: &[Rows], effort: Effort) -> Result<Measurements, TheoryError> {
    let widths: &[usize] = effort.choose(&[32], &[32, 64, 128, 256, 512, 1024]);
    let mut cases = Vec::new();
    for (&hidden, rows) in widths.iter().flat_map(|m| sets.iter().map(move |rows| (m, rows))) {
        let problem = rows.first(FEW).problem(hidden)?;
        let constants = NetworkConstants::measure(&problem)?;
        let preconditioner = Preconditioner::LevenbergMarquardt { damping: DAMPING };
        let exit = Exit { problem: &problem, preconditioner, radius: constants.kernel_radius() };
        let truth = exit.threshold()?.middle();
        let formulas = vec![
            ("(12), printed", constants.theorem_1_scaling(DAMPING)),
            ("Lemma 2 as stated", constants.lemma_2_scaling(DAMPING)),
            ("Lemma 2, corrected", constants.never_exits_scaling()),
        ];
        cases.push(Case { name: problem.name.clone(), hidden, truth, formulas });
    }
    Ok(report(&cases))
}

/// Section 4: the Gauss-Newton flow and B at r = 1/2.
pub(super) fn under(sets: &[Rows], effort: Effort) -> Result<Measurements, TheoryError> {
    let widths: &[usize] = effort.choose(&[2], &[2, 4, 6, 9, 12, 18]);
    let mut cases = Vec::new();
    for (&hidden, rows) in widths.iter().flat_map(|m| sets.iter().map(move |rows| (m, rows))) {
        let problem = rows.problem(hidden)?;
        let constants = NetworkConstants::measure(&problem)?;
        let preconditioner = Preconditioner::GaussNewton;
        let radius = constants.ball_radius(FRACTION);
        let truth = Exit { problem: &problem, preconditioner, radius }.threshold()?.middle();
        let (problem, constants) = (&problem, &constants);
        let ball = Ball { problem, constants, scaling: truth, fraction: FRACTION, points: 0 };
        let formulas = vec![
            ("Theorem 5, printed", constants.theorem_5_scaling(FRACTION)),
            ("Theorem 5, corrected", corrected_rate(&ball)?.least_scaling()),
        ];
        cases.push(Case { name: problem.name.clone(), hidden, truth, formulas });
    }
    Ok(report(&cases))
}

/// A curve a formula, a row and a record a problem and formula.
fn report(cases: &[Case]) -> Measurements {
    let mut plot = Plot::new(
        "audit_question_threshold",
        "How far is the α of a theorem from the true threshold?",
        "True α: the least at which the flow stays in its ball. Below 1 a formula asks for too little, and the flow leaves its ball; far above 1 it asks for more than is needed. 16 rows (section 3), 256 rows (section 4); geometric mean over seeds.",
        ("hidden units m", "α of the formula / true α"),
    )
    .logarithmic(true, true)
    .line("the true threshold", 1.0);
    let mut widths: Vec<usize> = cases.iter().map(|case| case.hidden).collect();
    widths.dedup();
    for k in 0..cases.first().map_or(0, |case| case.formulas.len()) {
        // The geometric mean over seeds.
        let mean = |&hidden: &usize| {
            let of = cases.iter().filter(|case| case.hidden == hidden);
            let logs: Vec<f64> = of.map(|case| (case.formulas[k].1 / case.truth).ln()).collect();
            (logs.iter().sum::<f64>() / logs.len() as f64).exp()
        };
        let x = widths.iter().map(|&hidden| hidden as f64).collect();
        plot = plot.curve(cases[0].formulas[k].0, x, widths.iter().map(mean).collect());
    }
    let pairs = || cases.iter().flat_map(|case| case.formulas.iter().map(move |f| (case, f)));
    let cells = |(case, (name, alpha)): (&Case, &(&'static str, f64))| {
        let ratio = format!("{:.3e}", alpha / case.truth);
        let (truth, alpha) = (format!("{:.4e}", case.truth), format!("{alpha:.4e}"));
        vec![case.name.clone(), truth, (*name).to_owned(), alpha, ratio]
    };
    let table = Table {
        title: "Thresholds of the theorems against the true ones".to_owned(),
        legend: format!(
            "The true alpha is where the flow's largest distance from w_0 is the ball's radius, within 1 %: r_0 and the \
             Levenberg-Marquardt flow, rho = {DAMPING}, for Lemma 2 and (12); B at r = {FRACTION} and the Gauss-Newton \
             flow for Theorem 5."
        ),
        head: vec!["problem", "true alpha", "formula", "its alpha", "ratio"],
        rows: pairs().map(cells).collect(),
    };
    let record = |(case, (name, alpha)): (&Case, &(&'static str, f64))| -> Record {
        let text =
            "alpha of a theorem (left), the alpha below which the flow leaves its ball (right)";
        let row = Statement { id: "question/threshold", place: name, text };
        let side = if *alpha < case.truth { "below" } else { "above" };
        let note = format!(
            "The formula is a factor {:.3e} of the true alpha, {side} it. ",
            alpha / case.truth
        );
        row.report(&case.name, *alpha, case.truth, &note)
    };
    let records = pairs().map(record).collect();
    Measurements { records, plots: vec![plot], tables: vec![table], ..Measurements::default() }
}
