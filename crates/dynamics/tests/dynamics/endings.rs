//! How runs end: exit from the ball, standstill, NaN, interruption, and settings out of range.
//!
//! On f(w) = (w, 0) Gauss-Newton under norm(.)^2 is w = y + (w_0 - y) e^(-2t), by Euler 1 - 2h a step.

#![allow(clippy::float_cmp, reason = "grid times and thresholds are passed through unchanged")]

use std::ops::ControlFlow;

use crate::maps::{Linear, run};
use gaussflow_dynamics::{
    AtExit, EventKind, Integrator, Preconditioner, Settings, SimulationError, SolveSettings,
    StopReason, Tolerances, simulate,
};
use gaussflow_integrators::IntegrationError;
use gaussflow_objective::{
    FiniteDifferences, JacobianDifferences, MapError, Objective, PointError, ResidualFn,
    SparseDifferences, Squared,
};
use gaussflow_solvers::{SolveError, SparsityPattern};

const CONTROLLED: Tolerances = Tolerances { relative: 1e-10, absolute: 1e-12 };

fn identity(targets: Vec<f64>) -> Objective<Linear, Squared> {
    let map = Linear(vec![vec![1.0, 0.0], vec![0.0, 1.0], vec![0.0, 0.0]]);
    Objective::new(map, Squared::new(targets).unwrap(), 1.0).unwrap()
}

/// From 0 towards (3, 4) the distance is 5 (1 - e^(-2t)): the ball of radius 2 is left at
/// t = ln(5/3) / 2, and on Euler's polygon where its straight pieces reach 2.
#[test]
fn the_exit_from_the_ball_is_located_in_closed_form() {
    let objective = identity(vec![3.0, 4.0, 1.0]);
    let exact = 0.5 * (5.0_f64 / 3.0).ln();
    let base = Settings { ball_radius: Some(2.0), horizon: 1.0, ..Settings::default() };
    for (integrator, bound) in [
        (Integrator::RungeKutta4, 1e-7),
        (Integrator::Adaptive(CONTROLLED), 1e-7),
        (Integrator::Stiff(CONTROLLED), 1e-6),
    ] {
        let (outcome, _) = run(&objective, &[0.0; 2], &Settings { integrator, ..base });
        let time = outcome.exit_time().unwrap();
        assert!((time - exact).abs() < bound, "{integrator:?}: {time} {exact}");
        assert_eq!((outcome.stop_reason, outcome.final_time), (StopReason::Horizon, 1.0));
        let event = outcome.events[0];
        assert_eq!((event.kind, event.step, event.threshold), (EventKind::LeftBall, 26, 2.0));
        assert!((event.value - 2.0).abs() < 1e-6 && event.value >= 2.0);
    }
    // Euler: deviation 5 (1 - 0.98^k) at k h; between them a straight line.
    let (outcome, _) = run(&objective, &[0.0; 2], &base);
    let reached = |k: i32| 5.0 * (1.0 - 0.98_f64.powi(k));
    let k = (0..500).find(|k| reached(k + 1) >= 2.0).unwrap();
    let expected = 0.01 * (f64::from(k) + (2.0 - reached(k)) / (reached(k + 1) - reached(k)));
    assert!((outcome.exit_time().unwrap() - expected).abs() < 1e-12);
}

#[test]
fn at_exit_stop_ends_there_and_a_ball_that_holds_has_no_exit() {
    let objective = identity(vec![3.0, 4.0, 1.0]);
    let base = Settings { ball_radius: Some(2.0), at_exit: AtExit::Stop, ..Settings::default() };
    let (outcome, trace) = run(&objective, &[0.0; 2], &base);
    assert_eq!(outcome.stop_reason, StopReason::Event(EventKind::LeftBall));
    assert_eq!(Some(outcome.final_time), outcome.exit_time());
    assert!((outcome.final_weights[0].hypot(outcome.final_weights[1]) - 2.0).abs() < 1e-12);
    assert!(trace.iter().all(|(_, time, _)| *time <= outcome.final_time));
    let (outcome, _) = run(&objective, &[0.0; 2], &Settings { ball_radius: Some(5.0), ..base });
    assert_eq!((outcome.exit_time(), outcome.stop_reason), (None, StopReason::Horizon));
}

#[test]
fn a_run_stops_where_the_gradient_has_fallen_to_the_fraction() {
    // The gradient falls by e^(-2t): the fraction 0.1 is reached at ln(10)/2.
    let objective = identity(vec![3.0, 4.0, 1.0]);
    for preconditioner in [Preconditioner::GaussNewton, Preconditioner::Gradient] {
        let settings = Settings {
            preconditioner,
            integrator: Integrator::Adaptive(CONTROLLED),
            stationary_fraction: Some(0.1),
            ..Settings::default()
        };
        let (outcome, _) = run(&objective, &[0.0; 2], &settings);
        assert_eq!(outcome.stop_reason, StopReason::Event(EventKind::Stationary));
        assert!((outcome.final_time - 0.5 * 10_f64.ln()).abs() < 1e-7);
        let event = outcome.events[0];
        assert!((event.value - 0.1).abs() < 1e-7 && event.threshold == 0.1);
    }
}

/// f = w on the line, not a number past 0.5; w = 1 - 0.98^k passes it in step 35 of Euler.
#[test]
fn a_map_that_gives_nan_ends_the_run_with_its_time_and_step() {
    let build = |wall: f64| {
        let map =
            FiniteDifferences::new(ResidualFn::new(2, 1, move |w: &[f64], out: &mut [f64]| {
                out.fill(if w[0] > wall { f64::NAN } else { w[0] });
            }));
        Objective::new(map, Squared::new(vec![1.0; 2]).unwrap(), 1.0).unwrap()
    };
    for preconditioner in [Preconditioner::GaussNewton, Preconditioner::Gradient] {
        for integrator in [
            Integrator::Euler,
            Integrator::RungeKutta4,
            Integrator::Adaptive(CONTROLLED),
            Integrator::Stiff(CONTROLLED),
        ] {
            let settings = Settings { preconditioner, integrator, ..Settings::default() };
            let (outcome, _) = run(&build(0.5), &[0.0], &settings);
            let name = format!("{preconditioner:?} {integrator:?}");
            assert_eq!(outcome.stop_reason, StopReason::Event(EventKind::NonFinite), "{name}");
            assert_eq!(outcome.events.last().unwrap().kind, EventKind::NonFinite, "{name}");
            assert!(outcome.final_time > 0.1 && outcome.final_time <= 0.36, "{name}");
        }
    }
    // Step numbers are those of the grid whatever the quotient of the times rounds to.
    for last in 1..60 {
        let (outcome, trace) =
            run(&build(1.0 - 0.98_f64.powi(last) + 1e-4), &[0.0], &Settings::default());
        let (step, time, _) = trace.last().unwrap();
        let event = outcome.events.last().unwrap();
        assert_eq!((event.step, event.time), (*step, *time));
        assert_eq!((*step, outcome.final_time), (usize::try_from(last).unwrap(), *time));
    }
    let refused = simulate(&build(0.5), &[2.0], &Settings::default(), |_, _, _| ());
    assert!(matches!(
        refused,
        Err(SimulationError::InitialPoint(PointError::Map(MapError::NonFinite { .. })))
    ));
}

#[test]
fn the_observer_may_interrupt_and_records_come_every_so_often() {
    let objective = identity(vec![3.0, 4.0, 1.0]);
    let mut steps = Vec::new();
    let settings = Settings { record_every: 3, horizon: 0.1, ..Settings::default() };
    let outcome = simulate(&objective, &[0.0; 2], &settings, |step, _, _| {
        steps.push(step);
        if step >= 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!((outcome.stop_reason, outcome.final_time), (StopReason::Interrupted, 6.0 * 0.01));
    assert_eq!(steps, [0, 3, 6]);
    let (_, trace) = run(&objective, &[0.0; 2], &settings);
    assert_eq!(trace.iter().map(|(step, ..)| *step).collect::<Vec<_>>(), [0, 3, 6, 9, 10]);
}

#[test]
fn an_error_of_the_observer_ends_the_run_and_reaches_the_caller() {
    let objective = identity(vec![3.0, 4.0, 1.0]);
    let mut seen = 0;
    let refused = simulate(&objective, &[0.0; 2], &Settings::default(), |step, _, _| {
        seen += 1;
        if step == 4 { Err(MapError::NoSecondDerivatives) } else { Ok(()) }
    });
    let Err(SimulationError::Observer(error)) = refused else { panic!("{refused:?}") };
    assert_eq!((error.downcast_ref(), seen), (Some(&MapError::NoSecondDerivatives), 5));
}

/// Differences of a sparse Jacobian have no second derivatives.
#[test]
fn without_second_derivatives_every_integrator_but_the_stiff_one_runs() {
    let map = ResidualFn::new(2, 2, |w: &[f64], out: &mut [f64]| out.copy_from_slice(w));
    let map = SparseDifferences::new(map, SparsityPattern::banded(2, 2, 0, 0)).unwrap();
    let loss = || Squared::new(vec![3.0, 4.0]).unwrap();
    let objective = Objective::new(&map, loss(), 1.0).unwrap();
    for integrator in [Integrator::Euler, Integrator::RungeKutta4, Integrator::Adaptive(CONTROLLED)]
    {
        let settings = Settings { integrator, ..Settings::default() };
        let (outcome, _) = run(&objective, &[0.0; 2], &settings);
        assert_eq!(outcome.stop_reason, StopReason::Horizon, "{integrator:?}");
    }
    let settings = Settings { integrator: Integrator::Stiff(CONTROLLED), ..Settings::default() };
    let refused = simulate(&objective, &[0.0; 2], &settings, |_, _, _| ()).unwrap_err();
    assert!(matches!(refused, SimulationError::Stiff(MapError::NoSecondDerivatives)));
    assert!(refused.to_string().contains("JacobianDifferences"), "{refused}");
    let objective = Objective::new(JacobianDifferences::new(&map), loss(), 1.0).unwrap();
    let (outcome, _) = run(&objective, &[0.0; 2], &settings);
    assert_eq!(outcome.stop_reason, StopReason::Horizon);
}

#[test]
fn outcomes_say_in_words_how_they_ended() {
    let objective = identity(vec![3.0, 4.0, 1.0]);
    let settings = Settings { ball_radius: Some(2.0), horizon: 1.0, ..Settings::default() };
    let text = run(&objective, &[0.0; 2], &settings).0.to_string();
    assert!(text.starts_with("The run reached its horizon: time 1, loss 1.4"), "{text}");
    assert!(text.contains("left-ball at time 0.25") && text.contains("100 steps"), "{text}");
    let flat = Objective::new(Linear(vec![vec![1.0; 2]; 3]), Squared::of_residuals(3), 1.0);
    let text = run(&flat.unwrap(), &[1.0; 2], &Settings::default()).0.to_string();
    assert!(text.contains("lost rank") && text.contains("time 0, loss 1.2"), "{text}");
}

#[test]
fn settings_out_of_range_are_refused_before_the_run() {
    let refused = |settings: Settings, initial: &[f64]| {
        simulate(&identity(vec![0.0; 3]), initial, &settings, |_, _, _| ()).unwrap_err()
    };
    let base = Settings::default();
    for value in [0.0, -1.0, f64::INFINITY] {
        for settings in [
            Settings { rank_threshold: value, ..base },
            Settings { ball_radius: Some(value), ..base },
            Settings { stationary_fraction: Some(value), ..base },
        ] {
            let error = refused(settings, &[0.0; 2]);
            assert!(
                matches!(error, SimulationError::InvalidSetting { value: v, .. } if v == value)
            );
        }
        for settings in [Settings { step: value, ..base }, Settings { horizon: value, ..base }] {
            let error = refused(settings, &[0.0; 2]);
            assert!(matches!(error, SimulationError::Integration(_)), "{error}");
        }
    }
    assert!(matches!(
        refused(Settings { record_every: 0, ..base }, &[0.0; 2]),
        SimulationError::Integration(IntegrationError::ZeroInterval)
    ));
    let loose = Integrator::Adaptive(Tolerances { relative: 0.0, absolute: 1.0 });
    assert!(matches!(
        refused(Settings { integrator: loose, ..base }, &[0.0; 2]),
        SimulationError::Integration(IntegrationError::ToleranceOutOfRange { .. })
    ));
    let solve = SolveSettings { rank_cutoff: 2.0, ..SolveSettings::default() };
    assert!(matches!(
        refused(Settings { solve, ..base }, &[0.0; 2]),
        SimulationError::InitialPoint(PointError::Solve(SolveError::InvalidCutoff { .. }))
    ));
    let damped = Preconditioner::LevenbergMarquardt { damping: 2.0 };
    assert!(matches!(
        refused(Settings { preconditioner: damped, ..base }, &[0.0; 2]),
        SimulationError::InitialPoint(PointError::Solve(SolveError::InvalidDamping { .. }))
    ));
    assert!(matches!(
        refused(base, &[0.0; 3]),
        SimulationError::InitialPoint(PointError::Map(MapError::ShapeMismatch { .. }))
    ));
    assert!(matches!(refused(base, &[0.0, f64::NAN]), SimulationError::InitialPoint(_)));
}
