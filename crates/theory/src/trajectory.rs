//! A flow of equation (1) by error control, with what the theorems bound at each sample and a bound of
//! its own error.
//!
//! Integrated is `v = alpha (w - w_0)`, for which `dv/dt = -q`, `q = H_rho^-1 J^T grad g`: at the paper's
//! alpha of 1e5 and more, w itself moves by less than a relative tolerance on w would see.

use std::ops::ControlFlow;

use gaussflow_dynamics::{Flow, Preconditioner, Settings, SolveSettings};
use gaussflow_integrators::{End, Grid, Method, VectorField, integrate};
use gaussflow_network::{ActivationFunction, Network};
use gaussflow_objective::{LipschitzConstants, Loss, MapError, PointError};
use gaussflow_solvers::{JacobianOperator, inner_product, norm, squared_distance};

use crate::TheoryError;
use crate::problem::Problem;

/// Relative tolerance of a step on v.
const RELATIVE: f64 = 1e-11;
/// Absolute tolerance of a step on v.
const ABSOLUTE: f64 = 1e-13;

/// Evaluations of the flow that one integration may take: where rank is lost steps shrink without end, and these decide
/// nothing any more.
const EVALUATIONS: usize = 100_000;

/// Chooses how a flow is integrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stepper {
    /// Explicit (Tsitouras 5(4)): for Gauss-Newton and Levenberg-Marquardt.
    #[default]
    Explicit,
    /// The same method to eight digits instead of eleven, for searches over many small problems.
    Coarse,
    /// Implicit (BDF), for gradient flow.
    Stiff,
}

/// Describes a flow to integrate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowPlan {
    /// Which flow.
    pub preconditioner: Preconditioner,
    /// The scaling alpha.
    pub scaling: f64,
    /// The last time.
    pub horizon: f64,
    /// The number of samples after the first, equally spaced in time.
    pub samples: usize,
    /// How it is integrated.
    pub stepper: Stepper,
}

/// Holds one sample of a trajectory. Quantities that are quadratic in `grad g` are measured, not derived from each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The time t; for an iteration k alpha eta.
    pub time: f64,
    /// The weights w_t (length p).
    pub weights: Vec<f64>,
    /// The outputs `alpha f(w_t)` (length n).
    pub output: Vec<f64>,
    /// The loss `g(alpha f(w_t))`.
    pub loss: f64,
    /// `norm(grad g)`.
    pub gradient_norm: f64,
    /// The dissipation `-dg/dt = <grad g, J q>`, with q the direction of the flow.
    pub dissipation: f64,
    /// `norm(q) = alpha norm(dw/dt)`.
    pub speed: f64,
    /// `norm(w_t - w_0)`.
    pub deviation: f64,
    /// A bound of the norm of the error of `alpha f(w_t)` from integration and rounding.
    pub output_error: f64,
    /// A bound of the error of the loss from the same causes.
    pub loss_error: f64,
}

/// Holds the samples of a flow or an iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    /// The scaling alpha.
    pub scaling: f64,
    /// The samples at equally spaced times, w_0 first.
    pub samples: Vec<Sample>,
    /// Why it ended before its horizon, if it did.
    pub ended: Option<String>,
    /// A bound of the norm of the error of w_t from the integration.
    pub weight_error: f64,
}

impl Trajectory {
    /// Integrates the flow `plan` of `problem` and measures it at equally spaced times.
    ///
    /// The error of a loss is bounded by `s d + (mu/2) d^2 + n eps g` with `d = Lip_f e + (rounding of alpha f)`, where s is
    /// the norm of the part of grad g that a displacement in the tangent space of the flow sees, and `e = steps sqrt(p)
    /// (absolute + relative max|v|)`. The flow contracts the outputs, so that the errors that each step was allowed at most
    /// add up.
    pub fn integrate<A: ActivationFunction>(
        problem: &Problem<A>,
        plan: &FlowPlan,
    ) -> Result<Self, TheoryError> {
        let objective = problem.objective(plan.scaling)?;
        let flow = Flow::new(&objective, plan.preconditioner, SolveSettings::default())?;
        let mut field = ScaledFlow {
            flow,
            initial: &problem.initial,
            scaling: plan.scaling,
            point: Vec::new(),
            evaluations_left: EVALUATIONS,
        };
        let (relative_tolerance, absolute_tolerance) = match plan.stepper {
            Stepper::Explicit => (RELATIVE, ABSOLUTE),
            Stepper::Coarse => (1e3 * RELATIVE, 1e3 * ABSOLUTE),
            // BDF of order 5 takes too many steps at the explicit method's tolerances.
            Stepper::Stiff => (1e-9, 1e-12),
        };
        let method = match plan.stepper {
            Stepper::Explicit | Stepper::Coarse => {
                Method::Adaptive { relative_tolerance, absolute_tolerance }
            }
            Stepper::Stiff => Method::Stiff { relative_tolerance, absolute_tolerance },
        };
        let every = 1;
        let step = plan.horizon / plan.samples.max(1) as f64;
        let grid = Grid { step, every, horizon: plan.horizon };
        let (mut samples, mut largest) = (Vec::new(), 0.0_f64);
        let mut failure = None;
        let mut observer = |field: &mut ScaledFlow<'_, '_, A>, _: usize, time: f64, v: &[f64]| {
            largest = v.iter().fold(largest, |l, v| l.max(v.abs()));
            match field.sample(time, v) {
                Ok(sample) => {
                    samples.push(sample);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failure = Some(error.to_string());
                    ControlFlow::Break(())
                }
            }
        };
        let start = vec![0.0; problem.parameters()];
        let done = integrate(method, grid, &mut field, &start, &mut [], &mut observer)?;
        let ended = match done.end {
            End::Horizon => None,
            End::Breakdown { cause, .. } => Some(cause.to_string()),
            End::Interrupted { .. } => failure,
            End::NonFinite { .. } => Some("a value was not finite".to_owned()),
            End::StepUnderflow { .. } => Some("the step fell to nothing".to_owned()),
            End::Event { .. } => Some("an event".to_owned()),
        };
        if samples.is_empty() {
            let reason = ended.unwrap_or_default();
            return Err(TheoryError::Ended { time: done.time, horizon: plan.horizon, reason });
        }
        let steps = done.statistics.accepted_steps as f64;
        let allowed = absolute_tolerance + relative_tolerance * largest;
        let root = (problem.parameters() as f64).sqrt();
        let v_error = steps * root * allowed;
        let farthest = root * largest / plan.scaling;
        let displacement = problem.network.lipschitz_within(&problem.initial, farthest) * v_error;
        let rounding = problem.output_rounding(plan.scaling);
        for sample in &mut samples {
            sample.add_loss_error(problem, rounding, displacement);
        }
        let weight_error = v_error / plan.scaling;
        Ok(Self { scaling: plan.scaling, samples, ended, weight_error })
    }

    /// Iterates `w <- w - eta q`, with q the direction of `preconditioner`, for `steps` steps; exact up to rounding.
    ///
    /// # Source
    /// Theorem 2 of the paper.
    pub fn iterate<A: ActivationFunction>(
        problem: &Problem<A>,
        preconditioner: Preconditioner,
        scaling: f64,
        eta: f64,
        steps: usize,
    ) -> Result<Self, TheoryError> {
        let objective = problem.objective(scaling)?;
        let flow = Flow::new(&objective, preconditioner, Settings::paper().solve)?;
        let (initial, point) = (&problem.initial[..], Vec::new());
        let evaluations_left = EVALUATIONS;
        let mut field = ScaledFlow { flow, initial, scaling, point, evaluations_left };
        let mut v = vec![0.0; problem.parameters()];
        let mut samples = Vec::with_capacity(steps + 1);
        let rounding = problem.output_rounding(scaling);
        for k in 0..=steps {
            let mut sample = field.sample(k as f64 * scaling * eta, &v)?;
            sample.add_loss_error(problem, rounding, 0.0);
            samples.push(sample);
            for (v, q) in v.iter_mut().zip(field.flow.direction()?) {
                *v -= scaling * eta * q;
            }
        }
        Ok(Self { scaling, samples, ended: None, weight_error: 0.0 })
    }

    /// Returns the samples after the first one, at which bounds from w_0 are equalities.
    pub fn later(&self) -> &[Sample] {
        self.samples.get(1..).unwrap_or_default()
    }

    /// Returns the samples before the trajectory leaves the ball of `radius` around w_0, that is at times t < T.
    pub fn inside(&self, radius: f64) -> &[Sample] {
        let exit = self.samples.iter().position(|s| s.deviation >= radius);
        &self.samples[..exit.unwrap_or(self.samples.len())]
    }

    /// Returns the largest `norm(w_t - w_0)` and its time.
    pub fn largest_deviation(&self) -> (f64, f64) {
        self.samples
            .iter()
            .map(|s| (s.deviation, s.time))
            .fold((0.0, 0.0), |worst, now| if now.0 > worst.0 { now } else { worst })
    }

    /// Returns the last sample.
    pub fn last(&self) -> &Sample {
        // A trajectory without a first sample is an error of `integrate`.
        &self.samples[self.samples.len() - 1]
    }
}

impl Sample {
    /// Returns `norm(alpha f - f*)`, the distance of the outputs from `minimizer`.
    pub fn distance_to(&self, minimizer: &[f64]) -> f64 {
        squared_distance(&self.output, minimizer).sqrt()
    }

    fn add_loss_error<A: ActivationFunction>(
        &mut self,
        problem: &Problem<A>,
        rounding: f64,
        displacement: f64,
    ) {
        let d = displacement + rounding;
        self.output_error = d;
        // Displacements on the flow's tangent space see the part of grad g that the flow dissipates;
        // rounding of f sees all of it.
        let seen = if problem.parameters() < problem.outputs() {
            self.dissipation.max(0.0).sqrt()
        } else {
            self.gradient_norm
        };
        let summed = problem.outputs() as f64 * f64::EPSILON * self.loss;
        self.loss_error = seen * d
            + rounding * self.gradient_norm
            + 0.5 * problem.loss.smoothness() * d * d
            + summed;
    }
}

/// The flow in `v = alpha (w - w_0)`.
struct ScaledFlow<'o, 'p, A: ActivationFunction> {
    flow: Flow<'o, &'p Network<A>, std::sync::Arc<dyn Loss>>,
    initial: &'p [f64],
    scaling: f64,
    point: Vec<f64>,
    evaluations_left: usize,
}

impl<A: ActivationFunction> ScaledFlow<'_, '_, A> {
    fn move_to(&mut self, v: &[f64]) -> Result<(), PointError> {
        self.point.clear();
        self.point.extend(self.initial.iter().zip(v).map(|(w, v)| w + v / self.scaling));
        Ok(self.flow.move_to(&self.point)?)
    }

    fn sample(&mut self, time: f64, v: &[f64]) -> Result<Sample, PointError> {
        self.move_to(v)?;
        let q = self.flow.direction()?.to_vec();
        let here = self.flow.linearization();
        let mut velocity = vec![0.0; here.output().len()];
        here.jacobian().apply(&q, &mut velocity);
        Ok(Sample {
            time,
            weights: self.point.clone(),
            output: here.output().to_vec(),
            loss: here.loss(),
            gradient_norm: norm(here.loss_gradient()),
            dissipation: inner_product(here.loss_gradient(), &velocity),
            speed: norm(&q),
            deviation: norm(v) / self.scaling,
            output_error: 0.0,
            loss_error: 0.0,
        })
    }
}

impl<A: ActivationFunction> VectorField for ScaledFlow<'_, '_, A> {
    type Breakdown = PointError;

    fn dimension(&self) -> usize {
        self.initial.len()
    }

    fn evaluate(&mut self, _time: f64, v: &[f64], out: &mut [f64]) -> Result<(), PointError> {
        let Some(left) = self.evaluations_left.checked_sub(1) else {
            let reason = format!("the integration took {EVALUATIONS} evaluations of the flow");
            return Err(MapError::Stopped { reason }.into());
        };
        self.evaluations_left = left;
        self.move_to(v)?;
        for (o, q) in out.iter_mut().zip(self.flow.direction()?) {
            *o = -q;
        }
        Ok(())
    }

    fn jacobian_apply(
        &mut self,
        _time: f64,
        v: &[f64],
        direction: &[f64],
        out: &mut [f64],
    ) -> Result<(), PointError> {
        self.move_to(v)?;
        // The field is alpha times that of w, and a change of v is 1/alpha of one of w: the same map.
        self.flow.field_derivative(direction, out)
    }
}
