//! Section 4's runs: n = 256 real rows, m = 18, at points of B and along the Gauss-Newton flow.

use gaussflow_dynamics::Preconditioner;
use gaussflow_network::{Activation, InitialPoint, Initialization};
use gaussflow_objective::Squared;
use gaussflow_solvers::norm;
use std::sync::Arc;

use crate::TheoryError;
use crate::best_in_class::BestInClass;
use crate::network_constants::NetworkConstants;
use crate::papers::gauss_newton::under_flow::{self as flow, Corrections, UnderRun};
use crate::papers::gauss_newton::under_geodesics::{self as geodesics, Joining};
use crate::papers::gauss_newton::under_geometry::{self as geometry, HessianRange, corrected_rate};
use crate::papers::gauss_newton::under_immersion::{self as immersion, Ball};
use crate::papers::gauss_newton::{setting, under_chart as chart, under_remarks as remarks};
use crate::problem::Problem;
use crate::referee::{Effort, Measurements, Record, Rows};
use crate::trajectory::{FlowPlan, Stepper, Trajectory};

/// The paper's width.
const HIDDEN: usize = 18;
/// r: the one that makes Theorem 5's alpha least.
const FRACTION: f64 = 0.5;
/// The paper's alphas but for the collapsing one.
const SCALINGS: [f64; 3] = [8.0, 16.0, 256.0];

/// The Gauss-Newton flow.
pub(super) fn gauss_newton(
    problem: &Problem,
    scaling: f64,
    horizon: f64,
    samples: usize,
) -> Result<Trajectory, TheoryError> {
    let (preconditioner, stepper) = (Preconditioner::GaussNewton, Stepper::Explicit);
    let plan = FlowPlan { preconditioner, scaling, horizon, samples, stepper };
    Trajectory::integrate(problem, &plan)
}

/// The chart and its tangent spaces at points of B.
pub fn at_points(ball: &Ball<'_>) -> Result<Vec<Record>, TheoryError> {
    let lipschitz = ball.constants.jacobian_lipschitz;
    let mut records = vec![
        immersion::assumption_2(ball),
        immersion::gram_stays(ball)?,
        immersion::projection(ball)?,
        immersion::output_flow(ball, 1.0)?,
        immersion::energy_dissipation(ball, 1.0)?,
        immersion::kernel_singular(ball, ball.problem.parameters())?,
        chart::manifold_dimension(ball, lipschitz)?,
        chart::injective(ball, 1.0)?,
        chart::tangent_space(ball, lipschitz)?,
    ];
    records.extend(immersion::riemannian_gradient(ball)?);
    Ok(records)
}

/// Statements at points of B, and the remarks on initialization.
pub fn ball(rows: &Rows) -> Result<Measurements, TheoryError> {
    let problem = rows.problem(HIDDEN)?;
    let constants = NetworkConstants::measure(&problem)?;
    let mut found = Measurements::default();
    found.constants.push((problem.name.clone(), constants.table(0.0, FRACTION)));
    let records = &mut found.records;
    let ball = |scaling| Ball {
        problem: &problem,
        constants: &constants,
        scaling,
        fraction: FRACTION,
        points: 4,
    };
    let eight = ball(SCALINGS[0]);
    records.push(setting::nullified(&problem)?);
    records.push(setting::jacobian_lipschitz(&problem, &constants, constants.jacobian_lipschitz)?);
    records.push(setting::lipschitz_f(&problem, &constants, constants.lipschitz_printed)?);
    records.extend(at_points(&eight)?);
    for scaling in SCALINGS {
        let ball = Ball { points: 1, ..ball(scaling) };
        let range = HessianRange::measure(&ball)?;
        records.push(geometry::geodesic_strong_convexity(
            &ball,
            &range,
            constants.strong_convexity,
        )?);
        records.push(geometry::geodesic_smoothness(&ball, &range, constants.smoothness)?);
    }
    records.push(geodesics::sublevel_convex(&eight, 1.0)?);
    records.push(remarks::alpha_guideline(&problem, &constants, 1.0));

    let (d, n) = (rows.features, rows.targets.len());
    let start = |kind, name: &str| -> Result<Problem, TheoryError> {
        let point = InitialPoint::draw(kind, HIDDEN, d, rows.seed)?;
        let loss = Arc::new(Squared::new(rows.targets.clone())?);
        let name = format!("n = {n}, m = {HIDDEN}, {name}, seed {}", rows.seed);
        Problem::new(&name, (&rows.inputs, d), kind, &point, Activation::Tanh, loss)
    };
    let mirrored = start(Initialization::Antisymmetric, "antisymmetric")?;
    records.push(remarks::antisymmetric(&mirrored, mirrored.parameters() / 2)?);
    let plain = start(Initialization::Plain, "plain")?;
    records.push(remarks::non_nullified(&plain, &[8.0, 16.0, 64.0, 256.0], 1.0)?);
    Ok(found)
}

/// The flow at the paper's alphas, at Theorem 5's printed alpha, and at the corrected one.
pub fn flows(rows: &Rows, effort: Effort) -> Result<Measurements, TheoryError> {
    let problem = rows.problem(HIDDEN)?;
    let constants = NetworkConstants::measure(&problem)?;
    let mut records = Vec::new();
    let (mut best, mut limits) = (Vec::new(), Vec::new());
    let small: &[f64] = effort.choose(&SCALINGS[1..], &SCALINGS);
    for &scaling in small {
        let trajectory = gauss_newton(&problem, scaling, 5.0, 100)?;
        let optimum = BestInClass::polish(&problem, scaling, &trajectory.last().weights).ok();
        let run = under_run(&problem, &constants, scaling, &trajectory, optimum.as_ref());
        records.push(flow::assumption_3(&run));
        records.extend(flow::theorem_5_rate(&run)?);
        // Within B the flow stays for a moment only: a run of its own, to 0.9 of the way out.
        let speed = trajectory.samples[0].speed / scaling;
        let moment = gauss_newton(&problem, scaling, 0.9 * run.ball.radius() / speed, 20)?;
        records.push(flow::monotone(&UnderRun { trajectory: &moment, ..run }));
        best.push((
            scaling,
            remarks::best_in_ball(&problem, scaling, run.ball.constants.ball_radius(FRACTION))?,
        ));
        limits.push((scaling, optimum.map_or(trajectory.last().loss, |o| o.loss)));
    }
    records.push(remarks::inductive_bias(&problem, &best, &limits));
    let printed = constants.theorem_5_scaling(FRACTION);
    let at_printed = under_run_ball(&problem, &constants, printed);
    let least = corrected_rate(&at_printed)?.least_scaling();
    let scaling = printed.max(least);
    let trajectory = gauss_newton(&problem, scaling, 4.0, 60)?;
    let optimum = BestInClass::polish(&problem, scaling, &trajectory.last().weights)?;
    let corrected = under_run(&problem, &constants, scaling, &trajectory, Some(&optimum));
    let range = HessianRange::measure(&corrected.ball)?;
    let nu = constants.strong_convexity;
    records.push(geometry::geodesic_strong_convexity(&corrected.ball, &range, nu)?);
    records.push(geometry::geodesic_smoothness(&corrected.ball, &range, constants.smoothness)?);
    let trajectory = gauss_newton(&problem, printed, 4.0, 60)?;
    let optimum = BestInClass::polish(&problem, printed, &trajectory.last().weights)?;
    let run = under_run(&problem, &constants, printed, &trajectory, Some(&optimum));
    records.push(flow::assumption_3(&run));
    records.push(flow::monotone(&run));
    records.extend(lemma_9(&run, &optimum, (6, 5))?);
    records.extend(theorem_5(&run, &corrected)?);
    Ok(Measurements::of(records))
}

/// Theorem 5's rows on a run, each with its correction on another run of the same data.
pub(in crate::papers::gauss_newton) fn theorem_5(
    printed: &UnderRun<'_>,
    corrected: &UnderRun<'_>,
) -> Result<Vec<Record>, TheoryError> {
    let mut records = Vec::new();
    let rate = flow::theorem_5_corrected(corrected)?;
    for record in flow::theorem_5_rate(printed)? {
        records.push(record.corrected_by(rate.clone()));
    }
    let (before, after) = (Corrections::AsPrinted, Corrections::Applied);
    let radius = flow::theorem_5_radius(corrected, after)?;
    records.push(flow::theorem_5_radius(printed, before)?.corrected_by(radius));
    let decay = flow::gradient_decay(corrected, after)?;
    records.push(flow::gradient_decay(printed, before)?.corrected_by(decay));
    Ok(records)
}

fn under_run_ball<'a>(
    problem: &'a Problem,
    constants: &'a NetworkConstants,
    scaling: f64,
) -> Ball<'a> {
    Ball { problem, constants, scaling, fraction: FRACTION, points: 2 }
}

fn under_run<'a>(
    problem: &'a Problem,
    constants: &'a NetworkConstants,
    scaling: f64,
    trajectory: &'a Trajectory,
    optimum: Option<&'a BestInClass>,
) -> UnderRun<'a> {
    UnderRun { ball: under_run_ball(problem, constants, scaling), trajectory, optimum }
}

/// Lemma 9 at every so many samples, so many of them, with the manifold's logarithm.
pub(in crate::papers::gauss_newton) fn lemma_9(
    run: &UnderRun<'_>,
    optimum: &BestInClass,
    (every, count): (usize, usize),
) -> Result<Vec<Record>, TheoryError> {
    let (problem, scaling) = (run.ball.problem, run.ball.scaling);
    let mut few = run.trajectory.clone();
    few.samples = few.samples.iter().step_by(every).take(count).cloned().collect();
    let size = norm(&few.samples[0].output).max(1.0);
    geodesics::gradient_bounds(&run.ball, &few, optimum, 1.0, |w| {
        let found = Joining::find(problem, scaling, optimum, w)?;
        // A distance is found to the geodesics' tolerance, a hundredth of a percent of it at most.
        Ok(found.map(|joined| Joining { error: joined.error + 1e-9 * size, ..joined }))
    })
}
