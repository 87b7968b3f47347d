//! The shared linearization: what is computed once, what is refused, and the geodesic term.
//!
//! On a circle traversed as theta(w) = w + w^2 a geodesic keeps theta'' = 0: w'' = -2 v^2/(1 + 2w).

#![allow(clippy::float_cmp, reason = "numbers that are kept must stay the same to the last bit")]

use gaussflow_objective::{
    FiniteDifferences, Linearization, LogCosh, MapError, Objective, ObjectiveError, PointError,
    ResidualFn, Residuals, SecondOrderMap, SmoothMap, Squared,
};
use gaussflow_solvers::{DampedSolver, DenseJacobian, SolveError, SolveRequest};

/// Undefined below w_0 = -1, not a number at w_0 = 2, and a Jacobian of NaN at w_0 = 3.
struct Fragile;

impl Residuals for Fragile {
    fn parameters(&self) -> usize {
        2
    }
    fn outputs(&self) -> usize {
        3
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        if w[0] < -1.0 {
            return Err(MapError::Undefined { reason: format!("w_0 = {}", w[0]) });
        }
        out.copy_from_slice(&[w[0] * w[1], w[0] + 2.0 * w[1], w[1]]);
        if w[0] == 2.0 {
            out[1] = f64::NAN;
        }
        Ok(())
    }
}

impl SmoothMap for Fragile {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(3, 2)
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let rows = [[w[1], w[0]], [1.0, 2.0], [0.0, 1.0]];
        for (j, row) in rows.iter().enumerate() {
            for (k, entry) in row.iter().enumerate() {
                jacobian.matrix_mut()[(j, k)] = if w[0] == 3.0 { f64::NAN } else { *entry };
            }
        }
        Ok(())
    }
}

fn objective() -> Objective<Fragile, Squared> {
    Objective::new(Fragile, Squared::new(vec![1.0, -1.0, 0.5]).unwrap(), 0.5).unwrap()
}

const W: [f64; 2] = [0.4, 1.5];

#[test]
fn a_point_is_linearized_and_factored_once_for_all_who_ask() {
    let objective = objective();
    let mut here = Linearization::new(objective.map()).unwrap();
    here.move_to(&objective, &W).unwrap();
    here.move_to(&objective, &W.clone()).unwrap();
    assert_eq!(here.moves(), 1);
    let mut step = [0.0; 2];
    for _ in 0..3 {
        here.solve_loss_gradient(SolveRequest::default(), &mut step).unwrap();
        here.gradient_norms(1e-14).unwrap();
        here.extreme_singular_values().unwrap();
        here.project_on_tangent(1e-14, &[1.0, 2.0, 3.0], &mut [0.0; 3]).unwrap();
        here.move_to(&objective, &W).unwrap();
    }
    let counts = here.factor_counts();
    assert_eq!((counts.qr, counts.extremes, counts.svd, counts.cholesky), (1, 1, 0, 1));
    // The last bit makes another point; minus zero is not zero.
    here.move_to(&objective, &[W[0], W[1].next_up()]).unwrap();
    here.extreme_singular_values().unwrap();
    assert_eq!((here.moves(), here.factor_counts().qr), (2, 2));
}

#[test]
fn the_numbers_are_those_of_the_objective() {
    let objective = objective();
    let mut here = Linearization::new(objective.map()).unwrap();
    here.move_to(&objective, &W).unwrap();
    // alpha f = (0.3, 1.7, 0.75) against targets (1, -1, 0.5).
    let residual = [0.3 - 1.0, 1.7 + 1.0, 0.25];
    let loss: f64 = residual.iter().map(|r| r * r).sum();
    assert!((here.loss() - loss).abs() < 1e-14);
    assert_eq!(here.loss(), objective.loss_at(&W).unwrap());
    for (g, r) in here.loss_gradient().iter().zip(residual) {
        assert!((g - 2.0 * r).abs() < 1e-15);
    }
    // norm(P g)^2 + norm(N g)^2 = norm(g)^2; the normal of the two columns is their cross product.
    let (a, b) = ([1.5, 1.0, 0.0], [0.4, 2.0, 1.0]);
    let normal = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let length = normal.iter().map(|x| x * x).sum::<f64>().sqrt();
    let along: f64 = normal.iter().zip(residual).map(|(n, r)| 2.0 * n * r / length).sum();
    let norms = here.gradient_norms(1e-14).unwrap();
    assert!((norms.normal - along.abs()).abs() < 1e-14);
    assert!((norms.tangent.hypot(norms.normal) - 2.0 * loss.sqrt()).abs() < 1e-14);
    let mut gradient = [0.0; 2];
    here.parameter_gradient(&mut gradient);
    assert!((gradient[0] - 2.0 * (1.5 * residual[0] + residual[1])).abs() < 1e-14);
}

#[test]
fn a_point_without_value_is_a_typed_error_and_the_next_one_works() {
    let objective = objective();
    let mut here = Linearization::new(objective.map()).unwrap();
    here.move_to(&objective, &W).unwrap();
    let (loss, extremes) = (here.loss(), here.extreme_singular_values().unwrap());
    let refused = here.move_to(&objective, &[2.0, 0.0]).unwrap_err();
    assert!(matches!(refused, MapError::NonFinite { index: 1, value, .. } if value.is_nan()));
    let refused = here.move_to(&objective, &[-2.0, 0.0]).unwrap_err();
    assert_eq!(refused, MapError::Undefined { reason: "w_0 = -2".to_owned() });
    let refused = here.move_to(&objective, &[0.0, f64::INFINITY]).unwrap_err();
    assert_eq!(
        refused,
        MapError::NonFinite { what: "the parameters w", index: 1, value: f64::INFINITY }
    );
    let refused = here.move_to(&objective, &[0.0; 3]).unwrap_err();
    assert!(matches!(refused, MapError::ShapeMismatch { expected: 2, found: 3, .. }));
    here.move_to(&objective, &[3.0, 0.0]).unwrap();
    let refused = here.extreme_singular_values().unwrap_err();
    assert!(matches!(refused, SolveError::NonFinite { .. }), "{refused}");
    let refused = here.solve_loss_gradient(SolveRequest::default(), &mut [0.0; 2]).unwrap_err();
    assert!(matches!(refused, SolveError::NonFinite { .. }), "{refused}");
    // Back at the first point everything is what it was.
    here.move_to(&objective, &W).unwrap();
    assert_eq!((here.loss(), here.extreme_singular_values().unwrap()), (loss, extremes));
    let refused = here.solve(SolveRequest::default(), &[0.0; 2], &mut [0.0; 2]).unwrap_err();
    assert!(matches!(refused, SolveError::ShapeMismatch { expected: 3, found: 2, .. }));
}

#[test]
fn an_objective_refuses_what_does_not_fit() {
    let loss = || Squared::new(vec![0.0; 2]).unwrap();
    assert_eq!(
        Objective::new(Fragile, loss(), 1.0).err(),
        Some(ObjectiveError::OutputCount { map: 3, loss: 2 })
    );
    for scaling in [0.0, -1.0, f64::INFINITY] {
        let loss = LogCosh::new(vec![0.0; 3], 1.0).unwrap();
        assert_eq!(
            Objective::new(Fragile, loss, scaling).err(),
            Some(ObjectiveError::InvalidScaling { scaling })
        );
    }
    let objective = objective();
    assert!(matches!(objective.loss_at(&[1.0]), Err(MapError::ShapeMismatch { .. })));
    assert!(matches!(objective.loss_at(&[-5.0, 0.0]), Err(MapError::Undefined { .. })));
    assert!(matches!(objective.loss_at(&[2.0, 0.0]), Err(MapError::NonFinite { .. })));
    let empty = FiniteDifferences::new(ResidualFn::new(0, 1, |_: &[f64], _: &mut [f64]| ()));
    assert!(matches!(Linearization::new(&empty), Err(SolveError::EmptySystem { rows: 0, .. })));
}

/// `K v` and `J^T J v` on the spectra's own traces, squares and zeros: J = [[1, 1], [1, 2], [0, 1]] at w = (1, 1).
#[test]
fn spectra_of_kernel_and_gram_matrix_are_roots_of_their_characteristic_polynomials() {
    let mut here = Linearization::new(&Fragile).unwrap();
    here.move_to(&objective(), &[1.0, 1.0]).unwrap();
    let (kernel, gram) = (here.kernel_spectrum().unwrap(), here.gram_spectrum().unwrap());
    assert_eq!((kernel.len(), gram.len(), kernel[0]), (3, 2, 0.0));
    assert_eq!(kernel[1..], gram);
    // J^T J = [[2, 3], [3, 6]]: x^2 - 8 x + 3 = 0.
    for (found, expected) in gram.iter().zip([4.0 - 13.0_f64.sqrt(), 4.0 + 13.0_f64.sqrt()]) {
        assert!((found - expected).abs() <= 8.0 * f64::EPSILON * gram[1], "{gram:?}");
    }
    // One output, two parameters: J = (w_1, w_0) = (4, 3).
    let wide = FiniteDifferences::new(ResidualFn::new(1, 2, |w, out| out[0] = w[0] * w[1]));
    let objective = Objective::new(wide, Squared::of_residuals(1), 1.0).unwrap();
    let mut here = Linearization::new(objective.map()).unwrap();
    here.move_to(&objective, &[3.0, 4.0]).unwrap();
    let (kernel, gram) = (here.kernel_spectrum().unwrap(), here.gram_spectrum().unwrap());
    assert!((kernel[0] - 25.0).abs() < 1e-7 && gram == [0.0, kernel[0]], "{kernel:?} {gram:?}");
    here.set_memory_limit(8);
    assert!(matches!(here.kernel_spectrum(), Err(SolveError::MemoryLimit { .. })));
}

/// (cos theta, sin theta), theta = w + w^2, with derivatives in closed form.
struct Circle;

impl Residuals for Circle {
    fn parameters(&self) -> usize {
        1
    }
    fn outputs(&self) -> usize {
        2
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        let theta = w[0] + w[0] * w[0];
        out.copy_from_slice(&[theta.cos(), theta.sin()]);
        Ok(())
    }
}

impl SmoothMap for Circle {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(2, 1)
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let rate = 1.0 + 2.0 * w[0];
        jacobian.matrix_mut()[(0, 0)] = -rate * value[1];
        jacobian.matrix_mut()[(1, 0)] = rate * value[0];
        Ok(())
    }
}

impl SecondOrderMap for Circle {
    fn second_derivative(
        &self,
        w: &[f64],
        _: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let (rate, mut at) = (1.0 + 2.0 * w[0], [0.0; 2]);
        self.value(w, &mut at)?;
        out[0] = u[0] * v[0] * (-2.0 * at[1] - rate * rate * at[0]);
        out[1] = u[0] * v[0] * (2.0 * at[0] - rate * rate * at[1]);
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
        let mut bend = [0.0; 2];
        self.second_derivative(w, jacobian, &[1.0], v, &mut bend)?;
        out[0] = bend[0] * weights[0] + bend[1] * weights[1];
        Ok(())
    }
}

#[test]
fn the_geodesic_term_on_a_circle_is_the_change_of_its_parametrization() {
    let objective = Objective::new(Circle, Squared::of_residuals(2), 1.0).unwrap();
    let mut here = Linearization::new(objective.map()).unwrap();
    for (w, v) in [(0.0, 1.0), (0.7, -0.4), (1.9, 2.5)] {
        here.move_to(&objective, &[w]).unwrap();
        for solver in [DampedSolver::Auto, DampedSolver::ThinSvd, DampedSolver::PrimalCholesky] {
            let request = SolveRequest { solver, ..SolveRequest::default() };
            let mut term = [f64::NAN];
            here.geodesic_term(objective.map(), request, &[v], &mut term).unwrap();
            let expected = 2.0 * v * v / (1.0 + 2.0 * w);
            // The normal part of D2f, (1 + 2w)^2 v^2, cancels; its rounding is what is left.
            let size = (1.0 + 2.0 * w) * v * v;
            assert!((term[0] - expected).abs() <= 16.0 * f64::EPSILON * (size + expected));
        }
    }
    // Where J = 0 there is no geodesic: w = -1/2.
    here.move_to(&objective, &[-0.5]).unwrap();
    let refused =
        here.geodesic_term(objective.map(), SolveRequest::default(), &[1.0], &mut [0.0]).err();
    assert!(matches!(refused, Some(PointError::Solve(SolveError::RankDeficient { .. }))));
}
