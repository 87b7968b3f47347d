//! Curves that end before their length: at the ball's boundary, at a cusp; where they ended, by formula.

use gaussflow_manifold::{Ball, GeodesicEnd, GeodesicSettings, GeometryError, OutputManifold};

use crate::geodesics::tight;
use crate::shapes::{SCALINGS, close, near, point, refused, squared, with_loss};
use crate::surfaces::{circle, cusp, cylinder, sphere};

/// Straight in the chart, a curve leaves a ball around its start at radius over speed.
#[test]
fn a_geodesic_that_leaves_the_ball_says_where() {
    for alpha in SCALINGS {
        let inside = |center: &[f64], radius| {
            let ball = Some(Ball { center: center.to_vec(), radius });
            GeodesicSettings { ball, ..tight() }
        };
        let objective = with_loss(circle, 1, squared(2), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let curve = manifold.exp(&[0.3], &[2.0], &inside(&[0.3], 0.5)).unwrap();
        assert_eq!(curve.end, GeodesicEnd::LeftBall { radius: 0.5 });
        near(curve.fraction(), 0.25, 1e-10);
        close(&curve.last().point, &[0.8], 1e-10);
        let ended = curve.complete().cloned();
        refused!(
            ended,
            GeometryError::Incomplete { fraction, end: GeodesicEnd::LeftBall { .. } }
                if (fraction - 0.25).abs() < 1e-10
        );
        assert!(curve.samples.len() == 6, "the start, four whole parts and the end: {curve:?}");

        // A line from inside, not through the center: |o + t v| = radius.
        let objective = with_loss(cylinder, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let (v, offset, radius) = ([3.0, 1.0], [0.2, -0.4], 1.3_f64);
        let settings = inside(&[1.0 - offset[0], 2.0 - offset[1]], radius);
        let curve = manifold.exp(&[1.0, 2.0], &v, &settings).unwrap();
        let (square, half) = (10.0, v[0] * offset[0] + v[1] * offset[1]);
        let rest = offset[0] * offset[0] + offset[1] * offset[1] - radius * radius;
        let expected = (-half + (half * half - square * rest).sqrt()) / square;
        near(curve.fraction(), expected, 1e-10);

        // Along the equator of a sphere.
        let objective = with_loss(sphere, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let w = [std::f64::consts::FRAC_PI_2, 0.7];
        let curve = manifold.exp(&w, &[0.0, -1.0], &inside(&w, 0.6)).unwrap();
        near(curve.fraction(), 0.6, 1e-10);
        let stays = manifold.exp(&w, &[0.0, -1.0], &inside(&w, 1.0 + 1e-9)).unwrap();
        assert!(stays.complete().is_ok());
    }
}

/// The arc of (t^2, t^3) from t to its cusp has length `((4 + 9 t^2)^(3/2) - 8) / 27`; a geodesic twice
/// as long gets half-way.
#[test]
fn a_geodesic_ends_at_a_cusp() {
    for alpha in SCALINGS {
        let objective = with_loss(cusp, 1, squared(2), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let start = 0.8_f64;
        let arc = ((4.0 + 9.0 * start * start).powf(1.5) - 8.0) / 27.0;
        let speed = (2.0 * start).hypot(3.0 * start * start);
        for times in [2.0, 1.25] {
            let v = -times * arc / speed;
            let curve = manifold.exp(&[start], &[v], &GeodesicSettings::default()).unwrap();
            println!("{:?} at {} drift {:e}", curve.end, curve.fraction(), curve.speed_drift);
            assert!(
                matches!(curve.end, GeodesicEnd::Stalled | GeodesicEnd::RankLost { .. }),
                "{:?}",
                curve.end
            );
            near(curve.fraction(), 1.0 / times, 1e-6);
            refused!(curve.complete().cloned(), GeometryError::Incomplete { .. });
        }
        let curve = manifold.exp(&[start], &[-0.9 * arc / speed], &tight()).unwrap();
        assert!(curve.complete().is_ok());
    }
}

/// The pole is no end of the sphere, only of the chart: a meridian is either followed across it (as the
/// great circle that it is) or ends there, and nothing else.
#[test]
fn a_meridian_meets_the_pole() {
    let objective = with_loss(sphere, 2, squared(3), 2.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    for (start, v) in [(1.0, -2.0), (0.75, -1.7), (0.5, -0.8)] {
        let curve = manifold.exp(&[start, 0.4], &[v, 0.0], &tight()).unwrap();
        println!("{:?} at {}", curve.end, curve.fraction());
        match curve.end {
            GeodesicEnd::Complete => {
                let expected = point(sphere, &[start + v, 0.4], 2.0);
                close(&point(sphere, &curve.last().point, 2.0), &expected, 1e-9);
            }
            GeodesicEnd::RankLost { .. } => near(curve.fraction(), -start / v, 1e-9),
            other => panic!("{other:?}"),
        }
    }
}
