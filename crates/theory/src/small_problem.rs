//! Small problems built from the adversary's genes: m and d from 1 to 3, n from 2 to 6.

use std::fmt::Write;
use std::sync::Arc;

use gaussflow_network::{Activation, InitialPoint, Initialization};
use gaussflow_objective::{Loss, Squared, WeightedSquares};
use gaussflow_solvers::norm;

use crate::TheoryError;
use crate::network_constants::NetworkConstants;
use crate::problem::Problem;
use crate::referee::Genes;

/// lambda0 / lambda_n below which a draw is passed over: rounding would speak louder than the statement.
const WORST_RATIO: f64 = 1e-3;

/// Radius of B at r = 1/2, over norm(w_0), below which a draw is passed over: the units are saturated, and rounding of w
/// alone leaves the ball.
const LEAST_BALL: f64 = 1e-7;

/// Says whether there are at least as many parameters as rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// p >= n.
    Wide,
    /// p < n.
    Tall,
}

/// Builds a small random problem for the search for counterexamples: a nullified network with random signs, one of the
/// library's activations, and squares that may be weighted.
///
/// # Errors
/// [`TheoryError::PassedOver`] where J_0 is too ill-conditioned to judge anything on it.
pub fn small_problem(
    genes: &mut Genes<'_>,
    shape: Shape,
) -> Result<(Problem, NetworkConstants), TheoryError> {
    let (mut m, mut d, mut n) = (genes.whole(1, 3), genes.whole(1, 3), genes.whole(2, 6));
    match shape {
        Shape::Tall => {
            d = d.min(n - 1);
            m = m.min((n - 1) / d);
        }
        Shape::Wide => {
            m = if m * d < 2 { 2 } else { m };
            n = n.min(m * d);
        }
    }
    let kinds = Activation::ALL.len() - 1;
    let activation = Activation::ALL[genes.whole(0, kinds)];
    let (of_rows, of_weights) = (genes.scale(0.3, 3.0), genes.scale(0.3, 3.0));
    let of_targets = genes.scale(0.1, 30.0);
    let modulus = genes.whole(0, 2);
    let weights = scaled(genes.normals(m * d), of_weights);
    let inputs = scaled(genes.normals(n * d), of_rows);
    let targets = scaled(genes.normals(n), of_targets);
    let signs = genes.normals(m).iter().map(|g| if *g < 0.0 { -1.0 } else { 1.0 }).collect();
    let loss: Arc<dyn Loss> = if modulus == 0 {
        let weights = (0..n).map(|_| genes.between(0.2, 1.0)).collect();
        Arc::new(WeightedSquares::new(targets, weights)?)
    } else {
        Arc::new(Squared::new(targets)?)
    };
    let name = format!("m = {m}, d = {d}, n = {n}");
    let point = InitialPoint { signs, weights };
    let kind = Initialization::Nullified;
    let problem = Problem::new(&name, (&inputs, d), kind, &point, activation, loss)?;
    let constants = NetworkConstants::measure(&problem)?;
    if constants.lambda0 < WORST_RATIO * constants.lambda_n {
        return Err(TheoryError::PassedOver { reason: "J_0 is nearly singular" });
    }
    if constants.ball_radius(0.5) < LEAST_BALL * norm(&problem.initial) {
        return Err(TheoryError::PassedOver { reason: "the ball is not far above rounding" });
    }
    Ok((problem, constants))
}

/// Rounding of alpha f, over norm(f*), above which a flow at alpha is passed over: w then moves by less than it is rounded to,
/// the output stands still, and what is integrated is another flow.
const MOST_ROUNDING: f64 = 1e-6;

/// Returns an error for an alpha so large that rounding hides the motion of w.
///
/// # Errors
/// [`TheoryError::PassedOver`].
pub fn require_resolved(problem: &Problem, scaling: f64) -> Result<(), TheoryError> {
    if problem.output_rounding(scaling) > MOST_ROUNDING * norm(&problem.minimizer()) {
        return Err(TheoryError::PassedOver { reason: "rounding of w hides its motion" });
    }
    Ok(())
}

fn scaled(values: Vec<f64>, factor: f64) -> Vec<f64> {
    values.into_iter().map(|x| factor * x).collect()
}

/// Writes the problem, and what else a trial needs, as text with numbers that read back to the same values.
pub fn in_numbers(problem: &Problem, others: &[(&str, f64)]) -> String {
    let mut text = format!(
        "{} network, x = {:?} by rows of {}, c = {:?}, w_0 = {:?}, y = {:?}, nu = {}, mu = {}",
        problem.network.last_layer().activation.name(),
        problem.input_rows(),
        problem.network.features(),
        problem.network.signs(),
        problem.initial,
        problem.minimizer(),
        problem.loss.strong_convexity(),
        problem.loss.smoothness(),
    );
    for (name, value) in others {
        // Writing to a String cannot fail.
        let _ = write!(text, ", {name} = {value:?}");
    }
    text
}
