//! `SpectrumTracker` along paths against a fresh dense computation at every point.
//!
//! A certificate leaves the square of a value the relative width 1e-12. Rounding adds, with F the
//! Frobenius norm: `theta = norm(J x)^2` errs by `2 (p + 2) eps F / sigma` (a product errs by
//! `(p + 2) eps norm(row) norm(x)` an entry) and `(n + p) eps` for the squares and the length of x; the
//! dense value by `c eps sigma_max / sigma`, twice in the square. Together at most
//! `4 (n + p + 16) eps F / sigma`: the first power, since J is applied and never squared. The
//! certificate of the largest allows the rounding of the Gram matrix, `(n + 2 p + 16) eps F^2`, twice:
//! once in its shift and once in its factor.

use gaussflow_solvers::{
    DampedSolver, DenseJacobian, ExtremeSingularValues, Factors, JacobianOperator, SolveError,
    SolveRequest, SpectrumTracker, TrackerCounts,
};
use proptest::prelude::*;

use crate::path::paths::{EPS, NetworkPath, gaussian, generator, settings, spread, with_values};

/// A tracker with factors of its own.
pub struct Tracked {
    factors: Factors,
    tracker: SpectrumTracker,
}

impl Tracked {
    pub fn new((n, p): (usize, usize)) -> Self {
        Self { factors: Factors::new(n, p).unwrap(), tracker: SpectrumTracker::new() }
    }

    pub fn counts(&self) -> TrackerCounts {
        self.tracker.counts()
    }

    pub fn extremes(&mut self, jacobian: &dyn JacobianOperator) -> ExtremeSingularValues {
        self.factors.invalidate();
        self.tracker.extremes(&mut self.factors, jacobian).unwrap()
    }

    pub fn smallest(&mut self, jacobian: &dyn JacobianOperator) -> f64 {
        self.factors.invalidate();
        self.tracker.smallest(&mut self.factors, jacobian).unwrap()
    }
}

/// The values of factors that know nothing of a path.
pub fn fresh(jacobian: &dyn JacobianOperator) -> ExtremeSingularValues {
    let mut factors = Factors::new(jacobian.rows(), jacobian.columns()).unwrap();
    factors.extreme_singular_values(jacobian).unwrap()
}

/// Relative width that the square of the smallest and of the largest value may have.
pub fn widths(jacobian: &dyn JacobianOperator, values: ExtremeSingularValues) -> (f64, f64) {
    let (n, p) = (jacobian.rows() as f64, jacobian.columns() as f64);
    let squared = jacobian.squared_norm();
    let products = |sigma: f64| 4.0 * (n + p + 16.0) * EPS * squared.sqrt() / sigma;
    let shift = 2.0 * (n + 2.0 * p + 16.0) * EPS * squared / values.largest.powi(2);
    (1e-12 + products(values.smallest), 1e-12 + shift + products(values.largest))
}

/// Asks both questions at a point, and compares with a fresh dense computation.
pub fn check(both: &mut Tracked, one: &mut Tracked, jacobian: &dyn JacobianOperator, what: &str) {
    let dense = fresh(jacobian);
    let (narrow, wide) = widths(jacobian, dense);
    let before = (both.counts().dense, one.counts().dense);
    let (found, smallest) = (both.extremes(jacobian), one.smallest(jacobian));
    for value in [found.smallest, smallest] {
        let off = ((value / dense.smallest).powi(2) - 1.0).abs();
        assert!(off <= narrow, "{what}: {value} for {}, off {off:e}", dense.smallest);
    }
    let off = ((found.largest / dense.largest).powi(2) - 1.0).abs();
    assert!(off <= wide, "{what}: {} for {}, off {off:e}", found.largest, dense.largest);
    if both.counts().dense > before.0 {
        assert_eq!(found, dense, "{what}");
    }
    if one.counts().dense > before.1 {
        assert_eq!(smallest, dense.smallest, "{what}");
    }
}

/// n, d, m with p = d m from 16 to 160.
const SHAPES: [(usize, usize, usize); 7] =
    [(60, 4, 4), (16, 1, 16), (137, 3, 11), (90, 7, 9), (256, 8, 12), (300, 10, 13), (420, 8, 20)];

/// n, d, m with p = d m above n: then K has the spectrum.
const WIDE: [(usize, usize, usize); 3] = [(40, 8, 30), (150, 5, 90), (17, 3, 40)];

#[test]
fn values_along_a_path_are_those_of_a_fresh_dense_computation() {
    for (k, shape) in SHAPES.into_iter().chain(WIDE).enumerate() {
        let (n, d, m) = shape;
        for step in [1e-3, 0.2] {
            let mut path = NetworkPath::new(k as u64, shape);
            let (mut both, mut one) = (Tracked::new((n, m * d)), Tracked::new((n, m * d)));
            let points = 12_u32;
            for point in 0..points {
                let jacobian = path.at(step * f64::from(point));
                check(&mut both, &mut one, jacobian, &format!("{shape:?}, {step}, {point}"));
            }
            for counts in [both.counts(), one.counts()] {
                assert_eq!(counts.certified + counts.dense, u64::from(points));
                // A tracker that never certifies would pass every comparison above.
                let conditioned = k != 1;
                if step < 0.1 && conditioned {
                    assert!(counts.certified >= 8, "{shape:?}: {counts:?}");
                }
            }
        }
    }
}

/// The last vector is then the present one to rounding: nothing is left for the search to improve.
#[test]
fn a_path_that_stands_still_is_tracked_as_well() {
    let shape = (200, 6, 8);
    let mut path = NetworkPath::new(3, shape);
    let (mut both, mut one) = (Tracked::new((200, 48)), Tracked::new((200, 48)));
    for point in 0..30 {
        let t = if point < 5 { 0.01 * f64::from(point) } else { 0.05 };
        check(&mut both, &mut one, path.at(t), &format!("point {point}"));
    }
    assert!(both.counts().certified >= 25, "{:?}", both.counts());
}

/// Near the crossing there is no gap that a certificate could stand on.
#[test]
fn a_crossing_of_the_two_smallest_values_falls_back_and_never_errs() {
    for (seed, p) in [(1, 16), (2, 31), (3, 64)] {
        let n = p + 20;
        let (mut both, mut one) = (Tracked::new((n, p)), Tracked::new((n, p)));
        for point in -10..=10 {
            let t = f64::from(point) / 10.0;
            let mut values = spread(p, 0.5, 2.0);
            (values[3], values[p - 2]) = (0.2 + 0.1 * t, 0.2 - 0.1 * t);
            let jacobian = with_values(seed, n, &values);
            check(&mut both, &mut one, &jacobian, &format!("p {p}, point {point}"));
            let exact = 0.2 - 0.1 * t.abs();
            let error = (fresh(&jacobian).smallest - exact).abs();
            assert!(error <= 100.0 * EPS * 2.0, "the oracle itself: {error:e}");
        }
        for counts in [both.counts(), one.counts()] {
            assert!(counts.dense >= 1 && counts.certified >= 10, "p {p}: {counts:?}");
        }
    }
}

proptest! {
    #![proptest_config(settings(48, 2))]

    /// The second value comes near, and goes, by any factor from point to point: what the last certificate
    /// left of a gap says nothing of this one's.
    #[test]
    fn a_second_value_at_any_distance_does_not_blur_the_first(
        seed in any::<u64>(),
        p in 16..48_usize,
        distances in prop::collection::vec(-9.0..0.0_f64, 1..10),
        step in -5.0..-1.0_f64,
    ) {
        let n = p + 7;
        let (mut both, mut one) = (Tracked::new((n, p)), Tracked::new((n, p)));
        for (point, distance) in distances.into_iter().enumerate() {
            let mut values = spread(p, 0.5, 2.0);
            (values[2], values[p - 3]) = (0.1, 0.1 * (1.0 + 10.0_f64.powf(distance)));
            let mut matrix = with_values(seed, n, &values).matrix().to_owned();
            // The bases turn by rotations of neighbouring columns and rows.
            let (sine, cosine) = (10.0_f64.powf(step) * point as f64).sin_cos();
            for c in 0..p - 1 {
                for r in 0..n {
                    let (x, y) = (matrix[(r, c)], matrix[(r, c + 1)]);
                    matrix[(r, c)] = cosine * x - sine * y;
                    matrix[(r, c + 1)] = sine * x + cosine * y;
                }
            }
            let jacobian = DenseJacobian::from_matrix(matrix);
            check(&mut both, &mut one, &jacobian, &format!("point {point}, 1e{distance}"));
        }
    }
}

/// An exactly multiple smallest value has no certificate, wherever the path has been.
#[test]
fn a_multiple_smallest_value_is_left_to_the_dense_computation() {
    let mut values = spread(24, 0.5, 2.0);
    (values[4], values[9], values[20]) = (0.1, 0.1, 0.1);
    let (mut both, mut one) = (Tracked::new((40, 24)), Tracked::new((40, 24)));
    for point in 0..4 {
        let jacobian = with_values(point, 40, &values);
        check(&mut both, &mut one, &jacobian, &format!("point {point}"));
    }
    assert_eq!(both.counts(), TrackerCounts { certified: 0, dense: 4 });
}

/// With p > n the spectrum tells that the range is all of output space: neither a QR nor an SVD of J is made.
#[test]
fn a_wide_jacobian_is_projected_without_a_factor_of_it() {
    let wide = with_values(6, 40, &spread(20, 0.5, 2.0)).matrix().transpose().to_owned();
    let wide = DenseJacobian::from_matrix(wide);
    let mut tracked = Tracked::new((20, 40));
    tracked.extremes(&wide);
    let u = gaussian(&mut generator(1), 20);
    let mut out = vec![f64::NAN; 20];
    let rank = tracked.factors.project_on_range(&wide, 1e-14, &u, &mut out).unwrap();
    assert_eq!((rank, &out), (20, &u));
    let counts = tracked.factors.counts();
    assert_eq!((counts.qr, counts.svd, tracked.counts().certified), (0, 0, 1));
}

/// A damping far below the square of the norm: Cholesky where J itself is well conditioned, an orthogonal kernel where not.
#[test]
fn little_damping_keeps_cholesky_where_its_factor_is_good() {
    let request = SolveRequest { damping: 1e-4, ..SolveRequest::default() };
    let (good, bad) = (spread(20, 300.0, 600.0), spread(20, 1e-3, 600.0));
    for (values, tall, wide) in [
        (good, DampedSolver::PrimalCholesky, DampedSolver::DualCholesky),
        (bad, DampedSolver::HouseholderQr, DampedSolver::ThinSvd),
    ] {
        let jacobian = with_values(3, 40, &values);
        let turned = DenseJacobian::from_matrix(jacobian.matrix().transpose().to_owned());
        for (jacobian, expected) in [(jacobian, tall), (turned, wide)] {
            let (n, p) = (jacobian.rows(), jacobian.columns());
            let (b, mut v) = (gaussian(&mut generator(2), n), vec![0.0; p]);
            let mut factors = Factors::new(n, p).unwrap();
            let report = factors.solve(&jacobian, request, &b, &mut v).unwrap();
            assert_eq!(report.solver, expected, "{report}");
            assert!(report.relative_residual < 1e-14, "{report}");
        }
    }
}

#[test]
fn what_cannot_be_tracked_takes_the_dense_path() {
    let deficient = {
        let mut values = spread(20, 0.5, 2.0);
        values[7] = 0.0;
        with_values(5, 30, &values)
    };
    let ill = {
        let mut values = spread(20, 0.5, 2.0);
        values[7] = 1e-6;
        with_values(5, 30, &values)
    };
    let wide_ill = ill.matrix().transpose().to_owned();
    let wide = DenseJacobian::from_matrix(wide_ill);
    let tiny = with_values(7, 30, &spread(15, 0.5, 2.0));
    let single = with_values(8, 30, &[2.0]);
    for (name, jacobian) in
        [("rank", deficient), ("ill", ill), ("wide", wide), ("tiny", tiny), ("single", single)]
    {
        let mut tracked = Tracked::new((jacobian.rows(), jacobian.columns()));
        for _ in 0..3 {
            assert_eq!(tracked.extremes(&jacobian), fresh(&jacobian), "{name}");
            assert_eq!(tracked.smallest(&jacobian), fresh(&jacobian).smallest, "{name}");
        }
        assert_eq!(tracked.counts(), TrackerCounts { certified: 0, dense: 6 }, "{name}");
    }
}

/// A point that lost rank in the middle of a path, and good ones after it.
#[test]
fn a_path_goes_on_after_a_point_that_lost_rank() {
    let (mut both, mut one) = (Tracked::new((50, 18)), Tracked::new((50, 18)));
    for point in 0..9 {
        let mut values = spread(18, 0.5, 2.0);
        values[6] = if point == 4 { 0.0 } else { 0.1 + 0.01 * f64::from(point) };
        let jacobian = with_values(9, 50, &values);
        if point == 4 {
            assert!(both.extremes(&jacobian).smallest <= 100.0 * EPS);
            assert!(one.smallest(&jacobian) <= 100.0 * EPS);
        } else {
            check(&mut both, &mut one, &jacobian, &format!("point {point}"));
        }
    }
    assert!(both.counts().certified >= 6, "{:?}", both.counts());
}

#[test]
fn what_is_no_number_or_of_another_shape_is_refused() {
    let good = with_values(1, 30, &spread(18, 0.5, 2.0));
    let mut bad = good.clone();
    bad.matrix_mut()[(4, 2)] = f64::NAN;
    let mut tracked = Tracked::new((30, 18));
    tracked.extremes(&good);
    for expected in [2 * 30 + 4; 2] {
        tracked.factors.invalidate();
        let outcome = tracked.tracker.extremes(&mut tracked.factors, &bad);
        let matched =
            matches!(outcome, Err(SolveError::NonFinite { index, .. }) if index == expected);
        assert!(matched, "{outcome:?}");
    }
    let other = with_values(1, 31, &spread(18, 0.5, 2.0));
    tracked.factors.invalidate();
    let outcome = tracked.tracker.smallest(&mut tracked.factors, &other);
    assert!(matches!(outcome, Err(SolveError::ShapeMismatch { .. })), "{outcome:?}");
    let counts = tracked.counts();
    assert_eq!(counts.certified + counts.dense, 1);
}

#[test]
fn two_runs_give_the_same_bits() {
    let run = || {
        let mut path = NetworkPath::new(11, (150, 5, 9));
        let (mut both, mut one) = (Tracked::new((150, 45)), Tracked::new((150, 45)));
        let mut found = Vec::new();
        for point in 0..15 {
            let jacobian = path.at(0.03 * f64::from(point));
            let extremes = both.extremes(jacobian);
            found.push([extremes.smallest, extremes.largest, one.smallest(jacobian)]);
        }
        (found, both.counts(), one.counts())
    };
    assert_eq!(run(), run());
}
