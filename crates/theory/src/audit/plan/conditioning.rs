//! Remark 6's sweep: inputs of prescribed conditioning, Gauss-Newton and gradient flow at alpha >= 1e4.

use gaussflow_dynamics::Preconditioner;

use crate::TheoryError;
use crate::audit::plan::under::gauss_newton;
use crate::audit::plan::{Effort, Findings};
use crate::audit::under_remarks::{
    ConditionedSlopes, conditioned_inputs, conditioning_free, gap_slope, gram_condition,
};
use crate::best_in_class::BestInClass;
use crate::problem::Problem;
use crate::sampling::Sampler;
use crate::trajectory::{FlowPlan, Stepper, Trajectory};

/// alpha of the sweep: so large that the flow stays where it is linear at every conditioning.
const SCALING: f64 = 1e6;
const ROWS: usize = 48;
const FEATURES: usize = 3;
/// One unit: with several, units of like slopes alone condition H_0 worse than 10.
const HIDDEN: usize = 1;

/// A problem whose H_0 has the condition number `condition`, by bisection on the inputs' spread.
pub(super) fn conditioned(condition: f64) -> Result<Problem, TheoryError> {
    let build = |log_spread: f64| -> Result<Problem, TheoryError> {
        let inputs = conditioned_inputs(ROWS, FEATURES, log_spread.exp(), 30)?;
        let targets = Sampler::new(31).normal(ROWS);
        let name = format!("cond(H_0) = {condition:.0e}");
        Problem::regression(&name, (&inputs, FEATURES), &targets, HIDDEN, 4)
    };
    let (mut low, mut high) = (0.0, 12.0);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if gram_condition(&build(middle)?)? < condition { low = middle } else { high = middle }
    }
    build(0.5 * (low + high))
}

/// The sweep.
pub fn sweep(effort: Effort) -> Result<Findings, TheoryError> {
    let conditions: &[f64] = effort.choose(&[1e1, 1e6], &[1e1, 1e2, 1e4, 1e6]);
    let mut found = Findings::default();
    for &condition in conditions {
        let problem = conditioned(condition)?;
        let newton = gauss_newton(&problem, SCALING, 4.5, 90)?;
        let best = BestInClass::polish(&problem, SCALING, &newton.last().weights)?;
        let here = crate::local::Local::measure(&problem, SCALING, &problem.initial)?;
        // The slowest mode needs ln(1e7)/(2 mu lambda_min).
        let plan = FlowPlan {
            preconditioner: Preconditioner::Gradient,
            scaling: SCALING,
            horizon: 1e7_f64.ln() / (2.0 * here.smallest()),
            samples: 4000,
            stepper: Stepper::Stiff,
        };
        let gradient = Trajectory::integrate(&problem, &plan)?;
        if let (Some(newton), Some(gradient)) =
            (gap_slope(&newton, best.loss), gap_slope(&gradient, best.loss))
        {
            let condition = gram_condition(&problem)?;
            found.slopes.push(ConditionedSlopes { condition, newton, gradient });
        }
        for (flow, trajectory) in [("Gauss-Newton", &newton), ("gradient", &gradient)] {
            let start = trajectory.samples[0].loss - best.loss;
            let times = trajectory.samples.iter().map(|s| s.time).collect();
            let gaps = trajectory.samples.iter().map(|s| (s.loss - best.loss) / start).collect();
            found.gap_curves.push((format!("{flow}, cond(H₀) = {condition:.0e}"), times, gaps));
        }
    }
    let name = format!("n = {ROWS}, d = {FEATURES}, m = {HIDDEN}, alpha = {SCALING:e}");
    found.records.push(conditioning_free(&name, &found.slopes, 0.05));
    Ok(found)
}
