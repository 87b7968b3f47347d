//! Events in closed form: time, state and step number, for every method.
#![allow(clippy::float_cmp, reason = "the promise is equality to the last bit")]

use crate::fields::{adaptive, distance, linear, oscillator, run, scalar, stiff};
use gaussflow_integrators::{
    End, EventAction, EventFunction, FallingValue, Grid, Method, Unobserved, VectorField, integrate,
};

/// An event whose value is a function of the state alone.
fn falling<F: VectorField>(
    action: EventAction,
    value: impl Fn(&[f64]) -> f64,
) -> impl EventFunction<F> {
    FallingValue::new(action, move |_: &mut F, _: f64, x: &[f64]| Ok(value(x)))
}

/// The methods whose own error is below 1e-9 on the smooth fields here.
fn accurate_methods() -> [Method; 3] {
    [Method::RungeKutta4 { step: 2e-3 }, adaptive(1e-12), stiff(1e-12)]
}

/// `|x| = e^t` on the spiral `x' = (1 + i) x`: it leaves the ball of radius 2 at `ln 2`.
#[test]
fn the_spiral_leaves_the_ball_at_the_logarithm_of_its_radius() {
    for method in accurate_methods() {
        let mut field = linear(vec![vec![1.0, -1.0], vec![1.0, 1.0]]);
        let mut exit = falling(EventAction::Stop, |x| 2.0 - x[0].hypot(x[1]));
        let outcome = run(method, 5.0, &mut field, &[1.0, 0.0], &mut [&mut exit]);
        let time = 2f64.ln();
        assert_eq!(outcome.end, End::Event { index: 0 });
        assert!((outcome.time - time).abs() < 1e-9, "{method:?}: {}", outcome.time - time);
        assert!(distance(&outcome.state, &[2.0 * time.cos(), 2.0 * time.sin()]) < 1e-9);
        assert_eq!(outcome.events.len(), 1);
        assert_eq!(outcome.events[0].time, outcome.time);
        assert_eq!(outcome.events[0].state, outcome.state);
        assert_eq!(outcome.events[0].step, 2);
        // Not merely near zero: on the far side of it.
        assert!(outcome.state[0].hypot(outcome.state[1]) >= 2.0);
    }
}

/// The unit circle from (1, 0) leaves the ball of radius 1/2 about (1, 0) at `2 asin(1/4)`.
#[test]
fn the_circle_leaves_a_ball_about_its_start() {
    for method in accurate_methods() {
        let mut exit = falling(EventAction::Stop, |x| 0.5 - (x[0] - 1.0).hypot(x[1]));
        let outcome = run(method, 3.0, &mut oscillator(), &[1.0, 0.0], &mut [&mut exit]);
        let time = 2.0 * 0.25f64.asin();
        assert!((outcome.time - time).abs() < 1e-9, "{method:?}: {}", outcome.time - time);
    }
}

/// `e^-t` falls through 1/4, noted, and through 1/10, a stop.
#[test]
fn a_noted_event_goes_on_to_the_stopping_one() {
    for method in accurate_methods() {
        let mut field = scalar(|x| Ok(-x), |_| -1.0);
        let mut noted = falling(EventAction::Continue, |x| x[0] - 0.25);
        let mut stop = falling(EventAction::Stop, |x| x[0] - 0.1);
        let events: &mut [&mut dyn EventFunction<_>] = &mut [&mut stop, &mut noted];
        let outcome = run(method, 5.0, &mut field, &[1.0], events);
        assert_eq!(outcome.end, End::Event { index: 0 });
        let found: Vec<usize> = outcome.events.iter().map(|event| event.index).collect();
        assert_eq!(found, [1, 0]);
        for (event, level) in outcome.events.iter().zip([0.25f64, 0.1]) {
            assert!((event.time + level.ln()).abs() < 1e-9, "{method:?}");
            assert!((event.state[0] - level).abs() < 1e-9);
        }
    }
}

/// Euler's own solution is piecewise linear through `(1 - h)^k`; the event is where that line
/// crosses, which is known exactly.
#[test]
fn euler_events_lie_on_the_broken_line() {
    let step: f64 = 1.0 / 64.0;
    let mut field = scalar(|x| Ok(-x), |_| -1.0);
    let mut stop = falling(EventAction::Stop, |x| x[0] - 0.3);
    let grid = Grid { step, every: 1, horizon: 4.0 };
    let outcome = integrate(
        Method::Euler { step },
        grid,
        &mut field,
        &[1.0],
        &mut [&mut stop],
        &mut Unobserved,
    )
    .unwrap();
    let whole = (0.3f64.ln() / (1.0 - step).ln()).floor();
    let before = (1.0 - step).powf(whole);
    let exact = step * whole + (before - 0.3) / before;
    assert!((outcome.time - exact).abs() < 1e-14, "{} {exact}", outcome.time);
    assert_eq!(outcome.events[0].step as f64, whole + 1.0);
    assert!((outcome.state[0] - 0.3).abs() < 1e-15);
}

/// Of several events in one step the earliest stop counts, whatever their order in the list, and
/// what would come later is not reported.
#[test]
fn the_earliest_stop_in_a_step_wins() {
    let mut field = scalar(|_| Ok(1.0), |_| 0.0);
    let mut late_note = falling(EventAction::Continue, |x| 0.9 - x[0]);
    let mut late_stop = falling(EventAction::Stop, |x| 0.7 - x[0]);
    let mut early_stop = falling(EventAction::Stop, |x| 0.5 - x[0]);
    let mut early_note = falling(EventAction::Continue, |x| 0.2 - x[0]);
    let events: &mut [&mut dyn EventFunction<_>] =
        &mut [&mut late_note, &mut late_stop, &mut early_stop, &mut early_note];
    let outcome = run(Method::Euler { step: 1.0 }, 1.0, &mut field, &[0.0], events);
    assert_eq!(outcome.end, End::Event { index: 2 });
    let found: Vec<_> = outcome.events.iter().map(|event| (event.index, event.step)).collect();
    assert_eq!(found, [(3, 2), (2, 5)]);
    assert!((outcome.time - 0.5).abs() < 1e-15);
}

/// `cos t` crosses zero downwards at pi/2 and again at 5 pi/2: the second is ignored, and the
/// upward crossing at 3 pi/2 is none.
#[test]
fn a_noted_event_fires_once_and_only_downwards() {
    for method in accurate_methods() {
        let mut noted = falling(EventAction::Continue, |x| x[0]);
        let outcome = run(method, 10.0, &mut oscillator(), &[1.0, 0.0], &mut [&mut noted]);
        assert_eq!(outcome.end, End::Horizon);
        assert_eq!(outcome.events.len(), 1);
        assert!((outcome.events[0].time - std::f64::consts::FRAC_PI_2).abs() < 1e-9);
    }
}

#[test]
fn a_value_at_or_below_zero_at_the_start_fires_there() {
    for method in [Method::Euler { step: 0.1 }, adaptive(1e-6), stiff(1e-6)] {
        for (action, end) in
            [(EventAction::Stop, End::Event { index: 0 }), (EventAction::Continue, End::Horizon)]
        {
            let mut at_zero = falling(action, |x| x[0]);
            let outcome = run(method, 1.0, &mut oscillator(), &[0.0, 1.0], &mut [&mut at_zero]);
            assert_eq!(outcome.end, end);
            assert_eq!((outcome.events[0].time, outcome.events[0].step), (0.0, 0));
            assert_eq!(outcome.events[0].state, [0.0, 1.0]);
            if action == EventAction::Stop {
                assert_eq!(outcome.statistics.field_evaluations, 0);
            }
        }
    }
}

/// An event past the horizon is none, even when an adaptive step overshoots it.
#[test]
fn nothing_fires_past_the_horizon() {
    for method in [Method::RungeKutta4 { step: 0.3 }, adaptive(1e-4), stiff(1e-4)] {
        let mut field = scalar(|_| Ok(1.0), |_| 0.0);
        let mut stop = falling(EventAction::Stop, |x| 1.0 + 1e-9 - x[0]);
        let outcome = run(method, 1.0, &mut field, &[0.0], &mut [&mut stop]);
        assert_eq!(outcome.end, End::Horizon, "{method:?}");
        assert_eq!(outcome.time, 1.0);
        assert!(outcome.events.is_empty());
    }
}

/// An event costs few values: one a step, and some ten for the location.
#[test]
fn event_values_are_counted_and_few() {
    let mut exit = falling(EventAction::Stop, |x| x[0] - 0.1);
    let mut field = scalar(|x| Ok(-x), |_| -1.0);
    let outcome = run(adaptive(1e-8), 5.0, &mut field, &[1.0], &mut [&mut exit]);
    let steps = outcome.statistics.accepted_steps;
    let location = outcome.statistics.event_evaluations - steps - 1;
    assert!((1..=15).contains(&location), "{location} values for one location");
}
