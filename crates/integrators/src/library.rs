//! The error-controlled methods, stepped by the diffsol library on dense `f64` vectors.
//!
//! Explicit: Tsitouras 5(4), Comput. Math. Appl. 62 (2011) 770. Stiff: the quasi-constant-step
//! numerical differentiation formulas of Shampine and Reichelt, SIAM J. Sci. Comput. 18 (1997) 1.
//! The library is never told where to stop: that would shorten its last step, and a run would no
//! longer begin like a longer one.

use std::marker::PhantomData;

use diffsol::{
    BdfConfig, BdfState, DiffsolError, ExplicitRkConfig, FaerLU, FaerMat, FaerVec, OdeBuilder,
    OdeEquations, OdeSolverMethod, OdeSolverState, RkState, Vector,
};

use crate::error::IntegrationError;
use crate::field::{Failure, SharedProbe};
use crate::initial_step::initial_step;
use crate::method::Tolerances;
use crate::segment::Stepper;

/// Attempts thrown away in a row before a step is given up. A step is cut at least by half each
/// time, or by 0.3 at each second Newton failure: 100 go from any length to below the spacing of
/// the time axis.
const MOST_REJECTIONS_IN_A_ROW: usize = 100;
/// Shortest step in units of `eps t`: below this, times stop telling steps apart.
const SHORTEST_STEP: f64 = 4.0 * f64::EPSILON;

/// A method of the library with the failures it is allowed before its next step.
trait Allowance {
    fn allow(&mut self, shortest_step: f64, newton_failures: usize);
}

impl Allowance for ExplicitRkConfig<f64> {
    fn allow(&mut self, shortest_step: f64, _: usize) {
        self.minimum_timestep = shortest_step;
    }
}

impl Allowance for BdfConfig<f64> {
    fn allow(&mut self, shortest_step: f64, newton_failures: usize) {
        self.minimum_timestep = shortest_step;
        self.maximum_newton_fails = newton_failures;
    }
}

/// Runs `drive` on the adaptive explicit method, or on the failure of the field at time 0.
pub(crate) fn with_adaptive<R>(
    probe: &SharedProbe<'_>,
    initial: &[f64],
    tolerances: Tolerances,
    drive: impl FnOnce(Result<&mut dyn Stepper, Failure>) -> R,
) -> Result<R, IntegrationError> {
    let mut problem = OdeBuilder::<FaerMat<f64>>::new()
        .rhs(|x: &[f64], _: &[f64], time, v: &mut [f64]| {
            probe.borrow_mut().evaluate_or_reject(time, x, v);
        })
        .init(|_: &[f64], _, x: &mut [f64]| x.copy_from_slice(initial), initial.len())
        .rtol(tolerances.relative)
        .atol([tolerances.absolute])
        .build()
        .map_err(setup)?;
    problem.ode_options.max_error_test_failures = MOST_REJECTIONS_IN_A_ROW;
    let mut state = RkState::new_without_initialise(&problem).map_err(setup)?;
    if let Some(failure) = probe.borrow_mut().step_failure.take() {
        return Ok(drive(Err(failure)));
    }
    let slope = state.as_ref().dy.clone_as_vec();
    *state.as_mut().h = initial_step(probe, initial, &slope, tolerances, 5);
    let solver = problem.tsit45_solver(state).map_err(setup)?;
    Ok(drive(Ok(&mut LibraryStepper::new(solver, initial))))
}

/// Runs `drive` on the stiff implicit method, or on the failure of the field at time 0.
pub(crate) fn with_stiff<R>(
    probe: &SharedProbe<'_>,
    initial: &[f64],
    tolerances: Tolerances,
    drive: impl FnOnce(Result<&mut dyn Stepper, Failure>) -> R,
) -> Result<R, IntegrationError> {
    let mut problem = OdeBuilder::<FaerMat<f64>>::new()
        .rhs_implicit(
            |x: &[f64], _: &[f64], time, v: &mut [f64]| {
                probe.borrow_mut().evaluate_or_reject(time, x, v);
            },
            |x: &[f64], _: &[f64], time, direction: &[f64], out: &mut [f64]| {
                probe.borrow_mut().jacobian_or_zero(time, x, direction, out);
            },
        )
        .init(|_: &[f64], _, x: &mut [f64]| x.copy_from_slice(initial), initial.len())
        .rtol(tolerances.relative)
        .atol([tolerances.absolute])
        .build()
        .map_err(setup)?;
    problem.ode_options.max_error_test_failures = MOST_REJECTIONS_IN_A_ROW;
    let mut state = BdfState::new_without_initialise(&problem).map_err(setup)?;
    if let Some(failure) = probe.borrow_mut().step_failure.take() {
        return Ok(drive(Err(failure)));
    }
    let slope = state.as_ref().dy.clone_as_vec();
    *state.as_mut().h = initial_step(probe, initial, &slope, tolerances, 1);
    let solver = problem.bdf_solver::<FaerLU<f64>>(state).map_err(setup)?;
    Ok(drive(Ok(&mut LibraryStepper::new(solver, initial))))
}

/// One of the library's solvers and its last accepted step.
struct LibraryStepper<'p, S, E> {
    solver: S,
    end_time: f64,
    end: Vec<f64>,
    interpolated: FaerVec<f64>,
    /// The library accepted the last step, but found the next one too short.
    next_step_underflows: bool,
    equations: PhantomData<&'p E>,
}

impl<'p, S, E> LibraryStepper<'p, S, E>
where
    E: OdeEquations<T = f64, V = FaerVec<f64>> + 'p,
    S: OdeSolverMethod<'p, E>,
{
    fn new(solver: S, initial: &[f64]) -> Self {
        let interpolated = solver.state().y.clone();
        Self {
            solver,
            end_time: 0.0,
            end: initial.to_vec(),
            interpolated,
            next_step_underflows: false,
            equations: PhantomData,
        }
    }
}

impl<'p, S, E> Stepper for LibraryStepper<'p, S, E>
where
    E: OdeEquations<T = f64, V = FaerVec<f64>> + 'p,
    S: OdeSolverMethod<'p, E>,
    S::Config: Allowance,
{
    fn advance(&mut self, probe: &SharedProbe<'_>) -> Result<(), Failure> {
        // A Jacobian that failed after the last step belongs to the state there.
        if let Some(failure) = probe.borrow_mut().jacobian_failure.take() {
            return Err(failure);
        }
        if self.next_step_underflows {
            return Err(Failure::StepUnderflow);
        }
        probe.borrow_mut().step_failure = None;
        let newton_failures = self.solver.get_statistics().number_of_nonlinear_solver_fails
            + MOST_REJECTIONS_IN_A_ROW;
        self.solver.config_mut().allow(SHORTEST_STEP * self.end_time, newton_failures);

        let result = self.solver.step();
        let state = self.solver.state();
        if state.t > self.end_time {
            self.end_time = state.t;
            for (index, end) in self.end.iter_mut().enumerate() {
                *end = state.y[index];
            }
            self.next_step_underflows = result.is_err();
            return Ok(());
        }
        // Whatever the library's reason, the step length went to nothing; a field without a
        // value says why better than the error test that it failed.
        let mut probe = probe.borrow_mut();
        let cause = probe.step_failure.take().or(probe.jacobian_failure.take());
        Err(cause.unwrap_or(Failure::StepUnderflow))
    }

    fn end_time(&self) -> f64 {
        self.end_time
    }

    fn end_state(&self) -> &[f64] {
        &self.end
    }

    fn state_inside(
        &mut self,
        _: &SharedProbe<'_>,
        time: f64,
        out: &mut [f64],
    ) -> Result<(), Failure> {
        // Refused only outside the last step, where the loop asks for nothing.
        self.solver
            .interpolate_inplace(time, &mut self.interpolated)
            .map_err(|_| Failure::NonFinite)?;
        for (index, out) in out.iter_mut().enumerate() {
            *out = self.interpolated[index];
        }
        Ok(())
    }

    fn rejected_steps(&self) -> usize {
        let statistics = self.solver.get_statistics();
        statistics.number_of_error_test_failures + statistics.number_of_nonlinear_solver_fails
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn setup(error: DiffsolError) -> IntegrationError {
    IntegrationError::Library { message: error.to_string() }
}
