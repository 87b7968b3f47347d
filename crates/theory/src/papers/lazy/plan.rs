//! The runs: small synthetic problems, and the first rows of the real ones.

use std::sync::Arc;

use gaussflow_network::{Activation, Network};
use gaussflow_objective::Squared;

use crate::TheoryError;
use crate::papers::lazy::finite_horizon::{HorizonRuns, finite_horizon, parameter_distance};
use crate::papers::lazy::over::{OverRun, misprint, over, over_sharper};
use crate::papers::lazy::rates::{Suprema, over_rates};
use crate::papers::lazy::setting::{Setting, with_squares, with_weights};
use crate::papers::lazy::under::{explicit_scaling, geometric, least_scaling};
use crate::problem::Problem;
use crate::referee::{Effort, Group, Material, Measurements, Plot, Rows, Statement};
use crate::sampling::Sampler;

/// Real rows that are used, and the hidden units on them: gradient flow by an implicit stepper costs p^3.
const ROWS: usize = 12;
const HIDDEN: usize = 12;
/// Samples of a flow of Theorem 2.4, and its length in units of `1/(m sigma^2)`: the bound then is at exp(-4).
const SAMPLES: usize = 60;
const HORIZON: f64 = 16.0;

/// Every group of runs.
pub(super) fn groups(material: &Material) -> Vec<Group<'_>> {
    let effort = material.effort;
    let mut groups: Vec<Group<'_>> = vec![
        Box::new(sharpness),
        Box::new(move || horizons(&synthetic(6, 24)?, effort)),
        Box::new(|| overparameterized(&synthetic(6, 24)?)),
        Box::new(move || orders(&synthetic(4, 16)?, 1.0, effort)),
        Box::new(|| underparameterized(&synthetic(12, 2)?)),
        Box::new(|| misprinted(&synthetic(2, 48)?, 1e-2)),
    ];
    for rows in &material.over {
        groups.push(on_rows(rows, "lazy/finite-horizon", move || horizons(&real(rows)?, effort)));
        if effort == Effort::Full {
            groups.push(on_rows(rows, "lazy/over", || overparameterized(&real(rows)?)));
            groups.push(on_rows(rows, "lazy/under", || underparameterized(&rows.problem(1)?)));
        }
    }
    if let (Some(rows), Effort::Full) = (material.over.first(), effort) {
        groups.push(on_rows(rows, "lazy/over-rates", move || orders(&real(rows)?, 0.1, effort)));
    }
    groups
}

/// A group on real rows: where a flow or the search for its limit gives no answer, a record that says why.
fn on_rows<'m>(
    rows: &'m Rows,
    id: &'static str,
    group: impl Fn() -> Result<Measurements, TheoryError> + Send + Sync + 'm,
) -> Group<'m> {
    Box::new(move || match group() {
        Err(error @ (TheoryError::Ended { .. } | TheoryError::NotConverged { .. })) => {
            let row = Statement { id, place: "real rows", text: "could not be measured" };
            let run = format!("real rows, seed {}", rows.seed);
            Ok(Measurements::of(vec![row.unavailable(&run, &error.to_string())]))
        }
        found => found,
    })
}

/// `n` standard normal rows of three features and targets, a network of `hidden` units.
fn synthetic(n: usize, hidden: usize) -> Result<Problem, TheoryError> {
    let inputs = Sampler::new(20).normal(3 * n);
    let targets = Sampler::new(21).normal(n);
    let name = format!("n = {n}, d = 3, m = {hidden}");
    Problem::regression(&name, (&inputs, 3), &targets, hidden, 3)
}

/// The first real rows.
fn real(rows: &Rows) -> Result<Problem, TheoryError> {
    rows.first(ROWS).problem(HIDDEN)
}

/// One unit on one row, with w_0 where the second derivative of tanh is largest: to first order in K all inequalities of
/// App. B.2 are equalities there.
pub fn one_unit() -> Result<Problem, TheoryError> {
    let initial = vec![(1.0 / 3.0_f64.sqrt()).atanh()];
    let network = Network::new(&[1.0], 1, &[1.0], Activation::Tanh)?.nullified_at(&initial)?;
    let loss = Arc::new(Squared::new(vec![1.0])?);
    with_squares(&Problem { name: "one unit, n = 1".to_owned(), network, loss, initial })
}

/// How much of the bounds of Theorem 2.3 and App. B.2 is attained: nearly all for small K.
fn sharpness() -> Result<Measurements, TheoryError> {
    let setting = Setting::measure(one_unit()?)?;
    let horizon = 0.01;
    let radius = 1e-4 * HorizonRuns::natural_radius(&setting, horizon);
    let runs = HorizonRuns::new(&setting, horizon, radius, &[1.0, 16.0])?;
    Ok(Measurements::of(vec![
        finite_horizon(&runs, 1.0),
        parameter_distance(&runs, [2.0, 4.0 / 3.0], [0.5, 1.0 / 3.0]),
    ]))
}

/// Theorem 2.3 and App. B.2 at several K and alphas.
fn horizons(problem: &Problem, effort: Effort) -> Result<Measurements, TheoryError> {
    let setting = Setting::measure(with_squares(problem)?)?;
    let (horizons, multiples): (&[f64], &[f64]) =
        effort.choose((&[1.0, 10.0], &[1.0, 16.0]), (&[1.0, 10.0, 100.0], &[1.0, 4.0, 16.0, 64.0]));
    let mut records = Vec::new();
    for &horizon in horizons {
        let radius = HorizonRuns::natural_radius(&setting, horizon);
        let runs = HorizonRuns::new(&setting, horizon, radius, multiples)?;
        records.push(finite_horizon(&runs, 1.0));
        records.push(parameter_distance(&runs, [2.0, 4.0 / 3.0], [0.5, 1.0 / 3.0]));
    }
    Ok(Measurements::of(records))
}

/// Theorem 2.4's rate at the printed and at the sharper alpha, for kappa = 1 and for weighted squares.
fn overparameterized(problem: &Problem) -> Result<Measurements, TheoryError> {
    let n = problem.outputs();
    // Weights from 1 down to 1/5: kappa = 5.
    let uneven: Vec<f64> = (0..n).map(|j| 1.0 - 0.8 * j as f64 / (n - 1) as f64).collect();
    let mut found = Measurements::default();
    for (weights, which) in [(vec![1.0; n], "kappa = 1"), (uneven, "kappa = 5")] {
        let mut problem = with_weights(problem, &weights)?;
        problem.name = format!("{}, {which}", problem.name);
        let setting = Setting::measure(problem)?;
        let c = &setting.constants;
        found.constants.push((setting.problem.name.clone(), c.table(1.0, 0.5)));
        let horizon = HORIZON / (c.strong_convexity * setting.sigma().powi(2));
        let flow = |scaling: f64| setting.flow(scaling * (1.0 + 1e-12), horizon, SAMPLES);
        let printed = flow(setting.printed_scaling())?;
        let sharper = flow(setting.sharper_scaling())?;
        let run = |flow| OverRun { setting: &setting, flow };
        found
            .records
            .push(over(&run(&printed), 0.25).corrected_by(over_sharper(&run(&sharper), 0.25)));
    }
    Ok(found)
}

/// The slopes over three decades of alpha, the first one `first` times the sharper threshold.
fn orders(problem: &Problem, first: f64, effort: Effort) -> Result<Measurements, TheoryError> {
    let setting = Setting::measure(with_squares(problem)?)?;
    let steps = effort.choose(3, 6);
    let first = first * (1.0 + 1e-12) * setting.sharper_scaling();
    let scaling = |k: u32| first * 10_f64.powf(3.0 * f64::from(k) / f64::from(steps));
    let suprema = (0..=steps)
        .map(|k| Suprema::measure(&setting, scaling(k)))
        .collect::<Result<Vec<_>, TheoryError>>()?;
    let records = over_rates(&setting, &suprema, [1.0, 1.0, 2.0], 0.1, 1.0);
    let x: Vec<f64> = suprema.iter().map(|s| s.scaling).collect();
    let mut plot = Plot::new(
        "audit_lazy",
        "Lazy training: how far the flow is from its linearization, by α",
        "Squared loss, at least as many weights as rows. Suprema over time: of the way of the weights, and of the distances between the flow and its linearization (with a bar), which theory expects to fall with α.",
        ("output scaling α", "supremum over t"),
    )
    .logarithmic(true, true);
    for (k, what) in ["‖w − w₀‖", "‖αh − αh̄‖", "‖w − w̄‖"].into_iter().enumerate()
    {
        let name = format!("{what}, {}", setting.problem.name);
        plot = plot.curve(&name, x.clone(), suprema.iter().map(|s| s.values[k].0).collect());
    }
    Ok(Measurements { records, plots: vec![plot], ..Measurements::default() })
}

/// Theorem 2.5 at the alpha from which our rate is proved, ten times above, and where it sets in.
fn underparameterized(problem: &Problem) -> Result<Measurements, TheoryError> {
    let setting = Setting::measure(with_squares(problem)?)?;
    let explicit = explicit_scaling(&setting) * (1.0 + 1e-12);
    let records = vec![
        geometric(&setting, explicit, 0.5)?,
        geometric(&setting, 10.0 * explicit, 0.5)?,
        least_scaling(&setting)?,
    ];
    Ok(Measurements::of(records))
}

/// The display of App. B.3 with R multiplied by `factor`.
fn misprinted(problem: &Problem, factor: f64) -> Result<Measurements, TheoryError> {
    let mut problem = with_weights(problem, &vec![factor; problem.outputs()])?;
    problem.name = format!("{}, R multiplied by {factor}", problem.name);
    let setting = Setting::measure(problem)?;
    let horizon = HORIZON / (setting.constants.strong_convexity * setting.sigma().powi(2));
    let scaling = setting.printed_scaling() * (1.0 + 1e-12);
    let flow = setting.flow(scaling, horizon, SAMPLES)?;
    let run = OverRun { setting: &setting, flow: &flow };
    Ok(Measurements::of(vec![misprint(&run, 1.5, 0.5)]))
}
