//! The family of small problems on which the adversary attacks the paper.

use crate::TheoryError;
use crate::papers::natural::iterates::{
    Natural, largest_step, least_scaling, quadratic, scaling, sharper, theorem_1,
};
use crate::problem::half_squares;
use crate::referee::{Family, Genes, Trial};
use crate::small_problem::{Shape, in_numbers, small_problem};

/// Every family.
pub(super) const FAMILIES: &[Family] =
    &[Family { name: "natural gradient, p >= n", cost: 6, trial: at_threshold }];

/// Every statement at the least alpha or above, by the theorem's step and by whole steps.
fn at_threshold(genes: &mut Genes<'_>) -> Result<Trial, TheoryError> {
    let (mut problem, constants) = small_problem(genes, Shape::Wide)?;
    problem.loss = half_squares(problem.minimizer())?;
    let stability = genes.between(0.01, 0.499);
    let residual = gaussflow_solvers::norm(&problem.minimizer());
    let least = 2.0 * constants.lambda0;
    let alpha =
        genes.above(least_scaling(constants.jacobian_lipschitz, residual, least, stability));
    let share = genes.between(0.05, 1.0);
    let eta = share * largest_step(stability);
    let few = Natural::iterate(&problem.name, &problem, (alpha, stability, eta), 30)?;
    let mut records = vec![theorem_1(&few, 1.0), scaling(&few, 1.0)?];
    let step = if genes.whole(0, 1) == 0 { 1.0 } else { share };
    let any = Natural::iterate(&problem.name, &problem, (alpha, stability, step), 8)?;
    records.extend(sharper(&any, 1.0));
    records.push(quadratic(&any, 1.0)?);
    let others = [("alpha", alpha), ("C", stability), ("eta", eta), ("second eta", step)];
    Ok(Trial { problem: in_numbers(&problem, &others), records })
}
