//! What the observer sees: the grid, in order, once; the same bits in every run, and in a longer
//! one.
#![allow(clippy::float_cmp, reason = "the promise is equality to the last bit")]

use std::ops::ControlFlow;

use crate::fields::{adaptive, distance, linear, oscillator, stiff};
use gaussflow_integrators::{
    End, EventAction, FallingValue, Grid, Integration, Method, VectorField, integrate,
};

type Trace = Vec<(usize, f64, Vec<f64>)>;

const METHODS: [Method; 5] = [
    Method::Euler { step: 0.01 },
    Method::Euler { step: 0.03 },
    Method::RungeKutta4 { step: 0.07 },
    Method::Adaptive { relative_tolerance: 1e-7, absolute_tolerance: 1e-9 },
    Method::Stiff { relative_tolerance: 1e-7, absolute_tolerance: 1e-9 },
];

fn trace<F: VectorField>(
    method: Method,
    grid: Grid,
    field: &mut F,
    initial: &[f64],
) -> (Trace, Integration<F::Breakdown>) {
    let mut rows = Trace::new();
    let mut observer = |_: &mut F, step: usize, time: f64, x: &[f64]| {
        rows.push((step, time, x.to_vec()));
        ControlFlow::Continue(())
    };
    let outcome = integrate(method, grid, field, initial, &mut [], &mut observer).unwrap();
    (rows, outcome)
}

#[test]
fn multiples_and_the_horizon_are_recorded() {
    for method in METHODS {
        let grid = Grid { step: 0.1, every: 4, horizon: 1.05 };
        let (rows, outcome) = trace(method, grid, &mut oscillator(), &[1.0, 0.0]);
        let found: Vec<(usize, f64)> = rows.iter().map(|row| (row.0, row.1)).collect();
        assert_eq!(found, [(0, 0.0), (4, 4.0 * 0.1), (8, 8.0 * 0.1), (11, 1.05)]);
        assert_eq!(outcome.end, End::Horizon);
        assert_eq!(outcome.time, 1.05);
        assert_eq!(outcome.state, rows[3].2);
        let error = match method {
            Method::Euler { .. } => 0.02,
            _ => 2e-6,
        };
        for (_, time, x) in &rows {
            assert!(distance(x, &[time.cos(), time.sin()]) < error, "{method:?} at {time}");
        }
    }
}

/// A matrix with entries of every sign, so that sums round.
fn rounding_field() -> impl VectorField<Breakdown = crate::fields::NoValue> {
    let entry = |i: usize, j: usize| ((7 * i + 3 * j) % 11) as f64 / 7.0 - 0.7;
    linear((0..6).map(|i| (0..6).map(|j| entry(i, j)).collect()).collect())
}

#[test]
fn a_short_run_is_the_beginning_of_a_long_one_and_repeats_to_the_last_bit() {
    let initial = [1.0, -0.3, 0.2, 0.9, -1.1, 0.7];
    for method in METHODS {
        let grid = |horizon| Grid { step: 0.01, every: 1, horizon };
        let (short, short_outcome) = trace(method, grid(2.0), &mut rounding_field(), &initial);
        let (long, long_outcome) = trace(method, grid(5.0), &mut rounding_field(), &initial);
        let (again, again_outcome) = trace(method, grid(5.0), &mut rounding_field(), &initial);
        assert_eq!((short.len(), long.len()), (201, 501));
        if method == (Method::Euler { step: 0.03 })
            || method == (Method::RungeKutta4 { step: 0.07 })
        {
            // Their own last step is cut at the horizon, so the record inside it differs.
            let shared = short.len() - 8;
            assert_eq!(short[..shared], long[..shared]);
        } else {
            assert_eq!(short[..], long[..201], "{method:?}");
            assert_eq!(short_outcome.state, long[200].2);
        }
        assert_eq!(long, again);
        assert_eq!(long_outcome, again_outcome);
    }
}

/// Counts where it is evaluated, and what for.
#[derive(Default)]
struct Diary {
    calls: Vec<(&'static str, f64)>,
}

impl VectorField for Diary {
    type Breakdown = ();
    fn dimension(&self) -> usize {
        1
    }
    fn evaluate(&mut self, _: f64, x: &[f64], v: &mut [f64]) -> Result<(), ()> {
        self.calls.push(("evaluate", x[0]));
        v[0] = 1.0;
        Ok(())
    }
    fn jacobian_apply(&mut self, _: f64, _: &[f64], _: &[f64], out: &mut [f64]) -> Result<(), ()> {
        out[0] = 0.0;
        Ok(())
    }
}

/// A field that remembers its last point computes each linearization of an Euler run once:
/// event, record and evaluation at one state follow each other, and none comes after the last.
#[test]
fn euler_asks_for_each_point_once_in_a_row() {
    let mut field = Diary::default();
    let mut event = FallingValue::new(EventAction::Stop, |field: &mut Diary, _, x: &[f64]| {
        field.calls.push(("event", x[0]));
        Ok(10.0 - x[0])
    });
    let mut observer = |field: &mut Diary, _: usize, _: f64, x: &[f64]| {
        field.calls.push(("record", x[0]));
        ControlFlow::Continue(())
    };
    let grid = Grid { step: 1.0, every: 1, horizon: 2.0 };
    let method = Method::Euler { step: 1.0 };
    let events: &mut [&mut dyn gaussflow_integrators::EventFunction<Diary>] = &mut [&mut event];
    let outcome = integrate(method, grid, &mut field, &[0.0], events, &mut observer).unwrap();
    assert_eq!(
        field.calls,
        [
            ("event", 0.0),
            ("record", 0.0),
            ("evaluate", 0.0),
            ("event", 1.0),
            ("record", 1.0),
            ("evaluate", 1.0),
            ("event", 2.0),
            ("record", 2.0),
        ]
    );
    assert_eq!(outcome.statistics.field_evaluations, 2);
    assert_eq!(outcome.statistics.event_evaluations, 3);
    assert_eq!(outcome.statistics.accepted_steps, 2);
}

/// Euler on the grid's own step is the iteration `x + h v` itself, with `h` the same number at
/// each step, not a difference of rounded times.
#[test]
fn euler_is_the_plain_iteration_to_the_last_bit() {
    let grid = Grid { step: 0.01, every: 1, horizon: 5.0 };
    let (rows, _) = trace(Method::Euler { step: 0.01 }, grid, &mut oscillator(), &[1.0, 0.0]);
    let mut x = [1.0_f64, 0.0];
    for (step, time, found) in rows {
        assert_eq!(found, x, "step {step}");
        assert_eq!(time, step as f64 * 0.01);
        // The field's own sum starts at zero, which matters for the sign of a zero only.
        x = [x[0] + 0.01 * -x[1], x[1] + 0.01 * x[0]];
    }
}

#[test]
fn records_end_at_a_stopping_event() {
    for method in METHODS {
        let grid = Grid { step: 0.1, every: 1, horizon: 3.0 };
        let mut rows = Vec::new();
        let mut observer = |_: &mut _, step: usize, time: f64, _: &[f64]| {
            rows.push((step, time));
            ControlFlow::Continue(())
        };
        let mut event = FallingValue::new(EventAction::Stop, |_: &mut _, _, x: &[f64]| Ok(x[0]));
        let mut field = oscillator();
        let outcome =
            integrate(method, grid, &mut field, &[1.0, 0.0], &mut [&mut event], &mut observer)
                .unwrap();
        assert!((outcome.time - std::f64::consts::FRAC_PI_2).abs() < 0.02);
        let last = rows.last().unwrap();
        assert_eq!(*last, (15, 15.0 * 0.1));
        assert_eq!(outcome.events[0].step, 16);
        assert_eq!(rows.len(), 16);
    }
    // The methods of this file's helpers with other tolerances behave alike.
    for method in [adaptive(1e-4), stiff(1e-4)] {
        let grid = Grid { step: 0.5, every: 3, horizon: 0.4 };
        let (rows, _) = trace(method, grid, &mut oscillator(), &[1.0, 0.0]);
        assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [0, 1]);
    }
}
