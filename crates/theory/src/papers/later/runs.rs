//! The best PL constant `inf norm(P grad g)^2 / (2 (g - g_inf))` and the Riemannian Hessian's eigenvalues along
//! Gauss-Newton flows.

use gaussflow_dynamics::Preconditioner;
use gaussflow_manifold::OutputManifold;
use gaussflow_network::{
    Activation, Architecture, InitialPoint, Initialization, Layer, Network, Scale,
};
use gaussflow_objective::{Loss, Squared};
use std::sync::Arc;

use crate::TheoryError;
use crate::best_in_class::BestInClass;
use crate::network_constants::NetworkConstants;
use crate::papers::gauss_newton::under_geometry::corrected_rate;
use crate::papers::gauss_newton::under_immersion::Ball;
use crate::papers::gauss_newton::under_remarks::gap_slope;
use crate::papers::later::flows::{Course, FINE, follow};
use crate::problem::Problem;
use crate::referee::Rows;
use crate::trajectory::Trajectory;

/// r of the ball on which theta is proven.
pub(in crate::papers) const FRACTION: f64 = 0.5;
/// Samples of a run whose geometry is measured.
const SAMPLES: usize = 120;
/// Share of the initial gap below which the PL quotient is not taken: g and its limit agree in too many digits there.
const LEAST_GAP: f64 = 1e-6;

/// The regression on `rows` by hidden layers of these widths, weights and signs drawn from `seed`.
///
/// A layer that feeds another one is divided by the root of its width, as in docs/learn/depth.md.
pub(in crate::papers) fn regression(
    rows: &Rows,
    widths: &[usize],
    seed: u64,
) -> Result<Problem, TheoryError> {
    let layer = |(k, &width): (usize, &usize)| {
        let feeds = k + 1 < widths.len();
        let scale = if feeds { Scale::InverseRootWidth } else { Scale::Unit };
        Layer::new(width, Activation::Tanh).scaled(scale)
    };
    let architecture = Architecture::new(widths.iter().enumerate().map(layer).collect());
    let kind = Initialization::Nullified;
    let point = InitialPoint::draw_for(&architecture, kind, rows.features, seed)?;
    let (inputs, d) = (&rows.inputs, rows.features);
    let network = Network::with_architecture(inputs, d, architecture, &point.signs)?
        .started_as(kind, &point.weights)?;
    let loss: Arc<dyn Loss> = Arc::new(Squared::new(rows.targets.clone())?);
    let name = format!("n = {}, hidden {}, seed {seed}", rows.targets.len(), words(widths));
    Ok(Problem { name, network, loss, initial: point.weights })
}

/// Widths as records name them.
pub(in crate::papers) fn words(widths: &[usize]) -> String {
    widths.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

/// What the geometry of M comes to along a Gauss-Newton flow.
#[derive(Clone, Debug)]
pub(in crate::papers) struct Geometry {
    /// alpha.
    pub(in crate::papers) scaling: f64,
    /// When rank was lost.
    pub(in crate::papers) rank_lost: Option<f64>,
    /// The best PL constant, `inf norm(P grad g)^2 / (2 (g - g_inf))`; NaN without a limit.
    pub(in crate::papers) polyak: f64,
    /// The smallest and the largest eigenvalue of the Riemannian Hessian along the flow.
    pub(in crate::papers) hessian: [f64; 2],
    /// The smallest one at the limit; NaN without.
    pub(in crate::papers) at_limit: f64,
    /// The slope of `-log Delta` over Delta/Delta_0 in [1e-6, 1e-1]; NaN where the flow does not come so far.
    pub(in crate::papers) rate: f64,
    /// theta, and mu with the same curvature term: the proven bounds on B within {g <= g(0)}.
    pub(in crate::papers) proven: [f64; 2],
}

impl Geometry {
    /// Measures along the flow at alpha = `scaling` until `horizon`, the Hessian at about `points` samples.
    pub(in crate::papers) fn measure(
        problem: &Problem,
        constants: &NetworkConstants,
        (scaling, horizon): (f64, f64),
        points: usize,
    ) -> Result<Self, TheoryError> {
        let preconditioner = Preconditioner::GaussNewton;
        let course = Course { preconditioner, scaling, horizon, samples: SAMPLES, tolerance: FINE };
        let followed = follow(problem, &course)?;
        let rank_lost = followed.rank_lost().map(|event| event.time);
        let trajectory = &followed.trajectory;
        let limit = match trajectory.ended {
            // Its limit is where Newton's method from its end goes downhill.
            None => BestInClass::polish(problem, scaling, &trajectory.last().weights).ok(),
            Some(_) => None,
        };
        let limit =
            limit.filter(|l| l.loss <= trajectory.last().loss + trajectory.last().loss_error);
        let mut hessian = [f64::INFINITY, f64::NEG_INFINITY];
        let objective = problem.objective(scaling)?;
        let mut manifold = OutputManifold::new(&objective)?;
        for sample in trajectory.samples.iter().step_by(SAMPLES / points) {
            let extremes = manifold.at(&sample.weights)?.hessian_extremes()?;
            hessian[0] = hessian[0].min(extremes.smallest.value);
            hessian[1] = hessian[1].max(extremes.largest.value);
        }
        let ball = Ball { problem, constants, scaling, fraction: FRACTION, points: 0 };
        let corrected = corrected_rate(&ball)?;
        let bend = corrected.curvature_term(scaling);
        let slope = limit.as_ref().and_then(|l| gap_slope(trajectory, l.loss));
        Ok(Self {
            scaling,
            rank_lost,
            polyak: limit.as_ref().map_or(f64::NAN, |l| polyak(trajectory, l.loss)),
            hessian,
            at_limit: limit.as_ref().map_or(f64::NAN, |l| l.smallest_curvature),
            rate: slope.unwrap_or(f64::NAN),
            proven: [corrected.theta(scaling), constants.smoothness + bend],
        })
    }
}

/// `inf norm(P grad g)^2 / (2 (g - limit))` over the samples whose gap stands out from rounding.
fn polyak(trajectory: &Trajectory, limit: f64) -> f64 {
    let least = LEAST_GAP * (trajectory.samples[0].loss - limit);
    let quotients = trajectory.samples.iter().filter_map(|s| {
        let gap = s.loss - limit;
        (gap > least.max(200.0 * s.loss_error)).then(|| s.dissipation / (2.0 * gap))
    });
    quotients.fold(f64::NAN, f64::min)
}

/// The x from which on `y` is above `height`, x ascending: log-linear between neighbours. NaN where `y` ends below;
/// the first x where it is above from the first on.
pub(in crate::papers) fn rises_above(found: &[(f64, f64)], height: f64) -> f64 {
    let below = |y: f64| y.is_nan() || y < height;
    let Some(k) = found.iter().rposition(|&(_, y)| below(y)) else {
        return found.first().map_or(f64::NAN, |&(x, _)| x);
    };
    let Some(&(x1, y1)) = found.get(k + 1) else { return f64::NAN };
    let (x0, y0) = found[k];
    // Where nothing was measured below, the grid's point above.
    let share = if y0.is_nan() { 1.0 } else { (height - y0) / (y1 - y0) };
    (x0.ln() + share * (x1 / x0).ln()).exp()
}
