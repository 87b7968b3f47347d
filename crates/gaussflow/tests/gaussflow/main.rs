//! The geometry of the network's output manifold at n = 256, p = 144, against dense computations.
//!
//! The reference forms J and `sum_k u_k Hess f_k` entry by entry from the network's definition with
//! tanh of the standard library, and takes the tangent space from the singular vectors of J, not from
//! a QR: `Hess_M g = 2 I + (1/alpha) S^-1 V^T B(N grad g) V S^-1` over `J = U S V^T`.

mod blocked;
mod deep;
mod invariance;
mod metric;
mod poisson;
mod reference;

use gaussflow::manifold::{GeodesicSettings, OutputManifold};

use crate::reference::{Case, PARAMETERS, ROWS, dense_hessian, dot, length, normals};

/// Both signs of curvature: it takes the eigenvalues out of [nu, mu] = {2}, at alpha = 8 below 0.
#[test]
fn extreme_eigenvalues_are_those_of_a_dense_computation() {
    let case = Case::paper_size();
    for alpha in [8.0, 256.0] {
        let expected = dense_hessian(&case, alpha);
        let objective = case.objective(alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let found = manifold.at(&case.weights).unwrap().hessian_extremes().unwrap();
        let scale = expected.largest.abs().max(expected.smallest.abs());
        let bound = 1e-10 * expected.condition * scale;
        let errors = [
            (found.smallest.value - expected.smallest).abs(),
            (found.largest.value - expected.largest).abs(),
        ];
        println!(
            "alpha {alpha}: {:e} to {:e}, cond {:e}, relative errors {:e}",
            expected.smallest,
            expected.largest,
            expected.condition,
            errors[0].max(errors[1]) / scale
        );
        assert!(errors.iter().all(|e| *e <= bound), "{errors:?} {bound:e}");
        assert!(found.smallest.value < 2.0 && found.largest.value > 2.0, "curvature of both signs");
        assert!(alpha > 8.0 || found.smallest.value < 0.0, "g is not convex on M at alpha = 8");
    }
}

/// The Hessian's quotient is the second derivative of g along the geodesic: against differences of g
/// itself (fourth order), whose sign shows the sign of the curvature term.
#[test]
fn second_differences_along_geodesics_show_the_extreme_eigenvalues() {
    let case = Case::paper_size();
    for alpha in [8.0, 256.0] {
        let objective = case.objective(alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let mut point = manifold.at(&case.weights).unwrap();
        let extremes = point.hessian_extremes().unwrap();
        let found = [extremes.smallest, extremes.largest];
        let quotients = found.each_ref().map(|e| point.hessian_quotient(&e.direction).unwrap());
        assert!(quotients[0].curvature < 0.0 && quotients[1].curvature > 0.0);
        let x = case.output(&case.weights, alpha);
        for (eigen, quotient) in found.iter().zip(quotients) {
            let mut bend = vec![0.0; x.len()];
            let v = &eigen.direction;
            let mut point = manifold.at(&case.weights).unwrap();
            point.second_fundamental_form(v, v, &mut bend).unwrap();
            let radius = length(&bend).recip();
            let step = 0.02 * radius;
            let mut change = |times: f64| {
                let shot: Vec<f64> = v.iter().map(|v| times * step * v).collect();
                let settings = GeodesicSettings { samples: 1, ..GeodesicSettings::default() };
                let curve = manifold.exp(&case.weights, &shot, &settings).unwrap();
                case.loss_change(&x, &curve.complete().unwrap().point, alpha)
            };
            let (near, far) = (change(1.0) + change(-1.0), change(2.0) + change(-2.0));
            let second = (16.0 * near - far) / (12.0 * step * step);
            let error = (second - eigen.value).abs() / eigen.value.abs();
            println!(
                "alpha {alpha}: {} by differences {second}, off {error:e}, radius {radius:e}",
                eigen.value
            );
            assert!(error < 1e-4, "{} {second}", eigen.value);
            assert!((quotient.total() - eigen.value).abs() < 1e-9 * eigen.value.abs());
        }
    }
}

/// The norm of II found by ascent is attained (a definition), and the bound covers it.
#[test]
fn the_curvature_found_is_attained_and_covered_by_the_bound() {
    let case = Case::paper_size();
    let objective = case.objective(8.0);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let mut point = manifold.at(&case.weights).unwrap();
    let largest = point.largest_normal_curvature().unwrap();
    let bound = point.normal_curvature_bound().unwrap();
    println!("curvature {} to {bound}", largest.value);
    assert!(bound >= largest.value && bound <= (PARAMETERS as f64).sqrt() * largest.value * 1.5);
    let v = &largest.direction;
    let tangent = case.tangent(&case.weights, v, 8.0);
    assert!((length(&tangent) - 1.0).abs() < 1e-9, "a unit tangent vector");
    for random in 0..20 {
        let v = normals(100 + random, PARAMETERS);
        let square =
            dot(&case.tangent(&case.weights, &v, 8.0), &case.tangent(&case.weights, &v, 8.0));
        let mut bend = vec![0.0; ROWS];
        point.second_fundamental_form(&v, &v, &mut bend).unwrap();
        assert!(length(&bend) / square <= largest.value);
    }
}

/// Unit length at alpha = 256: speed by the definition of J, log against the velocity that was shot,
/// inner products of transported vectors by the definition of J.
#[test]
fn geodesics_of_unit_length_keep_speed_and_inner_products_and_are_found_again() {
    let case = Case::paper_size();
    let alpha = 256.0;
    let objective = case.objective(alpha);
    let mut manifold = OutputManifold::new(&objective).unwrap();
    let w = &case.weights;
    let mut gradient = vec![0.0; ROWS];
    let mut downhill = vec![0.0; PARAMETERS];
    let mut point = manifold.at(w).unwrap();
    point.riemannian_gradient(&mut gradient).unwrap();
    point.parameter_direction(&gradient, &mut downhill).unwrap();
    for mut v in [downhill, normals(7, PARAMETERS)] {
        let size = length(&case.tangent(w, &v, alpha));
        v.iter_mut().for_each(|v| *v /= size);
        let moved = [normals(8, PARAMETERS), normals(9, PARAMETERS)];
        let settings = GeodesicSettings { samples: 4, ..GeodesicSettings::default() };
        let curve = manifold.transport(w, &v, &[&moved[0], &moved[1]], &settings).unwrap();
        println!("drift {:e}, {:?}", curve.speed_drift, curve.statistics);
        let end = curve.complete().unwrap();
        assert!((curve.length - 1.0).abs() < 1e-10);
        assert!(curve.speed_drift < 1e-9);
        let products = |w: &[f64], vectors: [&[f64]; 3]| {
            let [a, b, c] = vectors.map(|v| case.tangent(w, v, alpha));
            let scale = [length(&a), length(&b), length(&c)];
            [
                dot(&a, &a) / scale[0] / scale[0],
                dot(&a, &b) / scale[0] / scale[1],
                dot(&a, &c) / scale[0] / scale[2],
                dot(&b, &c) / scale[1] / scale[2],
                scale[0],
                scale[1] / scale[2],
            ]
        };
        let before = products(w, [&v, &moved[0], &moved[1]]);
        let after = products(&end.point, [&end.velocity, &end.transported[0], &end.transported[1]]);
        for (b, a) in before.iter().zip(after) {
            assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{before:?} {after:?}");
        }
        let target = end.point.clone();
        let log = manifold.log(w, &target, &settings).unwrap();
        println!("log: {} shots, distance {}", log.shots, log.distance);
        assert!((log.distance - 1.0).abs() < 1e-8);
        let again = manifold.exp(w, &log.velocity, &settings).unwrap();
        let arrived = case.output(&again.complete().unwrap().point, alpha);
        let expected = case.output(&target, alpha);
        let miss = expected.iter().zip(&arrived).map(|(a, b)| a - b);
        assert!(length(&miss.collect::<Vec<_>>()) < 1e-8);
        let off: Vec<f64> = log.velocity.iter().zip(&v).map(|(a, b)| a - b).collect();
        assert!(length(&case.tangent(w, &off, alpha)) < 1e-8);
    }
}
