//! Loss of rank under each policy, kernel and integrator, and systems with more parameters than outputs.
//!
//! f(w) = (w_0, w_0 w_1) loses rank at w_0 = 0; Gauss-Newton on it is w_0 = y_0 + (w_0(0) - y_0) e^(-2t).

#![allow(clippy::float_cmp, reason = "grid times and thresholds are passed through unchanged")]

use crate::maps::{Linear, run};
use gaussflow_dynamics::{
    EventKind, Flow, Integrator, Preconditioner, RankPolicy, Settings, SolveSettings, StopReason,
    Tolerances,
};
use gaussflow_objective::{Objective, Squared};
use gaussflow_solvers::{DampedSolver, SolveError};

const CONTROLLED: Tolerances = Tolerances { relative: 1e-10, absolute: 1e-12 };

fn pinched() -> Objective<crate::maps::Pinched, Squared> {
    Objective::new(crate::maps::Pinched, Squared::new(vec![0.0, 1.0]).unwrap(), 1.0).unwrap()
}

/// Columns (1, 2, 0) twice: rank 1 everywhere. From 0 both weights go to 1/2 by 0.98 a step.
#[test]
fn each_policy_goes_its_way_where_rank_is_lost_and_every_fallback_is_counted() {
    for (rank_policy, inverse, raised) in
        [(RankPolicy::PseudoInverse, 50, 0), (RankPolicy::RaiseDamping, 0, 50)]
    {
        for solver in DampedSolver::DIRECT {
            let map = Linear(vec![vec![1.0; 2], vec![2.0; 2], vec![0.0; 2]]);
            let loss = Squared::new(vec![1.0, 2.0, 0.0]).unwrap();
            let objective = Objective::new(map, loss, 1.0).unwrap();
            let solve = SolveSettings { rank_policy, solver, ..SolveSettings::default() };
            let settings = Settings { solve, horizon: 0.5, ..Settings::default() };
            let (outcome, _) = run(&objective, &[0.0; 2], &settings);
            let (name, counts) = (format!("{rank_policy:?} {solver:?}"), outcome.counts);
            assert_eq!(outcome.stop_reason, StopReason::Horizon, "{name}");
            let found = (counts.directions, counts.pseudo_inverse, counts.raised_damping);
            assert_eq!(found, (50, inverse, raised), "{name}");
            assert_eq!((outcome.events.len(), outcome.events[0].time), (1, 0.0), "{name}");
            let expected = 0.5 * (1.0 - 0.98_f64.powi(50));
            // The raised damping is sqrt(eps) relative to sigma_max^2.
            for w in outcome.final_weights {
                assert!((w - expected).abs() < 1e-7, "{name}: {w} {expected}");
            }
        }
    }
}

/// At (0, 1) J = ((1, 0), (1, 0)) and grad g = (0, -2): J^+ grad g = (-1, 0).
#[test]
fn fallbacks_give_the_directions_that_the_policies_state() {
    let objective = pinched();
    let direction = |rank_policy| {
        let settings = SolveSettings { rank_policy, ..SolveSettings::default() };
        let mut flow = Flow::new(&objective, Preconditioner::GaussNewton, settings).unwrap();
        flow.move_to(&[0.0, 1.0]).unwrap();
        let direction = flow.direction().map(<[f64]>::to_vec);
        direction.map(|q| (q, flow.damping_used().unwrap()))
    };
    let (q, rho) = direction(RankPolicy::PseudoInverse).unwrap();
    assert!((q[0] + 1.0).abs() < 1e-15 && q[1].abs() < 1e-15 && rho == 0.0, "{q:?}");
    // rho / (1 - rho) = sqrt(eps) sigma_max^2, sigma_max^2 = 2.
    let (q, rho) = direction(RankPolicy::RaiseDamping).unwrap();
    assert!((rho / (1.0 - rho) / (2.0 * f64::EPSILON.sqrt()) - 1.0).abs() < 1e-12);
    assert!((q[0] + 2.0 / (2.0 * (1.0 - rho) + rho)).abs() < 1e-14 && q[1] == 0.0, "{q:?}");
    let refused = direction(RankPolicy::Stop).unwrap_err();
    assert!(matches!(refused, SolveError::RankDeficient { .. }), "{refused}");
}

#[test]
fn the_stop_policy_stops_at_the_singular_point_and_says_where() {
    for solver in DampedSolver::DIRECT {
        let solve =
            SolveSettings { rank_policy: RankPolicy::Stop, solver, ..SolveSettings::default() };
        let settings = Settings { solve, ..Settings::default() };
        let (outcome, trace) = run(&pinched(), &[0.0, 0.0], &settings);
        assert_eq!(outcome.stop_reason, StopReason::Event(EventKind::RankLost), "{solver:?}");
        assert_eq!((outcome.final_time, outcome.final_weights), (0.0, vec![0.0, 0.0]));
        assert_eq!((outcome.events.len(), outcome.events[0].step), (1, 0), "{solver:?}");
        assert_eq!((outcome.events[0].value, outcome.events[0].threshold), (0.0, 1e-6));
        assert!(trace.len() <= 1 && outcome.counts.pseudo_inverse == 0);
    }
}

/// From (1, 1) with targets (-1, 1): w_0 = 2 e^(-2t) - 1 and w_1 = 1 / w_0 while w_0 > 0. The ratio
/// of singular values is w_0 / (1 + w_0^2 + w_0^-2) to first order: 1e-6 at w_0 = 0.01.
#[test]
fn error_controlled_runs_stop_where_rank_is_lost_whatever_the_policy() {
    let loss = Squared::new(vec![-1.0, 1.0]).unwrap();
    let objective = Objective::new(crate::maps::Pinched, loss, 1.0).unwrap();
    let exact = 0.5 * (2.0_f64 / 1.01).ln();
    for policy in RankPolicy::ALL {
        for integrator in [Integrator::Adaptive(CONTROLLED), Integrator::Stiff(CONTROLLED)] {
            let solve = SolveSettings { rank_policy: policy, ..SolveSettings::default() };
            let settings = Settings { integrator, solve, ..Settings::default() };
            let (outcome, trace) = run(&objective, &[1.0, 1.0], &settings);
            let name = format!("{policy:?} {integrator:?}");
            assert_eq!(outcome.stop_reason, StopReason::Event(EventKind::RankLost), "{name}");
            assert!((outcome.final_time - exact).abs() < 1e-5, "{name}: {}", outcome.final_time);
            let event = outcome.events.last().unwrap();
            assert_eq!((event.kind, event.time), (EventKind::RankLost, outcome.final_time));
            assert_eq!(event.step, 35, "{name}");
            assert!(event.value <= 1.01 * event.threshold, "{name} {event:?}");
            assert_eq!(outcome.counts.pseudo_inverse + outcome.counts.raised_damping, 0);
            // w_0 w_1 = e^(-2t) (1 - 1) + 1 = 1 all along.
            for (_, time, w) in &trace {
                assert!((w[0] - (2.0 * (-2.0 * time).exp() - 1.0)).abs() < 1e-6, "{name} {time}");
                assert!((w[0] * w[1] - 1.0).abs() < 1e-6, "{name} {time}");
            }
        }
    }
}

#[test]
fn with_more_parameters_than_outputs_gauss_newton_takes_the_pseudo_inverse_or_stops() {
    let wide = || {
        let map = Linear(vec![vec![1.0, 2.0, -1.0], vec![0.0, 1.0, 1.0]]);
        Objective::new(map, Squared::new(vec![1.0, 1.0]).unwrap(), 1.0).unwrap()
    };
    let with = |rank_policy, integrator| {
        let solve = SolveSettings { rank_policy, ..SolveSettings::default() };
        run(
            &wide(),
            &[0.0; 3],
            &Settings { solve, integrator, horizon: 0.5, ..Settings::default() },
        )
    };
    let (outcome, _) = with(RankPolicy::PseudoInverse, Integrator::Euler);
    assert_eq!((outcome.stop_reason, outcome.events.len()), (StopReason::Horizon, 0));
    assert_eq!((outcome.counts.directions, outcome.counts.pseudo_inverse), (50, 50));
    // The residual contracts by 0.98 a step, along the row space: A w = (1 - 0.98^50) (1, 1).
    let expected = 2.0 * (0.98_f64.powi(50)).powi(2);
    assert!((outcome.final_loss - expected).abs() < 1e-13);
    let w = outcome.final_weights;
    assert!((3.0 * w[0] - w[1] + w[2]).abs() < 1e-13, "no part along the null vector");
    for (policy, integrator) in [
        (RankPolicy::Stop, Integrator::Euler),
        (RankPolicy::PseudoInverse, Integrator::Adaptive(CONTROLLED)),
    ] {
        let (outcome, _) = with(policy, integrator);
        assert_eq!(outcome.stop_reason, StopReason::Event(EventKind::RankLost));
        assert_eq!((outcome.final_time, outcome.counts.pseudo_inverse), (0.0, 0));
        assert_eq!((outcome.events[0].time, outcome.events[0].value), (0.0, 0.0));
    }
}
