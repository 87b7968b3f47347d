//! Derivatives by differences, and maps behind pointers, against closed forms.
//!
//! First differences promise eps^(2/3) relative error, second ones eps^(1/2), at any parameter scale.

#![allow(clippy::float_cmp, reason = "a wrapper must give the same numbers, to the last bit")]

use std::rc::Rc;

use gaussflow_objective::{
    FiniteDifferences, JacobianDifferences, MapError, ResidualFn, Residuals, SecondOrderMap,
    SmoothMap,
};
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{DenseJacobian, JacobianOperator, RowKronecker};

/// Room over the promised error for the condition of the test's functions.
const FIRST: f64 = 50.0 * 3.7e-11;
const SECOND: f64 = 50.0 * 1.5e-8;

/// f(w) = (sin(w / s), exp(w / s)) for a parameter of scale s, in closed form to order two.
fn closed_form(scaled: f64, scale: f64) -> [[f64; 2]; 2] {
    let (sin, cos) = scaled.sin_cos();
    let exp = scaled.exp();
    [[cos / scale, exp / scale], [-sin / (scale * scale), exp / (scale * scale)]]
}

fn scaled_map(scale: f64) -> FiniteDifferences<impl Residuals> {
    FiniteDifferences::new(ResidualFn::new(2, 1, move |w: &[f64], out: &mut [f64]| {
        out.copy_from_slice(&[(w[0] / scale).sin(), (w[0] / scale).exp()]);
    }))
}

#[test]
fn differences_keep_their_accuracy_at_every_scale_of_the_parameter() {
    for scale in [1e-120, 1e-8, 1.0, 1e8, 1e120] {
        for scaled in [-1.7, 0.3, 1.0, 2.5] {
            let (map, w) = (scaled_map(scale), [scaled * scale]);
            let (mut value, mut jacobian) = ([0.0; 2], map.new_jacobian());
            map.linearize(&w, &mut value, &mut jacobian).unwrap();
            let [first, second] = closed_form(scaled, scale);
            let mut bend = [f64::NAN; 2];
            // Direction `scale`, so that the second derivative is a number of order 1.
            map.second_derivative(&w, &jacobian, &[scale], &[scale], &mut bend).unwrap();
            for j in 0..2 {
                let error = (jacobian.matrix()[(j, 0)] / first[j] - 1.0).abs();
                let size = scaled.exp().max(1.0);
                assert!(
                    error * (first[j] * scale).abs() <= FIRST * size,
                    "{scale:e} {scaled} {error:e}"
                );
                let error = (bend[j] - second[j] * scale * scale).abs();
                assert!(error <= SECOND * size, "{scale:e} {scaled}: {error:e}");
            }
        }
    }
}

#[test]
fn a_parameter_at_zero_takes_the_scale_that_it_is_told() {
    let mut jacobian = DenseJacobian::zeros(2, 1);
    let mut value = [0.0; 2];
    for scale in [1e-6, 1.0, 1e6] {
        let map = scaled_map(scale).with_scales(vec![scale]).unwrap();
        // Zero, and a number far below the scale, which a step relative to it could not resolve.
        for w in [0.0, 1e-9 * scale] {
            map.linearize(&[w], &mut value, &mut jacobian).unwrap();
            for j in 0..2 {
                let error = (jacobian.matrix()[(j, 0)] * scale - 1.0).abs();
                assert!(error <= FIRST, "{scale:e} {w:e}: {error:e}");
            }
        }
    }
    // Without scales zero counts as one.
    scaled_map(1.0).linearize(&[0.0], &mut value, &mut jacobian).unwrap();
    assert!((jacobian.matrix()[(0, 0)] - 1.0).abs() <= FIRST);
}

#[test]
fn improper_scales_are_refused() {
    for bad in [0.0, -1.0, f64::INFINITY] {
        let refused = scaled_map(1.0).with_scales(vec![bad]).err();
        assert!(
            matches!(refused, Some(MapError::InvalidScale { index: 0, value }) if value == bad)
        );
    }
    let refused = scaled_map(1.0).with_scales(vec![1.0; 2]).err();
    assert!(matches!(refused, Some(MapError::ShapeMismatch { expected: 1, found: 2, .. })));
}

/// f(w) = (w_0^2 w_1, w_1 e^(w_2)) with parameters of very different size.
const W: [f64; 3] = [2e3, 3e-4, 0.5];
/// Second derivatives in units of W: component j, entries 00, 01, 12, 22 (the others are 0).
fn products(u: [f64; 3], v: [f64; 3]) -> [f64; 2] {
    let exp = W[2].exp();
    let cross = |k: usize, l: usize| u[k] * v[l] + u[l] * v[k];
    [2.0 * W[1] * u[0] * v[0] + 2.0 * W[0] * cross(0, 1), exp * (cross(1, 2) + W[1] * u[2] * v[2])]
}

fn mixed() -> ResidualFn<impl Fn(&[f64], &mut [f64]) + Clone> {
    ResidualFn::new(2, 3, |w: &[f64], out: &mut [f64]| {
        out.copy_from_slice(&[w[0] * w[0] * w[1], w[1] * w[2].exp()]);
    })
}

#[test]
fn second_derivatives_by_values_and_by_jacobians_agree_with_the_closed_form() {
    let values = FiniteDifferences::new(mixed());
    let jacobians = JacobianDifferences::new(FiniteDifferences::new(mixed()));
    let mut jacobian = values.new_jacobian();
    values.linearize(&W, &mut [0.0; 2], &mut jacobian).unwrap();
    let (u, v) = ([1e3, -2e-4, 0.3], [-5e2, 1e-4, 0.7]);
    let weights = [0.4, -1.5];
    let sizes = [W[0] * W[0] * W[1], W[1] * W[2].exp()];
    for (a, b) in [(u, v), (v, u), (u, u)] {
        let expected = products(a, b);
        let (mut first, mut second) = ([f64::NAN; 2], [f64::NAN; 2]);
        values.second_derivative(&W, &jacobian, &a, &b, &mut first).unwrap();
        jacobians.second_derivative(&W, &jacobian, &a, &b, &mut second).unwrap();
        for j in 0..2 {
            assert!((first[j] - expected[j]).abs() <= SECOND * sizes[j], "{j} {first:?}");
            assert!((second[j] - expected[j]).abs() <= 1e3 * SECOND * sizes[j], "{j} {second:?}");
        }
    }
    // <B(weights) v, u> = sum_j weights_j D2f_j[u, v].
    let expected: f64 = products(u, v).iter().zip(weights).map(|(d, w)| d * w).sum();
    let against = |apply: &dyn Fn(&mut [f64])| {
        let mut out = [f64::NAN; 3];
        apply(&mut out);
        let found: f64 = out.iter().zip(u).map(|(o, u)| o * u).sum();
        assert!((found - expected).abs() <= 1e3 * SECOND * sizes[0], "{found} {expected}");
    };
    against(&|out| values.weighted_hessian_apply(&W, &jacobian, &weights, &v, out).unwrap());
    against(&|out| jacobians.weighted_hessian_apply(&W, &jacobian, &weights, &v, out).unwrap());
    let mut matrix = Mat::zeros(3, 3);
    values.weighted_hessian(&W, &jacobian, &weights, matrix.as_mut()).unwrap();
    against(&|out| {
        for (k, o) in out.iter_mut().enumerate() {
            *o = (0..3).map(|l| matrix[(k, l)] * v[l]).sum();
        }
    });
    for k in 0..3 {
        for l in 0..k {
            assert_eq!(matrix[(k, l)], matrix[(l, k)], "the matrix is symmetric");
        }
    }
}

/// A map with a structured Jacobian: f_j(w) = sum_ik s_ji x_jk w_ik, plus the square of w_0.
#[derive(Clone, Copy)]
struct Structured;

const X: [f64; 6] = [1.0, 2.0, -0.5, 0.3, 0.0, 1.5];

impl Residuals for Structured {
    fn parameters(&self) -> usize {
        4
    }
    fn outputs(&self) -> usize {
        3
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.linearize(w, out, &mut self.new_jacobian())
    }
}

impl SmoothMap for Structured {
    type Jacobian = RowKronecker;
    fn new_jacobian(&self) -> RowKronecker {
        RowKronecker::new(&X, 2, 2)
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut RowKronecker,
    ) -> Result<(), MapError> {
        let left = jacobian.pieces_mut()[0].left_mut();
        for j in 0..3 {
            left[(j, 0)] = (j as f64 + 1.0) * w[0];
            left[(j, 1)] = 0.5 - w[1];
        }
        jacobian.apply(w, value);
        Ok(())
    }
}

#[test]
fn a_map_behind_a_pointer_gives_its_own_numbers() {
    let map = JacobianDifferences::new(Structured);
    let boxed: Box<dyn SecondOrderMap<Jacobian = RowKronecker>> = Box::new(map.clone());
    let shared = Rc::new(map.clone());
    let w = [0.3, -1.0, 2.0, 0.7];
    let (u, v) = ([1.0, 0.2, -0.4, 2.0], [0.1, -1.0, 0.6, 0.3]);
    let (mut expected, mut found, mut counted) = ([0.0; 3], [0.0; 3], [0.0; 3]);
    let (mut jacobian, mut same) = (map.new_jacobian(), boxed.new_jacobian());
    map.linearize(&w, &mut expected, &mut jacobian).unwrap();
    boxed.linearize(&w, &mut found, &mut same).unwrap();
    shared.value(&w, &mut counted).unwrap();
    assert_eq!((expected, expected), (found, counted));
    assert_eq!((boxed.outputs(), boxed.parameters()), (3, 4));
    for j in 0..3 {
        assert_eq!(jacobian.pieces()[0].left()[(j, 0)], same.pieces()[0].left()[(j, 0)]);
    }
    map.second_derivative(&w, &jacobian, &u, &v, &mut expected).unwrap();
    boxed.second_derivative(&w, &same, &u, &v, &mut found).unwrap();
    shared.second_derivative(&w, &jacobian, &u, &v, &mut counted).unwrap();
    assert_eq!((expected, expected), (found, counted));
    let (mut expected, mut found) = ([0.0; 4], [0.0; 4]);
    map.weighted_hessian_apply(&w, &jacobian, &[1.0, 2.0, 3.0], &v, &mut expected).unwrap();
    boxed.weighted_hessian_apply(&w, &same, &[1.0, 2.0, 3.0], &v, &mut found).unwrap();
    assert_eq!(expected, found);
    let (mut one, mut other) = (Mat::zeros(4, 4), Mat::zeros(4, 4));
    map.weighted_hessian(&w, &jacobian, &[1.0, 2.0, 3.0], one.as_mut()).unwrap();
    boxed.weighted_hessian(&w, &same, &[1.0, 2.0, 3.0], other.as_mut()).unwrap();
    assert_eq!(one, other);
}

#[test]
fn a_closure_gets_only_vectors_of_its_own_shape() {
    let map = mixed();
    assert!(matches!(
        map.value(&[1.0; 2], &mut [0.0; 2]),
        Err(MapError::ShapeMismatch { expected: 3, found: 2, .. })
    ));
    assert!(matches!(
        map.value(&[1.0; 3], &mut [0.0; 1]),
        Err(MapError::ShapeMismatch { expected: 2, found: 1, .. })
    ));
}

/// `f_j = sqrt(w - c), ln(w - c), (w - c)^2.5, 1 / (w - c)` to the right of a wall, or mirrored to its left.
fn beside_a_wall(wall: f64, side: f64) -> impl Residuals {
    ResidualFn::new(4, 1, move |w: &[f64], out: &mut [f64]| {
        let u = side * (w[0] - wall);
        out.copy_from_slice(&[u.sqrt(), u.ln(), u.powf(2.5), u.recip()]);
        if u <= 0.0 {
            out.fill(f64::NAN);
        }
    })
}

#[test]
fn derivatives_beside_a_wall_are_found_however_near_it_is() {
    let mut jacobian = DenseJacobian::zeros(4, 1);
    for (wall, side) in [(-10.0, 1.0), (7.0, -1.0), (-0.3, -1.0), (2e5, 1.0)] {
        // Down to a sixtieth of the first step, which is 6e-6 of the wall's place.
        for distance in [1.0, 1e-3, 1e-5, 1e-6, 1e-7] {
            let w = wall + side * distance * f64::abs(wall);
            let u = side * (w - wall);
            let map = FiniteDifferences::new(beside_a_wall(wall, side));
            map.linearize(&[w], &mut [0.0; 4], &mut jacobian).unwrap();
            let exact = [0.5 / u.sqrt(), u.recip(), 2.5 * u.powf(1.5), -(u * u).recip()];
            let size = exact.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            for (j, exact) in exact.iter().enumerate() {
                let error = (jacobian.matrix()[(j, 0)] - side * exact).abs() / size;
                // Rounding of w, eps of the wall's place, moves u by eps / distance.
                let reach = (f64::EPSILON / distance).powf(2.0 / 3.0);
                assert!(error <= 50.0 * reach, "{wall} {side} {distance:e} {j}: {error:e}");
            }
        }
    }
}

#[test]
fn steps_stay_in_the_box_and_keep_their_order() {
    let (lower, upper) = ([1.0, -2.0, 0.0], [1.0 + 1e-9, 5.0, 0.0]);
    let map = FiniteDifferences::new(ResidualFn::new(2, 3, move |w: &[f64], out: &mut [f64]| {
        for k in 0..3 {
            assert!(w[k] >= lower[k] && w[k] <= upper[k], "{k}: {:e} is outside", w[k]);
        }
        out.copy_from_slice(&[w[0].exp() + w[2], w[0] * w[1].sin()]);
    }));
    let mut jacobian = map.new_jacobian();
    for w in [[1.0, -2.0, 0.0], [1.0 + 1e-9, 5.0, 0.0], [1.0 + 3e-10, 5.0 - 1e-7, 0.0]] {
        map.linearize_within(&w, &lower, &upper, &mut [0.0; 2], &mut jacobian).unwrap();
        let exact = [[w[0].exp(), 0.0], [w[1].sin(), w[0] * w[1].cos()]];
        for (j, row) in exact.iter().enumerate() {
            // The first parameter has room for steps of 1e-9 alone: rounding eps / 1e-9.
            for (k, bound) in [1e-6, FIRST].into_iter().enumerate() {
                let error = (jacobian.matrix()[(j, k)] - row[k]).abs();
                assert!(error <= 2.0 * bound, "{w:?} {j} {k}: {error:e}");
            }
            assert_eq!(jacobian.matrix()[(j, 2)], 0.0, "no room, no derivative");
        }
    }
}

#[test]
fn steps_fit_parameters_that_lie_far_from_zero() {
    // A wave and a peak of width L at an offset: by themselves, and with the width as the scale.
    for (offset, width) in [(2.4e9, 12_000.0), (-1e7, 3.0), (1e12, 1e5), (5.0, 1e-6)] {
        let rows = 20;
        let inner = move |w: &[f64], out: &mut [f64]| {
            for (j, o) in out.iter_mut().enumerate() {
                let u = (w[0] - offset) / width + 0.2 * j as f64 - 2.0;
                *o = u.sin() + (-u * u).exp();
            }
        };
        let exact = move |w: f64, j: usize| {
            let u = (w - offset) / width + 0.2 * j as f64 - 2.0;
            (u.cos() - 2.0 * u * (-u * u).exp()) / width
        };
        let found = FiniteDifferences::new(ResidualFn::new(rows, 1, inner));
        let told = found.clone().with_scales(vec![width]).unwrap();
        let w = offset + 0.3 * width;
        let rounding = (f64::EPSILON * (offset / width).abs()).powf(2.0 / 3.0);
        for (map, bound) in [(found, 50.0 * rounding.max(1e-10)), (told, 1e-9_f64.max(rounding))] {
            let mut jacobian = map.new_jacobian();
            map.linearize(&[w], &mut vec![0.0; rows], &mut jacobian).unwrap();
            for j in 0..rows {
                let error = (jacobian.matrix()[(j, 0)] - exact(w, j)).abs() * width;
                assert!(error <= bound, "{offset:e} {width:e} {j}: {error:e} {bound:e}");
            }
        }
    }
}

#[test]
fn noise_of_the_values_is_not_taken_for_curvature() {
    // Values rounded to single precision: a step shortened by their second difference would see nothing else.
    let map = FiniteDifferences::new(ResidualFn::new(40, 1, |w: &[f64], out: &mut [f64]| {
        for (j, o) in out.iter_mut().enumerate() {
            #[allow(clippy::cast_possible_truncation, reason = "the test is about it")]
            let single = ((0.1 * j as f64 * w[0]).sin()) as f32;
            *o = f64::from(single);
        }
    }));
    let mut jacobian = map.new_jacobian();
    map.linearize(&[1.3], &mut [0.0; 40], &mut jacobian).unwrap();
    for j in 0..40 {
        let t = 0.1 * j as f64;
        let error = jacobian.matrix()[(j, 0)] - t * (t * 1.3).cos();
        // 2^-25 over a step of 6e-6 relative to 1.3.
        assert!(error.abs() < 2.0 * 2.0_f64.powi(-25) / 8e-6, "{j}: {error:e}");
    }
}
