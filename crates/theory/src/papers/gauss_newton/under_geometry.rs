//! Section 4.2 at points of the manifold: the Riemannian Hessian's spectrum.

use gaussflow_manifold::OutputManifold;
use gaussflow_solvers::norm;

use crate::TheoryError;
use crate::corrected::UnderparameterizedRate;
use crate::papers::gauss_newton::under_immersion::Ball;
use crate::referee::{Comparison, Record, Statement};

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
