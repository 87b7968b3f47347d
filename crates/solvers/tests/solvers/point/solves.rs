//! Every kernel against the defining equation and the exact solution, over 1..200 and cond 1e12.

use gaussflow_solvers::{
    Choice, DampedSolver, FactorCounts, Factors, SolveError, SolveRequest, norm,
};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;

use crate::cases::settings;
use crate::double_double::{distance, length, widen};
use crate::systems::{EPS, Spectrum, System, gaussian, generator, residual};

/// One system, its right-hand side and damping, with the norms that the bounds are made of.
struct Case {
    system: System,
    rho: f64,
    b: Vec<f64>,
}

impl Case {
    /// Growth of the rounding errors with the shape: Householder QR, bidiagonalization, Cholesky
    /// and the products each err by at most a small constant times the number of terms of a sum
    /// (Higham, Accuracy and Stability, sections 3.1, 10.1 and 19.3); statistically by its root.
    fn growth(&self) -> f64 {
        8.0 + (self.system.rows + self.system.columns) as f64 / 4.0
    }

    /// `norm(J) (norm(b) + (1-rho) norm(J) norm(v)) + rho norm(v)`: what one relative rounding of
    /// J, b or v moves the residual by.
    fn size(&self, v: &[f64]) -> f64 {
        let (s, v) = (self.system.largest(), norm(v));
        s * (norm(&self.b) + (1.0 - self.rho) * s * v) + self.rho * v
    }

    /// Extreme eigenvalues of `(1-rho) J^T J + rho I` (primal) or `(1-rho) K + rho I` (dual).
    fn spectrum(&self, solver: DampedSolver) -> (f64, f64) {
        let (n, p) = (self.system.rows, self.system.columns);
        let singular = if solver == DampedSolver::DualCholesky { n > p } else { p > n };
        let smallest = if singular { 0.0 } else { self.system.smallest() };
        let at = |s: f64| (1.0 - self.rho) * s * s + self.rho;
        (at(smallest), at(self.system.largest()))
    }

    /// Bound on the residual.
    ///
    /// QR, SVD and primal Cholesky solve a system with J (or the matrix) moved by c eps of its
    /// norm: the residual is c eps `size`. The dual kernel leaves `J^T d` with d the residual of
    /// the n x n system, c eps `norm(K_rho) norm(z)`, and `norm(z) <= norm(b) / lambda_min`, where
    /// `lambda_min >= rho`; rounding z in `J^T z` adds `norm(H) norm(J) eps norm(z)`, as large.
    fn residual_bound(&self, solver: DampedSolver, v: &[f64]) -> f64 {
        let backward_stable = self.growth() * EPS * self.size(v);
        if solver == DampedSolver::DualCholesky {
            let (smallest, largest) = self.spectrum(solver);
            let dual = self.system.largest() * largest * norm(&self.b) / smallest;
            backward_stable + self.growth() * EPS * dual
        } else {
            backward_stable
        }
    }

    /// Bound on `norm(v - exact)`.
    ///
    /// Cholesky: `norm(H^-1)` times the residual bound. QR and SVD move J by E only, and
    /// `H dv = E^T (b - (1-rho) J v) - (1-rho) J^T E v`: so `norm(H^-1) norm(E) norm(rest)` plus
    /// `max s / ((1-rho) s^2 + rho) norm(E) norm(v)`. The stacked form also moves its damping rows
    /// by eps of its norm A, which adds `norm(A) norm(v) (1 / a_min + sqrt(rho) / a_min^2)`.
    fn error_bound(&self, solver: DampedSolver, v: &[f64]) -> f64 {
        let (rho, system) = (self.rho, &self.system);
        let values = || system.values.iter().map(|s| (s, (1.0 - rho) * s * s + rho));
        // On the range of J^T: nothing drives v out of it but E, which the third term holds.
        let inverse = values().map(|(_, h)| 1.0 / h).fold(0.0, f64::max);
        let inverse = if rho > 0.0 && system.columns > system.rows { 1.0 / rho } else { inverse };
        let gain = values().map(|(s, h)| s / h).fold(0.0, f64::max);
        let cholesky = matches!(solver, DampedSolver::PrimalCholesky | DampedSolver::DualCholesky);
        if cholesky {
            return inverse * self.residual_bound(solver, v) + self.growth() * EPS * norm(v);
        }
        let mut image = system.apply_exactly(&widen(v));
        for (i, &b) in image.iter_mut().zip(&self.b) {
            *i = *i * (1.0 - rho).into() - b.into();
        }
        let rest = length(&image);
        let (v, s) = (norm(v), system.largest());
        let stacked = ((1.0 - rho) * s * s + rho).sqrt();
        let (root, a_inverse) = (rho.sqrt(), inverse.sqrt());
        let terms = inverse * s * rest
            + gain * (norm(&self.b) + s * v)
            + stacked * v * (a_inverse + root * inverse)
            + v;
        self.growth() * EPS * terms
    }

    fn run(&self, solver: DampedSolver) -> Result<(), TestCaseError> {
        let system = &self.system;
        let (n, p, rho) = (system.rows, system.columns, self.rho);
        let context = format!("{solver:?} {n} x {p}, rho {rho:e}, s_min {:e}", system.smallest());
        let mut factors = Factors::new(n, p).unwrap();
        let mut v = vec![f64::NAN; p];
        let request = SolveRequest { damping: rho, solver, ..SolveRequest::default() };
        let outcome = factors.solve(&system.jacobian, request, &self.b, &mut v);
        let report = match outcome {
            Ok(report) => report,
            Err(SolveError::NotPositiveDefinite { damping, index, .. }) => {
                // A pivot is refused at order * eps of its diagonal entry, and is itself at least
                // the smallest eigenvalue less its own rounding, as much again.
                let (smallest, largest) = self.spectrum(solver);
                let order = if solver == DampedSolver::DualCholesky { n } else { p };
                let noise = 2.0 * (order as f64 + 1.0) * EPS * largest;
                prop_assert!(smallest <= noise, "{context}: refused without need");
                prop_assert!(damping == rho && index < order, "{context}");
                return Ok(());
            }
            Err(SolveError::RankDeficient { smallest, .. }) => {
                prop_assert!(rho == 0.0 && p > n && smallest == 0.0, "{context}");
                prop_assert_eq!(solver, DampedSolver::HouseholderQr);
                return Ok(());
            }
            Err(other) => return Err(TestCaseError::fail(format!("{context}: {other}"))),
        };
        prop_assert!(report.solver != DampedSolver::Auto);
        prop_assert!(report.rank == n.min(p) || rho > 0.0, "{context}: rank {}", report.rank);
        let truth = residual(&system.jacobian, rho, &self.b, &v);
        let (bound, rounding) =
            (self.residual_bound(report.solver, &v), self.growth() * EPS * self.size(&v));
        measure("residual", report.solver, truth / bound);
        prop_assert!(truth <= bound, "{context}: residual {truth:e} > {bound:e}");
        measure("report", report.solver, (report.residual - truth).abs() / rounding);
        prop_assert!(
            (report.residual - truth).abs() <= rounding,
            "{context}: reported {:e}, true {truth:e}, rounding {rounding:e}",
            report.residual
        );
        let frobenius = norm(&system.values);
        let scale =
            frobenius * (norm(&self.b) + (1.0 - rho) * frobenius * norm(&v)) + rho * norm(&v);
        let relative = report.residual / scale;
        prop_assert!(
            (report.relative_residual - relative).abs() <= 1e-12 * relative,
            "{context}: relative residual {:e}, expected {relative:e}",
            report.relative_residual
        );
        let exact = system.exact_solution(rho, &self.b);
        let (error, bound) = (distance(&exact, &v), self.error_bound(report.solver, &v));
        measure("error", report.solver, error / bound);
        prop_assert!(error <= bound, "{context}: error {error:e} > {bound:e}");
        self.check_condition(&report, &context)
    }

    /// The estimate never exceeds the condition, and keeps within the factor that its doc states.
    fn check_condition(
        &self,
        report: &gaussflow_solvers::SolveReport,
        context: &str,
    ) -> Result<(), TestCaseError> {
        let (smallest, largest) = self.spectrum(report.solver);
        let cholesky =
            matches!(report.solver, DampedSolver::PrimalCholesky | DampedSolver::DualCholesky);
        let svd = report.solver == DampedSolver::ThinSvd;
        let condition = match () {
            () if report.choice == Choice::Identity => 1.0,
            () if svd => self.system.largest() / self.system.smallest(),
            () if cholesky => largest / smallest,
            () => (largest / smallest).sqrt(),
        };
        // The factor carries eps times its own condition.
        let slack = 1.0 + 0.1_f64.max(self.growth() * EPS * condition);
        let order = self.system.rows.max(self.system.columns) as f64;
        let below = 4.0 * if cholesky { order } else { order.sqrt() };
        let found = report.condition_estimate;
        prop_assert!(found <= condition * slack, "{context}: {found:e} > {condition:e}");
        // Beyond 1 / eps a factor no longer knows its condition.
        let knowable = condition.min(1.0 / (self.growth() * EPS));
        prop_assert!(found * below >= knowable, "{context}: {found:e} << {condition:e}");
        Ok(())
    }
}

/// Prints how much of a bound was used: `cargo test -- --nocapture`, for those who change one.
fn measure(what: &str, solver: DampedSolver, fraction: f64) {
    if fraction > 0.1 {
        println!("{what} of {solver:?} used {fraction:.3} of its bound");
    }
}

fn right_hand_side(rng: &mut ChaCha8Rng, system: &System, consistent: Consistency) -> Vec<f64> {
    let image = system.apply_exactly(&widen(&gaussian(rng, system.columns)));
    let noise = gaussian(rng, system.rows);
    let weight = match consistent {
        Consistency::InRange => 0.0,
        Consistency::NearRange => 1e-6,
        Consistency::Generic => return noise,
    };
    image.iter().zip(noise).map(|(i, e)| i.high + weight * system.largest() * e).collect()
}

#[derive(Clone, Copy, Debug)]
enum Consistency {
    InRange,
    NearRange,
    Generic,
}

fn damping() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => Just(0.0),
        6 => (-12.0..0.0_f64).prop_map(|x| 10.0_f64.powf(x)),
        1 => Just(1.0),
        1 => (1.0..15.0_f64).prop_map(|x| 1.0 - 10.0_f64.powf(-x)),
    ]
}

fn spectrum() -> impl Strategy<Value = Spectrum> {
    prop::sample::select(Spectrum::ALL.as_slice())
}

fn consistency() -> impl Strategy<Value = Consistency> {
    prop_oneof![
        Just(Consistency::InRange),
        Just(Consistency::NearRange),
        Just(Consistency::Generic)
    ]
}

/// Sizes lean to the small and the even, where blocks end and tails begin.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![1..200_usize, 1..12_usize, prop::sample::select([16, 32, 48, 64, 128].as_slice())]
}

proptest! {
    #![proptest_config(settings(64, 0))]

    /// The defining equation in double-double, and the exact solution, for every kernel.
    #[test]
    fn every_kernel_solves_the_defining_equation(
        seed: u64, n in size(), p in size(), rho in damping(), spectrum in spectrum(),
        log_condition in 0.0..12.0_f64, log_scale in -3.0..3.0_f64, consistency in consistency(),
    ) {
        let rng = &mut generator(seed);
        let (condition, scale) = (10.0_f64.powf(log_condition), 10.0_f64.powf(log_scale));
        let system = System::new(rng, (n, p), spectrum, condition, scale);
        let b = right_hand_side(rng, &system, consistency);
        let case = Case { system, rho, b };
        for solver in DampedSolver::DIRECT {
            case.run(solver)?;
        }
    }

    /// Where J is far smaller than the damping, `J^T b` must not drown in the rounding of b.
    #[test]
    fn a_small_jacobian_beside_the_damping_keeps_its_digits(
        seed: u64, n in 1..60_usize, p in 1..60_usize, log_scale in -30.0..-6.0_f64,
    ) {
        let rng = &mut generator(seed);
        let scale = 10.0_f64.powf(log_scale);
        let system = System::new(rng, (n, p), Spectrum::LogUniform, 1e3, scale);
        let b = gaussian(rng, n);
        let case = Case { system, rho: 0.5, b };
        for solver in DampedSolver::DIRECT {
            case.run(solver)?;
        }
    }
}

/// A truncated solve leaves a residual of known size: the report must measure it, not rounding.
#[test]
fn the_report_measures_the_residual_that_a_truncation_leaves() {
    let rng = &mut generator(11);
    let system = System::with_values(rng, (30, 4), vec![4.0, 2.0, 1.0, 0.25]);
    let b = gaussian(rng, 30);
    let mut factors = Factors::new(30, 4).unwrap();
    let mut v = [0.0; 4];
    let request =
        SolveRequest { solver: DampedSolver::ThinSvd, rank_cutoff: 0.1, ..SolveRequest::default() };
    let report = factors.solve(&system.jacobian, request, &b, &mut v).unwrap();
    let truth = residual(&system.jacobian, 0.0, &b, &v);
    assert_eq!(report.rank, 3);
    assert!(truth > 1e-3, "nothing was dropped: {truth:e}");
    assert!((report.residual - truth).abs() <= 40.0 * EPS * 4.0 * norm(&b), "{report:?}");
    assert!((report.smallest_pivot - 1.0).abs() < 8.0 * EPS * 4.0);
    assert!((report.largest_pivot - 4.0).abs() < 8.0 * EPS * 4.0);
    assert!((report.condition_estimate - 4.0).abs() < 8.0 * EPS * 16.0);
}

/// rho = 1 leaves `v = J^T b`, for every kernel alike and with the same bits.
#[test]
fn full_damping_is_the_gradient_and_auto_is_never_reported() {
    let rng = &mut generator(5);
    for shape in [(7, 3), (3, 7)] {
        let system = System::new(rng, shape, Spectrum::Geometric, 10.0, 1.0);
        let b = gaussian(rng, shape.0);
        let mut first: Option<Vec<f64>> = None;
        for solver in DampedSolver::DIRECT {
            let mut v = vec![0.0; shape.1];
            let request = SolveRequest { damping: 1.0, solver, ..SolveRequest::default() };
            let mut factors = Factors::new(shape.0, shape.1).unwrap();
            let report = factors.solve(&system.jacobian, request, &b, &mut v).unwrap();
            assert!(report.solver != DampedSolver::Auto && report.choice == Choice::Identity);
            assert!(factors.counts() == FactorCounts::default(), "something was factored");
            assert_eq!(first.get_or_insert_with(|| v.clone()), &v);
        }
    }
}
