//! A run resumed at any checkpoint against the undisturbed one, to the last bit, work included.

#![allow(clippy::float_cmp, reason = "the promise is equality to the last bit")]

use std::ops::ControlFlow;

use crate::maps::Ridge;
use gaussflow_dynamics::{
    Checkpoint, Flow, Integrator, Observer, ObserverError, Outcome, Preconditioner, Settings,
    SimulationError, StopReason, Tolerances, Work, resume,
};
use gaussflow_objective::{LogCosh, Objective};

type Problem = Objective<Ridge, LogCosh>;

fn problem() -> Problem {
    let targets = (0..12).map(|j| (0.4 + 1.9 * f64::from(j)).cos()).collect();
    let map = Ridge { outputs: 12, parameters: 4 };
    Objective::new(map, LogCosh::new(targets, 0.4).unwrap(), 3.0).unwrap()
}

const START: [f64; 4] = [0.3, -0.2, 0.5, 0.1];

/// Keeps records and checkpoints, and stops or fails at one of them if told to.
#[derive(Default)]
struct Notes {
    rows: Vec<(usize, f64, f64, Vec<f64>)>,
    checkpoints: Vec<(Checkpoint, Work)>,
    stop_at: Option<usize>,
    refuse_at: Option<usize>,
}

impl Observer<Ridge, LogCosh> for Notes {
    fn record(
        &mut self,
        step: usize,
        time: f64,
        flow: &mut Flow<'_, Ridge, LogCosh>,
    ) -> Result<ControlFlow<()>, ObserverError> {
        let here = flow.linearization();
        self.rows.push((step, time, here.loss(), here.point().to_vec()));
        Ok(ControlFlow::Continue(()))
    }

    fn checkpoint(
        &mut self,
        at: &Checkpoint,
        work: &Work,
    ) -> Result<ControlFlow<()>, ObserverError> {
        self.checkpoints.push((at.clone(), *work));
        if self.refuse_at == Some(at.step) {
            return Err("the disk is full".into());
        }
        let stops = self.stop_at == Some(at.step);
        Ok(if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

fn settings(preconditioner: Preconditioner, integrator: Integrator) -> Settings {
    Settings {
        preconditioner,
        integrator,
        step: 0.03,
        horizon: 1.0,
        checkpoint_every: 8,
        ball_radius: Some(0.05),
        stationary_fraction: Some(1e-9),
        ..Settings::default()
    }
}

fn every_kind() -> Vec<Settings> {
    let tolerances = Tolerances { relative: 1e-7, absolute: 1e-9 };
    let damped = Preconditioner::LevenbergMarquardt { damping: 0.1 };
    vec![
        settings(Preconditioner::GaussNewton, Integrator::Euler),
        settings(Preconditioner::GaussNewton, Integrator::RungeKutta4),
        settings(Preconditioner::GaussNewton, Integrator::Adaptive(tolerances)),
        settings(Preconditioner::Gradient, Integrator::Stiff(tolerances)),
        settings(damped, Integrator::Euler),
        Settings { step: 0.01, ..settings(damped, Integrator::Discrete) },
    ]
}

fn undisturbed(settings: &Settings) -> (Outcome, Notes) {
    let mut notes = Notes::default();
    let outcome = resume(&problem(), &START, None, settings, &mut notes).unwrap();
    (outcome, notes)
}

#[test]
fn a_resumed_run_ends_with_the_same_bits() {
    for settings in every_kind() {
        let (whole, notes) = undisturbed(&settings);
        assert_eq!(whole.stop_reason, StopReason::Horizon, "{settings:?}");
        assert_eq!(whole.events.len(), 1, "the ball is left once: {:?}", whole.events);
        assert_eq!(notes.checkpoints.len(), notes.rows.len().div_ceil(8) - 1);
        for (at, done) in &notes.checkpoints {
            let mut rest = Notes::default();
            let resumed = resume(&problem(), &START, Some(at), &settings, &mut rest).unwrap();
            let first = notes.rows.iter().position(|row| row.0 > at.step).unwrap();
            assert!(rest.rows == notes.rows[first..], "{settings:?} from step {}", at.step);
            let mut statistics = done.statistics;
            statistics += resumed.statistics;
            let mut counts = done.counts;
            counts += resumed.counts;
            assert_eq!(Outcome { statistics, counts, ..resumed }, whole, "{settings:?}");
        }
    }
}

#[test]
fn checkpoints_change_no_more_than_rounding_and_the_error_control() {
    for settings in every_kind() {
        let (whole, notes) = undisturbed(&settings);
        let (plain, _) = undisturbed(&Settings { checkpoint_every: 0, ..settings });
        let bound = if settings.integrator.is_error_controlled() { 1e-5 } else { 1e-12 };
        assert!((whole.final_loss / plain.final_loss - 1.0).abs() <= bound, "{settings:?}");
        assert_eq!(whole.final_time, plain.final_time);
        let (a, b) = (whole.events[0], plain.events[0]);
        assert!((a.time - b.time).abs() <= bound && a.step == b.step, "{a:?} {b:?}");
        // The records of the first piece are those of the run without checkpoints.
        let mut first = Notes::default();
        resume(&problem(), &START, None, &Settings { checkpoint_every: 0, ..settings }, &mut first)
            .unwrap();
        assert!(first.rows[..9] == notes.rows[..9], "{settings:?}");
    }
}

#[test]
fn a_run_stopped_at_a_checkpoint_says_so_and_goes_on() {
    let settings = settings(Preconditioner::GaussNewton, Integrator::Euler);
    let (whole, _) = undisturbed(&settings);
    let mut notes = Notes { stop_at: Some(16), ..Notes::default() };
    let stopped = resume(&problem(), &START, None, &settings, &mut notes).unwrap();
    assert_eq!(stopped.stop_reason, StopReason::Interrupted);
    assert_eq!(stopped.final_time, 16.0 * 0.03);
    let (at, _) = notes.checkpoints.last().unwrap();
    assert_eq!(at.weights, stopped.final_weights);
    let resumed = resume(&problem(), &START, Some(at), &settings, &mut Notes::default()).unwrap();
    assert_eq!(resumed.final_weights, whole.final_weights);
}

#[test]
fn intervals_and_checkpoints_that_do_not_fit_are_refused() {
    let base = settings(Preconditioner::GaussNewton, Integrator::Euler);
    let uneven = Settings { record_every: 3, ..base };
    let refused = resume(&problem(), &START, None, &uneven, &mut Notes::default()).unwrap_err();
    assert!(matches!(refused, SimulationError::InvalidInterval { interval: 8, every: 3 }));
    let (_, notes) = undisturbed(&base);
    let mut at = notes.checkpoints[0].0.clone();
    at.step = 9;
    let refused = resume(&problem(), &START, Some(&at), &base, &mut Notes::default()).unwrap_err();
    assert!(matches!(refused, SimulationError::InvalidCheckpoint { step: 9, interval: 8 }));
    let mut full = Notes { refuse_at: Some(16), ..Notes::default() };
    let refused = resume(&problem(), &START, None, &base, &mut full).unwrap_err();
    assert_eq!(refused.to_string(), "the observer: the disk is full");
}
