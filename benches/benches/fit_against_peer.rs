//! The fitter beside the crate levenberg-marquardt: time a fit, in turns, and digits on NIST's problems.
//!
//! `cargo bench -p gaussflow-benches --bench fit_against_peer` prints both tables (docs/do/fits.md has them).

use std::hint::black_box;
use std::time::Instant;

use gaussflow::dynamics::{FitSettings, LeastSquares};
use gaussflow::objective::{MapError, Residuals, SmoothMap};
use gaussflow::solvers::DenseJacobian;
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::storage::Owned;
use nalgebra::{DMatrix, DVector, Dyn};

use nist_problems::{NAMES, Problem};

#[path = "../../crates/dynamics/tests/dynamics/nist_problems/mod.rs"]
#[allow(dead_code, missing_docs, clippy::all, clippy::pedantic)]
mod nist_problems;

/// Where the data files are.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/dynamics/tests/data/nist");
/// Turns of each program; the median of each is reported.
const TURNS: usize = 401;

/// The two models that are timed, written by hand.
#[derive(Clone, Copy)]
enum Model {
    /// `b0 (1 - exp(-b1 x))`.
    Misra1a,
    /// `exp(-b0 x) / (b1 + b2 x)`.
    Chwirut1,
}

impl Model {
    fn row(self, b: &[f64], x: f64) -> (f64, [f64; 3]) {
        match self {
            Self::Misra1a => {
                let e = (-b[1] * x).exp();
                (b[0] * (1.0 - e), [1.0 - e, b[0] * x * e, 0.0])
            }
            Self::Chwirut1 => {
                let below = (b[1] + b[2] * x).recip();
                let value = (-b[0] * x).exp() * below;
                (value, [-x * value, -value * below, -x * value * below])
            }
        }
    }
}

/// One of them with its data, for either program.
#[derive(Clone)]
struct Timed {
    model: Model,
    x: Vec<f64>,
    y: Vec<f64>,
    w: DVector<f64>,
}

impl Residuals for Timed {
    fn parameters(&self) -> usize {
        self.w.len()
    }
    fn outputs(&self) -> usize {
        self.y.len()
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        for ((o, x), y) in out.iter_mut().zip(&self.x).zip(&self.y) {
            *o = self.model.row(w, *x).0 - y;
        }
        Ok(())
    }
}

impl SmoothMap for Timed {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.y.len(), self.w.len())
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        let mut matrix = jacobian.matrix_mut();
        for (j, (x, y)) in self.x.iter().zip(&self.y).enumerate() {
            let (model, slopes) = self.model.row(w, *x);
            value[j] = model - y;
            (0..w.len()).for_each(|k| matrix[(j, k)] = slopes[k]);
        }
        Ok(())
    }
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Timed {
    type ParameterStorage = Owned<f64, Dyn>;
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    fn set_params(&mut self, w: &DVector<f64>) {
        self.w.copy_from(w);
    }
    fn params(&self) -> DVector<f64> {
        self.w.clone()
    }
    fn residuals(&self) -> Option<DVector<f64>> {
        let mut out = DVector::zeros(self.y.len());
        self.value(self.w.as_slice(), out.as_mut_slice()).ok().map(|()| out)
    }
    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let mut out = DMatrix::zeros(self.y.len(), self.w.len());
        for (j, x) in self.x.iter().enumerate() {
            let (_, slopes) = self.model.row(self.w.as_slice(), *x);
            (0..self.w.len()).for_each(|k| out[(j, k)] = slopes[k]);
        }
        Some(out)
    }
}

/// A NIST problem for the peer.
struct Peer<'a> {
    problem: &'a Problem,
    w: DVector<f64>,
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Peer<'_> {
    type ParameterStorage = Owned<f64, Dyn>;
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    fn set_params(&mut self, w: &DVector<f64>) {
        self.w.copy_from(w);
    }
    fn params(&self) -> DVector<f64> {
        self.w.clone()
    }
    fn residuals(&self) -> Option<DVector<f64>> {
        let mut out = DVector::zeros(self.problem.map().outputs());
        self.problem.map().value(self.w.as_slice(), out.as_mut_slice()).ok().map(|()| out)
    }
    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let (n, p) = (self.problem.map().outputs(), self.problem.map().parameters());
        let (mut value, mut jacobian) = (vec![0.0; n], self.problem.map().new_jacobian());
        self.problem.map().linearize(self.w.as_slice(), &mut value, &mut jacobian).ok()?;
        Some(DMatrix::from_fn(n, p, |j, k| jacobian.matrix()[(j, k)]))
    }
}

fn main() {
    println!("problem start | ours: digits evaluations Jacobians | peer: digits evaluations");
    let mut totals = [0; 2];
    for name in NAMES {
        let problem = Problem::read_from(DATA, name);
        for (start, w) in problem.starts.iter().enumerate() {
            let settings = FitSettings::default();
            let fit =
                LeastSquares::new(problem.map()).fit(w, &settings).expect("NIST starts are fine");
            let peer = Peer { problem: &problem, w: DVector::from_column_slice(w) };
            let peer_settings = LevenbergMarquardt::new().with_tol(1e-15).with_patience(2000);
            let (peer, report) = peer_settings.minimize(peer);
            println!(
                "{name} {} | {:.1} {} {} | {:.1} {}",
                start + 1,
                problem.digits(&fit.parameters),
                fit.counts.residuals,
                fit.counts.jacobians,
                problem.digits(peer.w.as_slice()),
                report.number_of_evaluations
            );
            totals[0] += fit.counts.residuals;
            totals[1] += report.number_of_evaluations;
        }
    }
    println!("total | {} | {}", totals[0], totals[1]);
    println!("model start | ours, microseconds | peer, microseconds, defaults");
    for (model, name) in [(Model::Misra1a, "Misra1a"), (Model::Chwirut1, "Chwirut1")] {
        let problem = Problem::read_from(DATA, name);
        for (start, w) in problem.starts.iter().enumerate() {
            let timed = Timed {
                model,
                x: problem.rows.iter().map(|row| row[1]).collect(),
                y: problem.rows.iter().map(|row| row[0]).collect(),
                w: DVector::from_column_slice(w),
            };
            let fitted = LeastSquares::new(&timed);
            let settings = FitSettings::default();
            let mut times = [Vec::new(), Vec::new()];
            for _ in 0..TURNS {
                let clock = Instant::now();
                black_box(fitted.fit(w, &settings).expect("NIST starts are fine"));
                times[0].push(clock.elapsed().as_secs_f64());
                let peer = timed.clone();
                let clock = Instant::now();
                black_box(LevenbergMarquardt::new().minimize(peer));
                times[1].push(clock.elapsed().as_secs_f64());
            }
            let median = |times: &mut Vec<f64>| {
                times.sort_by(f64::total_cmp);
                1e6 * times[TURNS / 2]
            };
            let [ours, peers] = &mut times;
            println!("{name} {} | {:.1} | {:.1}", start + 1, median(ours), median(peers));
        }
    }
}
