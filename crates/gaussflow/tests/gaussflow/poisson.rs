//! The problem of the example `poisson`: its derivatives, and a short fit against the closed form.

#[path = "../../examples/poisson/problem.rs"]
mod problem;

#[path = "../../examples/poisson/first_order.rs"]
mod first_order;

use gaussflow::objective::SlopeCheck;
use gaussflow::prelude::*;

use problem::{Poisson, network};

/// The residuals are exact to the second derivative, and the closed-form gradient is `2 J^T r`.
fn derivatives_agree<const DIM: usize>(problem: &Poisson<DIM>) {
    let map = ExactDerivatives::new(problem);
    let (w, v) = (problem.start(3), problem.start(4));
    let jacobian_check = check_jacobian(&map, &w, &v).unwrap();
    let second_check = check_second_derivative(&map, &w, &v).unwrap();
    assert!(is_consistent(&jacobian_check) && is_consistent(&second_check));

    let (mut r, mut jacobian) = (vec![0.0; problem.outputs()], map.new_jacobian());
    map.linearize(&w, &mut r, &mut jacobian).unwrap();
    let mut expected = vec![0.0; w.len()];
    jacobian.apply_transposed(&r, &mut expected);
    let mut found = vec![0.0; w.len()];
    let loss = first_order::gradient(problem, &w, &mut found);
    let squares: f64 = r.iter().map(|r| r * r).sum();
    assert!((loss - squares).abs() <= 1e-13 * squares);
    // Sums of n terms: rounding is relative to the largest entry.
    let scale = expected.iter().fold(0.0, |scale: f64, g| scale.max(g.abs()));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - 2.0 * expected).abs() <= 1e-12 * scale, "{found} {}", 2.0 * expected);
    }
}

/// A remainder at rounding for every step would be no check.
fn is_consistent(check: &SlopeCheck) -> bool {
    println!("{check}");
    check.passed() && check.slope.is_finite()
}

#[test]
fn derivatives_of_the_residuals_are_exact() {
    derivatives_agree(&Poisson::on_interval(7, 20));
    derivatives_agree(&Poisson::on_square(7, 6));
}

/// The residuals are those of the equation: `-Laplace(u) - f` by fourth-order differences of the network's values and of
/// the solution, which do not know the closed forms.
#[test]
fn residuals_are_the_defects_of_the_equation() {
    let problem = Poisson::on_square(5, 4);
    let w = problem.start(1);
    let mut r = vec![0.0; problem.outputs()];
    problem.residuals(&w, &mut r);
    let difference = |x: &[f64; 2]| network(&w, x).0 - problem.solution(x);
    for (point, r) in problem.inside.iter().zip(&r) {
        let expected = -point.factor * laplacian(difference, point.at);
        assert!((r - expected).abs() < 1e-6 * (1.0 + expected.abs()), "{r} {expected}");
    }
    let problem = Poisson::on_interval(5, 9);
    let w = problem.start(1);
    let mut r = vec![0.0; problem.outputs()];
    problem.residuals(&w, &mut r);
    let difference = |x: &[f64; 1]| network(&w, x).0 - problem.solution(x);
    for (point, r) in problem.inside.iter().zip(&r) {
        let expected = -point.factor * laplacian(difference, point.at);
        assert!((r - expected).abs() < 1e-6 * (1.0 + expected.abs()), "{r} {expected}");
    }
    for (point, r) in problem.boundary.iter().zip(&r[9..]) {
        let expected = point.factor * difference(&point.at);
        assert!((r - expected).abs() < 1e-12, "{r} {expected}");
    }
}

/// `Laplace(u)(x)` by central differences of order 4.
fn laplacian<const DIM: usize>(u: impl Fn(&[f64; DIM]) -> f64, x: [f64; DIM]) -> f64 {
    const H: f64 = 1e-3;
    let along = |d: usize, steps: f64| {
        let mut there = x;
        there[d] += steps * H;
        u(&there)
    };
    let second = |d| {
        let (near, far) = (along(d, 1.0) + along(d, -1.0), along(d, 2.0) + along(d, -2.0));
        (16.0 * near - far - 30.0 * u(&x)) / (12.0 * H * H)
    };
    (0..DIM).map(second).sum()
}

#[test]
fn a_short_fit_on_the_interval_reaches_one_millionth_between_the_points() {
    let problem = Poisson::on_interval(30, 200);
    let start = problem.start(0);
    let settings = FitSettings { max_iterations: 500, ..FitSettings::default() };
    let least_squares = LeastSquares::new(ExactDerivatives::new(&problem));
    let fit = least_squares.fit(&start, &settings).unwrap();
    let errors = [&start, &fit.parameters].map(|w| problem.relative_error(w));
    println!("loss {:e}, relative errors {errors:?}", fit.loss);
    assert!(errors[0] > 0.1 && errors[1] <= 1e-6, "{errors:?}");
}

/// From the same start both first-order methods lower the loss, and end when they are told to.
#[test]
fn first_order_methods_go_down() {
    let problem = Poisson::on_interval(10, 40);
    let start = problem.start(0);
    let mut first = vec![0.0; start.len()];
    let initial = first_order::gradient(&problem, &start, &mut first);
    let mut losses = Vec::new();
    first_order::descend(&problem, start.clone(), |loss, _| until(200, loss, &mut losses));
    assert!(losses.windows(2).all(|pair| pair[1] < pair[0]) && losses[199] < 0.5 * initial);
    losses.clear();
    first_order::adam(&problem, start.clone(), |loss, _| until(400, loss, &mut losses));
    assert!(losses.len() == 400 && losses[399] < 0.9 * initial, "{initial} {}", losses[399]);
}

/// Keeps a loss, and breaks with the last of `count`.
fn until(count: usize, loss: f64, losses: &mut Vec<f64>) -> ControlFlow<()> {
    losses.push(loss);
    if losses.len() == count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}
