//! Curvature of circle, sphere and graph in closed form, and what a change of parameters leaves alone.
//!
//! II(u, u) = -(norm(u)^2 / R^2) x on a sphere of radius R around 0; the Hessian quotient of
//! `norm(x - y)^2` there is 2 - 2 (x - y) . x / R^2.

mod surfaces;

use gaussflow_manifold::{GeometryError, ManifoldPoint};
use gaussflow_objective::{Linearization, MapError, Objective, PointError, Squared};
use gaussflow_solvers::{JacobianOperator, SolveError};
use surfaces::{RADIUS, SAME, Surface, circle, graph, sphere};

fn objective(
    jet: fn(&[f64]) -> [[f64; 3]; 6],
    (outputs, parameters): (usize, usize),
    mix: [[f64; 2]; 2],
    alpha: f64,
) -> Objective<Surface, Squared> {
    let surface = Surface { outputs, parameters, jet, mix };
    let targets = [1.0, -2.0, 0.5][..outputs].to_vec();
    Objective::new(surface, Squared::new(targets).unwrap(), alpha).unwrap()
}

fn close(found: &[f64], expected: &[f64], bound: f64) {
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= bound, "{found:?} {expected:?}");
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A circle and a sphere scaled by alpha have radius alpha R: every normal curvature is its inverse.
#[test]
fn circle_and_sphere_have_the_curvature_of_their_radius() {
    for alpha in [1.0, 0.25, 7.0] {
        let spherical = (objective(sphere, (3, 2), SAME, alpha), vec![0.8, -1.1], vec![0.3, 2.0]);
        let circular = (objective(circle, (2, 1), SAME, alpha), vec![2.2], vec![-0.7]);
        for (objective, w, v) in [spherical, circular] {
            let mut here = Linearization::new(objective.map()).unwrap();
            here.move_to(&objective, &w).unwrap();
            let (x, slope) = (here.output().to_vec(), here.loss_gradient().to_vec());
            let mut u = vec![0.0; x.len()];
            here.jacobian().apply(&v, &mut u);
            u.iter_mut().for_each(|u| *u *= alpha);
            let radius = alpha * RADIUS;
            let mut point = ManifoldPoint::new(&objective, &mut here).unwrap();
            let mut bend = vec![f64::NAN; x.len()];
            point.second_fundamental_form(&v, &v, &mut bend).unwrap();
            let expected: Vec<f64> =
                x.iter().map(|x| -dot(&u, &u) / (radius * radius) * x).collect();
            close(&bend, &expected, 1e-13 * dot(&u, &u) / radius * 10.0);
            let quotient = point.hessian_quotient(&v).unwrap();
            assert!((quotient.loss - 2.0).abs() < 1e-13);
            let curvature = -dot(&slope, &x) / (radius * radius);
            assert!((quotient.curvature - curvature).abs() < 1e-12 * (1.0 + curvature.abs()));
            assert!((quotient.total() - 2.0 - curvature).abs() < 1e-12 * (1.0 + curvature.abs()));
            // The Riemannian gradient is what is left of the slope without its radial part.
            let mut gradient = vec![f64::NAN; x.len()];
            point.riemannian_gradient(&mut gradient).unwrap();
            let radial = dot(&slope, &x) / (radius * radius);
            let expected: Vec<f64> = slope.iter().zip(&x).map(|(s, x)| s - radial * x).collect();
            close(&gradient, &expected, 1e-13 * (1.0 + radius));
        }
    }
}

/// On the graph of h the normal is (-h_a, -h_b, 1) / W and II(v, v) = (v^T Hess h v / W) normal.
#[test]
fn the_graph_of_a_quadratic_bends_by_its_hessian_over_the_slope() {
    let objective = objective(graph, (3, 2), SAME, 1.0);
    let mut here = Linearization::new(objective.map()).unwrap();
    for (w, v) in [([0.0, 0.0], [1.0, 0.0]), ([0.3, -0.8], [1.0, 2.0]), ([-1.0, 1.0], [0.4, -0.1])]
    {
        here.move_to(&objective, &w).unwrap();
        let slope = here.loss_gradient().to_vec();
        let mut point = ManifoldPoint::new(&objective, &mut here).unwrap();
        let (a, b) = (2.0 * w[0] + 3.0 * w[1], 3.0 * w[0] - w[1]);
        let area = (1.0 + a * a + b * b).sqrt();
        let normal = [-a / area, -b / area, 1.0 / area];
        let bent = (2.0 * v[0] * v[0] + 6.0 * v[0] * v[1] - v[1] * v[1]) / area;
        let mut form = [f64::NAN; 3];
        point.second_fundamental_form(&v, &v, &mut form).unwrap();
        close(&form, &normal.map(|n| bent * n), 1e-13);
        let u = [v[0], v[1], a * v[0] + b * v[1]];
        let quotient = point.hessian_quotient(&v).unwrap();
        let expected = bent * dot(&slope, &normal) / dot(&u, &u);
        assert!((quotient.curvature - expected).abs() < 1e-12, "{quotient:?} {expected}");
    }
}

#[test]
fn the_projection_is_idempotent_symmetric_and_splits() {
    let objective = objective(graph, (3, 2), SAME, 2.0);
    let mut here = Linearization::new(objective.map()).unwrap();
    here.move_to(&objective, &[0.3, -0.8]).unwrap();
    let mut point = ManifoldPoint::new(&objective, &mut here).unwrap();
    let (x, y) = ([1.0, 2.0, -0.5], [0.2, -1.0, 3.0]);
    let mut part = |u: &[f64; 3]| {
        let (mut tangent, mut normal) = ([0.0; 3], [0.0; 3]);
        point.tangent_part(u, &mut tangent).unwrap();
        point.normal_part(u, &mut normal).unwrap();
        (tangent, normal)
    };
    let ((px, nx), (py, _)) = (part(&x), part(&y));
    close(&part(&px).0, &px, 1e-15 * 8.0);
    close(&part(&nx).0, &[0.0; 3], 1e-15 * 8.0);
    assert!((dot(&px, &y) - dot(&x, &py)).abs() < 1e-14);
    close(&[px[0] + nx[0], px[1] + nx[1], px[2] + nx[2]], &x, 1e-15);
    // The columns of J are tangent.
    close(&part(&[1.0, 0.0, -1.8]).0, &[1.0, 0.0, -1.8], 1e-14);
}

/// w = M z with M invertible names the same points; v = M^-1-images name the same tangents.
#[test]
fn an_invertible_change_of_parameters_changes_no_quotient() {
    let mix = [[2.0, -1.0], [0.5, 3.0]];
    let determinant = 6.5;
    let back =
        |w: [f64; 2]| [(3.0 * w[0] + w[1]) / determinant, (-0.5 * w[0] + 2.0 * w[1]) / determinant];
    for jet in [sphere as fn(&[f64]) -> [[f64; 3]; 6], graph] {
        let (w, v) = ([0.8, -1.1], [0.3, 2.0]);
        let quotient = |mix, w: [f64; 2], v: [f64; 2]| {
            let objective = objective(jet, (3, 2), mix, 1.5);
            let mut here = Linearization::new(objective.map()).unwrap();
            here.move_to(&objective, &w).unwrap();
            let mut point = ManifoldPoint::new(&objective, &mut here).unwrap();
            let mut gradient = [0.0; 3];
            point.riemannian_gradient(&mut gradient).unwrap();
            let mut form = [0.0; 3];
            point.second_fundamental_form(&v, &v, &mut form).unwrap();
            (point.hessian_quotient(&v).unwrap(), gradient, form)
        };
        let (one, gradient, form) = quotient(SAME, w, v);
        let (other, same_gradient, same_form) = quotient(mix, back(w), back(v));
        assert!((one.loss - other.loss).abs() < 1e-12);
        assert!((one.curvature - other.curvature).abs() < 1e-11, "{one:?} {other:?}");
        close(&same_gradient, &gradient, 1e-11);
        close(&same_form, &form, 1e-10);
        // And the length of v does not matter either.
        let (longer, ..) = quotient(SAME, w, v.map(|v| -7.0 * v));
        assert!((longer.total() - one.total()).abs() < 1e-12 * (1.0 + one.total().abs()));
    }
}

#[test]
fn where_there_is_no_tangent_space_or_direction_the_error_says_so() {
    // The sphere's chart is singular at its pole.
    let pole = objective(sphere, (3, 2), SAME, 1.0);
    let mut here = Linearization::new(pole.map()).unwrap();
    here.move_to(&pole, &[0.0, 0.4]).unwrap();
    let refused = ManifoldPoint::new(&pole, &mut here).err();
    assert!(
        matches!(refused, Some(GeometryError::NotImmersed { smallest, parameters: 2, .. }) if smallest < 1e-15)
    );
    // More parameters than outputs: the chart of a surface in the plane of its first coordinate.
    let wide = objective(sphere, (1, 2), SAME, 1.0);
    let mut here = Linearization::new(wide.map()).unwrap();
    here.move_to(&wide, &[0.5, 0.4]).unwrap();
    let refused = ManifoldPoint::new(&wide, &mut here).err();
    assert!(matches!(refused, Some(GeometryError::NotImmersed { parameters: 2, .. })));

    let fine = objective(graph, (3, 2), SAME, 1.0);
    let mut here = Linearization::new(fine.map()).unwrap();
    here.move_to(&fine, &[0.5, 0.4]).unwrap();
    let mut point = ManifoldPoint::new(&fine, &mut here).unwrap();
    assert_eq!(
        point.hessian_quotient(&[0.0; 2]),
        Err(GeometryError::ZeroDirection { what: "the direction v" })
    );
    for wrong in [&[1.0][..], &[1.0; 3]] {
        let shape = |error| {
            let map = matches!(
                error,
                Some(GeometryError::Point(PointError::Map(MapError::ShapeMismatch { .. })))
            );
            let solve = matches!(
                error,
                Some(GeometryError::Point(PointError::Solve(SolveError::ShapeMismatch { .. })))
            );
            map || solve
        };
        assert!(shape(point.hessian_quotient(wrong).err()));
        assert!(shape(point.second_fundamental_form(wrong, wrong, &mut [0.0; 3]).err()));
    }
    let refused = point.tangent_part(&[1.0; 2], &mut [0.0; 3]).err();
    assert!(matches!(
        refused,
        Some(GeometryError::Point(PointError::Solve(SolveError::ShapeMismatch { .. })))
    ));
    let refused = point.normal_part(&[f64::NAN; 3], &mut [0.0; 3]).err();
    assert!(matches!(
        refused,
        Some(GeometryError::Point(PointError::Solve(SolveError::NonFinite { .. })))
    ));
}
