//! Section 4.2 on the manifold: the Riemannian Hessian's spectrum, sublevel sets, bounds by the logarithm.

use gaussflow_manifold::{GeodesicSettings, OutputManifold};
use gaussflow_solvers::{inner_product, norm};

use crate::TheoryError;
use crate::audit::under_immersion::Ball;
use crate::best_in_class::BestInClass;
use crate::corrected::UnderparameterizedRate;
use crate::record::{Comparison, Hypothesis, Record, Statement};
use crate::sampling::shifted;
use crate::trajectory::Trajectory;

/// The extreme eigenvalues of the Riemannian Hessian at points of B.
#[derive(Clone, Debug, PartialEq)]
pub struct HessianRange {
    /// nu_eff, point by point.
    pub smallest: Vec<f64>,
    /// mu_eff.
    pub largest: Vec<f64>,
    /// Whether g is at most g(0) at the points: the corrected bounds hold there.
    pub within: Vec<bool>,
    /// The Euclidean Hessian's rounding at the points.
    pub tolerance: f64,
}

impl HessianRange {
    /// Measures at w_0 and at the points sampled in B.
    pub fn measure(ball: &Ball<'_>) -> Result<Self, TheoryError> {
        let objective = ball.problem.objective(ball.scaling)?;
        let mut manifold = OutputManifold::new(&objective)?;
        let top = objective.loss_at(&ball.problem.initial)?;
        let (mut smallest, mut largest, mut within) = (Vec::new(), Vec::new(), Vec::new());
        for w in ball.samples(14) {
            within.push(objective.loss_at(&w)? <= top);
            let extremes = manifold.at(&w)?.hessian_extremes()?;
            smallest.push(extremes.smallest.value);
            largest.push(extremes.largest.value);
        }
        let c = ball.constants;
        let cond = c.lambda_n / (c.lambda0 * (1.0 - ball.fraction));
        let size = largest.iter().copied().fold(c.smoothness, f64::max);
        let tolerance = 8.0 * c.outputs as f64 * f64::EPSILON * cond * size;
        Ok(Self { smallest, largest, within, tolerance })
    }

    /// Both sides that `sides` makes of what was found, at all points or at those of {g <= g(0)}.
    fn places(&self, found: &[f64], all: bool, sides: impl Fn(f64) -> [f64; 2]) -> Vec<Comparison> {
        let points = found.iter().zip(&self.within).enumerate();
        let chosen = points.filter(|(_, (_, within))| all || **within).map(|(k, (&found, _))| {
            let [left, right] = sides(found);
            Comparison::new(left, right, self.tolerance, format!("point {k} of B"))
        });
        chosen.collect()
    }
}

/// The corrected rate's constants with the proven Gamma = sqrt(2 mu (g(0) - g*)).
pub fn corrected_rate(ball: &Ball<'_>) -> Result<UnderparameterizedRate, TheoryError> {
    let objective = ball.problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let mut tangent = vec![0.0; ball.problem.outputs()];
    manifold.at(&ball.problem.initial)?.riemannian_gradient(&mut tangent)?;
    let c = ball.constants;
    Ok(UnderparameterizedRate {
        fraction: ball.fraction,
        lambda0: c.lambda0,
        jacobian_lipschitz: c.jacobian_lipschitz,
        strong_convexity: c.strong_convexity,
        normal_gradient: c.gradient_bound(),
        initial_tangent_gradient: norm(&tangent),
    })
}

/// Lemma 7: the Riemannian Hessian is at least `nu` on M; corrected: at least theta.
pub fn geodesic_strong_convexity(
    ball: &Ball<'_>,
    range: &HessianRange,
    nu: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/geodesic-strong-convexity",
        place: "Lemma 7",
        text: "nu <= smallest eigenvalue of the Riemannian Hessian of g at points of M = alpha f(B)",
    };
    let theta = corrected_rate(ball)?.theta(ball.scaling);
    Ok(row
        .judge(&ball.name(), ball.assumed(), range.places(&range.smallest, true, |found| [nu, found]))
        .with_corrected(
            "theta = nu - Gamma L/(4 alpha (1-r)^2 lambda0^2) <= smallest eigenvalue, on B within {g <= g(0)}",
            &ball.assumed(),
            range.places(&range.smallest, false, |found| [theta, found]),
        )
        .with_note("The proof differentiates P grad g as if P were constant and loses the second fundamental form."))
}

/// Corollary 1: the Riemannian Hessian is at most `mu`; corrected: at most mu + the curvature term.
pub fn geodesic_smoothness(
    ball: &Ball<'_>,
    range: &HessianRange,
    mu: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/geodesic-smoothness",
        place: "Corollary 1",
        text: "largest eigenvalue of the Riemannian Hessian of g at points of M <= mu",
    };
    let bent = ball.constants.smoothness + corrected_rate(ball)?.curvature_term(ball.scaling);
    let judged = row.judge(
        &ball.name(),
        ball.assumed(),
        range.places(&range.largest, true, |found| [found, mu]),
    );
    Ok(judged.with_corrected(
        "largest eigenvalue <= mu + Gamma L/(4 alpha (1-r)^2 lambda0^2), on B within {g <= g(0)}",
        &ball.assumed(),
        range.places(&range.largest, false, |found| [found, bent]),
    ))
}

/// Lemma 8: a geodesic between points of S = M within {g <= g(0)} stays in S.
///
/// Tried on a geodesic through a point just above g(0), along the flattest direction that is orthogonal
/// to the gradient there: its ends, as far apart as B allows, lie in S where the curvature is negative.
pub fn sublevel_convex(ball: &Ball<'_>) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/sublevel-convex",
        place: "Lemma 8",
        text: "g along a geodesic with both ends in S <= g(0)",
    };
    let problem = ball.problem;
    let objective = problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let n = problem.outputs();
    let top = objective.loss_at(&problem.initial)?;
    let (direction, uphill, curvature) = {
        let mut point = manifold.at(&problem.initial)?;
        let mut gradient = vec![0.0; n];
        point.riemannian_gradient(&mut gradient)?;
        let size = norm(&gradient);
        let extremes = point.hessian_extremes()?;
        let v = extremes.smallest.direction;
        let mut u = vec![0.0; n];
        point.tangent_vector(&v, &mut u)?;
        let along = inner_product(&u, &gradient) / (size * size);
        u.iter_mut().zip(&gradient).for_each(|(u, g)| *u -= along * g);
        let length = norm(&u);
        u.iter_mut().for_each(|u| *u /= length);
        let mut v = vec![0.0; problem.parameters()];
        point.parameter_direction(&u, &mut v)?;
        let mut up = vec![0.0; problem.parameters()];
        let unit: Vec<f64> = gradient.iter().map(|g| g / size).collect();
        point.parameter_direction(&unit, &mut up)?;
        let curvature = point.hessian_quotient(&v)?.total();
        (v, up, (curvature, size))
    };
    let (curvature, slope) = curvature;
    // Half the length that stays within 0.9 of B's radius, and a quarter of the fall to both ends.
    let half = 0.9 * ball.radius() / norm(&direction);
    let rise = (0.25 * 0.5 * curvature.abs() * half * half / slope).min(0.05 * half);
    let middle = shifted(&problem.initial, &uphill, rise);
    let settings = GeodesicSettings::default();
    let tolerance = problem.outputs() as f64 * f64::EPSILON * top
        + slope * 4.0 * problem.output_rounding(ball.scaling);
    let (mut ends, mut highest, mut at) = (f64::NEG_INFINITY, f64::NEG_INFINITY, 0.0);
    let mut farthest = 0.0_f64;
    for sign in [-1.0, 1.0] {
        let v: Vec<f64> = direction.iter().map(|d| sign * half * d).collect();
        let curve = manifold.exp(&middle, &v, &settings)?;
        curve.complete()?;
        for sample in &curve.samples {
            let loss = objective.loss_at(&sample.point)?;
            let away = gaussflow_solvers::squared_distance(&sample.point, &problem.initial).sqrt();
            farthest = farthest.max(away);
            if loss > highest {
                (highest, at) = (loss, sign * sample.fraction * half);
            }
        }
        ends = ends.max(objective.loss_at(&curve.last().point)?);
    }
    let mut assumed = ball.assumed();
    assumed.push(Hypothesis::at_most("g at the ends of the geodesic", ends, top - tolerance));
    assumed.push(Hypothesis::below("largest norm(w - w_0) on it", farthest, ball.radius()));
    let place = format!("output length {at:.3e} from the middle");
    // Excess over the fall to the ends: a relative size, where g itself would hide it.
    let fall = top - ends;
    Ok(row
        .judge(&ball.name(), assumed, [Comparison::new(highest, top, tolerance, place)])
        .with_note(&format!(
            "The curvature of g in the direction tried is {curvature:.3}; g exceeds g(0) by {:.3e}, \
             its fall to the ends is {fall:.3e} (rounding {tolerance:.1e}). Lemma 8 also needs M \
             geodesically convex, which is never shown. ",
            highest - top
        )))
}

/// Lemma 9 along a flow, with `norm(v_t)` the geodesic distance to the optimum in output space.
///
/// `distance` gives it for the weights of a sample with an error bound; samples where it gives none are
/// left out.
pub fn gradient_bounds(
    ball: &Ball<'_>,
    trajectory: &Trajectory,
    optimum: &BestInClass,
    distance: impl Fn(&[f64]) -> Option<(f64, f64)>,
) -> Vec<Record> {
    let (nu, mu) = (ball.constants.strong_convexity, ball.constants.smoothness);
    let (mut below, mut above, mut slope) = (Vec::new(), Vec::new(), Vec::new());
    for s in trajectory.inside(ball.radius()) {
        let Some((length, error)) = distance(&s.weights) else { continue };
        let gap = s.loss - optimum.loss;
        let tolerance = 2.0 * s.loss_error;
        let gradient = s.dissipation.max(0.0).sqrt();
        // Below the error of the gap nothing can be compared.
        if gap <= 100.0 * tolerance {
            continue;
        }
        let at = format!("t = {:.4}", s.time);
        let square = 0.5 * nu * length * length;
        below.push(Comparison::new(square, gap, tolerance + nu * length * error, at.clone()));
        let right = s.dissipation / (2.0 * nu);
        above.push(Comparison::new(gap, right, tolerance + 1e-10 * right, at.clone()));
        let bound = mu * length;
        slope.push(Comparison::new(gradient, bound, mu * error + 1e-10 * bound, at));
    }
    let mut assumed = ball.assumed();
    assumed.push(Hypothesis::below(
        "norm(w* - w_0) (Assumption 3)",
        optimum.distance,
        ball.radius(),
    ));
    let judge = |place, text, places: Vec<Comparison>| {
        let row = Statement { id: "under/gradient-bounds", place, text };
        row.judge(&ball.name(), assumed.clone(), places)
    };
    vec![
        judge("(20), left", "(nu/2) norm(v_t)^2 <= Delta_t, t < T", below),
        judge("(20), right", "Delta_t <= norm(grad_M g)^2/(2 nu), t < T", above),
        judge("(21)", "norm(grad_M g) <= mu norm(v_t), t < T", slope),
    ]
}
