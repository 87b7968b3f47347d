//! Each method against closed forms and published references: orders of convergence for the
//! fixed steps, error as a multiple of the tolerance for the error-controlled ones.

use crate::fields::{Field, NoValue, adaptive, distance, linear, oscillator, run, scalar, stiff};
use gaussflow_integrators::{End, Method};

/// The slopes `log2(error(h)/error(h/2))` over five halvings.
fn slopes(method: impl Fn(f64) -> Method, coarsest: f64) -> Vec<f64> {
    let exact = [2f64.cos(), 2f64.sin()];
    let errors: Vec<f64> = (0..6)
        .map(|halvings| {
            let step = coarsest / f64::from(1 << halvings);
            let outcome = run(method(step), 2.0, &mut oscillator(), &[1.0, 0.0], &mut []);
            distance(&outcome.state, &exact)
        })
        .collect();
    errors.windows(2).map(|pair| (pair[0] / pair[1]).log2()).collect()
}

#[test]
fn euler_has_order_one() {
    for slope in slopes(|step| Method::Euler { step }, 0.01) {
        assert!((slope - 1.0).abs() < 0.02, "{slope}");
    }
}

#[test]
fn runge_kutta_has_order_four() {
    for slope in slopes(|step| Method::RungeKutta4 { step }, 0.1) {
        assert!((slope - 4.0).abs() < 0.05, "{slope}");
    }
}

/// Inside a step the cubic Hermite polynomial keeps the order: its error is `O(h^4)` too.
#[test]
fn runge_kutta_keeps_its_order_between_steps() {
    let worst = |step: f64| -> f64 {
        let grid = gaussflow_integrators::Grid { step: step / 3.7, every: 1, horizon: 2.0 };
        let mut worst: f64 = 0.0;
        let mut observer = |_: &mut _, _: usize, time: f64, x: &[f64]| {
            worst = worst.max(distance(x, &[time.cos(), time.sin()]));
            std::ops::ControlFlow::Continue(())
        };
        let method = Method::RungeKutta4 { step };
        gaussflow_integrators::integrate(
            method,
            grid,
            &mut oscillator(),
            &[1.0, 0.0],
            &mut [],
            &mut observer,
        )
        .unwrap();
        worst
    };
    let slope = (worst(0.1) / worst(0.05)).log2();
    assert!((slope - 4.0).abs() < 0.1, "{slope}");
}

/// Over two periods the error stays below a stated multiple of the tolerance.
#[test]
fn the_oscillator_is_followed_to_a_multiple_of_the_tolerance() {
    let exact = [12f64.cos(), 12f64.sin()];
    for exponent in 4..=11 {
        let tolerance = 10f64.powi(-exponent);
        for (method, multiple) in [(adaptive(tolerance), 10.0), (stiff(tolerance), 100.0)] {
            let outcome = run(method, 12.0, &mut oscillator(), &[1.0, 0.0], &mut []);
            assert_eq!(outcome.end, End::Horizon);
            let ratio = distance(&outcome.state, &exact) / tolerance;
            assert!(ratio < multiple, "{method:?}: error is {ratio} tolerances");
        }
    }
}

#[test]
fn decay_is_followed_to_a_multiple_of_the_tolerance() {
    for exponent in 4..=11 {
        let tolerance = 10f64.powi(-exponent);
        for (method, multiple) in [(adaptive(tolerance), 1.0), (stiff(tolerance), 5.0)] {
            let mut field = scalar(|x| Ok(-x), |_| -1.0);
            let outcome = run(method, 3.0, &mut field, &[1.0], &mut []);
            let ratio = (outcome.state[0] - (-3f64).exp()).abs() / tolerance;
            assert!(ratio < multiple, "{method:?}: error is {ratio} tolerances");
        }
    }
}

/// Eigenvalues -1 and -1e5 with eigenvectors (2, 1) and (-1, 1): from (1, 1) the fast part of
/// `x = (2/3) e^-t + ...` is gone by t = 1.
#[test]
fn a_stiff_linear_field_costs_the_implicit_method_few_steps() {
    let fast = 1e5;
    let matrix = vec![
        vec![-(2.0 + fast) / 3.0, (2.0 * fast - 2.0) / 3.0],
        vec![(fast - 1.0) / 3.0, -(1.0 + 2.0 * fast) / 3.0],
    ];
    let exact = [4.0 / 3.0 * (-1f64).exp(), 2.0 / 3.0 * (-1f64).exp()];
    let tolerance = 1e-8;
    let implicit = run(stiff(tolerance), 1.0, &mut linear(matrix.clone()), &[1.0, 1.0], &mut []);
    let explicit = run(adaptive(tolerance), 1.0, &mut linear(matrix), &[1.0, 1.0], &mut []);
    for outcome in [&implicit, &explicit] {
        let ratio = distance(&outcome.state, &exact) / tolerance;
        assert!(ratio < 10.0, "error is {ratio} tolerances");
    }
    assert!(implicit.statistics.accepted_steps < 400);
    // Stability bounds the explicit step by about 3.3/1e5.
    assert!(explicit.statistics.accepted_steps > 20_000);
}

/// Van der Pol, `y'' = ((1 - y^2) y' - y)/1e-6` from (2, 0), at t = 2; the reference is that of
/// the IVP test set (Mazzia and Magherini), problem VDPOL.
#[test]
fn van_der_pol_agrees_with_the_test_set() {
    let rate = 1e6;
    let mut field = Field {
        dimension: 2,
        value: |_: f64, x: &[f64], v: &mut [f64]| {
            (v[0], v[1]) = (x[1], rate * ((1.0 - x[0] * x[0]) * x[1] - x[0]));
            Ok::<(), NoValue>(())
        },
        jacobian: |_: f64, x: &[f64], d: &[f64], out: &mut [f64]| {
            out[0] = d[1];
            out[1] = rate * ((-2.0 * x[0] * x[1] - 1.0) * d[0] + (1.0 - x[0] * x[0]) * d[1]);
            Ok::<(), NoValue>(())
        },
    };
    let outcome = run(stiff(1e-9), 2.0, &mut field, &[2.0, 0.0], &mut []);
    let reference = [1.706_167_732_170_469, -0.892_809_701_024_812_5];
    assert_eq!(outcome.end, End::Horizon);
    assert!(distance(&outcome.state, &reference) < 1e-7, "{:?}", outcome.state);
}

/// Robertson's kinetics at t = 1e11; the reference is that of the IVP test set, problem ROBER.
#[test]
fn robertson_agrees_with_the_test_set() {
    let mut field = Field {
        dimension: 3,
        value: |_: f64, x: &[f64], v: &mut [f64]| {
            let (slow, fast, square) = (0.04 * x[0], 1e4 * x[1] * x[2], 3e7 * x[1] * x[1]);
            (v[0], v[1], v[2]) = (fast - slow, slow - fast - square, square);
            Ok::<(), NoValue>(())
        },
        jacobian: |_: f64, x: &[f64], d: &[f64], out: &mut [f64]| {
            let (slow, fast) = (0.04 * d[0], 1e4 * (d[1] * x[2] + x[1] * d[2]));
            let square = 6e7 * x[1] * d[1];
            (out[0], out[1], out[2]) = (fast - slow, slow - fast - square, square);
            Ok::<(), NoValue>(())
        },
    };
    let method = Method::Stiff { relative_tolerance: 1e-9, absolute_tolerance: 1e-18 };
    let outcome = run(method, 1e11, &mut field, &[1.0, 0.0, 0.0], &mut []);
    let reference = [2.083_340_149_701_255e-8, 8.333_360_770_334_713e-14, 0.999_999_979_166_505];
    assert_eq!(outcome.end, End::Horizon);
    for (x, reference) in outcome.state.iter().zip(reference) {
        assert!((x / reference - 1.0).abs() < 1e-6, "{x} {reference}");
    }
}
