//! Solves of `AmortizedFactor` along paths, judged by `((1 - rho) J^T J + rho I) v = J^T b` itself.
//!
//! A solution v with residual r is off by at most `norm(r) / lambda_min(H_rho)`, so that two solutions are
//! at most the sum of both apart.

use gaussflow_solvers::{AmortizedCounts, AmortizedFactor, Choice, DampedSolver, Factors};
use gaussflow_solvers::{JacobianOperator, SolveReport, SolveRequest, norm};

use crate::path::paths::{EPS, NetworkPath, gaussian, generator};

/// Factors and what they share along a path.
pub struct Shared {
    pub factors: Factors,
    pub path: AmortizedFactor,
}

impl Shared {
    pub fn new((n, p): (usize, usize)) -> Self {
        Self { factors: Factors::new(n, p).unwrap(), path: AmortizedFactor::new() }
    }

    pub fn solve(
        &mut self,
        jacobian: &dyn JacobianOperator,
        request: SolveRequest,
        b: &[f64],
    ) -> (Vec<f64>, SolveReport) {
        self.factors.invalidate();
        let mut v = vec![f64::NAN; jacobian.columns()];
        let report = self.path.solve(&mut self.factors, jacobian, request, b, &mut v).unwrap();
        (v, report)
    }
}

pub fn damped(damping: f64) -> SolveRequest {
    SolveRequest { damping, solver: DampedSolver::AmortizedCholesky, ..SolveRequest::default() }
}

/// `J^T b - (1-rho) J^T J v - rho v` and the size of the terms that it is a difference of.
fn defect(jacobian: &dyn JacobianOperator, rho: f64, b: &[f64], v: &[f64]) -> (f64, f64) {
    let (mut image, mut defect) = (vec![0.0; b.len()], vec![0.0; v.len()]);
    jacobian.apply(v, &mut image);
    let rest: Vec<f64> = image.iter().zip(b).map(|(i, b)| b - (1.0 - rho) * i).collect();
    jacobian.apply_transposed(&rest, &mut defect);
    defect.iter_mut().zip(v).for_each(|(d, v)| *d -= rho * v);
    let size = jacobian.squared_norm().sqrt();
    (norm(&defect), size * (norm(b) + (1.0 - rho) * size * norm(v)) + rho * norm(v))
}

/// The residual meets the request, or is rounding: twice 8 eps, since it is measured twice.
pub fn assert_solves(
    jacobian: &dyn JacobianOperator,
    request: SolveRequest,
    b: &[f64],
    (v, report): &(Vec<f64>, SolveReport),
    what: &str,
) {
    let rho = request.damping;
    let (residual, size) = defect(jacobian, rho, b, v);
    let mut gradient = vec![0.0; v.len()];
    jacobian.apply_transposed(b, &mut gradient);
    let (target, rounding) = (request.tolerance * norm(&gradient), 16.0 * EPS * size);
    assert!(residual <= target + rounding, "{what}: {residual:e}, {target:e}, {report:?}");
    assert!((report.residual - residual).abs() <= rounding, "{what}: {residual:e}, {report:?}");
}

/// [`assert_solves`], and the solution is as near to that of a QR as both residuals allow.
pub fn assert_near(
    jacobian: &dyn JacobianOperator,
    request: SolveRequest,
    b: &[f64],
    found: &(Vec<f64>, SolveReport),
    what: &str,
) {
    assert_solves(jacobian, request, b, found, what);
    let (v, rho) = (&found.0, request.damping);
    let (residual, size) = defect(jacobian, rho, b, v);
    let rounding = 16.0 * EPS * size;
    let mut factors = Factors::new(b.len(), v.len()).unwrap();
    let mut direct = vec![0.0; v.len()];
    let plain = SolveRequest { solver: DampedSolver::HouseholderQr, ..request };
    factors.solve(jacobian, plain, b, &mut direct).unwrap();
    let smallest = factors.extreme_singular_values(jacobian).unwrap().smallest;
    let curvature = (1.0 - rho) * smallest * smallest + rho;
    let gap: Vec<f64> = v.iter().zip(&direct).map(|(a, b)| a - b).collect();
    let allowed = residual + defect(jacobian, rho, b, &direct).0 + 2.0 * rounding;
    assert!(norm(&gap) <= allowed / curvature, "{what}: {:e}", norm(&gap));
}

/// n, d, m: shapes for which a factor is worth many iterations, and some for which it is not.
const SHAPES: [(usize, usize, usize); 4] = [(256, 8, 18), (137, 5, 11), (500, 6, 30), (40, 3, 4)];

/// For p > n the factor of the dual system is shared.
#[test]
fn every_solve_along_a_wide_path_satisfies_the_equation() {
    for (seed, shape) in [(150, 6, 400), (60, 4, 31), (1, 2, 3)].into_iter().enumerate() {
        let (n, d, m) = shape;
        for rho in [0.02, 0.1] {
            let mut path = NetworkPath::new(seed as u64, shape);
            let mut shared = Shared::new((n, m * d));
            let b = gaussian(&mut generator(70 + seed as u64), n);
            for point in 0..8_u32 {
                let jacobian = path.at(1e-3 * f64::from(point));
                let found = shared.solve(jacobian, damped(rho), &b);
                assert_solves(
                    jacobian,
                    damped(rho),
                    &b,
                    &found,
                    &format!("{shape:?} {rho} {point}"),
                );
            }
            let counts = shared.path.counts();
            assert_eq!(counts.direct + counts.amortized, 8);
            assert!(m < 400 || counts.amortized >= 5, "{counts:?}");
        }
    }
}

#[test]
fn every_solve_along_a_path_satisfies_the_equation() {
    for (seed, shape) in SHAPES.into_iter().enumerate() {
        let (n, d, m) = shape;
        for rho in [0.0, 1e-3, 0.1] {
            for step in [1e-4, 0.05] {
                let mut path = NetworkPath::new(seed as u64, shape);
                let mut shared = Shared::new((n, m * d));
                let rng = &mut generator(40 + seed as u64);
                let (b, change) = (gaussian(rng, n), gaussian(rng, n));
                let points = 10_u32;
                let mut iterations = 0;
                for point in 0..points {
                    let t = step * f64::from(point);
                    let b: Vec<f64> = b.iter().zip(&change).map(|(b, c)| b + t * c).collect();
                    let jacobian = path.at(t);
                    let before = shared.path.counts().direct;
                    let found = shared.solve(jacobian, damped(rho), &b);
                    let what = format!("{shape:?}, rho {rho}, step {step}, point {point}");
                    assert_near(jacobian, damped(rho), &b, &found, &what);
                    let renewed = shared.path.counts().direct > before;
                    assert_eq!(found.1.choice == Choice::Amortized, !renewed, "{what}");
                    assert_eq!(found.1.solver, DampedSolver::AmortizedCholesky, "{what}");
                    iterations += found.1.iterations as u64;
                }
                let counts = shared.path.counts();
                let what = format!("{shape:?}, rho {rho}, step {step}: {counts:?}");
                assert_eq!(counts.direct + counts.amortized, u64::from(points), "{what}");
                assert!(counts.iterations >= iterations, "{what}");
                if step < 1e-3 && m * d > 100 {
                    assert!(counts.amortized >= 5, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_jump_to_another_jacobian_is_survived() {
    let shape = (500, 6, 30);
    for rho in [0.0, 1e-3, 0.1] {
        let mut shared = Shared::new((500, 180));
        let b = gaussian(&mut generator(2), 500);
        // Four points of one network, then four of another.
        let mut paths = [NetworkPath::new(21, shape), NetworkPath::new(22, shape)];
        for point in 0..8_u32 {
            let jacobian = paths[usize::from(point >= 4)].at(1e-4 * f64::from(point));
            let found = shared.solve(jacobian, damped(rho), &b);
            let what = format!("rho {rho}, point {point}: {:?}", shared.path.counts());
            assert_near(jacobian, damped(rho), &b, &found, &what);
            assert_eq!(shared.path.counts().given_up, u64::from(point >= 4), "{what}");
        }
        let counts = shared.path.counts();
        assert_eq!(counts.direct + counts.amortized, 8, "{counts:?}");
    }
}

#[test]
fn a_looser_tolerance_is_met_in_fewer_iterations() {
    for rho in [0.0, 1e-3] {
        let mut iterations = Vec::new();
        for tolerance in [1e-12, 1e-6, 1e-2] {
            let mut path = NetworkPath::new(1, (300, 6, 25));
            let mut shared = Shared::new((300, 150));
            let b = gaussian(&mut generator(3), 300);
            let request = SolveRequest { tolerance, ..damped(rho) };
            for point in 0..12 {
                let jacobian = path.at(1e-3 * f64::from(point));
                let found = shared.solve(jacobian, request, &b);
                assert_near(jacobian, request, &b, &found, &format!("{tolerance:e}, {point}"));
            }
            let counts = shared.path.counts();
            iterations.push((counts.iterations, counts.amortized));
        }
        let fewer = |a: (u64, u64), b: (u64, u64)| a.0 * b.1.max(1) > b.0 * a.1.max(1);
        assert!(fewer(iterations[0], iterations[1]), "{iterations:?}");
        assert!(fewer(iterations[1], iterations[2]), "{iterations:?}");
    }
}

#[test]
fn another_damping_makes_another_factor() {
    let mut path = NetworkPath::new(5, (256, 8, 18));
    let mut shared = Shared::new((256, 144));
    let b = gaussian(&mut generator(4), 256);
    for (point, rho) in [0.0, 0.0, 1e-3, 1e-3, 1e-2, 0.0, 0.0].into_iter().enumerate() {
        let jacobian = path.at(1e-4 * point as f64);
        let found = shared.solve(jacobian, damped(rho), &b);
        assert_near(jacobian, damped(rho), &b, &found, &format!("rho {rho}, point {point}"));
        let changes = [1, 1, 2, 2, 3, 4, 4][point];
        assert_eq!(shared.path.counts().direct, changes, "point {point}");
        assert_eq!(shared.path.counts().amortized, point as u64 + 1 - changes, "point {point}");
    }
}

/// The limit of the damping: `v = J^T b`, and no factor at all.
#[test]
fn full_damping_is_the_gradient() {
    let mut path = NetworkPath::new(5, (60, 3, 6));
    let mut shared = Shared::new((60, 18));
    let b = gaussian(&mut generator(4), 60);
    let jacobian = path.at(0.0);
    let (v, report) = shared.solve(jacobian, damped(1.0), &b);
    let mut gradient = vec![0.0; 18];
    jacobian.apply_transposed(&b, &mut gradient);
    assert_eq!((v, report.choice), (gradient, Choice::Identity));
    assert_eq!(shared.path.counts(), AmortizedCounts::default());
}

/// At an optimum `J^T b = 0`: the solution is zero to rounding, from any history.
#[test]
fn a_vanishing_right_hand_side_is_solved_by_zero() {
    for rho in [0.0, 1e-3] {
        let mut path = NetworkPath::new(6, (256, 8, 18));
        let mut shared = Shared::new((256, 144));
        let b = gaussian(&mut generator(4), 256);
        for point in 0..7 {
            let b: Vec<f64> = if point < 3 { b.clone() } else { vec![0.0; 256] };
            let jacobian = path.at(1e-4 * f64::from(point));
            let (v, report) = shared.solve(jacobian, damped(rho), &b);
            assert!(report.relative_residual <= 16.0 * EPS, "point {point}: {report:?}");
            if point >= 3 {
                // Backward error alone would let any v pass whose size the residual is small beside.
                assert!(norm(&v) <= 1e-12 * norm(&[1.0; 144]), "point {point}: {:e}", norm(&v));
            }
        }
    }
}

#[test]
fn two_runs_give_the_same_bits() {
    let run = |rho: f64| {
        let mut path = NetworkPath::new(12, (256, 8, 18));
        let mut shared = Shared::new((256, 144));
        let b = gaussian(&mut generator(6), 256);
        let solve = |point: u32| shared.solve(path.at(3e-3 * f64::from(point)), damped(rho), &b);
        let found: Vec<_> = (0..12).map(solve).collect();
        (found, shared.path.counts())
    };
    for rho in [0.0, 1e-3] {
        assert_eq!(run(rho), run(rho));
    }
}
