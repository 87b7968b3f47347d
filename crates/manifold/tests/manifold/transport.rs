//! Parallel transport: holonomy of a sphere triangle, inner products, and the flat cylinder.

use gaussflow_manifold::OutputManifold;

use crate::geodesics::tight;
use crate::shapes::{
    SCALINGS, SHAPES, close, cross, dot, length, near, point, squared, tangent, with_loss,
};
use crate::surfaces::{RADIUS, cylinder, sphere};

/// Once around a triangle of geodesics a vector turns by the triangle's area over r^2, and in the sense
/// in which the triangle is run through. The area by the solid angle's formula (Van Oosterom and
/// Strackee 1983), which knows nothing of geodesics.
#[test]
fn around_a_sphere_triangle_a_vector_turns_by_the_area() {
    for alpha in SCALINGS {
        let objective = with_loss(sphere, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let corners = [[1.2, 0.1], [1.9, 0.6], [0.8, 1.5]];
        let [x, y, z] = corners.map(|w| sphere(&w)[0].map(|x| x / RADIUS));
        let sum = 1.0 + dot(&x, &y) + dot(&y, &z) + dot(&z, &x);
        let area = 2.0 * dot(&x, &cross(&y, &z)).atan2(sum);
        assert!(area.abs() > 0.3, "a triangle worth the name: {area}");
        let first = vec![0.4, -0.7];
        let mut moved = first.clone();
        for k in 0..3 {
            let (from, to) = (corners[k], corners[(k + 1) % 3]);
            let side = manifold.log(&from, &to, &tight()).unwrap();
            let curve = manifold.transport(&from, &side.velocity, &[&moved], &tight()).unwrap();
            moved.clone_from(&curve.complete().unwrap().transported[0]);
        }
        let [before, after] = [&first, &moved].map(|v| tangent(sphere, &corners[0], v, alpha));
        let angle = dot(&x, &cross(&before, &after)).atan2(dot(&before, &after));
        near(angle, area, 1e-10);
        near(length(&after), length(&before), 1e-10);
    }
}

/// Transport is an isometry: inner products (by the columns of J) of two vectors and the velocity.
#[test]
fn transport_keeps_inner_products() {
    for (shape, alpha) in SHAPES.iter().flat_map(|s| SCALINGS.map(|alpha| (s, alpha))) {
        let objective = with_loss(shape.jet, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let (w, v) = ([0.8, -0.5], [0.5, 0.9]);
        let (a, b) = ([1.0, 0.3], [-0.2, 2.0]);
        let curve = manifold.transport(&w, &v, &[&a, &b], &tight()).unwrap();
        let products = |w: &[f64], vectors: [&[f64]; 3]| {
            let [u, a, b] = vectors.map(|v| tangent(shape.jet, w, v, alpha));
            [dot(&u, &u), dot(&u, &a), dot(&u, &b), dot(&a, &a), dot(&a, &b), dot(&b, &b)]
        };
        let before = products(&w, [&v, &a, &b]);
        let scale = before[0].max(before[3]).max(before[5]);
        for sample in &curve.samples {
            let vectors = [&sample.velocity[..], &sample.transported[0], &sample.transported[1]];
            close(&products(&sample.point, vectors), &before, 1e-9 * scale);
        }
        // Orientation: no vector is mirrored.
        let end = curve.complete().unwrap();
        let [a, b] = [0, 1].map(|k| tangent(shape.jet, &end.point, &end.transported[k], alpha));
        let side = dot(&cross(&a, &b), &(shape.normal)(&end.point));
        let [a, b] = [[1.0, 0.3], [-0.2, 2.0]].map(|v| tangent(shape.jet, &w, &v, alpha));
        near(side, dot(&cross(&a, &b), &(shape.normal)(&w)), 1e-9);
    }
}

/// On the flat cylinder a vector keeps its chart components; there and back it is the same anywhere.
#[test]
fn transport_on_a_cylinder_changes_no_component() {
    let objective = with_loss(cylinder, 2, squared(3), 2.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let b = [0.3, -1.4];
    let curve = manifold.transport(&[0.2, 0.5], &[2.0, -1.0], &[&b], &tight()).unwrap();
    close(&curve.complete().unwrap().transported[0], &b, 1e-10);
    // A latitude circle is no geodesic, but the equator is: along it the sphere is as flat.
    let objective = with_loss(sphere, 2, squared(3), 2.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let w = [std::f64::consts::FRAC_PI_2, 0.0];
    let curve = manifold.transport(&w, &[0.0, 1.5], &[&b], &tight()).unwrap();
    let end = curve.complete().unwrap();
    close(&end.transported[0], &b, 1e-10);
    close(&point(sphere, &end.point, 1.0), &point(sphere, &[w[0], 1.5], 1.0), 1e-10);
}
