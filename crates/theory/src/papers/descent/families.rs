//! The families of small problems on which the adversary attacks the paper.

use crate::TheoryError;
use crate::papers::descent::iterates::{Bounds, Descent, theorem_2_1, theorem_2_3, theorem_9_3};
use crate::papers::descent::shallow::{Leaky, Shallow, theorem_4_3};
use crate::problem::half_squares;
use crate::referee::{Family, Genes, Trial};
use crate::small_problem::{Shape, in_numbers, small_problem};

/// Every family.
pub(super) const FAMILIES: &[Family] = &[
    Family { name: "gradient descent, p >= n", cost: 5, trial: near_labels },
    Family { name: "gradient descent, n <= d", cost: 3, trial: monotone_units },
];

/// Theorems 2.1, 2.3 and 9.3, with labels as far as alpha_0 allows or nearer.
fn near_labels(genes: &mut Genes<'_>) -> Result<Trial, TheoryError> {
    let (mut problem, _) = small_problem(genes, Shape::Wide)?;
    let bounds = Bounds::of(&problem)?;
    let lambda = genes.between(0.05, 1.0);
    let share = genes.between(0.05, 1.0);
    // Half of lambda's own range has the lambda of Theorem 2.1.
    let lambda = if genes.whole(0, 1) == 0 { 0.5 } else { lambda };
    let farthest = bounds.least_at_start.powi(2) * lambda / (8.0 * bounds.lipschitz);
    let wanted = farthest * genes.scale(1e-2, 1.0);
    let labels = problem.minimizer();
    let size = gaussflow_solvers::norm(&labels);
    problem.loss = half_squares(labels.iter().map(|y| y * wanted / size).collect())?;
    let run = Descent::new(&problem.name, &problem, bounds, (lambda, share))?;
    let trajectory = run.iterate(60)?;
    let mut records = vec![theorem_2_3(&run, &trajectory, 1.0)?];
    if lambda.total_cmp(&0.5).is_eq() {
        records.extend(theorem_2_1(&run, &trajectory, 1.0));
    }
    records.push(theorem_9_3(&run, &trajectory, 1.0));
    let numbers = in_numbers(&problem, &[("lambda", lambda), ("eta", run.step)]);
    Ok(Trial { problem: numbers, records })
}

/// Theorem 4.3: one to three units, two or three rows of as many features, slopes from flat to steep.
fn monotone_units(genes: &mut Genes<'_>) -> Result<Trial, TheoryError> {
    let (units, n) = (genes.whole(1, 3), genes.whole(2, 3));
    let activation = Leaky { size: genes.scale(1e-5, 1.0), slope: genes.between(0.02, 1.0) };
    let inputs = genes.normals(n * n);
    let (output, initial) = (genes.normals(units), genes.normals(units * n));
    let direction = genes.normals(n);
    let name = format!("m = {units}, n = d = {n}, Gamma = {:.3e}", activation.size);
    let build = |residual: &[f64]| {
        Shallow::new(&name, (&inputs, n), &output, &initial, (activation, residual))
    };
    // The residual at which the second bound of the printed step begins to bind, times a factor.
    let factor = build(&direction)?.bend_quotient().min(1e6) * genes.scale(1e-2, 2.0);
    let residual: Vec<f64> = direction.iter().map(|r| r * factor).collect();
    let shallow = build(&residual)?;
    if shallow.least_input < 1e-3 * shallow.input_norm {
        return Err(TheoryError::PassedOver { reason: "X is nearly singular" });
    }
    let records = theorem_4_3(&shallow, 30, 1.0)?;
    let problem = format!(
        "phi(z) = {:?} ((1 - g) tanh z + g z), g = {:?}, x = {inputs:?} by rows of {n}, v = {:?}, W_0 = {initial:?}, \
         r_0 = {residual:?}, eta = {:?}",
        activation.size,
        activation.slope,
        shallow.problem.network.signs(),
        shallow.printed_step(),
    );
    Ok(Trial { problem, records })
}
