//! The Taylor-slope checkers on a map in closed form, right and with planted errors.
//!
//! f(w) = (sin w_0 w_1, e^(w_1) w_2, w_2^2 w_0): no order of the expansion vanishes.

use gaussflow_objective::{
    MapError, Residuals, SecondOrderMap, SlopeVerdict, SmoothMap, adjoint_defect, check_jacobian,
    check_second_derivative,
};
use gaussflow_solvers::faer::MatMut;
use gaussflow_solvers::{DenseJacobian, JacobianOperator};

/// What is wrong with the derivatives.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Columns of J times (1 + size).
    Columns(&'static [usize], f64),
    /// D2f times (1 + size).
    Second(f64),
    /// J, or D2f, is not a number.
    NotANumber,
    /// f is defined at the point alone.
    Isolated,
}

struct Curved(Fault);

const POINT: [f64; 3] = [0.7, -0.4, 1.3];
const DIRECTION: [f64; 3] = [0.9, 0.6, -0.8];

impl Residuals for Curved {
    fn parameters(&self) -> usize {
        3
    }
    fn outputs(&self) -> usize {
        3
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        if self.0 == Fault::Isolated && w != POINT {
            return Err(MapError::Undefined { reason: "one point only".to_owned() });
        }
        let [a, b, c] = [w[0], w[1], w[2]];
        out.copy_from_slice(&[(a * b).sin(), b.exp() * c, c * c * a]);
        Ok(())
    }
}

impl SmoothMap for Curved {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(3, 3)
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let ([a, b, c], cos) = ([w[0], w[1], w[2]], (w[0] * w[1]).cos());
        let rows =
            [[b * cos, a * cos, 0.0], [0.0, b.exp() * c, b.exp()], [c * c, 0.0, 2.0 * c * a]];
        let mut matrix = jacobian.matrix_mut();
        for (j, row) in rows.iter().enumerate() {
            for (k, entry) in row.iter().enumerate() {
                matrix[(j, k)] = match self.0 {
                    Fault::Columns(columns, size) if columns.contains(&k) => entry * (1.0 + size),
                    Fault::NotANumber => f64::NAN,
                    _ => *entry,
                };
            }
        }
        Ok(())
    }
}

impl SecondOrderMap for Curved {
    fn second_derivative(
        &self,
        w: &[f64],
        _: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let [a, b, c] = [w[0], w[1], w[2]];
        let (sin, cos) = (a * b).sin_cos();
        let cross = |k: usize, l: usize| u[k] * v[l] + u[l] * v[k];
        out[0] = -sin * (b * u[0] + a * u[1]) * (b * v[0] + a * v[1]) + cos * cross(0, 1);
        out[1] = b.exp() * (c * u[1] * v[1] + cross(1, 2));
        out[2] = 2.0 * c * cross(0, 2) + 2.0 * a * u[2] * v[2];
        if let Fault::Second(size) = self.0 {
            out.iter_mut().for_each(|o| *o *= 1.0 + size);
        }
        Ok(())
    }
    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        jacobian: &DenseJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let mut image = [0.0; 3];
        for (k, o) in out.iter_mut().enumerate() {
            let mut unit = [0.0; 3];
            unit[k] = 1.0;
            self.second_derivative(w, jacobian, &unit, v, &mut image)?;
            *o = image.iter().zip(weights).map(|(i, w)| i * w).sum();
        }
        Ok(())
    }
}

#[test]
fn right_derivatives_pass_with_slopes_of_two_and_three() {
    let first = check_jacobian(&Curved(Fault::None), &POINT, &DIRECTION).unwrap();
    assert_eq!(first.verdict, SlopeVerdict::Consistent);
    assert!(first.passed() && first.wrong_columns.is_empty());
    assert!((first.slope - 2.0).abs() < 0.05, "{first}");
    let second = check_second_derivative(&Curved(Fault::None), &POINT, &DIRECTION).unwrap();
    assert_eq!(second.verdict, SlopeVerdict::Consistent);
    assert!((second.slope - 3.0).abs() < 0.1, "{second}");
    // The steps and remainders are real: a third-order remainder recomputed here from h = 0.1.
    let k = second.steps.iter().position(|h| (h - 0.1).abs() < 1e-12).unwrap();
    assert!(second.remainders[k] < 0.1 * first.remainders[k] && second.remainders[k] > 0.0);
}

#[test]
fn planted_wrong_columns_are_named_and_no_others() {
    for (columns, size) in [
        (&[0_usize][..], 1e-3),
        (&[1][..], -2.0),
        (&[2][..], 1e-5),
        (&[0, 2][..], 0.1),
        (&[0, 1, 2][..], 1.0),
    ] {
        let check = check_jacobian(&Curved(Fault::Columns(columns, size)), &POINT, &DIRECTION);
        let check = check.unwrap();
        assert_eq!(check.verdict, SlopeVerdict::Inconsistent);
        assert_eq!(check.wrong_columns, columns, "size {size}: {check}");
        assert!((check.slope - 1.0).abs() < 0.2, "{check}");
        let said = [format!("slope {:.2}, expected 2", check.slope), format!("{columns:?}")];
        assert!(said.iter().all(|said| check.to_string().contains(said)), "{check}");
    }
}

#[test]
fn a_wrong_second_derivative_fails_with_slope_two() {
    for size in [1e-2, -2.0, 1.0] {
        let check = check_second_derivative(&Curved(Fault::Second(size)), &POINT, &DIRECTION);
        let check = check.unwrap();
        assert!(!check.passed() && (check.slope - 2.0).abs() < 0.2, "size {size}: {check}");
    }
}

#[test]
fn a_derivative_that_is_not_a_number_never_passes() {
    let check = check_jacobian(&Curved(Fault::NotANumber), &POINT, &DIRECTION).unwrap();
    assert!(!check.passed(), "{check}");
    assert_eq!(check.wrong_columns, [0, 1, 2]);
    let check = check_second_derivative(&Curved(Fault::NotANumber), &POINT, &DIRECTION).unwrap();
    assert!(!check.passed(), "{check}");
    let check = check_second_derivative(&Curved(Fault::Second(f64::NAN)), &POINT, &DIRECTION);
    assert!(!check.unwrap().passed());
}

#[test]
fn without_values_around_the_point_there_is_no_verdict() {
    let check = check_jacobian(&Curved(Fault::Isolated), &POINT, &DIRECTION);
    assert!(matches!(check, Err(MapError::Undefined { .. })), "{check:?}");
}

#[test]
fn wrong_lengths_are_typed_errors() {
    let map = Curved(Fault::None);
    for (w, v) in [(&POINT[..2], &DIRECTION[..]), (&POINT[..], &DIRECTION[..1])] {
        assert!(matches!(
            check_jacobian(&map, w, v),
            Err(MapError::ShapeMismatch { expected: 3, .. })
        ));
        assert!(matches!(
            check_second_derivative(&map, w, v),
            Err(MapError::ShapeMismatch { expected: 3, .. })
        ));
    }
    let jacobian = map.new_jacobian();
    assert!(matches!(
        adjoint_defect(&jacobian, &[0.0; 2], &[0.0; 3]),
        Err(MapError::ShapeMismatch { expected: 3, found: 2, .. })
    ));
}

/// An operator whose transposed product belongs to another matrix.
struct Unmatched(DenseJacobian);

impl JacobianOperator for Unmatched {
    fn rows(&self) -> usize {
        self.0.rows()
    }
    fn columns(&self) -> usize {
        self.0.columns()
    }
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        self.0.apply(v, out);
    }
    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        self.0.apply_transposed(u, out);
        out[1] *= 1.0 + 1e-6;
    }
    fn write_dense(&self, out: MatMut<'_, f64>) {
        self.0.write_dense(out);
    }
}

#[test]
fn the_adjoint_defect_tells_a_right_operator_from_a_wrong_one() {
    let map = Curved(Fault::None);
    let (mut value, mut jacobian) = ([0.0; 3], map.new_jacobian());
    map.linearize(&POINT, &mut value, &mut jacobian).unwrap();
    let u = [0.2, -1.0, 0.5];
    assert!(adjoint_defect(&jacobian, &DIRECTION, &u).unwrap() < 8.0 * f64::EPSILON);
    let defect = adjoint_defect(&Unmatched(jacobian), &DIRECTION, &u).unwrap();
    assert!(defect > 1e-8, "{defect}");
}
