//! Log as the inverse of Exp, distances in closed form, and what it says where it has no answer.

use std::cell::Cell;
use std::f64::consts::{FRAC_PI_2, PI};

use gaussflow_manifold::{Ball, GeodesicEnd, GeodesicSettings, GeometryError, OutputManifold};

use crate::geodesics::tight;
use crate::shapes::{
    SCALINGS, SHAPES, close, cross, dot, length, near, point, refused, squared, tangent, with_loss,
};
use crate::surfaces::{RADIUS, circle, cusp, cylinder, sphere, torus};

/// `Log(Exp(v)) = v`, and `Exp(Log(y)) = y` in outputs.
#[test]
fn the_logarithm_inverts_the_exponential_map() {
    for (shape, alpha) in SHAPES.iter().flat_map(|s| SCALINGS.map(|alpha| (s, alpha))) {
        let objective = with_loss(shape.jet, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let w = [0.9, -0.2];
        for v in [[0.3, 0.4], [-0.2, 0.25], [0.01, -0.02]] {
            let curve = manifold.exp(&w, &v, &tight()).unwrap();
            let target = curve.complete().unwrap().point.clone();
            let log = manifold.log(&w, &target, &tight()).unwrap();
            close(&log.velocity, &v, 1e-10 * length(&v) * 10.0);
            near(log.distance, length(&tangent(shape.jet, &w, &v, alpha)), 1e-10);
            let back = manifold.exp(&w, &log.velocity, &tight()).unwrap();
            let arrived = point(shape.jet, &back.complete().unwrap().point, alpha);
            close(&arrived, &point(shape.jet, &target, alpha), 1e-10 * log.distance);
            // The way back is as long.
            near(manifold.distance(&target, &w, &tight()).unwrap(), log.distance, 1e-10);
        }
    }
}

/// Distances: `r arccos <x, y> / r^2` on a sphere, the rolled-out plane's on a cylinder, an arc's on a
/// circle; 0 to the point itself.
#[test]
fn distances_are_those_of_the_closed_forms() {
    for alpha in SCALINGS {
        let objective = with_loss(sphere, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        for (w, y) in
            [([1.1, 0.3], [1.4, 0.9]), ([0.8, -1.0], [2.2, 0.5]), ([1.6, 0.0], [1.4, 2.8])]
        {
            let [a, b] = [w, y].map(|w| sphere(&w)[0].map(|x| x / RADIUS));
            // arccos, by a form that keeps the digits of small angles.
            let angle = length(&cross(&a, &b)).atan2(dot(&a, &b));
            let log = manifold.log(&w, &y, &tight()).unwrap();
            near(log.distance, alpha * RADIUS * angle, 1e-10);
            near(log.injectivity_estimate, PI * alpha * RADIUS, 1e-10);
        }
        let objective = with_loss(cylinder, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let distance = manifold.distance(&[0.4, -1.0], &[2.0, 1.5], &tight()).unwrap();
        near(distance, alpha * (1.6 * RADIUS).hypot(2.5), 1e-10);
        assert_eq!(manifold.distance(&[0.4, 1.0], &[0.4, 1.0], &tight()), Ok(0.0));
        let objective = with_loss(circle, 1, squared(2), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        near(manifold.distance(&[0.4], &[2.0], &tight()).unwrap(), alpha * 1.6 * RADIUS, 1e-10);
    }
}

/// Beyond the antipode, where the chart's straight line goes on: the geodesic that is found is the right
/// one, and is said to be longer than a shortest one surely is (r pi on a sphere).
#[test]
fn beyond_the_antipode_the_velocity_comes_with_a_warning() {
    let objective = with_loss(sphere, 2, squared(3), 2.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let found = manifold.log(&[FRAC_PI_2, 0.0], &[FRAC_PI_2, 4.0], &tight()).err();
    let Some(GeometryError::BeyondInjectivity { length, estimate, velocity }) = found else {
        panic!("{found:?}");
    };
    close(&velocity, &[0.0, 4.0], 1e-9);
    near(length, 2.0 * RADIUS * 4.0, 1e-10);
    near(estimate, 2.0 * RADIUS * PI, 1e-10);
    // Off the equator as well.
    let (w, v) = ([1.3, 0.2], [0.3, 3.6]);
    let curve = manifold.exp(&w, &v, &tight()).unwrap();
    let target = curve.complete().unwrap().point.clone();
    let found = manifold.log(&w, &target, &tight()).err();
    let Some(GeometryError::BeyondInjectivity { length, velocity, .. }) = found else {
        panic!("{found:?}");
    };
    near(length, curve.length, 1e-9);
    close(&velocity, &v, 1e-8);
}

/// Between two points near the pole the great circle leaves a ball of parameters that holds both; and no
/// geodesic crosses a cusp.
#[test]
fn a_target_that_no_shot_reaches_inside_the_chart_says_why() {
    let objective = with_loss(sphere, 2, squared(3), 1.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    // The great circle between them comes nearer to the pole: tan(theta) = tan(0.3) cos(1) halfway.
    let (w, target) = ([0.3, 0.0], [0.3, 2.0]);
    let halfway = (0.3_f64.tan() * 1.0_f64.cos()).atan();
    let center = vec![5.3, 1.0];
    let (inside, outside) = (5.0_f64.hypot(1.0), 5.3 - halfway);
    assert!(inside < outside);
    let ball = Some(Ball { center, radius: 0.5 * (inside + outside) });
    let coarse = GeodesicSettings { tolerance: 1e-8, ..GeodesicSettings::default() };
    let settings = GeodesicSettings { ball, ..coarse.clone() };
    let missed = manifold.log(&w, &target, &settings);
    refused!(
        missed,
        GeometryError::LeftChart { reached, end: GeodesicEnd::LeftBall { .. } } if *reached > 0.1 && *reached < 1.0
    );
    assert!(manifold.log(&w, &target, &coarse).is_ok(), "without the ball it is found");

    let objective = with_loss(cusp, 1, squared(2), 1.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let missed = manifold.log(&[1.0], &[-1.0], &coarse);
    refused!(missed, GeometryError::LeftChart { reached, .. } if *reached > 0.45 && *reached <= 0.5);
}

/// Half-way around the axis, but not antipodal: the only great circle goes through the pole, which the
/// chart does not have. The search spends what it may, and says so.
#[test]
fn a_target_beyond_the_pole_is_not_found() {
    let objective = with_loss(sphere, 2, squared(3), 1.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let settings = GeodesicSettings { tolerance: 1e-8, ..GeodesicSettings::default() };
    refused!(
        manifold.log(&[0.9, 0.0], &[1.2, PI], &settings),
        GeometryError::EvaluationsSpent { limit: 300_000, reached } if *reached >= 0.5 && *reached < 1.0
    );
}

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// The plane in polar coordinates (r, phi), which counts how often it is asked.
fn polar(w: &[f64]) -> [[f64; 3]; 6] {
    CALLS.set(CALLS.get() + 1);
    let ((s, c), r) = (w[1].sin_cos(), w[0]);
    [
        [r * c, r * s, 0.0],
        [c, s, 0.0],
        [-r * s, r * c, 0.0],
        [0.0; 3],
        [-s, c, 0.0],
        [-r * c, -r * s, 0.0],
    ]
}

/// A straight line through the origin is no curve of this chart.
#[test]
fn the_work_at_a_pole_is_bounded_and_the_bound_is_said() {
    // An evaluation of the geodesic equation asks for the value, the Jacobian and the second derivative; curves are
    // linearized at their ends and samples as well.
    const CALLS_OF_ONE: usize = 3;
    let objective = with_loss(polar, 2, squared(2), 1.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    for (target, evaluations) in [([1.3, PI], 20_000), ([1.0, PI], 20_000), ([1.3, PI], 300_000)] {
        let settings = GeodesicSettings { evaluations, ..GeodesicSettings::default() };
        CALLS.set(0);
        refused!(
            manifold.log(&[1.0, 0.0], &target, &settings),
            GeometryError::EvaluationsSpent { limit, reached } if *limit == evaluations && *reached < 1.0
        );
        assert!(CALLS.get() <= CALLS_OF_ONE * (evaluations + evaluations / 10), "{CALLS:?}");
        // Straight at the pole, and past it.
        CALLS.set(0);
        let curve = manifold.exp(&[1.0, 0.0], &[-2.0, 1e-9], &settings);
        assert!(curve.map_or(true, |curve| curve.complete().is_err()));
        assert!(CALLS.get() <= CALLS_OF_ONE * (evaluations + 100), "{CALLS:?}");
    }
    let settings = GeodesicSettings { evaluations: 0, ..GeodesicSettings::default() };
    refused!(
        manifold.exp(&[1.0, 0.0], &[0.0, 1.0], &settings),
        GeometryError::InvalidSetting { name: "the number of evaluations", .. }
    );
    // Where no pole is near, a chord of the disk is the geodesic.
    let found = manifold.exp(&[1.0, 0.0], &[0.0, 1.0], &GeodesicSettings::default()).unwrap();
    close(&found.complete().unwrap().point, &[2.0_f64.sqrt(), 1.0_f64.atan()], 1e-8);
}

/// A torus is complete, so that no shot leaves it; more than once around its inner equator, where
/// geodesics run apart exponentially, the search does not arrive and says how far it came.
#[test]
fn a_target_beyond_the_search_says_how_far_it_came() {
    let objective = with_loss(torus, 2, squared(3), 1.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let settings = GeodesicSettings { tolerance: 1e-8, ..GeodesicSettings::default() };
    refused!(
        manifold.log(&[3.0, 0.0], &[3.3, 7.0], &settings),
        GeometryError::LogNotConverged { shots, miss, reached, tolerance }
            if *shots > 10 && miss > tolerance && *reached > 0.1 && *reached < 1.0
    );
}
