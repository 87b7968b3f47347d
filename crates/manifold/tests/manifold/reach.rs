//! Curvature radius, chords and the proven bounds, on manifolds whose reach is known.

use std::f64::consts::PI;

use gaussflow_manifold::{OutputManifold, curvature_bound, reach_lower_bound};

use crate::shapes::{SCALINGS, near, squared, with_loss};
use crate::surfaces::{Jet, RADIUS, TUBE, circle, graph, sphere, torus};

/// A circle's or a sphere's reach is its radius: every chord and every curvature says the same.
#[test]
fn circle_and_sphere_have_their_radius_as_reach() {
    let points = [[0.8, -1.1], [1.9, 0.3], [0.4, 2.5], [2.7, 0.0]];
    for alpha in SCALINGS {
        for (jet, p, n) in [(circle as Jet, 1, 2), (sphere, 2, 3)] {
            let objective = with_loss(jet, p, squared(n), alpha);
            let mut manifold = OutputManifold::new(&objective).unwrap();
            let points: Vec<&[f64]> = points.iter().map(|w| &w[..p]).collect();
            let reach = manifold.reach_along(&points).unwrap();
            near(reach.curvature_radius, alpha * RADIUS, 1e-10);
            near(reach.chord_radius, alpha * RADIUS, 1e-10);
            near(reach.estimate(), alpha * RADIUS, 1e-10);
            let single = manifold.reach_along(&points[..1]).unwrap();
            near(single.curvature_radius, alpha * RADIUS, 1e-10);
            assert_eq!(single.chord_radius.to_bits(), f64::INFINITY.to_bits());
        }
    }
}

/// A torus with a thin tube reaches as far as the tube's radius; two opposite points of the inner
/// equator show the bottleneck between them, half their distance.
#[test]
fn a_torus_reaches_to_the_core_of_its_tube() {
    for alpha in SCALINGS {
        let objective = with_loss(torus, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let opposite = manifold.reach_along(&[&[PI, 0.0], &[PI, PI]]).unwrap();
        near(opposite.chord_radius, alpha * (RADIUS - TUBE), 1e-12);
        near(opposite.estimate(), alpha * TUBE, 1e-10);
        // Across the tube the chord is a diameter of it.
        let across = manifold.reach_along(&[&[0.4, 1.0], &[0.4 + PI, 1.0]]).unwrap();
        near(across.chord_radius, alpha * TUBE, 1e-12);
        let many = manifold.reach_along(&[&[0.3, 0.0], &[2.0, 1.0], &[-1.0, 4.0]]).unwrap();
        assert!(many.estimate() >= alpha * TUBE * (1.0 - 1e-10), "{many:?}");
    }
}

/// A circle in its angle: Df has modulus R and singular value R, so the curvature bound is attained and
/// the reach bound is below the radius, and tends to it with the ball.
#[test]
fn the_proven_bounds_hold_on_a_circle() {
    for alpha in SCALINGS {
        near(curvature_bound(alpha, RADIUS, RADIUS), 1.0 / (alpha * RADIUS), 1e-15);
        let mut last = 0.0;
        for radius in [0.9, 0.5, 0.1, 1e-12] {
            let bound = reach_lower_bound(alpha, RADIUS, RADIUS, radius);
            assert!(bound > last && bound <= alpha * RADIUS);
            last = bound;
        }
        near(last, alpha * RADIUS, 1e-11);
        assert_eq!(reach_lower_bound(alpha, RADIUS, RADIUS, 1.5).to_bits(), 0.0_f64.to_bits());
    }
}

/// On the graph of h, D2f is constant: L is the spectral norm of Hess h, and the columns of J have
/// singular values of at least 1. What is found at points of the ball respects both bounds.
#[test]
fn the_proven_bounds_hold_on_a_graph() {
    let lipschitz = 0.5 + (1.5_f64 * 1.5 + 9.0).sqrt();
    for alpha in SCALINGS {
        let objective = with_loss(graph, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let bound = curvature_bound(alpha, lipschitz, 1.0);
        let radius = 0.1;
        let mut points = vec![[0.0; 2]];
        points.extend((0..12).map(|k| {
            let (s, c) = f64::from(k).sin_cos();
            [radius * c, radius * s * f64::from(k) / 12.0]
        }));
        for w in &points {
            let mut point = manifold.at(w).unwrap();
            let found = point.largest_normal_curvature().unwrap().value;
            let covered = point.normal_curvature_bound().unwrap();
            assert!(found <= covered * (1.0 + 1e-13) && covered <= bound * (1.0 + 1e-13));
        }
        // At the vertex it is attained.
        near(
            manifold.at(&[0.0; 2]).unwrap().largest_normal_curvature().unwrap().value,
            bound,
            1e-12,
        );
        let points: Vec<&[f64]> = points.iter().map(|w| &w[..]).collect();
        let found = manifold.reach_along(&points).unwrap();
        let proven = reach_lower_bound(alpha, lipschitz, 1.0, radius);
        assert!(proven > 0.0 && proven <= found.estimate(), "{proven} {found:?}");
    }
}
