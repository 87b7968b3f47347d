//! Bad input gives a typed error that names the value, the place and what is accepted.

use gaussflow_manifold::{Ball, GeodesicSettings, GeometryError, ManifoldPoint, OutputManifold};
use gaussflow_objective::{Linearization, MapError, PointError};
use gaussflow_solvers::SolveError;

use crate::shapes::{SHAPES, length, refused, squared, tangent, with_loss};
use crate::surfaces::{cusp, graph, sphere};

/// A kind of error.
type Check = fn(Option<&GeometryError>) -> bool;

/// Whether the error is one of a wrong length.
fn shape(error: Option<&GeometryError>) -> bool {
    matches!(
        error,
        Some(GeometryError::Point(
            PointError::Map(MapError::ShapeMismatch { .. })
                | PointError::Solve(SolveError::ShapeMismatch { .. })
        ))
    )
}

/// Whether the error is one of an entry that is not finite.
fn non_finite(error: Option<&GeometryError>) -> bool {
    matches!(
        error,
        Some(GeometryError::Point(
            PointError::Map(MapError::NonFinite { .. })
                | PointError::Solve(SolveError::NonFinite { .. })
        ))
    )
}

#[test]
fn where_the_jacobian_loses_rank_there_is_no_tangent_space() {
    // The sphere's chart is singular at its pole, the cusp at 0.
    let pole = with_loss(sphere, 2, squared(3), 1.0);
    let mut manifold = OutputManifold::new(&pole).unwrap();
    let settings = GeodesicSettings::default();
    let at_pole: [f64; 2] = [0.0, 0.4];
    refused!(
        manifold.at(&at_pole),
        GeometryError::NotImmersed { smallest, parameters: 2, .. } if *smallest < 1e-15
    );
    refused!(manifold.exp(&at_pole, &[1.0, 0.0], &settings), GeometryError::NotImmersed { .. });
    refused!(manifold.log(&[1.0, 0.4], &at_pole, &settings), GeometryError::NotImmersed { .. });
    refused!(manifold.log(&at_pole, &[1.0, 0.4], &settings), GeometryError::NotImmersed { .. });
    refused!(manifold.tangent_angles(&[1.0, 0.4], &at_pole), GeometryError::NotImmersed { .. });
    refused!(manifold.reach_along(&[&[1.0, 0.4], &at_pole]), GeometryError::NotImmersed { .. });
    let mut here = Linearization::new(pole.map()).unwrap();
    here.move_to(&pole, &at_pole).unwrap();
    refused!(ManifoldPoint::new(&pole, &mut here), GeometryError::NotImmersed { .. });
    let curve = with_loss(cusp, 1, squared(2), 1.0);
    let mut manifold = OutputManifold::new(&curve).unwrap();
    refused!(manifold.at(&[0.0]), GeometryError::NotImmersed { parameters: 1, .. });
    // More parameters than outputs: the surface seen in its first coordinate.
    let wide = with_loss(sphere, 2, squared(1), 1.0);
    let mut manifold = OutputManifold::new(&wide).unwrap();
    refused!(manifold.at(&[0.5, 0.4]), GeometryError::NotImmersed { parameters: 2, .. });
}

/// The defect is the length of the wrong part, which was put in by hand.
#[test]
fn vectors_off_the_tangent_or_normal_space_come_back_with_their_defect() {
    for s in SHAPES {
        let objective = with_loss(s.jet, 2, squared(3), 1.5);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let w = [0.9, 0.2];
        let mut point = manifold.at(&w).unwrap();
        let (u, normal) = (tangent(s.jet, &w, &[1.0, 0.5], 1.5), (s.normal)(&w));
        let tilted = [0, 1, 2].map(|k| u[k] + 0.01 * normal[k]);
        refused!(
            point.parameter_direction(&tilted, &mut [0.0; 2]),
            GeometryError::NotTangent { defect, length: whole, .. }
                if (defect - 0.01).abs() < 1e-12 && (whole - length(&tilted)).abs() < 1e-12
        );
        let slight = [0, 1, 2].map(|k| u[k] + 1e-11 * normal[k]);
        assert!(point.parameter_direction(&slight, &mut [0.0; 2]).is_ok());
        let leaning = [0, 1, 2].map(|k| normal[k] + 0.01 * u[k] / length(&u));
        refused!(
            point.weingarten(&leaning, &[1.0, 0.0], &mut [0.0; 2]),
            GeometryError::NotNormal { defect, .. } if (defect - 0.01).abs() < 1e-12
        );
    }
}

#[test]
fn wrong_lengths_and_entries_that_are_not_finite_are_refused() {
    let objective = with_loss(graph, 2, squared(3), 1.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let (w, fine, settings) = ([0.5, 0.4], [1.0, 0.3], GeodesicSettings::default());
    let normal = [-2.2, -1.1, 1.0];
    let wrong = [&[1.0][..], &[1.0; 3]];
    let infinite = [&[f64::NAN, 1.0][..], &[1.0, f64::INFINITY]];
    for (bad, is_right) in [(wrong, shape as Check), (infinite, non_finite)] {
        for v in bad {
            assert!(is_right(manifold.at(v).err().as_ref()));
            assert!(is_right(manifold.exp(v, &fine, &settings).err().as_ref()));
            assert!(is_right(manifold.exp(&w, v, &settings).err().as_ref()));
            assert!(is_right(manifold.transport(&w, &fine, &[&fine, v], &settings).err().as_ref()));
            assert!(is_right(manifold.log(&w, v, &settings).err().as_ref()));
            assert!(is_right(manifold.log(v, &w, &settings).err().as_ref()));
            assert!(is_right(manifold.distance(&w, v, &settings).err().as_ref()));
            assert!(is_right(manifold.tangent_angles(&w, v).err().as_ref()));
            assert!(is_right(manifold.tangent_angles(v, &w).err().as_ref()));
            assert!(is_right(manifold.reach_along(&[&w, v]).err().as_ref()));
            let mut point = manifold.at(&w).unwrap();
            assert!(is_right(point.hessian_quotient(v).err().as_ref()));
            assert!(is_right(point.tangent_vector(v, &mut [0.0; 3]).err().as_ref()));
            let mut bend = [0.0; 3];
            assert!(is_right(point.second_fundamental_form(v, &fine, &mut bend).err().as_ref()));
            assert!(is_right(point.second_fundamental_form(&fine, v, &mut bend).err().as_ref()));
            assert!(is_right(point.sectional_curvature(v, &fine).err().as_ref()));
            assert!(is_right(point.sectional_curvature(&fine, v).err().as_ref()));
            assert!(is_right(point.weingarten(&normal, v, &mut [0.0; 2]).err().as_ref()));
        }
    }
    let mut point = manifold.at(&w).unwrap();
    for (u, is_right) in [(&[1.0; 2][..], shape as Check), (&[1.0, f64::NAN, 0.0], non_finite)] {
        assert!(is_right(point.tangent_part(u, &mut [0.0; 3]).err().as_ref()));
        assert!(is_right(point.normal_part(u, &mut [0.0; 3]).err().as_ref()));
        assert!(is_right(point.parameter_direction(u, &mut [0.0; 2]).err().as_ref()));
        assert!(is_right(point.weingarten(u, &fine, &mut [0.0; 2]).err().as_ref()));
    }
    for n in [2, 4] {
        let mut out = vec![0.0; n];
        assert!(shape(point.tangent_part(&normal, &mut out).err().as_ref()));
        assert!(shape(point.normal_part(&normal, &mut out).err().as_ref()));
        assert!(shape(point.riemannian_gradient(&mut out).err().as_ref()));
        assert!(shape(point.normal_gradient(&mut out).err().as_ref()));
        assert!(shape(point.tangent_vector(&fine, &mut out).err().as_ref()));
        assert!(shape(point.second_fundamental_form(&fine, &fine, &mut out).err().as_ref()));
    }
    for p in [1, 3] {
        let mut out = vec![0.0; p];
        assert!(shape(point.parameter_direction(&[1.0, 0.0, 2.2], &mut out).err().as_ref()));
        assert!(shape(point.weingarten(&normal, &fine, &mut out).err().as_ref()));
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let objective = with_loss(graph, 2, squared(3), 1.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let default = GeodesicSettings::default;
    let ball = |radius| Some(Ball { center: vec![0.0; 2], radius });
    let mut bad: Vec<GeodesicSettings> = [0.0, -1e-10, 1e-14, 0.5, f64::NAN, f64::INFINITY]
        .map(|tolerance| GeodesicSettings { tolerance, ..default() })
        .into();
    bad.push(GeodesicSettings { samples: 0, ..default() });
    bad.extend(
        [0.0, -1.0, f64::NAN, f64::INFINITY]
            .map(|radius| GeodesicSettings { ball: ball(radius), ..default() }),
    );
    for settings in bad {
        let (w, v) = ([0.1, 0.2], [1.0, 0.0]);
        refused!(manifold.exp(&w, &v, &settings), GeometryError::InvalidSetting { .. });
        refused!(manifold.log(&w, &v, &settings), GeometryError::InvalidSetting { .. });
    }
    for center in [vec![0.0; 3], vec![f64::NAN, 0.0]] {
        let ball = Some(Ball { center, radius: 1.0 });
        let found = manifold.exp(&[0.1, 0.2], &[1.0, 0.0], &GeodesicSettings { ball, ..default() });
        let found = found.err().unwrap();
        assert!(shape(Some(&found)) || non_finite(Some(&found)));
    }
}

#[test]
fn zero_and_parallel_directions_are_refused() {
    let objective = with_loss(graph, 2, squared(3), 1.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let settings = GeodesicSettings::default();
    let w = [0.5, 0.4];
    refused!(manifold.exp(&w, &[0.0; 2], &settings), GeometryError::ZeroDirection { .. });
    refused!(manifold.log(&w, &w, &settings), GeometryError::ZeroDirection { .. });
    let mut point = manifold.at(&w).unwrap();
    refused!(point.hessian_quotient(&[0.0; 2]), GeometryError::ZeroDirection { .. });
    let v = [0.3, -0.2];
    for zero in [(&[0.0; 2], &v), (&v, &[0.0; 2])] {
        refused!(point.sectional_curvature(zero.0, zero.1), GeometryError::ZeroDirection { .. });
    }
    for other in [v, v.map(|v| -3.0 * v), [0.3, -0.2 + 1e-12]] {
        refused!(
            point.sectional_curvature(&v, &other),
            GeometryError::ParallelDirections { sine } if *sine < 1e-8
        );
    }
}

#[test]
fn a_ball_that_does_not_hold_the_start_is_left_at_once() {
    let objective = with_loss(graph, 2, squared(3), 1.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let ball = Some(Ball { center: vec![5.0, 5.0], radius: 1.0 });
    let settings = GeodesicSettings { ball, ..GeodesicSettings::default() };
    let curve = manifold.exp(&[0.0; 2], &[1.0, 0.0], &settings).unwrap();
    assert_eq!(curve.fraction().to_bits(), 0.0_f64.to_bits());
    refused!(curve.complete().cloned(), GeometryError::Incomplete { .. });
}
