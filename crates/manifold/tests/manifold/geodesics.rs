//! Exp in closed form, by Clairaut's relation and by an independent integration; the loss along it.

use std::f64::consts::{FRAC_PI_2, PI};

use gaussflow_manifold::{GeodesicSettings, OutputManifold};
use gaussflow_objective::LogCosh;

use crate::shapes::{
    SCALINGS, SHAPES, Shape, TARGETS, close, dot, length, near, point, squared, tangent, with_loss,
};
use crate::surfaces::{RADIUS, TUBE, circle, cylinder, sphere, torus};

pub fn tight() -> GeodesicSettings {
    GeodesicSettings { tolerance: 1e-12, ..GeodesicSettings::default() }
}

/// Along great circles `x(s) = x cos(s / r) + r u sin(s / r)`, at every sample, velocity included.
#[test]
fn geodesics_of_a_sphere_are_great_circles() {
    for alpha in SCALINGS {
        let objective = with_loss(sphere, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let r = alpha * RADIUS;
        for (w, v) in
            [([1.1, -0.4], [0.3, 0.7]), ([1.6, 2.0], [0.5, -2.4]), ([0.7, 0.0], [1.5, 0.4])]
        {
            let curve = manifold.exp(&w, &v, &tight()).unwrap();
            curve.complete().unwrap();
            let (x, u) = (point(sphere, &w, alpha), tangent(sphere, &w, &v, alpha));
            near(curve.length, length(&u), 1e-14);
            assert_eq!(curve.samples.len(), 17);
            for sample in &curve.samples {
                let (s, c) = (sample.fraction * curve.length / r).sin_cos();
                let there = [0, 1, 2].map(|k| x[k] * c + r * s * u[k] / curve.length);
                close(&point(sphere, &sample.point, alpha), &there, 1e-10 * curve.length);
                let moving = [0, 1, 2].map(|k| u[k] * c - x[k] * s * curve.length / r);
                let found = tangent(sphere, &sample.point, &sample.velocity, alpha);
                close(&found, &moving, 1e-10 * curve.length);
            }
        }
    }
}

/// On circle and cylinder the chart is flat: `Exp(v) = w + v`.
#[test]
fn geodesics_of_circle_and_cylinder_are_straight_in_the_chart() {
    for alpha in SCALINGS {
        let rolled = with_loss(cylinder, 2, squared(3), alpha);
        let round = with_loss(circle, 1, squared(2), alpha);
        let (w, v) = ([0.4, -1.0], [5.0, 2.0]);
        let mut manifold = OutputManifold::new(&rolled).unwrap();
        let curve = manifold.exp(&w, &v, &tight()).unwrap();
        near(curve.length, alpha * (25.0 * RADIUS * RADIUS + 4.0).sqrt(), 1e-14);
        for sample in &curve.samples {
            let there = [0, 1].map(|k| w[k] + sample.fraction * v[k]);
            close(&sample.point, &there, 1e-10);
            close(&sample.velocity, &v, 1e-10);
        }
        let mut manifold = OutputManifold::new(&round).unwrap();
        let curve = manifold.exp(&w[..1], &v[..1], &tight()).unwrap();
        close(&curve.complete().unwrap().point, &[5.4], 1e-10);
        near(curve.length, alpha * 5.0 * RADIUS, 1e-14);
    }
}

/// Meridians and both equators of a torus are geodesics run through uniformly; on every other geodesic
/// Clairaut: `r^2 phi'` is constant, r the distance from the axis.
#[test]
fn geodesics_of_a_torus_obey_clairaut() {
    for alpha in SCALINGS {
        let objective = with_loss(torus, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        for (w, v) in [([0.3, 1.0], [2.5, 0.0]), ([0.0, 1.0], [0.0, -1.7]), ([PI, 0.2], [0.0, 0.9])]
        {
            let curve = manifold.exp(&w, &v, &tight()).unwrap();
            let end = &curve.complete().unwrap().point;
            close(end, &[w[0] + v[0], w[1] + v[1]], 1e-10);
        }
        let (w, v) = ([0.4, -0.9], [1.3, 0.8]);
        let curve = manifold.exp(&w, &v, &tight()).unwrap();
        curve.complete().unwrap();
        let momentum = |w: &[f64], v: &[f64]| (RADIUS + TUBE * w[0].cos()).powi(2) * v[1];
        for sample in &curve.samples {
            near(momentum(&sample.point, &sample.velocity), momentum(&w, &v), 1e-10);
        }
    }
}

/// Classical Runge-Kutta on the geodesic equation by its formula, in the chart.
fn runge_kutta(shape: &Shape, w: [f64; 2], v: [f64; 2], steps: usize) -> [f64; 2] {
    let slope = |s: [f64; 4]| {
        let [a, b] = (shape.acceleration)(&s[..2], [s[2], s[3]]);
        [s[2], s[3], a, b]
    };
    let moved = |s: [f64; 4], h: f64, k: [f64; 4]| [0, 1, 2, 3].map(|i: usize| s[i] + h * k[i]);
    let h = 1.0 / steps as f64;
    let mut state = [w[0], w[1], v[0], v[1]];
    for _ in 0..steps {
        let a = slope(state);
        let b = slope(moved(state, 0.5 * h, a));
        let c = slope(moved(state, 0.5 * h, b));
        let d = slope(moved(state, h, c));
        let sum = [0, 1, 2, 3].map(|i| (a[i] + 2.0 * b[i] + 2.0 * c[i] + d[i]) / 6.0);
        state = moved(state, h, sum);
    }
    [state[0], state[1]]
}

#[test]
fn geodesics_end_where_the_chart_equation_by_formula_ends() {
    for (shape, alpha) in SHAPES.iter().flat_map(|s| SCALINGS.map(|alpha| (s, alpha))) {
        let objective = with_loss(shape.jet, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let (w, v) = ([0.8, -0.5], [0.4, 0.6]);
        let curve = manifold.exp(&w, &v, &tight()).unwrap();
        let expected = runge_kutta(shape, w, v, 4000);
        let found = &curve.complete().unwrap().point;
        println!("{} drift {:e} {:?}", shape.name, curve.speed_drift, curve.statistics);
        close(found, &expected, 1e-10 * length(&expected));
        assert!(curve.speed_drift <= 1e-12);
    }
}

/// On a sphere `g = norm(x - y)^2` along a great circle is `r^2 + norm(y)^2 - 2 <y, x(s)>`.
#[test]
fn the_loss_along_a_great_circle_and_its_derivatives() {
    for alpha in SCALINGS {
        let objective = with_loss(sphere, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let r = alpha * RADIUS;
        let (w, v) = ([1.1, -0.4], [0.9, 2.0]);
        let curve = manifold.exp(&w, &v, &tight()).unwrap();
        let along = manifold.loss_along(&curve).unwrap();
        let (x, u) = (point(sphere, &w, alpha), tangent(sphere, &w, &v, alpha));
        let [height, slope] = [dot(&TARGETS, &x), dot(&TARGETS, &u) * r / curve.length];
        let mut least = f64::INFINITY;
        for sample in &along.samples {
            let (s, c) = (sample.length / r).sin_cos();
            let value = r * r + dot(&TARGETS, &TARGETS) - 2.0 * (height * c + slope * s);
            let first = 2.0 * (height * s - slope * c) / r;
            let second = 2.0 * (height * c + slope * s) / (r * r);
            let scale = 2.0 * length(&TARGETS);
            near(sample.value, value, 1e-10);
            assert!((sample.first - first).abs() < 1e-10 * scale);
            assert!((sample.second - second).abs() < 1e-10 * scale / r);
            least = least.min(second);
        }
        assert!((along.smallest_second - least).abs() < 1e-10 * 2.0 * length(&TARGETS) / r);
        near(along.samples[16].length, curve.length, 1e-14);
    }
}

/// On the torus, with a loss of two moduli: fourth-order differences of g itself.
#[test]
fn the_derivatives_of_the_loss_are_those_of_its_values() {
    let loss = LogCosh::new(TARGETS.to_vec(), 0.3).unwrap();
    let objective = with_loss(torus, 2, loss, 1.5);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let settings = GeodesicSettings { samples: 100, ..tight() };
    let curve = manifold.exp(&[0.4, -0.9], &[0.8, 0.5], &settings).unwrap();
    let along = manifold.loss_along(&curve).unwrap();
    let step = curve.length / 100.0;
    let g: Vec<f64> = along.samples.iter().map(|s| s.value).collect();
    let mut seconds = Vec::new();
    for k in 2..99 {
        let (near, far) = (g[k + 1] - g[k - 1], g[k + 2] - g[k - 2]);
        let first = (8.0 * near - far) / (12.0 * step);
        let (near, far) = (g[k + 1] + g[k - 1] - 2.0 * g[k], g[k + 2] + g[k - 2] - 2.0 * g[k]);
        let second = (16.0 * near - far) / (12.0 * step * step);
        let sample = along.samples[k];
        assert!((sample.first - first).abs() < 1e-5, "{sample:?} {first}");
        assert!((sample.second - second).abs() < 1e-5, "{sample:?} {second}");
        seconds.push(second);
    }
    let value = objective.loss_at(&curve.last().point).unwrap();
    near(along.samples[100].value, value, 1e-13);
    assert!(seconds.iter().all(|s| *s > along.smallest_second - 1e-5));
}

/// A quarter of a great circle through the pole of the chart's other coordinate ends at right angles.
#[test]
fn a_quarter_circle_ends_at_right_angles() {
    let objective = with_loss(sphere, 2, squared(3), 1.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let w = [FRAC_PI_2, 0.3];
    let curve = manifold.exp(&w, &[0.0, FRAC_PI_2], &tight()).unwrap();
    let end = point(sphere, &curve.complete().unwrap().point, 1.0);
    assert!(dot(&end, &point(sphere, &w, 1.0)).abs() < 1e-10 * RADIUS * RADIUS);
}
