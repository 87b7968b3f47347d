//! The runs that meet the hypotheses: real rows whose labels are brought near, and the known counterexample.

use gaussflow_network::{Activation, InitialPoint, Initialization};

use crate::TheoryError;
use crate::papers::descent::iterates::{Bounds, Descent, theorem_2_1, theorem_2_3, theorem_9_3};
use crate::papers::descent::shallow::{Leaky, Shallow, counterexample, theorem_4_3};
use crate::problem::{Problem, half_squares};
use crate::referee::{Effort, Group, Material, Measurements, Rows};
use crate::sampling::Sampler;

/// Every group of runs.
pub(super) fn groups(material: &Material) -> Vec<Group<'_>> {
    let effort = material.effort;
    let mut groups: Vec<Group<'_>> = vec![Box::new(printed_step)];
    for rows in &material.over {
        groups.push(Box::new(move || near_labels(rows, effort)));
        groups.push(Box::new(move || shallow_rows(rows, effort)));
    }
    groups
}

/// Theorems 2.1, 2.3 and 9.3 on real rows, with labels so near that J keeps half of its least singular value.
fn near_labels(rows: &Rows, effort: Effort) -> Result<Measurements, TheoryError> {
    let few = rows.first(16);
    let (count, hidden) = (few.targets.len(), 32);
    let (steps, lambdas): (usize, &[f64]) =
        effort.choose((200, &[0.5]), (1000, &[0.25, 0.5, 0.75]));
    let point = InitialPoint::draw(Initialization::Nullified, hidden, few.features, few.seed)?;
    let mut records = Vec::new();
    for share in [0.1, 1.0] {
        let build = |targets: &[f64]| {
            let (inputs, kind) = ((few.inputs.as_slice(), few.features), Initialization::Nullified);
            let loss = half_squares(targets.to_vec())?;
            Problem::new("", inputs, kind, &point, Activation::Tanh, loss)
        };
        let bounds = Bounds::of(&build(&few.targets)?)?;
        // The largest residual for which alpha_0 exists at lambda = 1/4: sigma^2/(32 L), times a share.
        let size = gaussflow_solvers::norm(&few.targets);
        let reach = share * bounds.least_at_start.powi(2) / (32.0 * bounds.lipschitz) / size;
        let near: Vec<f64> = few.targets.iter().map(|y| reach * y).collect();
        let problem = build(&near)?;
        for &lambda in lambdas {
            let name = format!(
                "n = {count}, m = {hidden}, seed {}, labels times {reach:.2e}, lambda = {lambda}",
                few.seed
            );
            let run = Descent::new(&name, &problem, bounds, (lambda, 1.0))?;
            let trajectory = run.iterate(steps)?;
            if lambda.total_cmp(&0.5).is_eq() {
                records.extend(theorem_2_1(&run, &trajectory, 1.0));
                records.push(theorem_2_3(&run, &trajectory, 1.0)?);
            }
            records.push(theorem_9_3(&run, &trajectory, 1.0));
        }
    }
    Ok(Measurements::of(records))
}

/// Theorem 4.3 on six real rows of eight features: with slopes near 1, and flat.
fn shallow_rows(rows: &Rows, effort: Effort) -> Result<Measurements, TheoryError> {
    let few = rows.first(6);
    let mut records = Vec::new();
    for size in [1.0, 1e-3] {
        let mut sampler = Sampler::new(61 + few.seed);
        let units = 4;
        let (output, initial) = (sampler.normal(units), sampler.normal(units * few.features));
        let activation = Leaky { size, slope: 0.3 };
        let residual: Vec<f64> = few.targets.iter().map(|y| size * y).collect();
        let name =
            format!("n = {}, {units} units, seed {}, Gamma = {size}", few.targets.len(), few.seed);
        let inputs = (few.inputs.as_slice(), few.features);
        let shallow = Shallow::new(&name, inputs, &output, &initial, (activation, &residual))?;
        records.extend(theorem_4_3(&shallow, effort.choose(100, 400), 1.0)?);
    }
    Ok(Measurements::of(records))
}

/// The known counterexample to Theorem 4.3.
fn printed_step() -> Result<Measurements, TheoryError> {
    Ok(Measurements::of(theorem_4_3(&counterexample()?, 20, 1.0)?))
}
