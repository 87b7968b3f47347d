//! Every way an integration can end other than well: singularities, fields without a value,
//! overflow, interruption, and input that allows no start.
#![allow(clippy::float_cmp, reason = "the promise is equality to the last bit")]

use std::ops::ControlFlow;

use crate::fields::{Field, NoValue, adaptive, oscillator, run, scalar, stiff};
use gaussflow_integrators::{
    End, EventAction, FallingValue, Grid, IntegrationError, Method, Unobserved, VectorField,
    integrate,
};

/// `x' = x^2` from 1 is `1/(1 - t)`: it leaves every bound at t = 1.
#[test]
fn a_blow_up_ends_at_its_time() {
    for (method, tolerance) in [(adaptive(1e-10), 1e-8), (stiff(1e-10), 1e-6)] {
        let mut field = scalar(|x| Ok(x * x), |x| 2.0 * x);
        let outcome = run(method, 2.0, &mut field, &[1.0], &mut []);
        assert_eq!(outcome.end, End::StepUnderflow { time: outcome.time }, "{method:?}");
        assert!((outcome.time - 1.0).abs() < tolerance, "{method:?}: {}", outcome.time);
        assert!(outcome.state[0] > 1e10, "{}", outcome.state[0]);
    }
    for method in [Method::Euler { step: 0.01 }, Method::RungeKutta4 { step: 0.01 }] {
        let mut field = scalar(|x| Ok(x * x), |x| 2.0 * x);
        let outcome = run(method, 2.0, &mut field, &[1.0], &mut []);
        assert_eq!(outcome.end, End::NonFinite { time: outcome.time });
        assert!(outcome.time > 1.0 && outcome.time < 1.2, "{}", outcome.time);
        assert!(outcome.state[0].is_finite());
    }
}

/// `s' = -1/s` from 1 is `sqrt(1 - 2t)`, with infinite slope at its end t = 1/2. Since `s^2 = 1 -
/// 2t`, an error `e` of `s` near its start moves the end by about `e`: the time of `s = 1e-6`,
/// which is `(1 - 1e-12)/2`, is known to a multiple of the tolerance.
#[test]
fn a_square_root_singularity_is_located() {
    for (tolerance, multiple) in [(1e-8, 1.0), (1e-10, 1.0), (1e-12, 1.0), (1e-13, 1.0)] {
        let mut field = scalar(|s| Ok(-1.0 / s), |s| 1.0 / (s * s));
        let method = Method::Adaptive {
            relative_tolerance: tolerance,
            absolute_tolerance: 1e-3 * tolerance,
        };
        let mut end =
            FallingValue::new(EventAction::Stop, |_: &mut _, _, s: &[f64]| Ok(s[0] - 1e-6));
        let outcome = run(method, 1.0, &mut field, &[1.0], &mut [&mut end]);
        assert_eq!(outcome.end, End::Event { index: 0 });
        let error = (outcome.time - 0.5 * (1.0 - 1e-12)).abs() / tolerance;
        assert!(error < multiple, "error is {error} tolerances");
        assert!((outcome.state[0] - 1e-6).abs() < 1e-9, "{}", outcome.state[0]);
    }
    // Without an event the run ends by itself, at the singularity.
    for method in [adaptive(1e-10), stiff(1e-10)] {
        let mut field = scalar(
            |s| if s > 0.0 { Ok(-1.0 / s) } else { Err(NoValue { at: s }) },
            |s| 1.0 / (s * s),
        );
        let outcome = run(method, 1.0, &mut field, &[1.0], &mut []);
        assert!(matches!(
            outcome.end,
            End::Breakdown { .. } | End::StepUnderflow { .. } | End::NonFinite { .. }
        ));
        assert!((outcome.time - 0.5).abs() < 1e-8, "{method:?} {}", outcome.time);
    }
}

/// `x' = 1` on `x <= 1` only.
fn walled() -> impl VectorField<Breakdown = NoValue> {
    scalar(|x| if x <= 1.0 { Ok(1.0) } else { Err(NoValue { at: x }) }, |_| 0.0)
}

/// The error-controlled methods shorten their steps up to the wall; the fixed ones end at their
/// last value. The cause is the field's own.
#[test]
fn a_field_that_ends_at_a_wall_is_a_breakdown_with_its_cause() {
    for method in [adaptive(1e-8), stiff(1e-8)] {
        let outcome = run(method, 2.0, &mut walled(), &[0.0], &mut []);
        let End::Breakdown { time, cause } = &outcome.end else {
            panic!("{method:?}: {:?}", outcome.end)
        };
        assert_eq!(*time, outcome.time);
        assert!((outcome.time - 1.0).abs() < 1e-12, "{method:?}: {}", outcome.time);
        // The failure of the shortest attempt, not of the first.
        assert!(cause.at > 1.0 && cause.at < 1.0 + 1e-12, "{}", cause.at);
        assert!(outcome.state[0] <= 1.0);
    }
    for method in [Method::Euler { step: 0.3 }, Method::RungeKutta4 { step: 0.3 }] {
        let outcome = run(method, 2.0, &mut walled(), &[0.0], &mut []);
        assert!(matches!(outcome.end, End::Breakdown { cause: NoValue { at }, .. } if at > 1.0));
        let last = if matches!(method, Method::Euler { .. }) { 1.2 } else { 0.9 };
        assert!((outcome.time - last).abs() < 1e-15, "{}", outcome.time);
        assert!((outcome.state[0] - last).abs() < 1e-15);
    }
}

#[test]
fn a_field_without_a_value_at_the_start_ends_there() {
    for method in [
        Method::Euler { step: 0.1 },
        Method::RungeKutta4 { step: 0.1 },
        adaptive(1e-6),
        stiff(1e-6),
    ] {
        let outcome = run(method, 1.0, &mut walled(), &[1.5], &mut []);
        assert_eq!(outcome.end, End::Breakdown { time: 0.0, cause: NoValue { at: 1.5 } });
        assert_eq!((outcome.time, outcome.state[0]), (0.0, 1.5));
        // Defined at the start, nowhere after it.
        let mut brink =
            scalar(|x| if x <= 0.0 { Ok(1.0) } else { Err(NoValue { at: x }) }, |_| 0.0);
        let outcome = run(method, 1.0, &mut brink, &[0.0], &mut []);
        assert!(matches!(outcome.end, End::Breakdown { .. }), "{method:?}: {:?}", outcome.end);
        assert!(outcome.time <= 0.1);
    }
}

/// A stopping event before the wall is found although the stages of some step touched it.
#[test]
fn an_event_before_the_wall_is_found() {
    for method in [adaptive(1e-8), stiff(1e-8)] {
        let mut near =
            FallingValue::new(EventAction::Stop, |_: &mut _, _, x: &[f64]| Ok(1.0 - 1e-6 - x[0]));
        let outcome = run(method, 2.0, &mut walled(), &[0.0], &mut [&mut near]);
        assert_eq!(outcome.end, End::Event { index: 0 });
        assert!((outcome.time - (1.0 - 1e-6)).abs() < 1e-12);
    }
}

/// Values that are not numbers, infinite, or too large to square are no values.
#[test]
fn values_that_are_not_numbers_are_never_accepted() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e200] {
        for method in [adaptive(1e-8), stiff(1e-8)] {
            let mut field = scalar(move |x| Ok(if x <= 1.0 { 1.0 } else { bad }), |_| 0.0);
            let outcome = run(method, 2.0, &mut field, &[0.0], &mut []);
            assert_eq!(outcome.end, End::NonFinite { time: outcome.time }, "{bad} {method:?}");
            assert!((outcome.time - 1.0).abs() < 1e-12, "{bad} {method:?} {}", outcome.time);
            assert!(outcome.state[0] <= 1.0);
        }
    }
    let mut field = scalar(|x| Ok(if x <= 1.0 { 1.0 } else { f64::NAN }), |_| 0.0);
    let outcome = run(Method::Euler { step: 0.3 }, 2.0, &mut field, &[0.0], &mut []);
    assert_eq!(outcome.end, End::NonFinite { time: outcome.time });
    assert!((outcome.time - 1.2).abs() < 1e-15);
}

/// A Jacobian without a value ends the stiff method with the reason; a step taken with a matrix
/// of zeros in its place would not be the method.
#[test]
fn a_jacobian_without_a_value_is_a_breakdown() {
    let mut field = Field {
        dimension: 1,
        value: |_: f64, x: &[f64], v: &mut [f64]| {
            v[0] = -x[0];
            Ok(())
        },
        jacobian: |_: f64, x: &[f64], d: &[f64], out: &mut [f64]| {
            out[0] = -d[0];
            if x[0] < 0.5 { Err(NoValue { at: x[0] }) } else { Ok(()) }
        },
    };
    let outcome = run(stiff(1e-6), 5.0, &mut field, &[1.0], &mut []);
    assert!(matches!(outcome.end, End::Breakdown { cause: NoValue { at }, .. } if at < 0.5));
    assert!(outcome.time > 2f64.ln() && outcome.time < 5.0);
    let outcome = run(stiff(1e-6), 5.0, &mut field, &[0.4], &mut []);
    assert_eq!(outcome.end, End::Breakdown { time: 0.0, cause: NoValue { at: 0.4 } });
}

#[test]
fn an_event_without_a_value_ends_with_its_reason() {
    for method in [Method::Euler { step: 0.01 }, adaptive(1e-8), stiff(1e-8)] {
        let mut field = scalar(|_| Ok(1.0), |_| 0.0);
        let mut event = FallingValue::new(EventAction::Stop, |_: &mut _, _, x: &[f64]| {
            if x[0] < 0.5 { Ok(1.0) } else { Err(NoValue { at: x[0] }) }
        });
        let outcome = run(method, 1.0, &mut field, &[0.0], &mut [&mut event]);
        assert!(matches!(outcome.end, End::Breakdown { cause: NoValue { at }, .. } if at >= 0.5));
        assert!(outcome.time < 0.5);
        let mut event =
            FallingValue::new(EventAction::Stop, |_: &mut _, _, _: &[f64]| Ok(f64::NAN));
        let outcome = run(method, 1.0, &mut field, &[0.0], &mut [&mut event]);
        assert_eq!(outcome.end, End::NonFinite { time: 0.0 });
    }
}

/// A field at rest, one with zero error, and a state of zeros: no division by a zero error.
#[test]
fn fields_without_error_reach_the_horizon() {
    for method in [adaptive(1e-8), stiff(1e-8)] {
        for slope in [0.0, 1.0, 1e-300, 1e12] {
            for start in [0.0, 1.0, -1e20] {
                let mut field = scalar(move |_| Ok(slope), |_| 0.0);
                let outcome = run(method, 1e3, &mut field, &[start], &mut []);
                assert_eq!(outcome.end, End::Horizon, "{method:?} {slope} {start}");
                let exact = start + slope * 1e3;
                assert!((outcome.state[0] - exact).abs() <= 1e-10 * exact.abs(), "{slope}");
            }
        }
    }
}

#[test]
fn the_observer_can_interrupt() {
    for method in [
        Method::Euler { step: 0.1 },
        Method::RungeKutta4 { step: 0.07 },
        adaptive(1e-8),
        stiff(1e-8),
    ] {
        for last in [0, 3] {
            let mut seen = Vec::new();
            let mut observer = |_: &mut _, step: usize, _: f64, x: &[f64]| {
                seen.push(x.to_vec());
                if step == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let grid = Grid { step: 0.1, every: 1, horizon: 1.0 };
            let mut field = oscillator();
            let initial = [1.0, 0.0];
            let outcome =
                integrate(method, grid, &mut field, &initial, &mut [], &mut observer).unwrap();
            assert_eq!(outcome.end, End::Interrupted { time: last as f64 * 0.1 });
            assert_eq!(outcome.time, last as f64 * 0.1);
            assert_eq!(seen.len(), last + 1);
            assert_eq!(seen[last], outcome.state);
        }
    }
}

#[test]
fn input_that_allows_no_start_is_refused() {
    let refusal = |method, grid, initial: &[f64]| {
        integrate(method, grid, &mut oscillator(), initial, &mut [], &mut Unobserved).unwrap_err()
    };
    let grid = Grid { step: 0.1, every: 1, horizon: 1.0 };
    let euler = Method::Euler { step: 0.1 };
    for step in [0.0, -0.1, f64::NAN] {
        assert!(matches!(
            refusal(Method::RungeKutta4 { step }, grid, &[1.0, 0.0]),
            IntegrationError::NotPositive { quantity: "step", .. }
        ));
    }
    assert!(matches!(
        refusal(euler, Grid { horizon: -1.0, ..grid }, &[1.0, 0.0]),
        IntegrationError::NotPositive { quantity: "horizon", value: -1.0 }
    ));
    assert!(matches!(
        refusal(adaptive(0.0), grid, &[1.0, 0.0]),
        IntegrationError::ToleranceOutOfRange { quantity: "relative tolerance", .. }
    ));
    assert_eq!(
        refusal(euler, grid, &[1.0]),
        IntegrationError::DimensionMismatch { expected: 2, found: 1 }
    );
    assert!(matches!(
        refusal(euler, grid, &[1.0, f64::NAN]),
        IntegrationError::NonFiniteInitialState { index: 1, .. }
    ));
    assert_eq!(
        refusal(Method::Euler { step: 1e-14 }, grid, &[1.0, 0.0]),
        IntegrationError::TooManySteps {
            horizon: 1.0,
            step: 1e-14,
            steps: 1.0 / 1e-14,
            most: 1e12
        }
    );
}
