//! Constant and scheduled dampings: the iteration of Theorem 2, as `simulate` runs it.

use gaussflow_dynamics::{
    ConstantDamping, Damping, DampingSchedule, FitError, FitSettings, FitStop, GainRatioDamping,
    Integrator, KernelEigenvalueDamping, LeastSquares, Preconditioner, ScheduleState, Settings,
    StepKind, StepLength, StepVerdict, Verdict, iterate_scheduled, simulate,
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

/// More parameters than residuals, with curvature; K stays far from singular.
fn wide() -> impl Residuals {
    ResidualFn::new(3, 5, |w: &[f64], r: &mut [f64]| {
        r[0] = w[0] + 0.2 * w[3] * w[3] - 1.0;
        r[1] = w[1] + 0.3 * w[4].sin() - 0.5;
        r[2] = 0.1 * w[2] + 0.2 * w[0] * w[1] - 0.3;
    })
}

fn scheduled(
    schedule: impl DampingSchedule + 'static,
    length: StepLength,
    steps: usize,
) -> FitSettings {
    FitSettings {
        damping: Damping::Schedule { schedule: Box::new(schedule), length },
        max_iterations: steps,
        ..FitSettings::default()
    }
}

#[test]
fn constant_damping_is_the_discrete_levenberg_marquardt_dynamics() {
    let (start, eta, steps) = ([1.0, 1.0], 0.2, 20_u32);
    for damping in [0.05, 0.5] {
        let settings = scheduled(ConstantDamping { damping }, StepLength::Constant(eta), 20);
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
        let outcome = simulate(&objective, &start, &run, |_, _, _| ()).unwrap();
        for (a, b) in fit.parameters.iter().zip(&outcome.final_weights) {
            // Two factorizations of well-conditioned systems, twenty steps.
            assert!((a - b).abs() < 1e-11, "{a} {b}");
        }
        assert_eq!(fit.stop, FitStop::IterationLimit);
        assert!(fit.history[1..].iter().all(|r| r.kind == StepKind::Scheduled));
    }
}

#[derive(Clone, Debug)]
struct Falling;

impl DampingSchedule for Falling {
    fn damping(&self, state: ScheduleState) -> f64 {
        0.5 / (1.0 + state.iteration as f64).powi(2)
    }
}

#[test]
fn a_falling_schedule_converges_where_gauss_newton_does() {
    let problem = LeastSquares::new(FiniteDifferences::new(decay()));
    let fit =
        problem.fit(&[1.0, 1.0], &scheduled(Falling, StepLength::Constant(0.5), 400)).unwrap();
    let trusted = problem.fit(&[1.0, 1.0], &FitSettings::default()).unwrap();
    assert!(fit.stop.converged(), "{fit}");
    for (a, b) in fit.parameters.iter().zip(&trusted.parameters) {
        assert!((a - b).abs() < 1e-7, "{fit} {trusted}");
    }
    let used: Vec<f64> = fit.history[1..].iter().map(|r| r.damping).collect();
    assert!(used[0] == 0.5 && used.windows(2).all(|w| w[1] < w[0]));
}

/// Runs `schedule` from `start` as a fit and by `iterate_scheduled`, and compares attempt by attempt.
fn compare<S: DampingSchedule + Clone + 'static, R: Residuals>(
    residuals: impl Fn() -> R,
    start: &[f64],
    schedule: &S,
    length: StepLength,
) -> usize {
    // Up to where decreases of the loss still have their digits: gains are compared.
    let settings = FitSettings {
        gradient_tolerance: 1e-3,
        max_evaluations: 13,
        ..scheduled(schedule.clone(), length, 12)
    };
    let fit = LeastSquares::new(FiniteDifferences::new(residuals())).fit(start, &settings).unwrap();
    let map = FiniteDifferences::new(residuals());
    let loss = Squared::of_residuals(fit.residuals.len());
    let objective = Objective::new(map, loss, 1.0).unwrap();
    let (mut copy, steps) = (schedule.clone(), fit.history.len() - 1);
    let (attempts, w) = iterate_scheduled(&objective, start, &mut copy, length, steps).unwrap();
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-7 * (a.abs() + b.abs());
    for (record, attempt) in fit.history[1..].iter().zip(&attempts) {
        assert!(close(record.damping, attempt.damping), "{schedule:?} {record:?} {attempt:?}");
        // Residuals of the wide problem fall to rounding, where gains mean nothing.
        let slack = 1e-6 + 1e-13 / attempt.loss.sqrt();
        let gains = (record.gain_ratio, attempt.gain);
        let infinite = gains.0 == f64::NEG_INFINITY && gains.1 == f64::NEG_INFINITY;
        assert!(
            infinite || (gains.0 - gains.1).abs() < slack * (1.0 + gains.0.abs()),
            "{schedule:?} {gains:?}"
        );
        let kept = attempt.verdict == StepVerdict::Accepted;
        assert_eq!(record.verdict == Verdict::Accepted, kept, "{schedule:?}");
    }
    assert!(steps >= 4 && attempts.len() == steps, "{schedule:?} {fit}");
    for (a, b) in fit.parameters.iter().zip(&w) {
        assert!((a - b).abs() < 1e-7, "{schedule:?} {:?} {w:?}", fit.parameters);
    }
    attempts.iter().filter(|attempt| attempt.verdict == StepVerdict::Rejected).count()
}

#[test]
fn every_schedule_makes_the_same_steps_in_a_fit_and_along_an_objective() {
    let mut rejected = 0;
    for length in [StepLength::Whole, StepLength::Constant(0.3)] {
        for damping in [0.1, 1e-4] {
            compare(decay, &[1.0, 1.0], &ConstantDamping { damping }, length);
            compare(wide, &[0.5, 1.0, -0.5, 0.7, 0.2], &ConstantDamping { damping }, length);
        }
        compare(decay, &[1.0, 1.0], &KernelEigenvalueDamping, length);
        compare(wide, &[0.5, 1.0, -0.5, 0.7, 0.2], &KernelEigenvalueDamping, length);
        compare(decay, &[1.0, 1.0], &Falling, length);
        // The second start is so far that first steps overshoot.
        compare(decay, &[1.0, 1.0], &GainRatioDamping::new(1.0), length);
        rejected += compare(decay, &[0.5, 4.0], &GainRatioDamping::new(1e-6), length);
    }
    assert!(rejected > 0);
}

#[test]
fn settings_serve_many_fits_and_a_learning_schedule_begins_anew_in_each() {
    let problem = LeastSquares::new(FiniteDifferences::new(decay()));
    let settings = scheduled(GainRatioDamping::new(1.0), StepLength::Whole, 400);
    let first = problem.fit(&[0.5, 4.0], &settings).unwrap();
    assert!(first.stop.converged(), "{first}");
    let second = problem.fit(&[0.5, 4.0], &settings).unwrap();
    // Compared as text: NaN is not equal to itself.
    assert_eq!(format!("{:?}", first.history), format!("{:?}", second.history));
}

#[test]
fn a_schedule_that_learns_turns_back_from_where_the_model_is_undefined() {
    // ln(w_0) leaves its domain on the first whole step, and comes back with more damping.
    let model = || {
        FiniteDifferences::new(ResidualFn::new(2, 2, |w: &[f64], r: &mut [f64]| {
            r[0] = w[0].ln() + 2.0;
            r[1] = w[1] - 1.0;
        }))
    };
    let constant = scheduled(ConstantDamping { damping: 1e-9 }, StepLength::Whole, 100);
    let fit = LeastSquares::new(model()).fit(&[3.0, 0.0], &constant).unwrap();
    assert_eq!(fit.stop, FitStop::NonFinite);
    let learning = scheduled(GainRatioDamping::new(1e-9), StepLength::Whole, 100);
    let fit = LeastSquares::new(model()).fit(&[3.0, 0.0], &learning).unwrap();
    assert!(fit.stop.converged() && fit.counts.undefined > 0, "{fit}");
    assert!((fit.parameters[0] - (-2.0_f64).exp()).abs() < 1e-8, "{fit}");
}

#[test]
fn a_damping_outside_its_range_is_refused_with_its_value() {
    let problem = LeastSquares::new(FiniteDifferences::new(decay()));
    for damping in [-0.1, 1.5, f64::NAN] {
        let settings = scheduled(ConstantDamping { damping }, StepLength::Whole, 10);
        match problem.fit(&[1.0, 1.0], &settings) {
            Err(FitError::InvalidSetting { name: "the schedule's damping", value, .. }) => {
                assert!(value.to_bits() == damping.to_bits());
            }
            other => panic!("{other:?}"),
        }
    }
}
