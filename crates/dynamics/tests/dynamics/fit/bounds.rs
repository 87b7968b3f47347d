//! Boxes: known constrained minima, and no point evaluated outside.

use std::cell::Cell;

use gaussflow_dynamics::{BoundSide, Fit, FitError, FitSettings, FitStop, LeastSquares};
use gaussflow_objective::{MapError, Residuals, SmoothMap};
use gaussflow_solvers::DenseJacobian;

/// Rosenbrock's valley with its Jacobian, noting points outside of a box.
#[derive(Debug)]
struct Watched {
    upper: [f64; 2],
    outside: Cell<usize>,
}

impl Residuals for Watched {
    fn parameters(&self) -> usize {
        2
    }
    fn outputs(&self) -> usize {
        2
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        let outside = w[0] > self.upper[0] || w[1] > self.upper[1];
        self.outside.set(self.outside.get() + usize::from(outside));
        out[0] = 10.0 * (w[1] - w[0] * w[0]);
        out[1] = 1.0 - w[0];
        Ok(())
    }
}

impl SmoothMap for Watched {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(2, 2)
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let mut matrix = jacobian.matrix_mut();
        matrix[(0, 0)] = -20.0 * w[0];
        matrix[(0, 1)] = 10.0;
        matrix[(1, 0)] = -1.0;
        matrix[(1, 1)] = 0.0;
        Ok(())
    }
}

fn bounded(upper: [f64; 2], start: [f64; 2]) -> (Fit, usize) {
    let map = Watched { upper, outside: Cell::new(0) };
    let lower = vec![f64::NEG_INFINITY; 2];
    let problem = LeastSquares::new(&map).with_bounds(lower, upper.to_vec()).unwrap();
    let fit = problem.fit(&start, &FitSettings::default()).unwrap();
    (fit, map.outside.get())
}

#[test]
fn a_bound_on_the_first_parameter_gives_the_minimum_on_its_face() {
    // On w_0 = 0.5 the loss is 100 (w_1 - 0.25)^2 + 0.25.
    let (fit, outside) = bounded([0.5, f64::INFINITY], [-1.2, 1.0]);
    assert!(fit.stop.converged(), "{fit}");
    assert!((fit.parameters[1] - 0.25).abs() < 1e-9 && (fit.loss - 0.25).abs() < 1e-12, "{fit}");
    assert_eq!(fit.at_bound, [Some(BoundSide::Upper), None]);
    assert_eq!(outside, 0);
    assert_eq!((fit.standard_deviations[0], fit.rank), (0.0, 1));
}

#[test]
fn a_bound_on_the_second_parameter_moves_the_first() {
    // On w_1 = 0.25: 400 w_0^3 - 98 w_0 - 2 = 0 has its root near 0.505.
    let (fit, outside) = bounded([f64::INFINITY, 0.25], [-1.2, 0.0]);
    let slope = |w: f64| 400.0 * w * w * w - 98.0 * w - 2.0;
    assert!(fit.stop.converged() && slope(fit.parameters[0]).abs() < 1e-5, "{fit}");
    assert!(fit.parameters[0] > 0.4, "{fit}");
    assert_eq!((fit.at_bound[1], outside), (Some(BoundSide::Upper), 0));
}

#[test]
fn inactive_bounds_change_nothing() {
    let (fit, outside) = bounded([1.5, 2.0], [-1.2, 1.0]);
    assert!(fit.loss < 1e-24 && fit.at_bound == [None, None], "{fit}");
    assert_eq!(outside, 0);
}

#[test]
fn a_corner_ends_the_fit() {
    let (fit, _) = bounded([-1.0, -1.0], [-1.2, -2.0]);
    // There both slopes of the loss point out of the box.
    assert_eq!((fit.parameters.as_slice(), &fit.stop), (&[-1.0, -1.0][..], &FitStop::AtBounds));
}

#[test]
fn impossible_boxes_are_refused_by_name() {
    let map = Watched { upper: [1.0; 2], outside: Cell::new(0) };
    let problem = LeastSquares::new(&map).with_names(["a", "b"]).unwrap();
    let crossed = problem.clone().with_bounds(vec![0.0, 2.0], vec![1.0, 1.0]).unwrap_err();
    assert!(matches!(crossed, FitError::Bounds { ref name, .. } if name == "b"), "{crossed}");
    let boxed = problem.with_bounds(vec![0.0, 0.0], vec![1.0, 1.0]).unwrap();
    let outside = boxed.fit(&[0.5, 3.0], &FitSettings::default()).unwrap_err();
    assert!(matches!(outside, FitError::StartOutside { value, .. } if value == 3.0), "{outside}");
}
