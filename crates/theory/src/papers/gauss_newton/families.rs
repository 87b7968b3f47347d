//! The families of small problems on which the adversary attacks the paper: the statements at points and along flows,
//! with more parameters than rows and with fewer, each as printed and corrected.

use std::sync::Arc;

use gaussflow_dynamics::Preconditioner;
use gaussflow_network::{InitialPoint, Initialization};

use crate::TheoryError;
use crate::best_in_class::BestInClass;
use crate::local::Local;
use crate::network_constants::NetworkConstants;
use crate::papers::gauss_newton::over_continuous::{self as flow, OverRun};
use crate::papers::gauss_newton::over_discrete as discrete;
use crate::papers::gauss_newton::plan::over::{lemma_2, levenberg_marquardt, theorem_2};
use crate::papers::gauss_newton::plan::under::{lemma_9, theorem_5};
use crate::papers::gauss_newton::under_flow::{self, UnderRun};
use crate::papers::gauss_newton::under_geodesics::sublevel_convex;
use crate::papers::gauss_newton::under_geometry::{self as geometry, HessianRange, corrected_rate};
use crate::papers::gauss_newton::under_immersion::Ball;
use crate::papers::gauss_newton::{
    over_identities as identities, over_kernel as kernel, plan, setting, under_remarks as remarks,
};
use crate::printed;
use crate::problem::Problem;
use crate::referee::{Family, Genes, Record, Trial};
use crate::small_problem::{Shape, in_numbers, require_resolved, small_problem};
use crate::trajectory::{FlowPlan, Stepper, Trajectory};

/// Every family.
pub(super) const FAMILIES: &[Family] = &[
    Family { name: "points, p < n", cost: 10, trial: tall_points },
    Family { name: "flows, p < n", cost: 42, trial: tall_flows },
    Family { name: "points, p >= n", cost: 4, trial: wide_points },
    Family { name: "flows, p >= n", cost: 14, trial: wide_flows },
    Family { name: "iterations, p >= n", cost: 6, trial: wide_iterations },
];

/// r of the ball B: the value that makes Theorem 5's alpha least, or any other.
fn fraction(genes: &mut Genes<'_>) -> f64 {
    genes.between(0.05, 0.95)
}

/// Lemmas 3 and 5 to 8, Corollary 1, Theorems 3 and 4 and the identities of section 4 at points of B.
fn tall_points(genes: &mut Genes<'_>) -> Result<Trial, TheoryError> {
    let (problem, constants) = small_problem(genes, Shape::Tall)?;
    let (scaling, fraction) = (genes.scale(0.1, 1e3), fraction(genes));
    let ball = Ball { problem: &problem, constants: &constants, scaling, fraction, points: 2 };
    let mut records = settings(&problem, &constants)?;
    records.extend(plan::at_points(&ball)?);
    let range = HessianRange::measure(&ball)?;
    records.push(geometry::geodesic_strong_convexity(&ball, &range, constants.strong_convexity)?);
    records.push(geometry::geodesic_smoothness(&ball, &range, constants.smoothness)?);
    if problem.parameters() > 1 {
        records.extend(sublevel_convex(&ball, 1.0));
    }
    records.push(remarks::alpha_guideline(&problem, &constants, 1.0));
    records.extend(other_starts(&problem, scaling)?);
    let numbers = in_numbers(&problem, &[("alpha", scaling), ("r", fraction)]);
    Ok(Trial { problem: numbers, records })
}

/// Remark 4 with the problem's rows: its first unit and a copy of opposite sign, and the network without nullification.
fn other_starts(problem: &Problem, scaling: f64) -> Result<Vec<Record>, TheoryError> {
    let (inputs, d) = (problem.input_rows(), problem.network.features());
    let first = &problem.initial[..d];
    let point = InitialPoint { signs: vec![1.0, -1.0], weights: [first, first].concat() };
    let (activation, loss) = (problem.network.last_layer().activation, Arc::clone(&problem.loss));
    let kind = Initialization::Antisymmetric;
    let mirrored = Problem::new(&problem.name, (&inputs, d), kind, &point, activation, loss)?;
    let mut plain = problem.clone();
    plain.network = plain.network.plain();
    let scalings = [scaling, 2.0 * scaling, 8.0 * scaling];
    Ok(vec![remarks::antisymmetric(&mirrored, d)?, remarks::non_nullified(&plain, &scalings, 1.0)?])
}

/// Section 2's statements.
fn settings(problem: &Problem, constants: &NetworkConstants) -> Result<Vec<Record>, TheoryError> {
    Ok(vec![
        setting::nullified(problem)?,
        setting::jacobian_lipschitz(problem, constants, constants.jacobian_lipschitz)?,
        setting::lipschitz_f(problem, constants, constants.lipschitz_printed)?,
        setting::loss_constants(
            &problem.name,
            &problem.loss,
            constants.strong_convexity,
            constants.smoothness,
        ),
    ])
}

/// Theorem 5 and what it rests on along Gauss-Newton's flow, at the printed alpha and at the corrected one.
fn tall_flows(genes: &mut Genes<'_>) -> Result<Trial, TheoryError> {
    let (problem, constants) = small_problem(genes, Shape::Tall)?;
    let fraction = fraction(genes);
    let ball =
        |scaling| Ball { problem: &problem, constants: &constants, scaling, fraction, points: 0 };
    // The printed alpha asks for the gap over the manifold: that at an alpha which is large enough in any case.
    let safe = constants.theorem_5_scaling(fraction);
    let top = constants.initial_gap + problem.loss.minimum();
    let gap =
        BestInClass::polish(&problem, safe, &problem.initial).map_or(f64::NAN, |b| top - b.loss);
    let least = constants.theorem_5_scaling_for(fraction, gap);
    let printed = genes.above(if least.is_finite() { least } else { safe });
    let corrected = genes.above(corrected_rate(&ball(1.0))?.least_scaling());
    let mut flows = Vec::with_capacity(2);
    for scaling in [printed, corrected] {
        let plan = FlowPlan {
            preconditioner: Preconditioner::GaussNewton,
            scaling,
            horizon: 8.0 / constants.strong_convexity,
            samples: 24,
            stepper: Stepper::Coarse,
        };
        let trajectory = Trajectory::integrate(&problem, &plan)?;
        let optimum = BestInClass::polish(&problem, scaling, &trajectory.last().weights).ok();
        flows.push((scaling, trajectory, optimum));
    }
    let run = |k: usize| {
        let (scaling, trajectory, optimum) = &flows[k];
        UnderRun { ball: ball(*scaling), trajectory, optimum: optimum.as_ref() }
    };
    let (before, after) = (run(0), run(1));
    let mut records = vec![under_flow::monotone(&before), under_flow::monotone(&after)];
    records.extend(theorem_5(&before, &after)?);
    if let Some(optimum) = before.optimum {
        // Where geodesics are too long for the logarithm, there is nothing to judge.
        records.extend(lemma_9(&before, optimum, (8, 2)).unwrap_or_default());
    }
    let others = [("printed alpha", printed), ("corrected alpha", corrected), ("r", fraction)];
    Ok(Trial { problem: in_numbers(&problem, &others), records })
}

/// rho in (0, 1): most often moderate, sometimes near an end.
fn damping(genes: &mut Genes<'_>) -> f64 {
    let ratio = genes.scale(1e-3, 1e2);
    ratio / (1.0 + ratio)
}

/// The kernel's bounds and section 3's identities at w_0.
fn wide_points(genes: &mut Genes<'_>) -> Result<Trial, TheoryError> {
    let (problem, constants) = small_problem(genes, Shape::Wide)?;
    let damping = damping(genes);
    let ratio = damping / (1.0 - damping);
    let start = Local::measure(&problem, 1.0, &problem.initial)?;
    let mut records = settings(&problem, &constants)?;
    let eigenvalue = |gamma: f64| gamma / ((1.0 - damping) * gamma + damping);
    records.push(kernel::kernel_stays(&problem, &constants, 3)?);
    records.push(kernel::squared_inverse_bound(&problem, &start, &constants, damping, 1.0));
    records.push(identities::output_flow(&problem, &start, damping, ratio)?);
    records.push(identities::eigenpairs(&problem, &start, damping, eigenvalue)?);
    records.push(identities::squared_inverse(&problem, &start, damping, ratio)?);
    records.push(discrete::bounded_gradient(&problem, &constants, constants.gradient_bound()));
    Ok(Trial { problem: in_numbers(&problem, &[("rho", damping)]), records })
}

/// The longest flow that is tried, in units of its fastest mode: a longer one is stiff, and costs without end.
const LONGEST: f64 = 1e3;

/// rho for the statements that the paper makes up to a bound of its own: within it half of the time.
fn damping_up_to(genes: &mut Genes<'_>, largest: f64) -> f64 {
    let (drawn, within) = (damping(genes), genes.whole(0, 1) == 0);
    if within { drawn.min(largest) } else { drawn }
}

/// Lemmas 1 and 2 and Theorem 1 along Levenberg-Marquardt's flow, or along gradient flow.
fn wide_flows(genes: &mut Genes<'_>) -> Result<Trial, TheoryError> {
    let (problem, constants) = small_problem(genes, Shape::Wide)?;
    let (which, drawn) = (genes.whole(0, 3), damping_up_to(genes, constants.largest_damping()));
    let square = constants.lambda0.powi(2);
    let rho = match which {
        0 | 1 => drawn,
        2 => square / (1.0 + square),
        _ => 1.0,
    };
    let rate = |lambda: f64| printed::dissipation_rate(lambda, rho);
    if rate(2.0 * constants.lambda_n) > LONGEST * rate(constants.lambda0) {
        return Err(TheoryError::PassedOver { reason: "the flow is stiff" });
    }
    let least = genes.above(constants.never_exits_scaling());
    let other = genes.above(constants.theorem_1_scaling(rho.min(0.999)));
    for scaling in [least, other] {
        require_resolved(&problem, scaling)?;
    }
    let records = if which < 2 {
        lemma_2(&problem, &constants, rho, ([other, least], Stepper::Coarse))?.records
    } else {
        let minimizer = problem.minimizer();
        let trajectory = levenberg_marquardt(&problem, &constants, rho, (least, Stepper::Coarse))?;
        let at = (&constants, rho);
        let run = OverRun::new(&problem.name, &problem, at, &trajectory, &minimizer);
        let rest = if which == 2 {
            flow::admissible_damping(&run)
        } else {
            flow::gradient_flow_rate(&run)
        };
        vec![rest, flow::never_exits_corrected(&run), flow::theorem_1_corrected(&run)]
    };
    let others = [("rho", rho), ("printed alpha", other), ("corrected alpha", least)];
    Ok(Trial { problem: in_numbers(&problem, &others), records })
}

/// Theorem 2 and its appendix, as printed, consistent and repaired.
fn wide_iterations(genes: &mut Genes<'_>) -> Result<Trial, TheoryError> {
    let (problem, constants) = small_problem(genes, Shape::Wide)?;
    let rho = damping_up_to(genes, constants.largest_damping());
    let multiples = [genes.above(1.0), genes.above(1.0), genes.above(1.0)];
    let records = theorem_2(&problem, &constants, rho, multiples, [40, 10, 40, 40])?;
    let others = [
        ("rho", rho),
        ("alpha over the printed least", multiples[0]),
        ("over the consistent least", multiples[1]),
        ("over the repaired least", multiples[2]),
    ];
    Ok(Trial { problem: in_numbers(&problem, &others), records })
}
