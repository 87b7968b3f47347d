//! Poisson's equation on the interval and on the square, solved by a network: Levenberg-Marquardt beside first-order methods.
//!
//!     cargo run --release -p gaussflow --example poisson [FOLDER [SECONDS [SEED]]]
//!
//! Each method has so many seconds (20), from the same start; pictures go to the folder (`out/poisson`). `problem.rs` has the
//! residuals, written once: `fit` below is all that the library needs to solve them.

mod first_order;
mod pictures;
mod problem;

use std::path::PathBuf;
use std::time::Instant;

use gaussflow::dynamics::Verdict;
use gaussflow::prelude::*;

use problem::Poisson;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "out/poisson".to_owned()));
    let budget = arguments.next().map_or(Ok(20.0), |text| text.parse())?;
    let seed = arguments.next().map_or(Ok(0), |text| text.parse())?;
    std::fs::create_dir_all(&folder)?;

    let (interval, square) = (Poisson::on_interval(30, 200), Poisson::on_square(48, 24));
    println!("problem   method                 steps  seconds     loss  relative L2 error");
    let on_interval = solve("interval", &interval, budget, seed)?;
    let on_square = solve("square", &square, budget, seed)?;
    pictures::interval(&folder, &interval, &on_interval)?;
    pictures::square(&folder, &square, &on_square)?;
    pictures::losses(&folder, &[("interval", &on_interval), ("square", &on_square)])?;
    println!("pictures are in {}", folder.display());
    Ok(())
}

/// One method's way down, as far as its time went.
pub struct Run {
    method: &'static str,
    /// Seconds that it may take.
    budget: f64,
    begin: Instant,
    steps: usize,
    seconds: f64,
    /// Seconds and losses, at most one for each percent of time.
    history: Vec<[f64; 2]>,
    /// The least loss so far.
    loss: f64,
    /// The weights that have it.
    best: Vec<f64>,
}

impl Run {
    fn begin(method: &'static str, budget: f64) -> Self {
        Self {
            method,
            budget,
            begin: Instant::now(),
            steps: 0,
            seconds: 0.0,
            history: Vec::new(),
            loss: f64::INFINITY,
            best: Vec::new(),
        }
    }

    /// Sees the loss at the next weights; breaks once the time is spent.
    fn see(&mut self, loss: f64, w: &[f64]) -> ControlFlow<()> {
        self.seconds = self.begin.elapsed().as_secs_f64();
        if self.history.last().is_none_or(|[before, _]| self.seconds > 1.01 * before) {
            self.history.push([self.seconds, loss]);
        }
        if loss < self.loss {
            self.loss = loss;
            self.best = w.to_vec();
        }
        if self.seconds >= self.budget {
            return ControlFlow::Break(());
        }
        self.steps += 1;
        ControlFlow::Continue(())
    }
}

/// Runs all methods and prints a row for each.
fn solve<const DIM: usize>(
    name: &str,
    problem: &Poisson<DIM>,
    budget: f64,
    seed: u64,
) -> Result<[Run; 3], FitError> {
    let start = problem.start(seed);
    let mut fitted = Run::begin("Levenberg-Marquardt", budget);
    fit(problem, &start, &mut fitted)?;
    let mut adam = Run::begin("Adam", budget);
    first_order::adam(problem, start.clone(), |loss, w| adam.see(loss, w));
    let mut descent = Run::begin("gradient descent", budget);
    first_order::descend(problem, start, |loss, w| descent.see(loss, w));

    let runs = [fitted, adam, descent];
    for Run { method, steps, seconds, loss, best, .. } in &runs {
        let error = problem.relative_error(best);
        println!("{name:8}  {method:19} {steps:8} {seconds:8.1} {loss:8.1e} {error:18.1e}");
    }
    Ok(runs)
}

/// Levenberg-Marquardt, until it converges or the time is spent.
fn fit<const DIM: usize>(
    problem: &Poisson<DIM>,
    start: &[f64],
    run: &mut Run,
) -> Result<Fit, FitError> {
    let settings = FitSettings {
        max_evaluations: usize::MAX,
        max_iterations: usize::MAX,
        ..FitSettings::default()
    };
    let least_squares = LeastSquares::new(ExactDerivatives::new(problem));
    least_squares.fit_observed(start, &settings, &mut |trial, w| match trial.verdict {
        Verdict::Accepted => run.see(trial.loss, w),
        Verdict::Rejected | Verdict::Undefined => ControlFlow::Continue(()),
    })
}
