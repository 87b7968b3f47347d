//! The runs: C in {0.1, 0.3, 0.49}, alpha at its threshold, ten times below and above, on real rows and on rows under an
//! activation of a user's own.

use gaussflow_network::{Activation, ActivationFunction, InitialPoint, Initialization, Network};
use gaussflow_objective::LipschitzConstants;
use gaussflow_solvers::norm;

use crate::TheoryError;
use crate::local::Local;
use crate::papers::descent::shallow::Leaky;
use crate::papers::natural::iterates::{
    Natural, largest_step, least_scaling, quadratic, quadratic_order, scaling, sharper, theorem_1,
};
use crate::problem::{Problem, half_squares};
use crate::referee::{Effort, Group, Material, Measurements, Plot, Record, Rows};

/// Every group of runs.
pub(super) fn groups(material: &Material) -> Vec<Group<'_>> {
    let effort = material.effort;
    let mut groups: Vec<Group<'_>> = Vec::new();
    for rows in &material.over {
        groups.push(Box::new(move || real_rows(rows, effort)));
        groups.push(Box::new(move || own_activation(rows, effort)));
    }
    groups
}

/// The statements over C and alpha.
fn sweep<A: ActivationFunction + Clone>(
    name: &str,
    problem: &Problem<A>,
    effort: Effort,
) -> Result<Vec<Record>, TheoryError> {
    let start = Local::measure(problem, 1.0, &problem.initial)?;
    let least = start.smallest().max(0.0).sqrt();
    let (lipschitz, residual) = (problem.network.jacobian_lipschitz(), norm(&problem.minimizer()));
    let mut records = Vec::new();
    // Far below the least alpha whole steps still converge, and leave residuals that stand out from rounding.
    let alpha = 1e-2 * least_scaling(lipschitz, residual, least, 0.3);
    let place = format!("{name}, alpha = {alpha:.3e} (0.01 of its least for C = 0.3)");
    records.push(quadratic_order(&place, problem, alpha, 2.0)?);
    let constants: &[f64] = effort.choose(&[0.3], &[0.1, 0.3, 0.49]);
    for &stability in constants {
        let threshold = least_scaling(lipschitz, residual, least, stability);
        for share in [0.1, 1.0, 10.0] {
            let alpha = share * threshold;
            let name =
                format!("{name}, C = {stability}, alpha = {alpha:.3e} ({share} of its least)");
            let eta = largest_step(stability);
            let few = Natural::iterate(&name, problem, (alpha, stability, eta), 40)?;
            records.push(theorem_1(&few, 1.0));
            records.push(scaling(&few, 1.0)?);
            let whole = Natural::iterate(&name, problem, (alpha, stability, 1.0), 6)?;
            records.extend(sharper(&whole, 1.0));
            records.push(quadratic(&whole, 1.0)?);
        }
    }
    Ok(records)
}

/// Real rows under tanh, and how the residual falls by whole steps.
fn real_rows(rows: &Rows, effort: Effort) -> Result<Measurements, TheoryError> {
    let few = rows.first(24);
    let hidden = 64;
    let inputs = (few.inputs.as_slice(), few.features);
    let point = InitialPoint::draw(Initialization::Nullified, hidden, few.features, few.seed)?;
    let loss = half_squares(few.targets.clone())?;
    let kind = Initialization::Nullified;
    let name = format!("n = {}, m = {hidden}, seed {}", few.targets.len(), few.seed);
    let problem = Problem::new(&name, inputs, kind, &point, Activation::Tanh, loss)?;
    let mut found = Measurements::of(sweep(&name, &problem, effort)?);
    if few.seed == 0 {
        found.plots.push(falls(&problem)?);
    }
    Ok(found)
}

/// The residual after each whole step, far below the least alpha and at it.
fn falls(problem: &Problem) -> Result<Plot, TheoryError> {
    let start = Local::measure(problem, 1.0, &problem.initial)?;
    let (least, residual) = (start.smallest().max(0.0).sqrt(), norm(&problem.minimizer()));
    let threshold = least_scaling(problem.network.jacobian_lipschitz(), residual, least, 0.3);
    let mut plot = Plot::new(
        "audit_natural_steps",
        "Whole Gauss-Newton steps: how fast the residual falls",
        "24 rows of California Housing, 64 tanh units. Each curve has an output scaling α, a share of the least one that the theorem allows (C = 0.3). Quadratic convergence bends a curve down on this axis.",
        ("step k", "‖rₖ‖ / ‖r₀‖"),
    )
    .logarithmic(false, true);
    for share in [1e-3, 1e-2, 1e-1, 1.0] {
        let name = String::new();
        let run = Natural::iterate(&name, problem, (share * threshold, 0.3, 1.0), 8)?;
        let target = problem.minimizer();
        let falls: Vec<f64> =
            run.trajectory.samples.iter().map(|s| s.distance_to(&target) / residual).collect();
        let steps = (0..falls.len()).map(|k| k as f64).collect();
        plot = plot.curve(&format!("α = {share} of the least"), steps, falls);
    }
    Ok(plot)
}

/// Six real rows of eight features, under an activation with slopes from 0.3 to 1.
fn own_activation(rows: &Rows, effort: Effort) -> Result<Measurements, TheoryError> {
    let few = rows.first(6);
    let point = InitialPoint::draw(Initialization::Nullified, 4, few.features, few.seed)?;
    let activation = Leaky { size: 1.0, slope: 0.3 };
    let network = Network::new(&few.inputs, few.features, &point.signs, activation)?
        .nullified_at(&point.weights)?;
    let name = format!("n = {}, m = 4, seed {}, a user's activation", few.targets.len(), few.seed);
    let loss = half_squares(few.targets.clone())?;
    let problem = Problem { name: name.clone(), network, loss, initial: point.weights };
    Ok(Measurements::of(sweep(&name, &problem, effort)?))
}
