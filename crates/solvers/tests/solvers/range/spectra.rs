//! Singular values, projections and inverses of multiples of an ordinary J.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{
    DenseJacobian, Factors, JacobianOperator, MatrixFree, SolveRequest, SpectrumTracker, norm,
};

use crate::draws::{gaussian, generator};

const SHAPES: [(usize, usize); 2] = [(40, 20), (6, 30)];

fn multiple(entries: &[f64], (n, p): (usize, usize), factor: f64) -> DenseJacobian {
    DenseJacobian::from_matrix(Mat::from_fn(n, p, |r, c| entries[r * p + c] * factor))
}

#[test]
fn extreme_singular_values_are_multiples_by_every_route() {
    for (n, p) in SHAPES {
        let entries = gaussian(&mut generator(3), n * p);
        let base = multiple(&entries, (n, p), 1.0);
        let expected = Factors::new(n, p).unwrap().extreme_singular_values(&base).unwrap();
        for exponent in [-1000, -700, -210, 210, 700, 1000] {
            let factor = 2.0_f64.powi(exponent);
            let jacobian = multiple(&entries, (n, p), factor);
            let mut factors = Factors::new(n, p).unwrap();
            let found = SpectrumTracker::new().extremes(&mut factors, &jacobian).unwrap();
            let by_products = MatrixFree::new(n, p).unwrap().extremes(&jacobian, 200).unwrap();
            for (smallest, largest) in
                [(found.smallest, found.largest), (by_products.smallest, by_products.largest)]
            {
                assert!((smallest / factor / expected.smallest - 1.0).abs() < 1e-12);
                assert!((largest / factor / expected.largest - 1.0).abs() < 1e-12);
            }
            assert_eq!(factors.largest_singular_value(&jacobian).unwrap(), found.largest);
            // The dense J is J itself, and what was factored stays right after it.
            assert_eq!(factors.dense(&jacobian).unwrap(), jacobian.matrix());
            assert_eq!(factors.extreme_singular_values(&jacobian).unwrap(), found);
            factors.set_memory_limit(0);
            factors.invalidate();
            let largest = factors.largest_singular_value(&jacobian).unwrap();
            assert!((largest / factor / expected.largest - 1.0).abs() < 1e-10);
        }
    }
}

#[test]
fn projections_bases_and_inverses_are_those_of_the_ordinary_j() {
    let (n, p) = SHAPES[0];
    let entries = gaussian(&mut generator(5), n * p);
    let (u, x) = (gaussian(&mut generator(6), n), gaussian(&mut generator(7), p));
    let of = |factor: f64, length: f64, rho: f64| {
        let jacobian = multiple(&entries, (n, p), factor);
        let mut factors = Factors::new(n, p).unwrap();
        let scaled: Vec<f64> = u.iter().map(|u| u * length).collect();
        let mut projection = vec![0.0; n];
        let rank = factors.project_on_range(&jacobian, 1e-14, &scaled, &mut projection).unwrap();
        assert_eq!(rank, p);
        projection.iter_mut().for_each(|x| *x /= length);
        let mut inverse: Vec<f64> = x.iter().map(|x| x * length).collect();
        let request = SolveRequest { damping: rho, ..SolveRequest::default() };
        factors.apply_inverse(&jacobian, request, &mut inverse).unwrap();
        let basis = factors.range_basis(&jacobian, 1e-14).unwrap();
        let upper: Vec<f64> = (0..p).map(|k| basis.upper()[(k, k)].abs() / factor).collect();
        (projection, inverse, upper)
    };
    let close = |a: &[f64], b: &[f64]| {
        let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        assert!(norm(&difference) <= 1e-10 * norm(b), "{a:?} {b:?}");
    };
    let (projection, inverse, upper) = of(1.0, 1.0, 0.0);
    let (_, damped, _) = of(1.0, 1.0, 0.5);
    for (j, t) in [(-480, 0), (-480, -600), (300, 700), (0, -700)] {
        let (j, t) = (2.0_f64.powi(j), 2.0_f64.powi(t));
        let (p_found, i_found, u_found) = of(j, t, 0.0);
        close(&p_found, &projection);
        close(&u_found, &upper);
        close(&i_found.iter().map(|x| x / t * j * j).collect::<Vec<_>>(), &inverse);
    }
    // ((1-rho) j^2 J^T J + rho I)^-1 with rho = j^2, nearly, is that of (J^T J + I) over j^2.
    let j = 2.0_f64.powi(-300);
    let (_, found, _) = of(j, 1.0, j * j);
    close(&found.iter().map(|x| x * j * j * 2.0).collect::<Vec<_>>(), &damped);
    assert_eq!(multiple(&entries, (n, p), 1.0).rows(), n);
}
