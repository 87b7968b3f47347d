//! Flows that may lose rank: followed in w with the events of [`gaussflow_dynamics`], where
//! [`Trajectory::integrate`] knows none and shrinks its steps without end.

use gaussflow_dynamics::{
    EventKind, EventRecord, Integrator, Outcome, Preconditioner, Settings, StopReason, Tolerances,
    simulate,
};
use gaussflow_network::{Network, NetworkJacobian};
use gaussflow_objective::{MapError, Objective, PointError, Residuals, SmoothMap};
use gaussflow_solvers::{JacobianOperator, inner_product, norm, squared_distance};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::TheoryError;
use crate::local::Local;
use crate::problem::Problem;
use crate::trajectory::{Sample, Trajectory};

/// Error of a step relative to the flow's motion, where what falls over many decades is measured.
pub(in crate::papers) const FINE: f64 = 1e-8;
/// The same where the question is only whether, and where, rank is lost.
pub(in crate::papers) const COARSE: f64 = 1e-5;
/// Linearizations after which a flow is given up: near a loss of rank some turn so fast that they take a hundred times as
/// many as others.
const EVALUATIONS: usize = 8_000;

/// Which flow to follow, and how far.
#[derive(Clone, Copy, Debug)]
pub(in crate::papers) struct Course {
    pub(in crate::papers) preconditioner: Preconditioner,
    /// alpha.
    pub(in crate::papers) scaling: f64,
    pub(in crate::papers) horizon: f64,
    /// Number of samples after the first, at equal spacing.
    pub(in crate::papers) samples: usize,
    /// [`FINE`] or [`COARSE`].
    pub(in crate::papers) tolerance: f64,
}

/// A flow with its end.
pub(in crate::papers) struct Followed {
    pub(in crate::papers) trajectory: Trajectory,
    pub(in crate::papers) outcome: Outcome,
}

impl Followed {
    /// Where the Jacobian lost rank, if it did.
    pub(in crate::papers) fn rank_lost(&self) -> Option<&EventRecord> {
        self.outcome.events.iter().find(|event| event.kind == EventKind::RankLost)
    }

    /// Whether it was given up after [`EVALUATIONS`].
    pub(in crate::papers) fn gave_up(&self) -> bool {
        matches!(
            self.outcome.stop_reason,
            StopReason::Failed(PointError::Map(MapError::Stopped { .. }))
        )
    }
}

/// Follows a flow to its horizon or to the loss of rank, sigma_min/sigma_max = 1e-6.
pub(in crate::papers) fn follow(
    problem: &Problem,
    course: &Course,
) -> Result<Followed, TheoryError> {
    let Course { preconditioner, scaling, horizon, samples: count, tolerance } = *course;
    let map = Counted { network: &problem.network, left: AtomicUsize::new(EVALUATIONS) };
    let objective = Objective::new(&map, Arc::clone(&problem.loss), scaling)?;
    // w moves by norm(q_0)/alpha or so: at large alpha a tolerance relative to w would not see it.
    let start = Local::measure(problem, scaling, &problem.initial)?;
    let rho = preconditioner.damping();
    let square =
        start.quadratic_form(&start.gradient, |gamma| gamma / ((1.0 - rho) * gamma + rho).powi(2));
    let motion = (square.sqrt() / scaling / norm(&problem.initial)).min(1.0);
    let relative = (tolerance * motion).max(4.0 * f64::EPSILON);
    let tolerances = Tolerances { relative, absolute: 1e-2 * relative };
    let settings = Settings {
        preconditioner,
        integrator: Integrator::Adaptive(tolerances),
        step: horizon / count as f64,
        horizon,
        ..Settings::default()
    };
    let mut samples = Vec::with_capacity(count + 1);
    let rounding = problem.output_rounding(scaling);
    let outcome = simulate(&objective, &problem.initial, &settings, |_, time, flow| {
        let q = flow.direction()?.to_vec();
        let here = flow.linearization();
        let mut velocity = vec![0.0; here.output().len()];
        here.jacobian().apply(&q, &mut velocity);
        let gradient = here.loss_gradient();
        let gradient_norm = norm(gradient);
        samples.push(Sample {
            time,
            weights: here.point().to_vec(),
            output: here.output().to_vec(),
            loss: here.loss(),
            gradient_norm,
            dissipation: inner_product(gradient, &velocity),
            speed: norm(&q),
            deviation: squared_distance(here.point(), &problem.initial).sqrt(),
            output_error: rounding,
            loss_error: rounding * gradient_norm
                + f64::EPSILON * gradient.len() as f64 * here.loss(),
        });
        Ok::<(), PointError>(())
    })?;
    let ended = Some(outcome.stop_reason.name().to_owned()).filter(|name| name != "horizon");
    let weight_error = relative * norm(&problem.initial);
    let trajectory = Trajectory { scaling, samples, ended, weight_error };
    Ok(Followed { trajectory, outcome })
}

/// A network that may be linearized so many times.
struct Counted<'n> {
    network: &'n Network,
    left: AtomicUsize,
}

impl Residuals for Counted<'_> {
    fn outputs(&self) -> usize {
        self.network.outputs()
    }

    fn parameters(&self) -> usize {
        self.network.parameters()
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.network.value(w, out)
    }
}

impl SmoothMap for Counted<'_> {
    type Jacobian = NetworkJacobian;

    fn new_jacobian(&self) -> Self::Jacobian {
        self.network.new_jacobian()
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut Self::Jacobian,
    ) -> Result<(), MapError> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            let reason = format!("the flow took {EVALUATIONS} linearizations");
            return Err(MapError::Stopped { reason });
        }
        self.left.store(left - 1, Ordering::Relaxed);
        self.network.linearize(w, value, jacobian)
    }
}
