//! Is the loss at the first rank loss predicted by anything at w_0? Rank correlations over seeds at alpha = 1/8.

use gaussflow_dynamics::Preconditioner;
use gaussflow_manifold::OutputManifold;
use gaussflow_solvers::{inner_product, norm};

use crate::TheoryError;
use crate::local::Local;
use crate::network_constants::NetworkConstants;
use crate::papers::later::flows::{COARSE, Course, follow};
use crate::papers::later::runs::regression;
use crate::papers::questions::rank_correlation::{by_chance, spearman, spearman_within};
use crate::problem::Problem;
use crate::referee::{Effort, Measurements, Plot, Rows, Statement, Table};
use crate::sampling::shifted;

/// alpha of the paper's collapsing runs.
const SCALING: f64 = 0.125;
/// Rows and units: half of the paper's, for as many runs as tell a correlation of 0.4 from chance.
const ROWS: usize = 128;
const HIDDEN: usize = 9;
/// Runs over all sets of rows.
const RUNS: usize = 60;
/// Until when rank may be lost.
const HORIZON: f64 = 5.0;
/// Names of what is known at w_0, in the order of [`predictors`].
/// g(0) and L are the same for all draws on one set of rows; the loss at the linearized optimum and alpha over Theorem 5's
/// are monotone functions of norm(P grad g) and of lambda0 there.
const PREDICTORS: [&str; 7] = [
    "‖P∇g‖₂",
    "‖α dw/dt‖₂",
    "λ₀",
    "λₙ",
    "cond(J₀)",
    "smallest eigenvalue of the Riemannian Hessian",
    "g where singular values, moving straight on, would vanish",
];

/// One run.
struct Run {
    /// Which rows.
    set: usize,
    /// g at the first rank loss.
    loss: f64,
    /// The same over g(0).
    share: f64,
    time: f64,
    predictors: Vec<f64>,
}

/// What is known at w_0.
fn predictors(problem: &Problem) -> Result<Vec<f64>, TheoryError> {
    let here = Local::measure(problem, SCALING, &problem.initial)?;
    let constants = NetworkConstants::at_start(problem, &here);
    let objective = problem.objective(SCALING)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let mut point = manifold.at(&problem.initial)?;
    let mut tangent = vec![0.0; problem.outputs()];
    point.riemannian_gradient(&mut tangent)?;
    let curvature = point.hessian_extremes()?.smallest.value;
    let nu = constants.strong_convexity;
    // For squares g falls by norm(P grad g)^2/(2 nu) to the optimum of the linearized model.
    let gain = norm(&tangent).powi(2) / (2.0 * nu);
    let speed = here.quadratic_form(&here.gradient, f64::recip).sqrt();
    // q = J^+ grad g through the eigenpairs of H.
    let b = here.transposed_times(&here.gradient);
    let mut q = vec![0.0; problem.parameters()];
    for (k, gamma) in here.eigenvalues().into_iter().enumerate() {
        let vector = here.parameter_eigenvector(k);
        let along = inner_product(&vector, &b) / gamma;
        q.iter_mut().zip(&vector).for_each(|(q, v)| *q += along * v);
    }
    // Singular values a small way down the flow: the first that would vanish at their present speed.
    let small = 1e-5 * norm(&problem.initial) / speed;
    let there = Local::measure(problem, SCALING, &shifted(&problem.initial, &q, -small))?;
    let (now, then) = (here.eigenvalues(), there.eigenvalues());
    let times = now.iter().zip(&then).filter(|(a, b)| b < a).map(|(a, b)| {
        let (a, b) = (a.sqrt(), b.sqrt());
        SCALING * small * a / (a - b)
    });
    let time = times.fold(f64::INFINITY, f64::min);
    let straight = here.loss - gain * (1.0 - (-2.0 * nu * time).exp());
    Ok(vec![
        norm(&tangent),
        speed,
        constants.lambda0,
        constants.lambda_n,
        constants.lambda_n / constants.lambda0,
        curvature,
        straight,
    ])
}

/// Follows one flow until rank is lost; `None` where it is not.
fn run(problem: &Problem, set: usize) -> Result<Option<Run>, TheoryError> {
    let preconditioner = Preconditioner::GaussNewton;
    let course = Course {
        preconditioner,
        scaling: SCALING,
        horizon: HORIZON,
        samples: 1,
        tolerance: COARSE,
    };
    let followed = follow(problem, &course)?;
    let Some(event) = followed.rank_lost() else { return Ok(None) };
    let (loss, time) = (followed.outcome.final_loss, event.time);
    // A nullified network starts at g(0).
    let top = problem.objective(SCALING)?.loss_at(&problem.initial)?;
    let predictors = predictors(problem)?;
    Ok(Some(Run { set, loss, share: loss / top, time, predictors }))
}

/// The pairs of each set of rows.
fn by_set(runs: &[Run], pair: impl Fn(&Run) -> (f64, f64)) -> Vec<Vec<(f64, f64)>> {
    let sets = runs.iter().map(|run| run.set + 1).max().unwrap_or(0);
    let of = |set| runs.iter().filter(|run| run.set == set).map(&pair).collect();
    (0..sets).map(of).collect()
}

/// Rank correlations of a number of each run: with g(T), with g(T)/g(0), and with the latter within each set of rows.
fn correlate(runs: &[Run], value: impl Fn(&Run) -> f64) -> [f64; 3] {
    let x: Vec<f64> = runs.iter().map(&value).collect();
    let (loss, share): (Vec<f64>, Vec<f64>) = runs.iter().map(|r| (r.loss, r.share)).unzip();
    let within = spearman_within(&by_set(runs, |r| (value(r), r.share)));
    [spearman(&x, &loss), spearman(&x, &share), within]
}

/// The runs on several sets of rows with several draws of the weights, and what correlates.
pub(super) fn correlations(sets: &[Rows], effort: Effort) -> Result<Measurements, TheoryError> {
    let (hidden, seeds) = effort.choose((4, 6), (HIDDEN, RUNS / sets.len().max(1)));
    let mut runs = Vec::new();
    let mut refused = 0;
    for (set, rows) in sets.iter().enumerate() {
        for seed in 0..seeds as u64 {
            match run(&regression(&rows.first(ROWS), &[hidden], seed)?, set)? {
                Some(run) => runs.push(run),
                None => refused += 1,
            }
        }
    }
    let found: Vec<[f64; 3]> =
        (0..PREDICTORS.len()).map(|k| correlate(&runs, |r| r.predictors[k])).collect();
    let strength = |k: usize| if found[k][2].is_nan() { 0.0 } else { found[k][2].abs() };
    let best =
        (0..PREDICTORS.len()).max_by(|&a, &b| strength(a).total_cmp(&strength(b))).unwrap_or(0);
    let chance = by_chance(runs.len(), sets.len());
    let n = sets.first().map_or(0, |rows| rows.targets.len().min(ROWS));
    let name = format!("n = {n}, m = {hidden}, alpha = {SCALING}, {} runs", runs.len());
    let row = Statement {
        id: "question/rank-loss",
        place: "section 5",
        text: "largest Spearman correlation within rows of g(T)/g(0) with a number at w_0 (left), what chance gives (right)",
    };
    let note = format!(
        "T is the first rank loss; the best predictor is {}. {refused} runs did not lose rank or were given up. ",
        PREDICTORS[best]
    );
    let mut measured = Measurements::of(vec![row.report(&name, strength(best), chance, &note)]);
    let subtitle = format!(
        "{}. Each sign is a run. The number on the horizontal axis, known at w₀, predicts the loss left best of all that were tried: rank correlation (Spearman) {:.2} within the rows of a seed.",
        name.replace("alpha", "α"),
        found[best][2]
    );
    let axes = (PREDICTORS[best], "g(T) / g(0)");
    let mut plot = Plot::new(
        "audit_question_rank_loss",
        "How much of the loss is left where the flow first loses rank",
        &subtitle,
        axes,
    );
    for (rows, mut points) in sets.iter().zip(by_set(&runs, |r| (r.predictors[best], r.share))) {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        plot = plot.points(&format!("rows of seed {}", rows.seed), &x, &y);
    }
    measured.plots.push(plot);
    measured.tables.push(table(&runs, &found, (&name, chance)));
    Ok(measured)
}

/// Correlations by predictor, and the run's own numbers for comparison.
fn table(runs: &[Run], found: &[[f64; 3]], (name, chance): (&str, f64)) -> Table {
    let cell = |x: f64| if x.is_nan() { "–".to_owned() } else { format!("{x:.2}") };
    let row = |name: &str, found: &[f64; 3]| {
        std::iter::once(name.to_owned()).chain(found.iter().map(|x| cell(*x))).collect()
    };
    let known = PREDICTORS.iter().zip(found).map(|(name, found)| row(name, found));
    let after = row("the time T itself, not known at w_0", &correlate(runs, |r| r.time));
    let column = |value: fn(&Run) -> f64| runs.iter().map(value).collect::<Vec<_>>();
    let (share, time) = (column(|r| r.share), column(|r| r.time));
    let range = |values: &[f64]| {
        let ends = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
        format!("{:.4} to {:.4}", ends.0, ends.1)
    };
    Table {
        title: "What predicts the loss at the first rank loss".to_owned(),
        legend: format!(
            "{name}. Spearman's rank correlations with g(T) and g(T)/g(0), and with the latter by ranks within each set of \
             rows, where one of the predictors would come above {chance:.2} by chance in one study of twenty. \
             g(T)/g(0) is {}, T {}.",
            range(&share),
            range(&time)
        ),
        head: vec!["at w_0", "with g(T)", "with g(T)/g(0)", "within rows"],
        rows: known.chain([after]).collect(),
    }
}
