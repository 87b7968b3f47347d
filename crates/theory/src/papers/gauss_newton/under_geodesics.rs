//! Section 4.2 along geodesics: sublevel sets (Lemma 8) and the bounds by the logarithm (Lemma 9).

use gaussflow_manifold::{Geodesic, GeodesicSettings, OutputManifold};
use gaussflow_solvers::{inner_product, norm, squared_distance};

use crate::TheoryError;
use crate::best_in_class::BestInClass;
use crate::papers::gauss_newton::under_immersion::Ball;
use crate::problem::Problem;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::sampling::shifted;
use crate::trajectory::Trajectory;

/// What a geodesic through a point looks like from there.
struct Way {
    /// The middle of the geodesic.
    middle: Vec<f64>,
    /// Unit output velocity there, in parameters.
    direction: Vec<f64>,
    /// Half its length.
    half: f64,
    /// norm(P grad g) there.
    slope: f64,
    /// The Riemannian Hessian's quotient on it.
    curvature: f64,
}

/// The way through a point just above g(0), along the flattest direction that is orthogonal to the gradient.
fn flattest_way(ball: &Ball<'_>) -> Result<Way, TheoryError> {
    let problem = ball.problem;
    let objective = problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let (n, p) = (problem.outputs(), problem.parameters());
    let mut point = manifold.at(&problem.initial)?;
    let mut gradient = vec![0.0; n];
    point.riemannian_gradient(&mut gradient)?;
    let slope = norm(&gradient);
    let mut u = vec![0.0; n];
    let flattest = point.hessian_extremes()?.smallest.direction;
    point.tangent_vector(&flattest, &mut u)?;
    let along = inner_product(&u, &gradient) / (slope * slope);
    u.iter_mut().zip(&gradient).for_each(|(u, g)| *u -= along * g);
    let length = norm(&u);
    u.iter_mut().for_each(|u| *u /= length);
    let mut direction = vec![0.0; p];
    point.parameter_direction(&u, &mut direction)?;
    let mut uphill = vec![0.0; p];
    let unit: Vec<f64> = gradient.iter().map(|g| g / slope).collect();
    point.parameter_direction(&unit, &mut uphill)?;
    let curvature = point.hessian_quotient(&direction)?.total();
    // Half the length that stays within 0.9 of B's radius, and a quarter of the fall to both ends.
    let half = 0.9 * ball.radius() / norm(&direction);
    let rise = (0.25 * 0.5 * curvature.abs() * half * half / slope).min(0.05 * half);
    let middle = shifted(&problem.initial, &uphill, rise);
    Ok(Way { middle, direction, half, slope, curvature })
}

/// What g does on a geodesic through the middle of a way.
struct Walk {
    /// The larger of the values at the ends.
    ends: f64,
    /// The largest value, and the output length from the middle there.
    highest: f64,
    at: f64,
    /// The largest norm(w - w_0).
    farthest: f64,
    /// The least and the largest second derivative by length at the samples.
    second: (f64, f64),
}

impl Walk {
    fn along(ball: &Ball<'_>, way: &Way) -> Result<Self, TheoryError> {
        let objective = ball.problem.objective(ball.scaling)?;
        let mut manifold = OutputManifold::new(&objective)?;
        let (least, most) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut walk =
            Self { ends: least, highest: least, at: 0.0, farthest: 0.0, second: (most, least) };
        for sign in [-1.0, 1.0] {
            let v: Vec<f64> = way.direction.iter().map(|d| sign * way.half * d).collect();
            let curve = manifold.exp(&way.middle, &v, &GeodesicSettings::default())?;
            curve.complete()?;
            for (sample, loss) in curve.samples.iter().zip(manifold.loss_along(&curve)?.samples) {
                let away = squared_distance(&sample.point, &ball.problem.initial).sqrt();
                walk.farthest = walk.farthest.max(away);
                walk.second = (walk.second.0.min(loss.second), walk.second.1.max(loss.second));
                if loss.value > walk.highest {
                    (walk.highest, walk.at) = (loss.value, sign * loss.length);
                }
            }
            walk.ends = walk.ends.max(objective.loss_at(&curve.last().point)?);
        }
        Ok(walk)
    }
}

/// Lemma 8: a geodesic between points of S = M within {g <= g(0)} stays in S.
///
/// Tried on a geodesic whose ends, as far apart as B allows, lie in S where the curvature of g is negative. Corrected, on
/// the same geodesic of length l: with h the least second derivative of g along it, g is at most the larger end value
/// plus `max(0, -h) l^2/8` times `factor` (1 but for a planted bound): a function with second derivative at least -k
/// lies below its chord plus `k s (l - s)/2`.
pub fn sublevel_convex(ball: &Ball<'_>, factor: f64) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/sublevel-convex",
        place: "Lemma 8",
        text: "g along a geodesic with both ends in S <= g(0)",
    };
    let problem = ball.problem;
    let top = problem.objective(ball.scaling)?.loss_at(&problem.initial)?;
    let way = flattest_way(ball)?;
    let walk = Walk::along(ball, &way)?;
    let tolerance = problem.outputs() as f64 * f64::EPSILON * top
        + way.slope * 4.0 * problem.output_rounding(ball.scaling);
    let mut assumed = ball.assumed();
    assumed.push(Hypothesis::at_most("g at the ends of the geodesic", walk.ends, top - tolerance));
    assumed.push(Hypothesis::below("largest norm(w - w_0) on it", walk.farthest, ball.radius()));
    let at = format!("output length {:.3e} from the middle", walk.at);
    // The excess over the larger end is a small number, where g itself would hide it. Between samples the second
    // derivative may be lower than at them, by a part of what it varies by.
    let square = (2.0 * way.half).powi(2) / 8.0;
    let deficit = (-walk.second.0).max(0.0) * square;
    let unseen = 0.1 * (walk.second.1 - walk.second.0) * square;
    let place = Comparison::new(
        walk.highest - walk.ends,
        factor * deficit,
        2.0 * tolerance + unseen,
        at.clone(),
    );
    let fall = top - walk.ends;
    Ok(row
        .judge(&ball.name(), assumed.clone(), [Comparison::new(walk.highest, top, tolerance, at)])
        .with_corrected(
            "g - (larger end value) along a geodesic of length l <= max(0, -h) l^2/8, h the least second derivative of g along it",
            &assumed[..1],
            [place],
        )
        .with_note(&format!(
            "The curvature of g in the direction tried is {:.3}; g exceeds g(0) by {:.3e}, its fall to the ends is \
             {fall:.3e} (rounding {tolerance:.1e}). Where the second derivative along the geodesic is nonnegative, no \
             point of it lies above the larger end. Lemma 8 also needs M geodesically convex, which is never shown. ",
            way.curvature,
            walk.highest - top
        )))
}

/// The geodesic from an optimum to a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Joining {
    /// Its length in output space.
    pub length: f64,
    /// What that may be off by.
    pub error: f64,
    /// Weights on it, the optimum first.
    pub points: Vec<Vec<f64>>,
}

impl Joining {
    /// The shortest geodesic that the manifold's logarithm finds; `None` where it finds none.
    pub fn find(
        problem: &Problem,
        scaling: f64,
        optimum: &BestInClass,
        w: &[f64],
    ) -> Result<Option<Self>, TheoryError> {
        let objective = problem.objective(scaling)?;
        let mut manifold = OutputManifold::new(&objective)?;
        let settings = GeodesicSettings::default();
        let Ok(log) = manifold.log(&optimum.weights, w, &settings) else { return Ok(None) };
        let curve: Geodesic = manifold.exp(&optimum.weights, &log.velocity, &settings)?;
        let points = curve.samples.into_iter().map(|sample| sample.point).collect();
        Ok(Some(Self { length: log.distance, error: log.miss, points }))
    }

    /// nu_e and mu_e: the least eigenvalue of the Riemannian Hessian at the points, and the largest absolute one, each
    /// moved by half of the largest change between neighbours for what lies between them.
    fn moduli(&self, problem: &Problem, scaling: f64) -> Result<(f64, f64), TheoryError> {
        let objective = problem.objective(scaling)?;
        let mut manifold = OutputManifold::new(&objective)?;
        let mut ends = Vec::new();
        for w in &self.points {
            let extremes = manifold.at(w)?.hessian_extremes()?;
            let (low, high) = (extremes.smallest.value, extremes.largest.value);
            ends.push((low, high.abs().max(low.abs())));
        }
        let (mut nu, mut mu, mut jump) = (f64::INFINITY, 0.0_f64, 0.0_f64);
        for (k, &(low, high)) in ends.iter().enumerate() {
            (nu, mu) = (nu.min(low), mu.max(high));
            if k > 0 {
                jump = jump.max((low - ends[k - 1].0).abs()).max((high - ends[k - 1].1).abs());
            }
        }
        Ok((nu - 0.5 * jump, mu + 0.5 * jump))
    }
}

/// The two sides of one bound of Lemma 9, as printed and corrected.
#[derive(Default)]
struct Bound {
    printed: Vec<Comparison>,
    corrected: Vec<Comparison>,
}

/// Lemma 9 along a flow, with `norm(v_t)` the geodesic distance to the optimum in output space.
///
/// `joining` gives the geodesic to the weights of a sample; samples where it gives none are left out. Corrected, with
/// nu_e and mu_e along that geodesic (times `factor`, 1 but for a planted bound) in place of nu and mu.
pub fn gradient_bounds(
    ball: &Ball<'_>,
    trajectory: &Trajectory,
    optimum: &BestInClass,
    factor: f64,
    joining: impl Fn(&[f64]) -> Result<Option<Joining>, TheoryError>,
) -> Result<Vec<Record>, TheoryError> {
    let (nu, mu) = (ball.constants.strong_convexity, ball.constants.smoothness);
    let (mut below, mut above, mut slope) = (Bound::default(), Bound::default(), Bound::default());
    for s in trajectory.inside(ball.radius()) {
        let Some(joined) = joining(&s.weights)? else { continue };
        // Both ends of the geodesic are rounded outputs, and so is the point at which the gradient is taken.
        let rounding = ball.problem.output_rounding(ball.scaling);
        let (length, error) = (joined.length, joined.error + 2.0 * rounding + s.output_error);
        let gap = s.loss - optimum.loss;
        let tolerance = 2.0 * s.loss_error;
        // Below the error of the gap nothing can be compared.
        if gap <= 100.0 * tolerance {
            continue;
        }
        let (along_nu, along_mu) = joined.moduli(ball.problem, ball.scaling)?;
        let gradient = s.dissipation.max(0.0).sqrt();
        let at = format!("t = {:.4}", s.time);
        // At the optimum the gradient is not 0 but what polishing left.
        let left = optimum.tangent_gradient;
        let growth = |nu: f64| {
            let off = tolerance + nu.abs() * length * error + left * length;
            Comparison::new(0.5 * nu * length * length, gap, off, at.clone())
        };
        below.printed.push(growth(nu));
        below.corrected.push(growth(along_nu * factor));
        let decrease = |nu: f64| {
            let right = s.dissipation / (2.0 * nu);
            Comparison::new(gap, right, tolerance + 1e-10 * right + left * length, at.clone())
        };
        above.printed.push(decrease(nu));
        above.corrected.push(if along_nu > 0.0 {
            decrease(along_nu * factor)
        } else {
            // Where nu_e is not positive nothing is bounded.
            Comparison::new(gap, f64::INFINITY, tolerance, at.clone())
        });
        let bend = |mu: f64| {
            let bound = mu * length;
            Comparison::new(gradient, bound, mu * error + 1e-10 * bound + left, at.clone())
        };
        slope.printed.push(bend(mu));
        slope.corrected.push(bend(along_mu / factor));
    }
    let mut assumed = ball.assumed();
    assumed.push(Hypothesis::below(
        "norm(w* - w_0) (Assumption 3)",
        optimum.distance,
        ball.radius(),
    ));
    let judge = |place, text, corrected: &str, bound: Bound| {
        let row = Statement { id: "under/gradient-bounds", place, text };
        row.judge(&ball.name(), assumed.clone(), bound.printed).with_corrected(
            corrected,
            &ball.assumed(),
            bound.corrected,
        )
    };
    Ok(vec![
        judge(
            "(20), left",
            "(nu/2) norm(v_t)^2 <= Delta_t, t < T",
            "(nu_e/2) norm(v_t)^2 <= Delta_t, nu_e the least eigenvalue of the Riemannian Hessian along the geodesic",
            below,
        ),
        judge(
            "(20), right",
            "Delta_t <= norm(grad_M g)^2/(2 nu), t < T",
            "Delta_t <= norm(grad_M g)^2/(2 nu_e) where nu_e > 0",
            above,
        ),
        judge(
            "(21)",
            "norm(grad_M g) <= mu norm(v_t), t < T",
            "norm(grad_M g) <= mu_e norm(v_t), mu_e the largest absolute eigenvalue along the geodesic",
            slope,
        ),
    ])
}
