//! Constant and scheduled dampings: the iteration of Theorem 2, as `simulate` runs it.

use std::sync::Arc;

use gaussflow_dynamics::{
    Damping, FitSchedule, FitSettings, FitStop, FixedDamping, Integrator, LeastSquares,
    Preconditioner, ScheduleState, Settings, StepKind, Unobserved, simulate,
};
use gaussflow_objective::{FiniteDifferences, Objective, ResidualFn, Residuals, Squared};

fn decay() -> impl Residuals {
    ResidualFn::new(5, 2, |w: &[f64], r: &mut [f64]| {
        for (j, r) in r.iter_mut().enumerate() {
            let t = 0.5 * j as f64;
            *r = w[0] * (-w[1] * t).exp() - 2.0 * (-0.7 * t).exp() - 0.05 * (3.0 * t).sin();
        }
    })
}

fn scheduled(schedule: impl FitSchedule + 'static, step: f64, steps: usize) -> FitSettings {
    FitSettings {
        damping: Damping::Schedule { schedule: Arc::new(schedule), step },
        max_iterations: steps,
        ..FitSettings::default()
    }
}

#[test]
fn constant_damping_is_the_discrete_levenberg_marquardt_dynamics() {
    let (start, eta, steps) = ([1.0, 1.0], 0.2, 20_u32);
    for damping in [0.05, 0.5] {
        let settings = scheduled(FixedDamping(damping), eta, 20);
        let fit =
            LeastSquares::new(FiniteDifferences::new(decay())).fit(&start, &settings).unwrap();
        let loss = Squared::of_residuals(5);
        let objective = Objective::new(FiniteDifferences::new(decay()), loss, 1.0).unwrap();
        let run = Settings {
            preconditioner: Preconditioner::LevenbergMarquardt { damping },
            integrator: Integrator::Discrete,
            step: eta,
            horizon: eta * f64::from(steps),
            ..Settings::default()
        };
        let outcome = simulate(&objective, &start, &run, &mut Unobserved).unwrap();
        for (a, b) in fit.parameters.iter().zip(&outcome.final_weights) {
            // Two factorizations of well-conditioned systems, twenty steps.
            assert!((a - b).abs() < 1e-11, "{a} {b}");
        }
        assert_eq!(fit.stop, FitStop::IterationLimit);
        assert!(fit.history[1..].iter().all(|r| r.kind == StepKind::Scheduled));
    }
}

#[derive(Debug)]
struct Falling;

impl FitSchedule for Falling {
    fn damping(&self, state: ScheduleState) -> f64 {
        0.5 / (1.0 + state.iteration as f64).powi(2)
    }
}

#[test]
fn a_falling_schedule_converges_where_gauss_newton_does() {
    let problem = LeastSquares::new(FiniteDifferences::new(decay()));
    let fit = problem.fit(&[1.0, 1.0], &scheduled(Falling, 0.5, 400)).unwrap();
    let trusted = problem.fit(&[1.0, 1.0], &FitSettings::default()).unwrap();
    assert!(fit.stop.converged(), "{fit}");
    for (a, b) in fit.parameters.iter().zip(&trusted.parameters) {
        assert!((a - b).abs() < 1e-7, "{fit} {trusted}");
    }
    let used: Vec<f64> = fit.history[1..].iter().map(|r| r.damping).collect();
    assert!(used[0] == 0.5 && used.windows(2).all(|w| w[1] < w[0]));
}
