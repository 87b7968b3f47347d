//! Nothing is allocated inside a step: at a second point every kernel works in warm buffers.

use gaussflow_solvers::{AmortizedFactor, DampedSolver, DenseJacobian, Factors, JacobianOperator};
use gaussflow_solvers::{RowKronecker, SolveError, SolveRequest, SpectrumTracker};
use rand_chacha::ChaCha8Rng;

use crate::allocation_counter::allocations;
use crate::draws::{gaussian, generator};

const ROWS: usize = 256;
const COLUMNS: usize = 144;

/// S and X of a network with 18 hidden units on 8 features.
fn network(rng: &mut ChaCha8Rng) -> RowKronecker {
    let mut jacobian = RowKronecker::new(&gaussian(rng, ROWS * 8), 8, 18);
    for c in 0..18 {
        for (j, entry) in gaussian(rng, ROWS).into_iter().enumerate() {
            jacobian.pieces_mut()[0].left_mut()[(j, c)] = entry;
        }
    }
    jacobian
}

fn dense(rng: &mut ChaCha8Rng, rows: usize, columns: usize) -> DenseJacobian {
    let mut jacobian = DenseJacobian::zeros(rows, columns);
    for c in 0..columns {
        let column = gaussian(rng, rows);
        jacobian.matrix_mut().col_mut(c).iter_mut().zip(column).for_each(|(m, x)| *m = x);
    }
    jacobian
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![0.0; 100]))), 1);
}

/// One point's work at rho = 0 and rho > 0, as far as the shape allows.
fn step(
    factors: &mut Factors,
    jacobian: &dyn JacobianOperator,
    b: &[f64],
    v: &mut [f64],
    out: &mut [f64],
    solver: DampedSolver,
) {
    factors.invalidate();
    for damping in [0.0, 1e-3] {
        let request = SolveRequest { damping, solver, ..SolveRequest::default() };
        match factors.solve(jacobian, request, b, v) {
            Ok(_)
            | Err(SolveError::NotPositiveDefinite { .. } | SolveError::RankDeficient { .. }) => {}
            Err(other) => panic!("{solver:?}: {other}"),
        }
    }
    let request = SolveRequest { damping: 1e-3, solver, ..SolveRequest::default() };
    factors.apply_inverse(jacobian, request, v).unwrap();
    factors.extreme_singular_values(jacobian).unwrap();
    factors.project_on_range(jacobian, 1e-14, b, out).unwrap();
}

#[test]
fn a_second_point_allocates_nothing() {
    let rng = &mut generator(1);
    let structured = [network(rng), network(rng)];
    let tall = [dense(rng, ROWS, COLUMNS), dense(rng, ROWS, COLUMNS)];
    let wide = [dense(rng, COLUMNS, ROWS), dense(rng, COLUMNS, ROWS)];
    let points: [[&dyn JacobianOperator; 2]; 3] =
        [[&structured[0], &structured[1]], [&tall[0], &tall[1]], [&wide[0], &wide[1]]];
    let mut found = Vec::new();
    for (k, [first, second]) in points.into_iter().enumerate() {
        let (rows, columns) = (first.rows(), first.columns());
        let b = gaussian(rng, rows);
        let (mut v, mut out) = (vec![0.0; columns], vec![0.0; rows]);
        for solver in DampedSolver::DIRECT {
            let mut factors = Factors::new(rows, columns).unwrap();
            step(&mut factors, first, &b, &mut v, &mut out, solver);
            let count = allocations(|| step(&mut factors, second, &b, &mut v, &mut out, solver));
            if count > 0 {
                found.push((k, solver, count));
            }
        }
    }
    assert!(found.is_empty(), "allocations inside a step: {found:?}");
}

/// Slopes that move along a line, `S(t) = S + t (S' - S)`, at `count` points t = 0, `step`, 2 `step`, ...
fn path(rng: &mut ChaCha8Rng, count: usize, step: f64) -> Vec<RowKronecker> {
    let (from, to) = (network(rng), network(rng));
    let point = |t: f64| {
        let mut jacobian = from.clone();
        for (j, c) in (0..ROWS).flat_map(|j| (0..18).map(move |c| (j, c))) {
            jacobian.pieces_mut()[0].left_mut()[(j, c)] +=
                t * (to.pieces()[0].left()[(j, c)] - from.pieces()[0].left()[(j, c)]);
        }
        jacobian
    };
    (0..count).map(|k| point(step * k as f64)).collect()
}

/// The shape of the benchmark, with the kernel that is chosen by itself: Cholesky at rho = 0 and above.
#[test]
fn a_structured_jacobian_with_the_kernel_chosen_by_itself_allocates_nothing() {
    let rng = &mut generator(2);
    let points = path(rng, 6, 1e-2);
    let (b, mut v) = (gaussian(rng, ROWS), vec![0.0; COLUMNS]);
    for damping in [0.0, 1e-3, 0.1] {
        let request = SolveRequest { damping, ..SolveRequest::default() };
        let mut factors = Factors::new(ROWS, COLUMNS).unwrap();
        for (k, jacobian) in points.iter().enumerate() {
            let count = allocations(|| {
                factors.invalidate();
                let report = factors.solve(jacobian, request, &b, &mut v).unwrap();
                assert_eq!(report.solver, DampedSolver::PrimalCholesky);
            });
            assert_eq!(count.min(1), u64::from(k == 0), "damping {damping}, point {k}: {count}");
        }
    }
}

/// The second point still makes room for a second vector of the path; from the third on there is room.
#[test]
fn tracked_values_allocate_nothing() {
    let rng = &mut generator(3);
    let points = path(rng, 12, 1e-3);
    let (mut factors, mut tracker) = (Factors::new(ROWS, COLUMNS).unwrap(), SpectrumTracker::new());
    // The dense computation has buffers of its own, made when it first decides.
    factors.extreme_singular_values(&points[0]).unwrap();
    let mut late = 0;
    for (k, jacobian) in points.iter().enumerate() {
        let count = allocations(|| {
            factors.invalidate();
            tracker.extremes(&mut factors, jacobian).unwrap();
            tracker.smallest(&mut factors, jacobian).unwrap();
        });
        assert!(k > 0 || count > 0, "the first point must make its buffers");
        late += if k >= 2 { count } else { 0 };
    }
    assert_eq!(late, 0, "{:?}", tracker.counts());
    assert!(tracker.counts().certified >= 20, "{:?}", tracker.counts());
}

/// Three solutions are kept; from the fourth point on there is room for all, whatever a solve becomes:
/// a direct one, one with an earlier factor, or one that is given up.
#[test]
fn solves_that_share_a_factor_allocate_nothing() {
    let rng = &mut generator(4);
    let mut points = path(rng, 8, 1e-5);
    // A jump, and then large steps.
    points.extend(path(rng, 8, 0.1));
    let (b, mut v) = (gaussian(rng, ROWS), vec![0.0; COLUMNS]);
    for damping in [0.0, 1e-3] {
        let request = SolveRequest {
            damping,
            solver: DampedSolver::AmortizedCholesky,
            ..SolveRequest::default()
        };
        let (mut factors, mut shared) =
            (Factors::new(ROWS, COLUMNS).unwrap(), AmortizedFactor::new());
        let mut late = 0;
        for (k, jacobian) in points.iter().enumerate() {
            let count = allocations(|| {
                factors.invalidate();
                shared.solve(&mut factors, jacobian, request, &b, &mut v).unwrap();
            });
            assert!(k > 0 || count > 0, "the first point must make its buffers");
            late += if k >= 3 { count } else { 0 };
        }
        let counts = shared.counts();
        assert_eq!(late, 0, "{counts:?}");
        assert!(counts.direct >= 2 && counts.amortized >= 4, "{counts:?}");
        assert!(counts.given_up >= 1, "{counts:?}");
    }
}
