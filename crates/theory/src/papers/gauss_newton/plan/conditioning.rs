//! Remark 6's sweep: inputs of prescribed conditioning, Gauss-Newton and gradient flow at alpha >= 1e4.

use gaussflow_dynamics::Preconditioner;

use crate::TheoryError;
use crate::best_in_class::BestInClass;
use crate::papers::gauss_newton::plan::under::gauss_newton;
use crate::papers::gauss_newton::under_remarks::{
    ConditionedSlopes, conditioned_inputs, conditioning_free, gap_slope, gram_condition,
};
use crate::problem::Problem;
use crate::referee::{Effort, Measurements, Plot, Table};
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
pub fn sweep(effort: Effort) -> Result<Measurements, TheoryError> {
    let conditions: &[f64] = effort.choose(&[1e1, 1e6], &[1e1, 1e2, 1e4, 1e6]);
    let mut found = Measurements::default();
    let mut slopes = Vec::new();
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
            slopes.push(ConditionedSlopes { condition, newton, gradient });
        }
    }
    let name = format!("n = {ROWS}, d = {FEATURES}, m = {HIDDEN}, alpha = {SCALING:e}");
    found.records.push(conditioning_free(&name, &slopes, 0.05));
    found.plots.push(picture(&slopes));
    found.tables.push(Table {
        title: "Rates against conditioning".to_owned(),
        legend: "Slopes of −log Δₜ over Δ/Δ₀ in [1e−6, 1e−1], underparameterized.".to_owned(),
        head: vec!["cond(H₀)", "Gauss-Newton", "gradient flow"],
        rows: slopes
            .iter()
            .map(|s| {
                let (newton, gradient) = (s.newton, s.gradient);
                vec![
                    format!("{:.1e}", s.condition),
                    format!("{newton:.5}"),
                    format!("{gradient:.3e}"),
                ]
            })
            .collect(),
    });
    Ok(found)
}

/// Slopes of both flows against cond(H_0).
fn picture(slopes: &[ConditionedSlopes]) -> Plot {
    let column =
        |value: fn(&ConditionedSlopes) -> f64| slopes.iter().map(value).collect::<Vec<_>>();
    Plot::new(
        "audit_conditioning",
        "How fast each flow falls, by conditioning (Remark 6)",
        "Fewer weights than rows, α = 10⁶. The rate is the slope of −log Δₜ while Δ/Δ₀ falls from 10⁻¹ to 10⁻⁶. Remark 6 says that it is at least 2ν for Gauss-Newton, whatever the conditioning.",
        ("condition number of H₀", "rate −d log Δ/dt"),
    )
    .logarithmic(true, true)
    .curve("Gauss-Newton", column(|s| s.condition), column(|s| s.newton))
    .curve("gradient flow", column(|s| s.condition), column(|s| s.gradient))
    .line("2ν", 4.0)
}
