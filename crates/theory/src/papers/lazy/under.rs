//! Theorem 2.5: for p < n and large alpha, gradient flow converges to a local minimum at a geometric rate.
//!
//! The theorem names neither the alpha nor the rate. `F(w) = R(alpha h(w))/alpha^2` has the Hessian
//! `J^T Hess R J + (1/alpha) grad R . D2h`, which is at least c where R <= R_0 on the ball of radius `sigma/(4 Lip(Dh))`,
//! with `c = (9/16) m sigma^2 - Gamma Lip(Dh)/alpha` and `Gamma = sqrt(2 M (R_0 - R*))`. For
//! `alpha >= (Lip(Dh)/(m sigma^2)) max(3.2 Gamma, (16/9)(Gamma + 4 norm(J_0^T grad R_0)/sigma))` the flow stays in the ball
//! and `2c >= m sigma^2/2`, the rate that is judged (docs/learn/derivations.md, section 9).

use gaussflow_solvers::norm;

use crate::TheoryError;
use crate::best_in_class::BestInClass;
use crate::papers::gauss_newton::under_geometry::corrected_rate;
use crate::papers::gauss_newton::under_immersion::Ball;
use crate::papers::lazy::setting::Setting;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::trajectory::{Sample, Stepper};

/// Samples of a flow.
const SAMPLES: usize = 60;
/// How far a flow goes, in units of `1/(m sigma^2)`: the judged bound then is at exp(-7), the linearized flow at exp(-28).
const HORIZON: f64 = 14.0;
/// Most halvings of alpha from the explicit threshold, and bisections after them.
const HALVINGS: usize = 40;
const BISECTIONS: usize = 6;

/// The alpha from which [`geometric`]'s rate is proved.
pub fn explicit_scaling(setting: &Setting) -> f64 {
    let c = &setting.constants;
    let pull = norm(&setting.start.transposed_times(&setting.start.gradient)) / setting.sigma();
    let gamma = c.gradient_bound();
    let curvature = c.jacobian_lipschitz / (c.strong_convexity * setting.sigma().powi(2));
    curvature * (3.2 * gamma).max(16.0 / 9.0 * (gamma + 4.0 * pull))
}

/// The gap to the flow's own limit against `(R_0 - R_inf) exp(-share m sigma^2 t)`.
fn gaps(setting: &Setting, scaling: f64, share: f64) -> Result<Vec<Comparison>, TheoryError> {
    let rate = setting.constants.strong_convexity * setting.sigma().powi(2);
    let flow = setting.flow_by(Stepper::Stiff, scaling, HORIZON / rate, SAMPLES)?;
    let limit = BestInClass::polish(&setting.problem, scaling, &flow.last().weights)?;
    let first = &flow.samples[0];
    let top = first.loss - limit.loss;
    let compare = |s: &Sample| {
        let bound = top * (-share * rate * s.time).exp();
        let error = s.loss_error + flow.last().loss_error;
        Comparison::new(s.loss - limit.loss, bound, error, format!("t = {:.4}", s.time))
    };
    Ok(flow.later().iter().map(compare).collect())
}

/// Theorem 2.5 at alpha = `scaling`, with the rate `share m sigma^2`; 1/2 is proved at [`explicit_scaling`].
pub fn geometric(setting: &Setting, scaling: f64, share: f64) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "lazy/under",
        place: "Theorem 2.5",
        text: "p < n, alpha large: R(alpha h(w_t)) - R_inf <= (R_0 - R_inf) exp(-m sigma^2 t/2), R_inf at the flow's limit",
    };
    let columns = setting.problem.outputs().saturating_sub(setting.problem.parameters());
    let least = explicit_scaling(setting);
    let assumed = vec![
        Hypothesis::above("n - p", columns as f64, 0.0),
        Hypothesis::above("sigma_min(J_0): the rank is p near w_0", setting.sigma(), 0.0),
        Hypothesis::at_least("alpha against the one from which the rate is proved", scaling, least),
    ];
    let name = format!("{}, alpha = {scaling:.4e}", setting.problem.name);
    Ok(row.judge(&name, assumed, gaps(setting, scaling, share)?).with_note(
        "The theorem says \"for alpha large\" and \"at a geometric rate\"; the alpha and the rate judged here are ours. ",
    ))
}

/// The least alpha, on a grid of factor 2 that is then refined, from which the rate m sigma^2/2 holds: reported, beside the
/// alpha of the corrected Theorem 5 of the Gauss-Newton paper.
pub fn least_scaling(setting: &Setting) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "lazy/under",
        place: "Theorem 2.5, onset",
        text: "least alpha at which the gap falls like exp(-m sigma^2 t/2) (left), alpha of the corrected Theorem 5 of gauss-newton (right)",
    };
    // Where the flow or the search for its limit gives no answer, the rate is not seen.
    let holds = |scaling: f64| {
        gaps(setting, scaling, 0.5).is_ok_and(|gaps| gaps.iter().all(Comparison::holds))
    };
    let explicit = explicit_scaling(setting);
    let mut high = explicit;
    let failing = (0..HALVINGS).find_map(|_| {
        let half = 0.5 * high;
        let held = holds(half);
        high = if held { half } else { high };
        (!held).then_some(half)
    });
    // Without a failure high is only a bound of the onset.
    let mut low = failing.unwrap_or(high);
    for _ in 0..BISECTIONS {
        let middle = (low * high).sqrt();
        if holds(middle) { high = middle } else { low = middle }
    }
    let (problem, constants) = (&setting.problem, &setting.constants);
    let ball = Ball { problem, constants, scaling: explicit, fraction: 0.5, points: 0 };
    let corrected = corrected_rate(&ball)?.least_scaling();
    Ok(row.report(
        &problem.name,
        high,
        corrected,
        &format!(
            "Gradient flow's rate m sigma^2/2 is proved from alpha = {explicit:.4e} on, {:.0} times the onset; right is the \
             alpha of Gauss-Newton's flow at r = 1/2. Onset: the first failure of a grid of factor 2 from there down, refined to {:.1} %. ",
            explicit / high,
            100.0 * (high / low - 1.0)
        ),
    ))
}
