//! A linear change of the parameters, `w = A z`, names the same points: nothing geometric may change.

use gaussflow_manifold::{GeodesicSettings, OutputManifold};
use gaussflow_objective::Objective;
use proptest::prelude::*;

use crate::shapes::{SHAPES, length, squared, tangent, with_loss};
use crate::surfaces::Surface;

/// A rotation, a stretch of the second axis by `stretch`, and another rotation.
fn mix(stretch: f64, angles: [f64; 2]) -> [[f64; 2]; 2] {
    let [(s, c), (t, d)] = angles.map(f64::sin_cos);
    [
        [c * d - stretch * s * t, -c * t - stretch * s * d],
        [s * d + stretch * c * t, -s * t + stretch * c * d],
    ]
}

/// `A^-1 w`.
fn back([[a, b], [c, d]]: [[f64; 2]; 2], w: [f64; 2]) -> [f64; 2] {
    let determinant = a * d - b * c;
    [(d * w[0] - b * w[1]) / determinant, (a * w[1] - c * w[0]) / determinant]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Pointwise quantities to c eps cond(A), with c = 1000; integrated ones to their tolerance.
    #[test]
    fn a_change_of_parameters_changes_nothing(
        which in 0..4_usize,
        log_stretch in -4.0..4.0_f64,
        angles in [0.0..6.0_f64, 0.0..6.0],
        w in [0.6..2.4_f64, -1.0..1.0],
        (v, u) in ([0.1..0.5_f64, -0.5..-0.1], [-0.4..0.4_f64, 0.3..0.6]),
        alpha in 0.3..5.0_f64,
    ) {
        let shape = &SHAPES[which];
        let stretch = 10.0_f64.powf(log_stretch);
        let matrix = mix(stretch, angles);
        let bound = 1e3 * f64::EPSILON * stretch.max(1.0 / stretch);
        let plain = with_loss(shape.jet, 2, squared(3), alpha);
        let surface = Surface { outputs: 3, parameters: 2, jet: shape.jet, mix: matrix };
        let mixed = Objective::new(surface, squared(3), alpha).unwrap();
        let mut one = OutputManifold::new(&plain).unwrap();
        let mut other = OutputManifold::new(&mixed).unwrap();
        let z = back(matrix, w);
        let (here_v, there_v) = (v, back(matrix, v));
        let (here_u, there_u) = (u, back(matrix, u));
        // Numbers of both parametrizations, in one order, with the size that errors are relative to.
        let numbers = |manifold: &mut OutputManifold<'_, Surface, _>, w: &[f64], v: &[f64], u: &[f64]| {
            let mut point = manifold.at(w).unwrap();
            let mut out = [0.0; 3];
            let mut all = Vec::new();
            point.riemannian_gradient(&mut out).unwrap();
            all.extend(out);
            point.normal_gradient(&mut out).unwrap();
            let normal = out;
            all.extend(out);
            point.second_fundamental_form(v, u, &mut out).unwrap();
            all.extend(out);
            let mut image = [0.0; 2];
            point.weingarten(&normal, v, &mut image).unwrap();
            point.tangent_vector(&image, &mut out).unwrap();
            all.extend(out);
            all.push(point.sectional_curvature(v, u).unwrap());
            all.push(point.largest_normal_curvature().unwrap().value);
            all.push(point.normal_curvature_bound().unwrap());
            let extremes = point.hessian_extremes().unwrap();
            all.extend([extremes.smallest.value, extremes.largest.value]);
            let quotient = point.hessian_quotient(v).unwrap();
            all.extend([quotient.loss, quotient.curvature]);
            all
        };
        let here = numbers(&mut one, &w, &here_v, &here_u);
        let there = numbers(&mut other, &z, &there_v, &there_u);
        let scale = length(&here).max(1.0);
        for (k, (a, b)) in here.iter().zip(&there).enumerate() {
            prop_assert!((a - b).abs() <= bound * scale, "{} quantity {k}: {a} {b}", shape.name);
        }
        let settings = GeodesicSettings::default();
        let short = |v: [f64; 2]| v.map(|v| 0.5 * v);
        let end = one.exp(&w, &short(here_v), &settings).unwrap();
        let same_end = other.exp(&z, &short(there_v), &settings).unwrap();
        let mut points = [vec![0.0; 3], vec![0.0; 3]];
        points[0].copy_from_slice(one.at(&end.last().point).unwrap().output());
        points[1].copy_from_slice(other.at(&same_end.last().point).unwrap().output());
        for (a, b) in points[0].iter().zip(&points[1]) {
            prop_assert!((a - b).abs() < (1e-9 + bound) * scale, "{points:?}");
        }
        let [here_angle, there_angle] = [
            one.tangent_angles(&w, &end.last().point).unwrap().largest,
            other.tangent_angles(&z, &same_end.last().point).unwrap().largest,
        ];
        prop_assert!((here_angle - there_angle).abs() < (1e-9 + bound) * scale);
        let distance = other.distance(&z, &same_end.last().point, &settings).unwrap();
        let expected = length(&tangent(shape.jet, &w, &short(here_v), alpha));
        prop_assert!((distance - expected).abs() < (1e-8 + bound) * scale, "{distance} {expected}");
    }
}
