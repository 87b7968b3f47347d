//! What cannot be solved is refused with a typed error that holds the numbers, never a panic.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{DampedSolver, DenseJacobian, Factors, SolveError, SolveRequest, norm};

use crate::systems::{EPS, Spectrum, System, gaussian, generator};

fn solve(
    jacobian: &DenseJacobian,
    solver: DampedSolver,
    damping: f64,
    b: &[f64],
) -> Result<(Vec<f64>, gaussflow_solvers::SolveReport), SolveError> {
    let (rows, columns) = (jacobian.matrix().nrows(), jacobian.matrix().ncols());
    let mut v = vec![f64::NAN; columns];
    let request = SolveRequest { damping, solver, ..SolveRequest::default() };
    let report = Factors::new(rows, columns)?.solve(jacobian, request, b, &mut v)?;
    Ok((v, report))
}

fn sample(shape: (usize, usize)) -> DenseJacobian {
    System::new(&mut generator(1), shape, Spectrum::LogUniform, 100.0, 1.0).jacobian
}

#[test]
fn shapes_are_checked_before_anything_is_read() {
    assert_eq!(Factors::new(0, 3).err(), Some(SolveError::EmptySystem { rows: 0, columns: 3 }));
    assert_eq!(Factors::new(3, 0).err(), Some(SolveError::EmptySystem { rows: 3, columns: 0 }));
    let jacobian = sample((4, 3));
    let mut factors = Factors::new(4, 3).unwrap();
    let request = SolveRequest::default();
    let mismatch = |outcome: Result<(), SolveError>, want: usize, got: usize| {
        let matched = matches!(outcome, Err(SolveError::ShapeMismatch { expected, found, .. })
            if expected == want && found == got);
        assert!(matched, "{outcome:?}");
    };
    mismatch(factors.solve(&jacobian, request, &[1.0; 5], &mut [0.0; 3]).map(drop), 4, 5);
    mismatch(factors.solve(&jacobian, request, &[1.0; 4], &mut [0.0; 2]).map(drop), 3, 2);
    let mut out = [0.0; 4];
    mismatch(factors.project_on_range(&jacobian, 0.0, &[1.0; 3], &mut out).map(drop), 4, 3);
    mismatch(factors.project_on_range(&jacobian, 0.0, &[1.0; 4], &mut out[..1]).map(drop), 4, 1);
    // An operator of another shape, before and after a factor is held.
    for _ in 0..2 {
        let (tall, wide) = (sample((5, 3)), sample((4, 6)));
        mismatch(factors.solve(&tall, request, &[1.0; 4], &mut [0.0; 3]).map(drop), 4, 5);
        mismatch(factors.solve(&wide, request, &[1.0; 4], &mut [0.0; 3]).map(drop), 3, 6);
        mismatch(factors.dense(&tall).map(drop), 4, 5);
        factors.solve(&jacobian, request, &[1.0; 4], &mut [0.0; 3]).unwrap();
    }
}

#[test]
fn numbers_out_of_range_are_named() {
    let jacobian = sample((4, 3));
    for damping in [-1e-300, 1.0 + EPS, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for solver in DampedSolver::DIRECT {
            let outcome = solve(&jacobian, solver, damping, &[1.0; 4]);
            let matched = matches!(outcome, Err(SolveError::InvalidDamping { damping: found })
                if found.to_bits() == damping.to_bits());
            assert!(matched, "{damping}: {outcome:?}");
        }
    }
    for cutoff in [-1e-300, 1.0, f64::NAN, f64::INFINITY] {
        let request = SolveRequest { rank_cutoff: cutoff, ..SolveRequest::default() };
        let mut factors = Factors::new(4, 3).unwrap();
        let solved = factors.solve(&jacobian, request, &[1.0; 4], &mut [0.0; 3]).map(drop);
        let projected =
            factors.project_on_range(&jacobian, cutoff, &[1.0; 4], &mut [0.0; 4]).map(drop);
        for outcome in [solved, projected] {
            assert!(matches!(outcome, Err(SolveError::InvalidCutoff { .. })), "{outcome:?}");
        }
    }
    for tolerance in [-1e-300, f64::NAN, f64::NEG_INFINITY] {
        let request = SolveRequest { tolerance, ..SolveRequest::default() };
        let mut factors = Factors::new(4, 3).unwrap();
        let outcome = factors.solve(&jacobian, request, &[1.0; 4], &mut [0.0; 3]).map(drop);
        assert!(matches!(outcome, Err(SolveError::InvalidTolerance { .. })), "{outcome:?}");
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for solver in DampedSolver::DIRECT {
            for damping in [0.0, 0.5, 1.0] {
                let mut b = [1e308; 4];
                b[2] = bad;
                let outcome = solve(&jacobian, solver, damping, &b);
                assert!(
                    matches!(outcome, Err(SolveError::NonFinite { index: 2, value, .. })
                        if value.to_bits() == bad.to_bits()),
                    "{outcome:?}"
                );
                let mut broken = jacobian.clone();
                broken.matrix_mut()[(1, 2)] = bad;
                let outcome = solve(&broken, solver, damping, &[1.0; 4]);
                assert!(
                    matches!(outcome, Err(SolveError::NonFinite { index: 9, value, .. })
                        if value.to_bits() == bad.to_bits()),
                    "{outcome:?}"
                );
                let mut factors = Factors::new(4, 3).unwrap();
                assert!(factors.extreme_singular_values(&broken).is_err());
                assert!(factors.project_on_range(&broken, 0.0, &b, &mut [0.0; 4]).is_err());
            }
        }
    }
}

/// Matrices without full column rank: duplicate, zero and dependent columns, zero matrices, wide.
fn deficient() -> Vec<(&'static str, DenseJacobian)> {
    let full = sample((20, 6));
    let full = full.matrix();
    let with = |f: &dyn Fn(usize, usize) -> f64| DenseJacobian::from_matrix(Mat::from_fn(20, 6, f));
    vec![
        ("duplicate", with(&|r, c| full[(r, c % 5)])),
        ("all alike", with(&|r, _| full[(r, 0)])),
        ("ones", with(&|_, _| 1.0)),
        ("zero column", with(&|r, c| if c == 3 { 0.0 } else { full[(r, c)] })),
        ("sum", with(&|r, c| if c == 5 { full[(r, 0)] + full[(r, 1)] } else { full[(r, c)] })),
        ("zero", DenseJacobian::zeros(20, 6)),
        ("one zero", DenseJacobian::zeros(1, 1)),
        ("wide", sample((6, 20))),
        ("very tall", with_duplicate_of_tall()),
    ]
}

/// 200 x 4 with two equal columns: above the ratio at which a decomposition starts with a QR.
fn with_duplicate_of_tall() -> DenseJacobian {
    let tall = sample((200, 4));
    DenseJacobian::from_matrix(Mat::from_fn(200, 4, |r, c| tall.matrix()[(r, c % 3)]))
}

#[test]
fn lost_rank_is_refused_with_numbers_or_solved_in_the_least_norm_sense() {
    for (name, jacobian) in deficient() {
        let (rows, columns) = (jacobian.matrix().nrows(), jacobian.matrix().ncols());
        let b = gaussian(&mut generator(2), rows);
        let size = jacobian.matrix().norm_l2();
        for solver in DampedSolver::DIRECT {
            let outcome = solve(&jacobian, solver, 0.0, &b);
            match (solver, outcome) {
                (DampedSolver::HouseholderQr, Err(error))
                | (
                    DampedSolver::Auto | DampedSolver::AmortizedCholesky,
                    Err(error @ SolveError::RankDeficient { .. }),
                ) => {
                    let SolveError::RankDeficient { smallest, largest, cutoff, .. } = error else {
                        panic!("{name}: {error}");
                    };
                    assert!(smallest <= cutoff * largest && largest <= size * 1.001, "{name}");
                    assert!(largest >= size / 6.0, "{name}: {largest}");
                }
                (
                    DampedSolver::PrimalCholesky | DampedSolver::DualCholesky,
                    Err(SolveError::NotPositiveDefinite { solver: named, damping, index }),
                ) => {
                    let order =
                        [rows, columns][usize::from(solver == DampedSolver::PrimalCholesky)];
                    assert!(named == solver && damping == 0.0 && index < order, "{name}");
                }
                (_, Ok((v, report))) => {
                    assert!(solver != DampedSolver::PrimalCholesky, "{name}: {report:?}");
                    assert!(v.iter().all(|x| x.is_finite()), "{name}");
                    // The dual kernel's residual grows with the condition of K, here 100^2.
                    let growth = if solver == DampedSolver::DualCholesky { 1e4 } else { 1.0 };
                    let bound = 100.0 * growth * EPS * size * norm(&b);
                    assert!(report.residual <= bound, "{name}: {report:?}");
                    assert!(
                        report.rank <= rows.min(columns) && !report.condition_estimate.is_nan()
                    );
                }
                (_, Err(error)) => panic!("{name} with {solver:?}: {error}"),
            }
            let (v, report) = solve(&jacobian, solver, 0.5, &b).unwrap();
            assert!(v.iter().all(|x| x.is_finite()) && !report.condition_estimate.is_nan());
            assert!(report.relative_residual <= 50.0 * EPS, "{name} with {solver:?}: {report:?}");
        }
    }
}

/// The pseudo-inverse's solution has no part in the null space: of all minimizers it is shortest.
#[test]
fn the_least_norm_solution_of_duplicate_columns_shares_the_weight() {
    let jacobian = with_duplicate_of_tall();
    let b = gaussian(&mut generator(2), 200);
    let (v, report) = solve(&jacobian, DampedSolver::ThinSvd, 0.0, &b).unwrap();
    assert_eq!(report.rank, 3);
    // Columns 0 and 3 are equal, so that their weights are; error eps times condition 100.
    assert!((v[0] - v[3]).abs() <= 2e4 * EPS * norm(&v), "{v:?}");
}

/// Scales from subnormal to near overflow: a right answer or a typed error.
#[test]
fn extreme_scales_are_solved_or_refused() {
    let base = System::new(&mut generator(3), (20, 6), Spectrum::Geometric, 10.0, 1.0);
    let b = gaussian(&mut generator(4), 20);
    let mut solved = 0;
    for exponent in [-320, -308, -300, -200, -160, -150, 100, 150, 153, 160, 200, 300, 307] {
        let scale = 10.0_f64.powi(exponent);
        let jacobian = DenseJacobian::from_matrix(Mat::from_fn(20, 6, |r, c| {
            base.jacobian.matrix()[(r, c)] * scale
        }));
        for (solver, rho) in
            DampedSolver::DIRECT.iter().flat_map(|&s| [0.0, 1e-6, 0.5, 1.0].map(|r| (s, r)))
        {
            let context = format!("scale 1e{exponent}, {solver:?}, rho {rho}");
            let (v, report) = match solve(&jacobian, solver, rho, &b) {
                Ok(answer) => answer,
                Err(
                    SolveError::NotPositiveDefinite { .. }
                    | SolveError::Overflow { .. }
                    | SolveError::RankDeficient { .. }
                    | SolveError::NonFinite { .. },
                ) => {
                    let squared =
                        matches!(solver, DampedSolver::PrimalCholesky | DampedSolver::DualCholesky);
                    // At rho = 1 and 1e160 J^T (b - J v) itself leaves the range of numbers.
                    let within = (-300..=150).contains(&exponent);
                    assert!(squared || !within, "{context}: refused without need");
                    continue;
                }
                Err(other) => panic!("{context}: {other}"),
            };
            solved += 1;
            assert!(!report.residual.is_nan() && !report.relative_residual.is_nan(), "{context}");
            assert!(!report.condition_estimate.is_nan(), "{context}: {report:?}");
            let (unit, expected) = expected_solution(&base, scale, rho, &b);
            let error: Vec<f64> = v.iter().zip(&expected).map(|(a, b)| a * unit - b).collect();
            let tolerance = 1e6 * EPS * norm(&expected);
            // A subnormal J keeps few digits of its own entries.
            if exponent >= -290 && report.solver != DampedSolver::DualCholesky {
                assert!(norm(&error) <= tolerance, "{context}: {v:?} {expected:?}");
            }
        }
    }
    assert!(solved > 150, "only {solved} were solved");
}

/// A unit and `v * unit`, of size 1, for J = scale times the base: the k-th part of v is
/// `s scale / ((1-rho) (s scale)^2 + rho)`, with the scale taken out where it would overflow.
fn expected_solution(base: &System, scale: f64, rho: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let shrinks = rho == 0.0 || (scale > 1.0 && rho < 1.0);
    let unit = if shrinks { scale } else { 1.0 / scale };
    let mut sum = vec![0.0; base.columns];
    for (k, &s) in base.values.iter().enumerate() {
        let gain = if rho == 0.0 {
            1.0 / s
        } else if rho == 1.0 {
            s
        } else if scale > 1.0 {
            1.0 / ((1.0 - rho) * s + rho / s / scale / scale)
        } else {
            s / ((1.0 - rho) * s * s * scale * scale + rho)
        };
        for (o, t) in sum.iter_mut().zip(base.exact_term(k, b)) {
            *o += gain * t;
        }
    }
    (unit, sum)
}
