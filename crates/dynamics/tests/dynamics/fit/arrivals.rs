//! Twelve models from 200 random starts each: as many fits arrive at the least loss as SciPy's best.
//!
//! `golden/arrivals_scipy.py` draws the starts and counts SciPy's arrivals.

use gaussflow_dynamics::{FitSettings, FitStop, LeastSquares};
use gaussflow_objective::{FiniteDifferences, ResidualFn};

const RUNS: &str = include_str!("../../data/arrivals.txt");
/// Starts of a model.
const STARTS: usize = 200;

/// The models of the generator, by name.
fn curve(name: &str, w: &[f64], x: f64) -> f64 {
    let turn = 2.0 * std::f64::consts::PI;
    match name.trim_end_matches("-bounded") {
        "sine" => w[0] * (w[1] * x).sin(),
        "sine-offset" => w[0] * (turn * w[1] * x + w[2]).sin() + w[3],
        "sine-phase" => w[0] * (turn * w[1] * x + w[2]).sin(),
        "peak" => w[0] * (-(x - w[1]).powi(2) / (2.0 * w[2] * w[2])).exp(),
        "michaelis-menten" => w[0] * x / (w[1] + x),
        "decay" => w[0] * (-w[1] * x).exp() + w[2],
        "logistic" => w[0] / (1.0 + (-w[1] * (x - w[2])).exp()),
        "two-exponentials" => w[0] * (-w[1] * x).exp() + w[2] * (-w[3] * x).exp(),
        "intensity" => w[0] / (x + w[1]).powf(w[2]),
        other => panic!("no model {other}"),
    }
}

fn numbers(line: &str) -> Vec<f64> {
    let read = |word: &str| if word == "-inf" { f64::NEG_INFINITY } else { word.parse().unwrap() };
    line.split(' ').map(read).collect()
}

#[test]
fn as_many_starts_arrive_as_with_the_best_of_scipy() {
    let mut lines = RUNS.lines().skip(1);
    let (mut ours, mut best, mut failures) = (0, 0, Vec::new());
    while let Some(name) = lines.next() {
        let mut next = || lines.next().unwrap();
        let (x, y) = (numbers(next()), numbers(next()));
        let lower = Some(next()).filter(|line| *line != "-").map(numbers);
        let counts = next().split(' ').map(|count| count.split_once(':').unwrap().1);
        let peer = counts.map(|count| count.parse::<usize>().unwrap()).max().unwrap();
        let least: f64 = next().parse().unwrap();
        let mut arrived = 0;
        for _ in 0..STARTS {
            let start = numbers(next());
            let residuals = ResidualFn::new(x.len(), start.len(), |w: &[f64], r: &mut [f64]| {
                r.iter_mut()
                    .zip(x.iter().zip(&y))
                    .for_each(|(r, (&x, y))| *r = curve(name, w, x) - y);
            });
            let mut problem = LeastSquares::new(FiniteDifferences::new(residuals));
            if let Some(lower) = &lower {
                let upper = vec![f64::INFINITY; start.len()];
                problem = problem.with_bounds(lower.clone(), upper).unwrap();
            }
            let fit = problem.fit(&start, &FitSettings::default()).unwrap();
            arrived += usize::from(fit.loss <= least * (1.0 + 1e-6) + 1e-18);
            // No bound may take the rank of a convergent end.
            let held = fit.at_bound.iter().filter(|side| side.is_some()).count();
            if lower.is_some() && held > 0 && fit.stop.converged() && fit.stop != FitStop::AtBounds
            {
                assert_eq!(fit.rank + held, start.len(), "{name} from {start:?}: {fit}");
            }
        }
        println!("{name}: {arrived} of {STARTS}, SciPy at best {peer}");
        // A start between two valleys falls into either by luck, for SciPy's four methods as well as here.
        if arrived + STARTS / 25 < peer {
            failures.push(format!("{name}: {arrived}, SciPy {peer}"));
        }
        (ours, best) = (ours + arrived, best + peer);
    }
    println!("{ours} in all, SciPy's best of each model {best}");
    assert!(failures.is_empty() && ours >= best, "{ours} and {best}: {failures:?}");
}
