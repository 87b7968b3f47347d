//! Theorem 2's iteration with scheduled damping, `w <- w - eta H_rho^-1 J^T grad g`, for any objective.
//!
//! A fit runs the same schedules for residuals, with bounds and robust losses: [`Damping::Schedule`](crate::Damping::Schedule).

use gaussflow_objective::{Linearization, Loss, MapError, Objective, PointError, SmoothMap};
use gaussflow_solvers::{JacobianOperator, SolveError, SolveRequest, inner_product, norm};

use crate::schedule::{DampingSchedule, ScheduleState, StepLength, StepVerdict};

/// Records one step that [`iterate_scheduled`] tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduledStep {
    /// The loss before the step.
    pub loss: f64,
    /// The damping rho of the step.
    pub damping: f64,
    /// The smallest eigenvalue of `J J^T` (of `J^T J` where n > p) before the step; `None` beyond the memory limit.
    pub smallest_eigenvalue: Option<f64>,
    /// The decrease of the loss over the predicted decrease, as [`DampingSchedule::judge`] receives it.
    pub gain: f64,
    /// Whether the step was kept.
    pub verdict: StepVerdict,
}

/// Iterates `w <- w - eta H_rho^-1 J^T grad g` from `initial` (length p) with the damping that `schedule` chooses, and returns
/// the `attempts` steps that it tried, kept or not, and the last weights (length p).
///
/// # Cost
/// Each attempt takes one linearization, the smallest singular value of J, one solve and one evaluation of the loss.
///
/// # Errors
/// [`PointError`] where the map is undefined at parameters that were accepted, where [`StepLength::Whole`] is asked for with
/// a loss that has no finite smoothness mu, where a system cannot be solved, or where the schedule's rho is outside [0, 1].
///
/// # Source
/// Theorem 2 of the paper, with rho chosen anew in each step.
///
/// # Examples
/// ```
/// use gaussflow_dynamics::{KernelEigenvalueDamping, StepLength, iterate_scheduled};
/// use gaussflow_objective::{FiniteDifferences, Objective, ResidualFn, Squared};
/// let map = FiniteDifferences::new(ResidualFn::new(2, 2, |w, out| {
///     out.copy_from_slice(&[w[0], 1e-3 * w[1]]);
/// }));
/// let objective = Objective::new(map, Squared::new(vec![1.0, 1e-3])?, 1.0)?;
/// let (schedule, length) = (&mut KernelEigenvalueDamping, StepLength::Whole);
/// let (steps, w) = iterate_scheduled(&objective, &[0.0; 2], schedule, length, 60)?;
/// assert_eq!(steps.len(), 60);
/// assert!((w[1] - 1.0).abs() < 1e-6); // the weak direction, too
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn iterate_scheduled<M: SmoothMap, L: Loss>(
    objective: &Objective<M, L>,
    initial: &[f64],
    schedule: &mut dyn DampingSchedule,
    length: StepLength,
    attempts: usize,
) -> Result<(Vec<ScheduledStep>, Vec<f64>), PointError> {
    let (n, p) = (objective.map().outputs(), objective.map().parameters());
    if length == StepLength::Whole && !objective.loss().smoothness().is_finite() {
        let reason =
            "a whole step is 1 / mu long, and the loss has no finite mu: give a constant length";
        return Err(MapError::Undefined { reason: reason.to_owned() }.into());
    }
    let mut here = Linearization::new(objective.map())?;
    let mut w = initial.to_vec();
    let mut iteration = 0;
    let (mut q, mut image, mut bent) = (vec![0.0; p], vec![0.0; n], vec![0.0; n]);
    let mut steps = Vec::with_capacity(attempts);
    for _ in 0..attempts {
        here.move_to(objective, &w)?;
        let smallest_eigenvalue = match here.smallest_singular_value() {
            Ok(smallest) => Some(smallest * smallest),
            Err(SolveError::MemoryLimit { .. }) => None,
            Err(other) => return Err(other.into()),
        };
        let loss = here.loss();
        here.parameter_gradient(&mut q);
        let gradient_norm = norm(&q);
        let state = ScheduleState { iteration, loss, gradient_norm, smallest_eigenvalue };
        let damping = schedule.damping(state);
        here.solve_loss_gradient(SolveRequest { damping, ..SolveRequest::default() }, &mut q)?;
        here.jacobian().apply(&q, &mut image);
        objective.loss().hessian_apply(here.output(), &image, &mut bent);
        // alpha eta, and the quadratic model's decrease along it.
        let step = length.scaled(damping, objective.loss().smoothness(), objective.scaling());
        let predicted = step * inner_product(here.loss_gradient(), &image)
            - 0.5 * step * step * inner_product(&image, &bent);
        let eta = step / objective.scaling();
        let trial: Vec<f64> = w.iter().zip(&q).map(|(w, q)| w - eta * q).collect();
        // Where there is no value the step counts as a rise.
        let loss_there = objective.loss_at(&trial).unwrap_or(f64::INFINITY);
        let gain = if predicted > 0.0 { (loss - loss_there) / predicted } else { 0.0 };
        let verdict = schedule.judge(gain);
        steps.push(ScheduledStep { loss, damping, smallest_eigenvalue, gain, verdict });
        if verdict == StepVerdict::Accepted {
            w = trial;
            iteration += 1;
        }
    }
    Ok((steps, w))
}
