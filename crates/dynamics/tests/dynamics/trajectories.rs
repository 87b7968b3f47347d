//! Trajectories against closed forms on linear maps, a plain Euler loop, and one another.
//!
//! On a linear map Gauss-Newton contracts the residual's tangent part by exp(-2t) under norm(.)^2,
//! and by 1 - 2h in each Euler step.

#![allow(clippy::float_cmp, reason = "repetition and grid times are promised to the last bit")]

use crate::maps::{Linear, Ridge, eliminate, run};
use gaussflow_dynamics::{
    Diagnostics, Flow, Integrator, Preconditioner, Settings, SolveSettings, StopReason, Tolerances,
    Trace, simulate,
};
use gaussflow_objective::{LogCosh, Loss, Objective, Residuals, SmoothMap, Squared};
use gaussflow_solvers::norm;

/// Two columns of length 3 that are not orthogonal.
fn tall() -> Linear {
    Linear(vec![vec![1.0, 2.0], vec![-1.0, 0.5], vec![0.5, 1.0]])
}

fn ridge(n: usize, p: usize, alpha: f64) -> Objective<Ridge, LogCosh> {
    let targets = (0..n).map(|j| (0.4 + 1.9 * j as f64).cos()).collect();
    let loss = LogCosh::new(targets, 0.4).unwrap();
    Objective::new(Ridge { outputs: n, parameters: p }, loss, alpha).unwrap()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
}

const TIGHT: Tolerances = Tolerances { relative: 1e-11, absolute: 1e-12 };

#[test]
fn on_a_linear_map_gauss_newton_contracts_every_weight_alike() {
    // The target A (3, -1) plus a normal part: w* = (3, -1) / alpha, w(t) = w* + (w_0 - w*) e^(-2t).
    let alpha = 4.0;
    let mut targets = vec![0.0; 3];
    tall().value(&[3.0, -1.0], &mut targets).unwrap();
    let normal = [-1.0 - 0.5 * 0.5, 2.0 * 0.5 - 1.0, 0.5 + 2.0];
    for (t, n) in targets.iter_mut().zip(normal) {
        *t += n;
    }
    let objective = Objective::new(tall(), Squared::new(targets).unwrap(), alpha).unwrap();
    let (best, start) = ([3.0 / alpha, -1.0 / alpha], [1.0, 2.0]);
    let exact = |factor: f64| -> Vec<f64> {
        best.iter().zip(start).map(|(b, s)| b + (s - b) * factor).collect()
    };
    let base = Settings { step: 0.02, horizon: 1.5, ..Settings::default() };
    let cases = [
        (Integrator::Euler, 1e-13),
        (Integrator::RungeKutta4, 1e-7),
        (Integrator::Adaptive(TIGHT), 1e-9),
        (Integrator::Stiff(TIGHT), 1e-8),
    ];
    for (integrator, bound) in cases {
        let (outcome, trace) = run(&objective, &start, &Settings { integrator, ..base });
        assert_eq!(outcome.stop_reason, StopReason::Horizon);
        assert_eq!(trace.len(), 76);
        for (step, time, w) in &trace {
            assert_eq!(*time, *step as f64 * 0.02);
            let euler = (1.0 - 2.0 * 0.02_f64).powi(i32::try_from(*step).unwrap());
            let factor = if integrator == Integrator::Euler { euler } else { (-2.0 * time).exp() };
            assert!(difference(w, &exact(factor)) <= bound, "{integrator:?} {step}");
        }
    }
}

#[test]
fn on_a_linear_map_damping_and_gradient_follow_their_own_rates() {
    // One column a of squared length 5.25, one weight: dw/dt = -2 a^2 (w - w*) / ((1-rho) a^2 + rho).
    let objective = Objective::new(
        Linear(vec![vec![1.0], vec![2.0], vec![0.5]]),
        Squared::new(vec![1.0, 2.0, 0.5]).unwrap(),
        1.0,
    )
    .unwrap();
    for (preconditioner, rho) in [
        (Preconditioner::GaussNewton, 0.0),
        (Preconditioner::LevenbergMarquardt { damping: 0.25 }, 0.25),
        (Preconditioner::Gradient, 1.0),
    ] {
        let rate: f64 = 2.0 * 5.25 / ((1.0 - rho) * 5.25 + rho);
        let settings = Settings {
            preconditioner,
            integrator: Integrator::Adaptive(TIGHT),
            horizon: 0.5,
            ..Settings::default()
        };
        let (outcome, _) = run(&objective, &[0.0], &settings);
        let exact = 1.0 - (-rate * 0.5).exp();
        assert!((outcome.final_weights[0] - exact).abs() < 1e-9, "rho {rho}");
    }
}

/// Euler on equation (1) written down again: dense J, normal equations, elimination.
fn plain_euler(objective: &Objective<Ridge, LogCosh>, rho: f64, h: f64, steps: usize) -> Vec<f64> {
    let (map, alpha) = (objective.map(), objective.scaling());
    let (n, p) = (map.outputs(), map.parameters());
    let mut w = vec![0.1; p];
    for _ in 0..steps {
        let (mut f, mut jacobian, mut gradient) = (vec![0.0; n], map.new_jacobian(), vec![0.0; n]);
        map.linearize(&w, &mut f, &mut jacobian).unwrap();
        f.iter_mut().for_each(|x| *x *= alpha);
        objective.loss().gradient(&f, &mut gradient);
        let matrix = jacobian.matrix();
        let system = (0..p).map(|k| {
            let product = |l: usize| (0..n).map(|j| matrix[(j, k)] * matrix[(j, l)]).sum::<f64>();
            (0..p).map(|l| (1.0 - rho) * product(l) + if k == l { rho } else { 0.0 }).collect()
        });
        let right = (0..p).map(|k| (0..n).map(|j| matrix[(j, k)] * gradient[j]).sum()).collect();
        let q = eliminate(system.collect(), right);
        w.iter_mut().zip(&q).for_each(|(w, q)| *w -= h / alpha * q);
    }
    w
}

#[test]
fn euler_is_the_plain_loop() {
    let objective = ridge(9, 4, 3.0);
    for preconditioner in [
        Preconditioner::GaussNewton,
        Preconditioner::LevenbergMarquardt { damping: 0.1 },
        Preconditioner::Gradient,
    ] {
        let settings = Settings { preconditioner, horizon: 1.0, ..Settings::default() };
        let (outcome, _) = run(&objective, &[0.1; 4], &settings);
        let expected = plain_euler(&objective, preconditioner.damping(), 0.01, 100);
        let error = difference(&outcome.final_weights, &expected);
        assert!(error <= 1e-10 * norm(&expected), "{preconditioner:?}: {error:e}");
        let loss = objective.loss_at(&outcome.final_weights).unwrap();
        assert_eq!(outcome.final_loss, loss);
        assert!(loss < objective.loss_at(&[0.1; 4]).unwrap());
    }
}

#[test]
fn the_discrete_iteration_is_euler_with_step_alpha_eta_bit_for_bit() {
    let objective = ridge(9, 4, 3.0);
    let eta = 0.004;
    let discrete = Settings {
        integrator: Integrator::Discrete,
        step: eta,
        horizon: 1.2,
        ..Settings::default()
    };
    let euler = Settings { step: 3.0 * eta, horizon: 1.2, ..Settings::default() };
    let ((one, first), (other, second)) =
        (run(&objective, &[0.1; 4], &discrete), run(&objective, &[0.1; 4], &euler));
    assert_eq!(first, second);
    assert_eq!((first.len(), one.final_weights), (101, other.final_weights));
    // And against the iteration itself: w <- w - eta q.
    let expected = plain_euler(&objective, 0.0, 3.0 * eta, 100);
    assert!(difference(&first[100].2, &expected) <= 1e-10 * norm(&expected));
}

#[test]
fn the_accurate_integrators_agree_with_one_another() {
    for (n, p, flows) in [
        (9, 4, &[Preconditioner::GaussNewton, Preconditioner::Gradient][..]),
        (3, 5, &[Preconditioner::LevenbergMarquardt { damping: 0.05 }][..]),
    ] {
        let objective = ridge(n, p, 2.0);
        for &preconditioner in flows {
            let settings = |integrator| Settings {
                preconditioner,
                integrator,
                step: 0.005,
                horizon: 0.8,
                ..Settings::default()
            };
            let start = vec![0.1; p];
            let (_, adaptive) = run(&objective, &start, &settings(Integrator::Adaptive(TIGHT)));
            let (_, stiff) = run(&objective, &start, &settings(Integrator::Stiff(TIGHT)));
            let (_, runge) = run(&objective, &start, &settings(Integrator::RungeKutta4));
            assert_eq!(adaptive.len(), 161);
            for ((a, s), r) in adaptive.iter().zip(&stiff).zip(&runge) {
                assert!(difference(&a.2, &s.2) <= 1e-7, "{preconditioner:?} {}", a.0);
                assert!(difference(&a.2, &r.2) <= 1e-7, "{preconditioner:?} {}", a.0);
            }
        }
    }
}

#[test]
fn repetition_and_watching_change_no_bit() {
    let objective = ridge(9, 4, 3.0);
    let start = [0.1; 4];
    for integrator in [
        Integrator::Euler,
        Integrator::RungeKutta4,
        Integrator::Adaptive(Tolerances::default()),
        Integrator::Stiff(Tolerances::default()),
    ] {
        let base = Settings { integrator, horizon: 1.0, ..Settings::default() };
        let (first, trace) = run(&objective, &start, &base);
        assert_eq!((&first, &trace), (&run(&objective, &start, &base).0, &trace));
        let mut measured = Vec::new();
        let watched = Settings {
            record_every: 7,
            ball_radius: Some(0.05),
            stationary_fraction: Some(1e-9),
            ..base
        };
        let second = simulate(&objective, &start, &watched, |_, _, flow| {
            measured.push(Diagnostics::measure(flow, &start).unwrap());
        })
        .unwrap();
        assert_eq!(first.final_weights, second.final_weights, "{integrator:?}");
        assert_eq!(measured.len(), 16, "steps 0, 7, ..., 98 and 100");
        // The flow's loss never rises, and its rate is the square of the Riemannian gradient.
        assert!(measured.windows(2).all(|d| d[1].loss < d[0].loss));
        assert_eq!((measured[0].deviation, measured[0].kernel_min_eigenvalue), (0.0, 0.0));
    }
}

#[test]
fn diagnostics_and_step_share_one_factorization() {
    let objective = ridge(9, 4, 3.0);
    let start = [0.1; 4];
    let settings = Settings { horizon: 0.5, ..Settings::default() };
    let mut trace = Trace::default();
    let outcome =
        simulate(&objective, &start, &settings, |step, time, flow| trace.record(step, time, flow));
    let counts = outcome.unwrap().counts;
    assert_eq!((trace.rows.len(), trace.rows[50].step), (51, 50));
    assert!(trace.rows[50].measured.deviation > 0.0);
    let lines: Vec<String> = trace.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 52);
    let numbers: Vec<f64> = lines[51].split(',').map(|number| number.parse().unwrap()).collect();
    assert_eq!((numbers[0], numbers[2]), (50.0, trace.rows[50].measured.loss));
    assert_eq!((counts.linearizations, counts.factors.qr, counts.factors.extremes), (51, 51, 51));
    assert_eq!((counts.directions, counts.factors.svd, counts.factors.cholesky), (50, 0, 51));
}

/// With no memory for a matrix the run goes on by products, and what needs a matrix is not a number.
#[test]
fn a_run_beyond_the_memory_limit_is_the_run_within_it() {
    let start = [0.1; 4];
    for objective in [ridge(9, 4, 3.0), ridge(3, 4, 3.0)] {
        for preconditioner in
            [Preconditioner::GaussNewton, Preconditioner::LevenbergMarquardt { damping: 0.2 }]
        {
            let base = Settings { preconditioner, horizon: 0.5, ..Settings::paper() };
            let beyond = SolveSettings { memory_limit: 8, ..base.solve };
            let mut unknown = 0;
            let observer = |_, _, flow: &mut Flow<'_, Ridge, LogCosh>| {
                let measured = Diagnostics::measure(flow, &start).unwrap();
                assert!(measured.loss.is_finite() && measured.gram_max_eigenvalue > 0.0);
                unknown += u32::from(measured.normal_gradient_norm.is_nan());
            };
            let settings = Settings { solve: beyond, ..base };
            let second = simulate(&objective, &start, &settings, observer).unwrap();
            let first = simulate(&objective, &start, &base, |_, _, _| ()).unwrap();
            assert_eq!(
                (first.stop_reason, &second.stop_reason),
                (StopReason::Horizon, &StopReason::Horizon)
            );
            let gap = difference(&first.final_weights, &second.final_weights);
            assert!(gap <= 1e-9 * norm(&first.final_weights), "{preconditioner:?}: {gap:e}");
            let counts = second.counts.factors;
            assert_eq!((counts.gram, counts.cholesky, counts.qr, counts.svd), (0, 0, 0, 0));
            // Tall ones have the gradient's parts from the undamped direction, wide ones from nothing.
            let wide = objective.map().outputs() < 4;
            assert_eq!(unknown, if wide { 51 } else { 0 });
        }
    }
}
