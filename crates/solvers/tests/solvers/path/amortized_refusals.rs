//! Where no factor can be shared, `AmortizedFactor` answers, and refuses, as `Factors::solve` does.

use gaussflow_solvers::{AmortizedCounts, AmortizedFactor, Choice, DampedSolver};
use gaussflow_solvers::{
    DenseJacobian, Factors, JacobianOperator, SolveError, SolveReport, SolveRequest,
};

use crate::path::amortized::{Shared, assert_near, assert_solves, damped};
use crate::path::paths::{gaussian, generator, spread, with_values};

type Outcome = Result<(Vec<f64>, SolveReport), SolveError>;

/// The outcome of factors that know nothing of a path.
fn fresh(jacobian: &dyn JacobianOperator, request: SolveRequest, b: &[f64]) -> Outcome {
    let mut v = vec![0.0; jacobian.columns()];
    let mut factors = Factors::new(jacobian.rows(), jacobian.columns())?;
    factors.solve(jacobian, request, b, &mut v).map(|report| (v, report))
}

fn shared_outcome(
    shared: &mut Shared,
    jacobian: &dyn JacobianOperator,
    request: SolveRequest,
    b: &[f64],
) -> Outcome {
    shared.factors.invalidate();
    let mut v = vec![0.0; jacobian.columns()];
    let outcome = shared.path.solve(&mut shared.factors, jacobian, request, b, &mut v);
    outcome.map(|report| (v, report))
}

/// All but the estimates, which improve from point to point.
fn decided(outcome: Outcome) -> Result<(Vec<f64>, DampedSolver, Choice, usize), SolveError> {
    outcome.map(|(v, report)| (v, report.solver, report.choice, report.rank))
}

/// The last two columns are alike: J^T J is singular, and J has rank p - 1.
fn deficient(jacobian: &DenseJacobian) -> DenseJacobian {
    let mut copy = jacobian.clone();
    let p = jacobian.columns();
    for r in 0..jacobian.rows() {
        copy.matrix_mut()[(r, p - 1)] = jacobian.matrix()[(r, p - 2)];
    }
    copy
}

/// At the first point of a path, and at every point where rank has been lost for good.
#[test]
fn lost_rank_without_damping_has_the_outcome_of_a_single_point() {
    let jacobian = deficient(&with_values(1, 60, &spread(24, 0.1, 1.0)));
    let b = gaussian(&mut generator(1), 60);
    for solver in DampedSolver::DIRECT {
        let request = SolveRequest { solver, ..SolveRequest::default() };
        let mut shared = Shared::new((60, 24));
        for point in 0..3 {
            let expected = fresh(&jacobian, request, &b);
            let found = shared_outcome(&mut shared, &jacobian, request, &b);
            assert_eq!(found, expected, "{solver:?}, point {point}");
        }
        assert_eq!(shared.path.counts(), AmortizedCounts::default(), "{solver:?}");
    }
    let outcome = fresh(&jacobian, damped(0.0), &b);
    assert!(matches!(outcome, Err(SolveError::RankDeficient { .. })), "{outcome:?}");
}

/// In the middle of a path, with a factor of the point before at hand: products alone do not show that two
/// columns became equal, so that either the loss is seen, or the solution satisfies the equation.
#[test]
fn rank_that_is_lost_on_the_way_is_refused_or_solved_in_the_sense_of_the_equation() {
    let (n, p) = (400, 200);
    let good = with_values(1, n, &spread(p, 0.1, 1.0));
    let bad = deficient(&good);
    let b = gaussian(&mut generator(1), n);
    let mut shared = Shared::new((n, p));
    for _ in 0..3 {
        shared_outcome(&mut shared, &good, damped(0.0), &b).unwrap();
    }
    for point in 0..3 {
        match shared_outcome(&mut shared, &bad, damped(0.0), &b) {
            Err(SolveError::RankDeficient { .. }) => {}
            Ok(found) => assert_solves(&bad, damped(0.0), &b, &found, &format!("point {point}")),
            Err(other) => panic!("point {point}: {other}"),
        }
    }
    let found = shared_outcome(&mut shared, &good, damped(0.0), &b).unwrap();
    assert_near(&good, damped(0.0), &b, &found, "after the loss");
}

/// So ill conditioned that the Cholesky factor of `J^T J` is not trusted.
#[test]
fn an_ill_conditioned_point_is_left_to_the_orthogonal_kernel() {
    let jacobian = with_values(2, 60, &spread(24, 1e-6, 1.0));
    let b = gaussian(&mut generator(2), 60);
    let mut shared = Shared::new((60, 24));
    for _ in 0..3 {
        let found = shared_outcome(&mut shared, &jacobian, damped(0.0), &b);
        assert_eq!(found, fresh(&jacobian, damped(0.0), &b));
        assert_eq!(found.unwrap().1.solver, DampedSolver::HouseholderQr);
    }
    assert_eq!(shared.path.counts(), AmortizedCounts::default());
}

/// So little damping that a Cholesky factor of the squared matrix would lose half the digits.
#[test]
fn little_damping_is_left_to_the_orthogonal_kernel() {
    let jacobian = with_values(4, 60, &spread(24, 1e-6, 1.0));
    let b = gaussian(&mut generator(4), 60);
    let mut shared = Shared::new((60, 24));
    let found = shared_outcome(&mut shared, &jacobian, damped(1e-12), &b);
    assert_eq!(found, fresh(&jacobian, damped(1e-12), &b));
    assert_eq!(found.unwrap().1.solver, DampedSolver::HouseholderQr);
    assert_eq!(shared.path.counts(), AmortizedCounts::default());
}

#[test]
fn more_columns_than_rows_without_damping_are_left_to_a_single_point_solve() {
    let wide = with_values(3, 50, &spread(20, 0.1, 1.0)).matrix().transpose().to_owned();
    let wide = DenseJacobian::from_matrix(wide);
    let b = gaussian(&mut generator(3), 20);
    for solver in DampedSolver::DIRECT {
        let request = SolveRequest { damping: 0.0, solver, ..SolveRequest::default() };
        let mut shared = Shared::new((20, 50));
        for _ in 0..2 {
            let found = shared_outcome(&mut shared, &wide, request, &b);
            let expected = fresh(&wide, request, &b);
            assert_eq!(decided(found), decided(expected), "{solver:?}");
        }
        assert_eq!(shared.path.counts(), AmortizedCounts::default());
    }
    assert!(!AmortizedFactor::is_worthwhile(&wide));
}

#[test]
fn what_is_no_number_or_of_another_shape_is_refused_and_forgotten() {
    let (n, p) = (400, 200);
    let good = with_values(4, n, &spread(p, 0.1, 1.0));
    let mut bad = good.clone();
    bad.matrix_mut()[(5, 1)] = f64::NAN;
    let b = gaussian(&mut generator(4), n);
    let mut nan_b = b.clone();
    nan_b[7] = f64::NAN;
    for rho in [0.0, 1e-3] {
        let mut shared = Shared::new((n, p));
        // Before there is a factor, and with one at hand.
        for _ in 0..2 {
            let found = shared_outcome(&mut shared, &bad, damped(rho), &b);
            let named = matches!(found, Err(SolveError::NonFinite { index, .. }) if index == n + 5);
            assert!(named, "rho {rho}: {:?}", found.map(|(_, report)| report));
            let found = shared_outcome(&mut shared, &good, damped(rho), &nan_b);
            let named = matches!(found, Err(SolveError::NonFinite { index: 7, .. }));
            assert!(named, "rho {rho}: {:?}", found.map(|(_, report)| report));
            let found = shared_outcome(&mut shared, &good, damped(f64::NAN), &b);
            assert!(matches!(found, Err(SolveError::InvalidDamping { .. })));
            let found = shared_outcome(&mut shared, &good, damped(rho), &b[1..]);
            assert!(matches!(found, Err(SolveError::ShapeMismatch { .. })));
            let (v, report) = shared_outcome(&mut shared, &good, damped(rho), &b).unwrap();
            assert!(report.relative_residual < 1e-14, "rho {rho}: {report:?}");
            assert!(v.iter().all(|x| x.is_finite()));
        }
    }
}
