//! The statements that apply to a user's own problem and dynamics, judged on them.

use std::sync::Arc;

use gaussflow::dynamics::Preconditioner;
use gaussflow::objective::Loss;
use gaussflow::theory::papers::gauss_newton::over_continuous::{self as flow, OverRun};
use gaussflow::theory::papers::gauss_newton::over_discrete::{self as discrete, Iterates};
use gaussflow::theory::papers::gauss_newton::plan::at_points;
use gaussflow::theory::papers::gauss_newton::under_flow::{self, UnderRun};
use gaussflow::theory::papers::gauss_newton::under_geodesics::sublevel_convex;
use gaussflow::theory::papers::gauss_newton::under_geometry::{self as geometry, HessianRange};
use gaussflow::theory::papers::gauss_newton::under_immersion::Ball;
use gaussflow::theory::papers::gauss_newton::{over_identities, over_kernel, setting};
use gaussflow::theory::referee::Measurements;
use gaussflow::theory::{
    BestInClass, FlowPlan, Local, NetworkConstants, Problem, Record, Stepper, TheoryError,
    Trajectory,
};

use super::error::AuditError;
use crate::config::{Integrator, Metric};
use crate::run::Experiment;

/// min(n, p) up to which dense eigenvalue problems are solved.
const DENSE: usize = 1200;
/// Steps of Theorem 2's iteration that are audited at most.
const ITERATES: usize = 2000;
/// r of the ball B.
const FRACTION: f64 = 0.5;

/// Adds every row that applies to `experiment`.
pub fn rows(experiment: &Experiment, findings: &mut Measurements) -> Result<(), AuditError> {
    let config = &experiment.config;
    let loss: Arc<dyn Loss> =
        experiment.outputs.loss(&config.loss, experiment.sample.targets.clone())?.into();
    let problem = Problem {
        name: Experiment::id(config),
        network: experiment.objective.map().clone(),
        loss,
        initial: experiment.start.weights.clone(),
    };
    let (n, p) = (problem.outputs(), problem.parameters());
    let records = &mut findings.records;
    let activation = problem.network.last_layer().activation;
    let bounds = gaussflow::network::ActivationFunction::bounds(&activation);
    records.push(setting::activation_bounds(activation.name(), &activation, bounds));
    let (nu, mu) = (problem.loss.strong_convexity(), problem.loss.smoothness());
    let constants = setting::loss_constants(&problem.name, &problem.loss, nu, mu);
    if nu <= 0.0 || !mu.is_finite() {
        records.push(constants);
        return Ok(());
    }
    if config.dynamics.metric == Metric::LossHessian {
        // Another flow than equation (1): its statements would be judged on a flow that the run did not follow.
        records.push(constants.with_note(
            "The run's flow is steepest in the metric of the loss's Hessian. The paper's is so in the Euclidean one: \
             nothing else of it is judged here.",
        ));
        return Ok(());
    }
    records.push(constants);
    // A trajectory keeps weights and outputs at each of its samples.
    let kept = ITERATES.saturating_mul(n.saturating_add(p));
    if n.min(p) > DENSE || n.saturating_mul(p) > 1 << 24 || kept > 1 << 28 {
        return Ok(());
    }
    let start = Local::measure(&problem, config.dynamics.scaling, &problem.initial)?;
    let constants = NetworkConstants::at_start(&problem, &start);
    let damping = config.dynamics.effective_damping();
    findings.constants.push((problem.name.clone(), constants.table(damping.max(1e-3), FRACTION)));
    if config.network.initialization == crate::config::Initialization::Nullified {
        records.push(setting::nullified(&problem)?);
    }
    records.push(setting::jacobian_lipschitz(&problem, &constants, constants.jacobian_lipschitz)?);
    records.push(setting::lipschitz_f(&problem, &constants, constants.lipschitz_printed)?);
    let found = if p < n {
        under(experiment, &problem, &constants)
    } else {
        over(experiment, &problem, &constants, &start)
    };
    match found {
        Ok(more) => records.extend(more),
        // A singular start is a finding, not a failure: the rest of section 4 says nothing there.
        Err(TheoryError::Geometry(reason)) => {
            let row = gaussflow::theory::Statement {
                id: "under/assumption-2",
                place: "Assumption 2",
                text: "lambda_min(H_0) > 0",
            };
            records.push(row.unavailable(&problem.name, &format!("Not satisfied: {reason}.")));
        }
        Err(other) => return Err(other.into()),
    }
    Ok(())
}

fn plan(experiment: &Experiment) -> FlowPlan {
    let dynamics = &experiment.config.dynamics;
    let (preconditioner, stepper) = match experiment.settings().preconditioner {
        Preconditioner::Gradient => (Preconditioner::Gradient, Stepper::Stiff),
        other => (other, Stepper::Explicit),
    };
    let (scaling, horizon) = (dynamics.scaling, dynamics.horizon);
    FlowPlan { preconditioner, scaling, horizon, samples: 100, stepper }
}

/// Section 4.
fn under(
    experiment: &Experiment,
    problem: &Problem,
    constants: &NetworkConstants,
) -> Result<Vec<Record>, TheoryError> {
    let scaling = experiment.config.dynamics.scaling;
    let ball = Ball { problem, constants, scaling, fraction: FRACTION, points: 3 };
    let mut records = at_points(&ball)?;
    let range = HessianRange::measure(&ball)?;
    records.push(geometry::geodesic_strong_convexity(&ball, &range, constants.strong_convexity)?);
    records.push(geometry::geodesic_smoothness(&ball, &range, constants.smoothness)?);
    records.push(sublevel_convex(&ball, 1.0)?);
    if experiment.settings().preconditioner != Preconditioner::GaussNewton {
        return Ok(records);
    }
    let trajectory = Trajectory::integrate(problem, &plan(experiment))?;
    let optimum = BestInClass::polish(problem, scaling, &trajectory.last().weights).ok();
    let run = UnderRun { ball, trajectory: &trajectory, optimum: optimum.as_ref() };
    records.push(under_flow::monotone(&run));
    records.push(under_flow::assumption_3(&run));
    records.extend(under_flow::theorem_5_rate(&run)?);
    records.push(under_flow::theorem_5_radius(&run, under_flow::Corrections::AsPrinted)?);
    records.push(under_flow::gradient_decay(&run, under_flow::Corrections::AsPrinted)?);
    Ok(records)
}

/// Section 3.
fn over(
    experiment: &Experiment,
    problem: &Problem,
    constants: &NetworkConstants,
    start: &Local,
) -> Result<Vec<Record>, TheoryError> {
    let dynamics = &experiment.config.dynamics;
    let damping = dynamics.effective_damping();
    let mut records = vec![
        over_kernel::assumption_1(problem, constants),
        over_kernel::kernel_stays(problem, constants, 4)?,
        discrete::bounded_gradient(problem, constants, constants.gradient_bound()),
    ];
    if damping > 0.0 && damping < 1.0 {
        let ratio = damping / (1.0 - damping);
        records.push(over_identities::output_flow(problem, start, damping, ratio)?);
        let eigenvalue = |gamma: f64| gamma / ((1.0 - damping) * gamma + damping);
        records.push(over_identities::eigenpairs(problem, start, damping, eigenvalue)?);
        records.push(over_identities::squared_inverse(problem, start, damping, ratio)?);
        records.push(over_kernel::squared_inverse_bound(problem, start, constants, damping, 1.0));
    }
    if dynamics.integrator == Integrator::Discrete && damping > 0.0 && damping < 1.0 {
        let scaled_step = dynamics.scaling * dynamics.step;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "capped, and horizons are positive"
        )]
        let steps = (dynamics.horizon / scaled_step).min(ITERATES as f64) as usize;
        let (preconditioner, eta) = (experiment.settings().preconditioner, dynamics.step);
        let trajectory =
            Trajectory::iterate(problem, preconditioner, dynamics.scaling, eta, steps.max(1))?;
        let run = Iterates {
            name: &problem.name,
            problem,
            constants,
            damping,
            scaled_step,
            trajectory: &trajectory,
        };
        if problem.network.one_layer().is_none() {
            // Its thresholds are those of one hidden layer.
            records.push(discrete::THEOREM_2.unavailable(&problem.name, setting::ONE_LAYER));
            return Ok(records);
        }
        records.push(discrete::theorem_2(&run));
        records.extend(discrete::descent_chain(&run)?);
        records.push(discrete::never_exits(&run));
        return Ok(records);
    }
    // Gradient flow is stiff: its implicit solves are of order p.
    if damping == 0.0 || (damping >= 1.0 && problem.parameters() > 400) {
        return Ok(records);
    }
    let trajectory = Trajectory::integrate(problem, &plan(experiment))?;
    let minimizer = problem.minimizer();
    let at = (constants, damping);
    let run = OverRun::new(&problem.name, problem, at, &trajectory, &minimizer);
    records.extend(flow::lemma_1(&run, problem.outputs()));
    if damping < 1.0 {
        let corrected = flow::never_exits_corrected(&run);
        records.push(flow::never_exits(&run).corrected_by(corrected));
        records.push(flow::theorem_1(&run));
    } else {
        records.push(flow::gradient_flow_rate(&run));
    }
    Ok(records)
}
