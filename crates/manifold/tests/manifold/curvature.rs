//! Second fundamental form, Weingarten map and curvatures against the formulas of classical surfaces.

use gaussflow_manifold::OutputManifold;

use crate::shapes::{
    SCALINGS, SHAPES, close, cross, dot, length, near, squared, tangent, with_loss,
};
use crate::surfaces::{RADIUS, TUBE, circle, sphere, torus};

const POINTS: [[f64; 2]; 3] = [[0.8, -1.1], [1.9, 0.3], [0.4, 2.5]];

/// II(u, v) is the normal times the classical second form, for equal and for different arguments.
#[test]
fn the_second_fundamental_form_is_the_classical_one() {
    for (shape, alpha) in SHAPES.iter().flat_map(|s| SCALINGS.map(|alpha| (s, alpha))) {
        let objective = with_loss(shape.jet, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        for w in POINTS {
            let mut point = manifold.at(&w).unwrap();
            for (a, b) in [([0.3, 2.0], [0.3, 2.0]), ([0.3, 2.0], [-1.0, 0.7])] {
                let mut bend = [f64::NAN; 3];
                point.second_fundamental_form(&a, &b, &mut bend).unwrap();
                let [l, m, n] = (shape.second)(&w);
                let form = l * a[0] * b[0] + m * (a[0] * b[1] + a[1] * b[0]) + n * a[1] * b[1];
                let expected = (shape.normal)(&w).map(|x| alpha * form * x);
                close(&bend, &expected, 1e-12 * alpha * 10.0);
            }
        }
    }
}

/// On a sphere of radius r, `II(u, v) = -<u, v> x / r^2`; on a circle likewise.
#[test]
fn circle_and_sphere_bend_towards_their_center() {
    for alpha in SCALINGS {
        let r = alpha * RADIUS;
        let (w, a, b) = ([2.2, 0.4], [-0.7, 0.2], [1.9, 0.5]);
        for (jet, p, n) in [(circle as crate::surfaces::Jet, 1, 2), (sphere, 2, 3)] {
            let objective = with_loss(jet, p, squared(n), alpha);
            let mut manifold = OutputManifold::new(&objective).unwrap();
            let mut point = manifold.at(&w[..p]).unwrap();
            let mut bend = vec![f64::NAN; n];
            point.second_fundamental_form(&a[..p], &b[..p], &mut bend).unwrap();
            let product = dot(&tangent(jet, &w, &a[..p], alpha), &tangent(jet, &w, &b[..p], alpha));
            let expected: Vec<f64> =
                point.output().iter().map(|x| -product / (r * r) * x).collect();
            close(&bend, &expected, 1e-12 * product.abs() / r);
            near(point.largest_normal_curvature().unwrap().value, 1.0 / r, 1e-12);
            near(point.normal_curvature_bound().unwrap(), 1.0 / r, 1e-12);
        }
    }
}

/// `<S_xi u, v> = <II(u,v), xi>` with the classical II; trace and determinant of S are the sum and the
/// product of the principal curvatures.
#[test]
fn the_weingarten_map_is_the_transpose_with_the_principal_curvatures() {
    for (shape, alpha) in SHAPES.iter().flat_map(|s| SCALINGS.map(|alpha| (s, alpha))) {
        let objective = with_loss(shape.jet, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        for w in POINTS {
            let mut point = manifold.at(&w).unwrap();
            let normal = (shape.normal)(&w);
            let mut columns = [[f64::NAN; 2]; 2];
            for (k, column) in columns.iter_mut().enumerate() {
                let mut unit = [0.0; 2];
                unit[k] = 1.0;
                point.weingarten(&normal, &unit, column).unwrap();
            }
            let [low, high] = (shape.principal)(&w).map(|k| k / alpha);
            let [[s, t], [x, y]] = columns;
            let scale = low.abs().max(high.abs());
            assert!((s + y - low - high).abs() < 1e-11 * scale, "{}", shape.name);
            assert!((s * y - t * x - low * high).abs() < 1e-11 * scale * scale, "{}", shape.name);
            let (a, b) = ([0.6, -1.0], [1.2, 0.9]);
            let image = [s * a[0] + x * a[1], t * a[0] + y * a[1]];
            let product =
                dot(&tangent(shape.jet, &w, &image, alpha), &tangent(shape.jet, &w, &b, alpha));
            let [l, m, n] = (shape.second)(&w);
            let form = l * a[0] * b[0] + m * (a[0] * b[1] + a[1] * b[0]) + n * a[1] * b[1];
            assert!((product - alpha * form).abs() < 1e-11 * alpha * 10.0, "{}", shape.name);
        }
    }
}

/// Gauss: the sectional curvature of a surface is the product of its principal curvatures, whichever
/// two directions name the plane; the search finds the larger of their sizes, which the bound covers
/// (and for one normal attains).
#[test]
fn curvatures_are_those_of_the_principal_directions() {
    for (shape, alpha) in SHAPES.iter().flat_map(|s| SCALINGS.map(|alpha| (s, alpha))) {
        let objective = with_loss(shape.jet, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        for w in POINTS {
            let mut point = manifold.at(&w).unwrap();
            let [low, high] = (shape.principal)(&w).map(|k| k / alpha);
            let scale = low.abs().max(high.abs());
            for (a, b) in [([1.0, 0.0], [0.0, 1.0]), ([1.0, 0.2], [3.0, 0.7])] {
                let gauss = point.sectional_curvature(&a, &b).unwrap();
                assert!(
                    (gauss - low * high).abs() < 1e-10 * scale * scale,
                    "{gauss} {}",
                    shape.name
                );
            }
            let found = point.largest_normal_curvature().unwrap();
            near(found.value, scale, 1e-10);
            near(length(&tangent(shape.jet, &w, &found.direction, alpha)), 1.0, 1e-12);
            let mut bend = [0.0; 3];
            let v = &found.direction;
            point.second_fundamental_form(v, v, &mut bend).unwrap();
            near(length(&bend), found.value, 1e-12);
            let bound = point.normal_curvature_bound().unwrap();
            assert!(bound >= found.value * (1.0 - 1e-14));
            near(bound, scale, 1e-10);
        }
    }
}

/// A torus bends most around its tube, by the inverse of the tube's radius.
#[test]
fn the_torus_bends_most_around_its_tube() {
    let objective = with_loss(torus, 2, squared(3), 2.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    for w in POINTS {
        let mut point = manifold.at(&w).unwrap();
        near(point.largest_normal_curvature().unwrap().value, 1.0 / (2.0 * TUBE), 1e-10);
    }
}

/// Around a sphere's center the tangent spaces turn as the normals do: one shared direction (p = 2 in
/// three dimensions) and the angle of the normals, small, right or in between.
#[test]
fn tangent_spaces_of_a_sphere_turn_with_the_normal() {
    let objective = with_loss(sphere, 2, squared(3), 3.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let w = [1.1, 0.4];
    let right = [w[0] + std::f64::consts::FRAC_PI_2, 0.4];
    for other in [[1.4, 0.9], [1.1 + 1e-9, 0.4], right, [2.0, 3.0], [1.1, 0.4]] {
        let angles = manifold.tangent_angles(&w, &other).unwrap();
        let [one, two] = [&w, &other].map(|w| sphere(w)[0].map(|x| x / RADIUS));
        let between = length(&cross(&one, &two)).atan2(dot(&one, &two).abs());
        assert!(angles.smallest < 1e-14, "{angles:?}");
        // To rounding of the normals themselves.
        assert!((angles.largest - between).abs() < 1e-14, "{angles:?} {between:e}");
    }
}
