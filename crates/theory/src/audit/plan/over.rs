//! Section 3's runs: n = 64 real rows, m = 256, Levenberg-Marquardt flows and Theorem 2's iteration.

use gaussflow_dynamics::Preconditioner;

use crate::TheoryError;
use crate::audit::over_continuous::{self as flow, OverRun};
use crate::audit::over_discrete::{self as discrete, Iterates};
use crate::audit::over_identities as identities;
use crate::audit::over_kernel as kernel;
use crate::audit::plan::{Effort, Findings, Rows};
use crate::audit::setting;
use crate::local::Local;
use crate::network_constants::NetworkConstants;
use crate::problem::Problem;
use crate::record::Record;
use crate::trajectory::{FlowPlan, Stepper, Trajectory};

/// Width of the overparameterized networks.
const HIDDEN: usize = 256;

/// Identities at w_0, and the flows at the printed and the corrected alpha.
pub fn continuous(rows: &Rows, effort: Effort) -> Result<Findings, TheoryError> {
    let problem = rows.problem(HIDDEN)?;
    let minimizer = problem.minimizer();
    let start = Local::measure(&problem, 1.0, &problem.initial)?;
    let constants = NetworkConstants::at_start(&problem, &start);
    let mut found = Findings::default();
    found.constants.push((problem.name.clone(), constants.table(0.1, 0.5)));
    let records = &mut found.records;
    records.push(setting::nullified(&problem)?);
    records.push(setting::jacobian_lipschitz(&problem, &constants, constants.jacobian_lipschitz)?);
    records.push(setting::lipschitz_f(&problem, &constants, constants.lipschitz_printed)?);
    records.push(kernel::assumption_1(&problem, &constants));
    records.push(kernel::kernel_stays(&problem, &constants, 4)?);
    records.push(discrete::bounded_gradient(&problem, &constants, constants.gradient_bound()));
    let dampings: &[f64] = effort.choose(&[0.1], &[0.01, 0.1, 0.5]);
    for &damping in dampings {
        let ratio = damping / (1.0 - damping);
        let mut named = problem.clone();
        named.name = format!("{}, rho = {damping}", problem.name);
        let eigenvalue = |gamma: f64| gamma / ((1.0 - damping) * gamma + damping);
        records.push(identities::output_flow(&named, &start, damping, ratio)?);
        records.push(identities::eigenpairs(&named, &start, damping, eigenvalue)?);
        records.push(identities::squared_inverse(&named, &start, damping, ratio)?);
        records.push(kernel::squared_inverse_bound(&named, &start, &constants, damping, 1.0));
        let printed = constants.theorem_1_scaling(damping);
        let corrected = constants.never_exits_scaling();
        let mut pairs = Vec::new();
        for (scaling, which) in [(corrected, "corrected alpha"), (printed, "alpha of (12)")] {
            let name = format!("{}, {which} = {scaling:.4e}", named.name);
            let trajectory = levenberg_marquardt(&problem, &constants, damping, scaling)?;
            let at = (&constants, damping);
            let run = OverRun::new(&name, &problem, at, &trajectory, &minimizer);
            let stays = if pairs.is_empty() {
                records.extend(flow::lemma_1(&run, problem.outputs()));
                flow::never_exits_corrected(&run)
            } else {
                flow::never_exits(&run)
            };
            pairs.push((stays, flow::theorem_1(&run)));
            let radius = constants.kernel_radius();
            let times = trajectory.samples.iter().map(|s| s.time).collect();
            let share = trajectory.samples.iter().map(|s| s.deviation / radius).collect();
            let which = which.replace("alpha", "α");
            found.exits.push((format!("{which}, ρ = {damping}, seed {}", rows.seed), times, share));
        }
        if let (Some(printed), Some(corrected)) = (pairs.pop(), pairs.pop()) {
            records.push(printed.0.corrected_by(corrected.0));
            records.push(printed.1.corrected_by(corrected.1));
        }
    }
    records.push(damping_equals_lambda(&problem, &constants)?);
    Ok(found)
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
        let trajectory = levenberg_marquardt(problem, constants, used, scaling)?;
        let name = format!("{}, rho = {used:.4}, alpha = {scaling:.4e}", problem.name);
        let run = OverRun::new(&name, problem, (constants, used), &trajectory, &minimizer);
        Ok::<_, TheoryError>(row(&run))
    };
    let corrected = judge(square / (1.0 + square), flow::admissible_damping)?;
    Ok(judge(square, flow::damping_equals_lambda)?.corrected_by(corrected))
}

/// A Levenberg-Marquardt flow until the bound of (2) has fallen to 1e-6, at most t = 6.
pub(super) fn levenberg_marquardt(
    problem: &Problem,
    constants: &NetworkConstants,
    damping: f64,
    scaling: f64,
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
    let stepper = if damping < 1.0 { Stepper::Explicit } else { Stepper::Stiff };
    let plan = FlowPlan { preconditioner, scaling, horizon, samples: 60, stepper };
    Trajectory::integrate(problem, &plan)
}

/// Theorem 2 as printed, consistent, and repaired.
pub fn discrete(rows: &Rows, effort: Effort) -> Result<Findings, TheoryError> {
    let problem = rows.problem(HIDDEN)?;
    let constants = NetworkConstants::measure(&problem)?;
    let mut records = Vec::new();
    let (dampings, steps): (&[f64], usize) =
        effort.choose((&[1e-3], 300), (&[1e-3, 0.1, 0.5], 1000));
    for &damping in dampings {
        let preconditioner = Preconditioner::LevenbergMarquardt { damping };
        let iterate = |scaling: f64, step: f64, steps| {
            Trajectory::iterate(&problem, preconditioner, scaling, step / scaling, steps)
        };
        let base = format!("{}, rho = {damping}", problem.name);
        let run = |name, scaled_step, trajectory| Iterates {
            name,
            problem: &problem,
            constants: &constants,
            damping,
            scaled_step,
            trajectory,
        };

        let step = constants.theorem_2_step(damping);
        let scaling = constants.theorem_2_scaling(damping);
        let trajectory = iterate(scaling, step, steps)?;
        let name = format!("{base}, printed alpha = {scaling:.4e}, printed eta");
        let printed = run(&name, step, &trajectory);
        let mut theorem = discrete::theorem_2(&printed);
        let mut stays = discrete::never_exits(&printed);
        let mut small = discrete::small_damping_rate(&printed);

        let step = constants.appendix_step(damping);
        let trajectory = iterate(scaling, step, 20)?;
        let name = format!("{base}, printed alpha = {scaling:.4e}, eta of the appendix");
        records.extend(discrete::descent_chain(&run(&name, step, &trajectory))?);

        let step = constants.consistent_step(damping);
        let scaling = constants.consistent_scaling(damping);
        let trajectory = iterate(scaling, step, 60)?;
        let name = format!("{base}, alpha = {scaling:.4e}, consistent eta");
        theorem =
            theorem.corrected_by(discrete::theorem_2_consistent(&run(&name, step, &trajectory)));

        let step = constants.repaired_step(damping);
        let scaling = constants.repaired_scaling(damping);
        let trajectory = iterate(scaling, step, 25)?;
        let name = format!("{base}, alpha = {scaling:.4e}, alpha eta = (1-rho)/mu");
        let repaired = run(&name, step, &trajectory);
        small = small.corrected_by(discrete::repaired_rate(&repaired));
        stays = stays.corrected_by(discrete::never_exits_repaired(&repaired));
        records.extend([theorem, stays]);
        // The limit rho -> 0 is judged at the smallest damping only.
        if damping.total_cmp(&dampings[0]).is_eq() {
            records.push(small);
        }
    }
    Ok(Findings { records, ..Findings::default() })
}

/// The infinite-width limit on 24 rows.
pub fn widths(rows: &Rows, effort: Effort) -> Result<Findings, TheoryError> {
    let n = 24.min(rows.targets.len());
    let inputs = &rows.inputs[..n * rows.features];
    let name = format!("{n} rows, seed {}", rows.seed);
    let targets = &rows.targets[..n];
    let problem = Problem::regression(&name, (inputs, rows.features), targets, 16, rows.seed)?;
    let (widths, seeds): (&[usize], u64) =
        effort.choose((&[64, 256, 1024], 8), (&[64, 256, 1024, 4096, 16384], 16));
    let (records, widths) = kernel::ntk_limit(&problem, widths, seeds, 1.0)?;
    Ok(Findings { records, widths, ..Findings::default() })
}
