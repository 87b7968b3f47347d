//! Section 3's runs: n = 64 real rows, m = 256, Levenberg-Marquardt flows and Theorem 2's iteration.

use gaussflow_dynamics::Preconditioner;

use crate::TheoryError;
use crate::local::Local;
use crate::network_constants::NetworkConstants;
use crate::papers::gauss_newton::over_continuous::{self as flow, OverRun};
use crate::papers::gauss_newton::over_discrete::{self as discrete, Iterates};
use crate::papers::gauss_newton::over_identities as identities;
use crate::papers::gauss_newton::over_kernel as kernel;
use crate::papers::gauss_newton::setting;
use crate::problem::Problem;
use crate::referee::{Effort, Measurements, Plot, Record, Rows};
use crate::trajectory::{FlowPlan, Stepper, Trajectory};

/// Width of the overparameterized networks.
const HIDDEN: usize = 256;

/// Identities at w_0, and the flows at the printed and the corrected alpha.
pub fn continuous(rows: &Rows, effort: Effort) -> Result<Measurements, TheoryError> {
    let problem = rows.problem(HIDDEN)?;
    let start = Local::measure(&problem, 1.0, &problem.initial)?;
    let constants = NetworkConstants::at_start(&problem, &start);
    let mut found = Measurements::default();
    found.constants.push((problem.name.clone(), constants.table(0.1, 0.5)));
    let records = &mut found.records;
    records.push(setting::nullified(&problem)?);
    records.push(setting::jacobian_lipschitz(&problem, &constants, constants.jacobian_lipschitz)?);
    records.push(setting::lipschitz_f(&problem, &constants, constants.lipschitz_printed)?);
    records.push(kernel::assumption_1(&problem, &constants));
    records.push(kernel::kernel_stays(&problem, &constants, 4)?);
    records.push(discrete::bounded_gradient(&problem, &constants, constants.gradient_bound()));
    let dampings: &[f64] = effort.choose(&[0.1], &[0.01, 0.1, 0.5]);
    let mut exits = Plot::new(
        "audit_exits",
        "Lemma 2: does the flow stay within the ball of radius r₀ = λ₀/L?",
        "Levenberg-Marquardt flows with damping ρ on 64 rows of California Housing (seed 0), 256 hidden units, at the α of (12) and at the corrected one. A curve that rises above the line leaves the ball.",
        ("time t", "‖wₜ − w₀‖₂ / r₀"),
    )
    .line("r₀", 1.0);
    for &damping in dampings {
        let ratio = damping / (1.0 - damping);
        let mut named = problem.clone();
        named.name = format!("{}, rho = {damping}", problem.name);
        let eigenvalue = |gamma: f64| gamma / ((1.0 - damping) * gamma + damping);
        records.push(identities::output_flow(&named, &start, damping, ratio)?);
        records.push(identities::eigenpairs(&named, &start, damping, eigenvalue)?);
        records.push(identities::squared_inverse(&named, &start, damping, ratio)?);
        records.push(kernel::squared_inverse_bound(&named, &start, &constants, damping, 1.0));
        let scalings = [constants.theorem_1_scaling(damping), constants.never_exits_scaling()];
        let judged = lemma_2(&problem, &constants, damping, (scalings, Stepper::Explicit))?;
        records.extend(judged.records);
        for (which, trajectory) in ["α of (12)", "corrected α"].iter().zip(judged.flows) {
            let radius = constants.kernel_radius();
            let times = trajectory.samples.iter().map(|s| s.time).collect();
            let share = trajectory.samples.iter().map(|s| s.deviation / radius).collect();
            if rows.seed == 0 {
                exits = exits.curve(&format!("{which}, ρ = {damping}"), times, share);
            }
        }
    }
    records.push(damping_equals_lambda(&problem, &constants)?);
    if !exits.curves.is_empty() {
        found.plots.push(exits);
    }
    Ok(found)
}

/// Lemmas 1 and 2 and Theorem 1 at one damping, with the flows that they are judged on.
pub(in crate::papers::gauss_newton) struct Lemma2 {
    /// The rows.
    pub records: Vec<Record>,
    /// The flows at the printed and at the corrected alpha.
    pub flows: [Trajectory; 2],
}

/// Lemma 1 at the corrected alpha; Lemma 2 and Theorem 1 at the printed one, corrected at the other: `scalings` in this
/// order.
pub(in crate::papers::gauss_newton) fn lemma_2(
    problem: &Problem,
    constants: &NetworkConstants,
    damping: f64,
    ([printed, corrected], stepper): ([f64; 2], Stepper),
) -> Result<Lemma2, TheoryError> {
    let minimizer = problem.minimizer();
    let flow_at = |scaling| levenberg_marquardt(problem, constants, damping, (scaling, stepper));
    let flows = [flow_at(printed)?, flow_at(corrected)?];
    let base = format!("{}, rho = {damping}", problem.name);
    let names = [
        format!("{base}, alpha of (12) = {printed:.4e}"),
        format!("{base}, corrected alpha = {corrected:.4e}"),
    ];
    let run =
        |k: usize| OverRun::new(&names[k], problem, (constants, damping), &flows[k], &minimizer);
    let (before, after) = (run(0), run(1));
    let mut records = flow::lemma_1(&after, problem.outputs());
    records.extend([
        flow::never_exits(&before).corrected_by(flow::never_exits_corrected(&after)),
        flow::theorem_1(&before).corrected_by(flow::theorem_1_corrected(&after)),
    ]);
    Ok(Lemma2 { records, flows })
}

/// rho = lambda0^2, which is admissible only below 1, and rho = lambda0^2/(1 + lambda0^2), which always is.
pub(super) fn damping_equals_lambda(
    problem: &Problem,
    constants: &NetworkConstants,
) -> Result<Record, TheoryError> {
    let (square, minimizer) = (constants.lambda0.powi(2), problem.minimizer());
    let judge = |damping: f64, row: fn(&OverRun<'_>) -> Record| {
        // rho = lambda0^2 above 1 is no damping: the flow at the admissible one stands in, unmet.
        let used = if damping < 1.0 { damping } else { square / (1.0 + square) };
        let scaling = constants.never_exits_scaling().max(constants.theorem_1_scaling(used));
        let trajectory =
            levenberg_marquardt(problem, constants, used, (scaling, Stepper::Explicit))?;
        let name = format!("{}, rho = {used:.4}, alpha = {scaling:.4e}", problem.name);
        let run = OverRun::new(&name, problem, (constants, used), &trajectory, &minimizer);
        Ok::<_, TheoryError>(row(&run))
    };
    let corrected = judge(square / (1.0 + square), flow::admissible_damping)?;
    Ok(judge(square, flow::damping_equals_lambda)?.corrected_by(corrected))
}

/// A Levenberg-Marquardt flow until the bound of (2) has fallen to 1e-6, at most t = 6.
pub(in crate::papers::gauss_newton) fn levenberg_marquardt(
    problem: &Problem,
    constants: &NetworkConstants,
    damping: f64,
    (scaling, stepper): (f64, Stepper),
) -> Result<Trajectory, TheoryError> {
    let preconditioner = if damping < 1.0 {
        Preconditioner::LevenbergMarquardt { damping }
    } else {
        Preconditioner::Gradient
    };
    let rate = 2.0
        * constants.strong_convexity
        * crate::printed::dissipation_rate(constants.lambda0, damping);
    let horizon = (14.0 / rate).min(6.0);
    let stepper = if damping < 1.0 { stepper } else { Stepper::Stiff };
    let plan = FlowPlan { preconditioner, scaling, horizon, samples: 60, stepper };
    Trajectory::integrate(problem, &plan)
}

/// Theorem 2 as printed, consistent, and repaired.
pub fn discrete(rows: &Rows, effort: Effort) -> Result<Measurements, TheoryError> {
    let problem = rows.problem(HIDDEN)?;
    let constants = NetworkConstants::measure(&problem)?;
    let mut records = Vec::new();
    let (dampings, steps): (&[f64], usize) =
        effort.choose((&[1e-3], 300), (&[1e-3, 0.1, 0.5], 1000));
    for &damping in dampings {
        let found = theorem_2(&problem, &constants, damping, [1.0; 3], [steps, 20, 60, 25])?;
        // The limit rho -> 0 is judged at the smallest damping only.
        let is_least = damping.total_cmp(&dampings[0]).is_eq();
        let of_limit = |r: &Record| r.statement.id == "over/small-damping-rate";
        records.extend(found.into_iter().filter(|record| is_least || !of_limit(record)));
    }
    Ok(Measurements::of(records))
}

/// Theorem 2 and its appendix at one damping, each row with its correction. `multiples` of the least alpha of the
/// printed, the consistent and the repaired step; `steps` of the printed step, that of the appendix, and those two.
pub(in crate::papers::gauss_newton) fn theorem_2(
    problem: &Problem,
    constants: &NetworkConstants,
    damping: f64,
    multiples: [f64; 3],
    steps: [usize; 4],
) -> Result<Vec<Record>, TheoryError> {
    let preconditioner = Preconditioner::LevenbergMarquardt { damping };
    let base = format!("{}, rho = {damping}", problem.name);
    let [printed, consistent, repaired] = [
        multiples[0] * constants.theorem_2_scaling(damping),
        multiples[1] * constants.consistent_scaling(damping),
        multiples[2] * constants.repaired_scaling(damping),
    ];
    let plans = [
        (printed, constants.theorem_2_step(damping), "printed eta"),
        (printed, constants.appendix_step(damping), "eta of the appendix"),
        (consistent, constants.consistent_step(damping), "consistent eta"),
        (repaired, constants.repaired_step(damping), "alpha eta = (1-rho)/mu"),
    ];
    let mut runs = Vec::with_capacity(plans.len());
    for ((scaling, step, which), steps) in plans.into_iter().zip(steps) {
        let trajectory =
            Trajectory::iterate(problem, preconditioner, scaling, step / scaling, steps)?;
        runs.push((format!("{base}, alpha = {scaling:.4e}, {which}"), step, trajectory));
    }
    let run = |k: usize| {
        let (name, scaled_step, trajectory) = &runs[k];
        Iterates { name, problem, constants, damping, scaled_step: *scaled_step, trajectory }
    };
    let (printed, consistent, repaired) = (run(0), run(2), run(3));
    let mut records = discrete::descent_chain(&run(1))?;
    records.extend([
        discrete::theorem_2(&printed).corrected_by(discrete::theorem_2_consistent(&consistent)),
        discrete::never_exits(&printed).corrected_by(discrete::never_exits_repaired(&repaired)),
        discrete::small_damping_rate(&printed).corrected_by(discrete::repaired_rate(&repaired)),
    ]);
    Ok(records)
}

/// The infinite-width limit on 24 rows.
pub fn widths(rows: &Rows, effort: Effort) -> Result<Measurements, TheoryError> {
    let n = 24.min(rows.targets.len());
    let inputs = &rows.inputs[..n * rows.features];
    let name = format!("{n} rows, seed {}", rows.seed);
    let targets = &rows.targets[..n];
    let problem = Problem::regression(&name, (inputs, rows.features), targets, 16, rows.seed)?;
    let (widths, seeds): (&[usize], u64) =
        effort.choose((&[64, 256, 1024], 8), (&[64, 256, 1024, 4096, 16384], 16));
    let (records, widths) = kernel::ntk_limit(&problem, widths, seeds, 1.0)?;
    let x: Vec<f64> = widths.iter().map(|w| w.hidden as f64).collect();
    let y: Vec<f64> = widths.iter().map(|w| w.error).collect();
    let law = x.iter().map(|m| y[0] * (m / x[0]).powf(-0.5)).collect();
    let plot = Plot::new(
        "audit_widths",
        "How far the tangent kernel is from its limit of infinite width",
        "24 rows of California Housing. Solid: relative distance from the limit, root mean square over seeds; dashed: the law m^(−1/2) through its first value.",
        ("hidden units m", "‖K₀/m − K‖_{F} / ‖K‖_{F}"),
    )
    .logarithmic(true, true)
    .curve("measured", x.clone(), y)
    .curve("m^(−1/2)", x, law);
    Ok(Measurements { records, plots: vec![plot], ..Measurements::default() })
}
