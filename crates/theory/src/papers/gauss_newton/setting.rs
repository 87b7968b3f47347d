//! Section 2: nullification, bounds of the activation, moduli of f, of Df and of the loss.

use gaussflow_network::{ActivationBounds, ActivationFunction};
use gaussflow_objective::{Loss, SmoothMap};
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{JacobianOperator, inner_product, norm, squared_distance};

use crate::TheoryError;
use crate::local::{Local, operator_norm_lower};
use crate::network_constants::NetworkConstants;
use crate::problem::Problem;
use crate::referee::{Comparison, Record, Statement};
use crate::sampling::{Sampler, shifted};

/// f(w_init) = 0 and D phi = Df.
pub fn nullified(problem: &Problem) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "setting/nullified",
        place: "Remark 1",
        text: "norm(f(w_init)) + norm(Dphi(w_init) - Df(w_init))_F <= rounding",
    };
    let (n, p) = (problem.outputs(), problem.parameters());
    let plain = problem.network.clone().plain();
    let mut value = [vec![0.0; n], vec![0.0; n]];
    let mut dense = [Mat::zeros(n, p), Mat::zeros(n, p)];
    for (k, network) in [&problem.network, &plain].into_iter().enumerate() {
        let mut jacobian = network.new_jacobian();
        network.linearize(&problem.initial, &mut value[k], &mut jacobian)?;
        jacobian.write_dense(dense[k].as_mut());
    }
    let left = norm(&value[0]) + (&dense[0] - &dense[1]).norm_l2();
    // Both come from the same sums: m terms each, of a few units in the last place.
    let m = problem.network.last_layer().width as f64;
    let right = if problem.network.one_layer().is_some() {
        4.0 * m * f64::EPSILON * (norm(&value[1]) + dense[1].norm_l2())
    } else {
        problem.output_rounding(1.0)
    };
    let record = row.judge(&problem.name, vec![], [Comparison::new(left, right, 0.0, "w_init")]);
    Ok(record.with_note(
        "The objective of section 2.1 is printed as a maximum over w; what is minimized is g(alpha f).",
    ))
}

/// sup |sigma|, |sigma'|, |sigma''| are at most `claimed`, on a grid that resolves their extrema.
pub fn activation_bounds<A: ActivationFunction>(
    name: &str,
    activation: &A,
    claimed: ActivationBounds,
) -> Record {
    let row = Statement {
        id: "setting/activation-bounds",
        place: "section 2.1",
        text: "max over k of sup |sigma^(k)| / sigma_k <= 1",
    };
    // Spacing 2^-10 over [-40, 40]: a smooth extremum is missed by at most (spacing/2)^2/2 times the
    // next even derivative, 1e-7 of it.
    let z: Vec<f64> = (-40_960..=40_960).map(|k| f64::from(k) / 1024.0).collect();
    let (mut value, mut first, mut second) =
        (vec![0.0; z.len()], vec![0.0; z.len()], vec![0.0; z.len()]);
    activation.evaluate(&z, &mut value, &mut first, &mut second);
    let columns = [(value, claimed.value), (first, claimed.first), (second, claimed.second)];
    let places = columns.iter().enumerate().map(|(k, (values, bound))| {
        let (mut sup, mut at) = (0.0, 0.0);
        for (x, z) in values.iter().zip(&z) {
            if x.abs() > sup {
                (sup, at) = (x.abs(), *z);
            }
        }
        // The functions' own accuracy is 2.4 units in the last place.
        Comparison::new(sup / bound, 1.0, 4.0 * f64::EPSILON, format!("derivative {k}, z = {at}"))
    });
    row.judge(name, vec![], places)
}

/// Why a statement says nothing of a network.
pub const ONE_LAYER: &str =
    "The statement is made for one hidden layer with fixed signs and no biases.";

/// w -> Df(w) is L-Lipschitz: quotients at sampled pairs, and the searched lower bound of L, below
/// `claimed`.
pub fn jacobian_lipschitz(
    problem: &Problem,
    constants: &NetworkConstants,
    claimed: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "setting/jacobian-lipschitz",
        place: "section 2.1",
        text: "norm(Df(w) - Df(w')) / norm(w - w') <= L",
    };
    let lower = constants.jacobian_lipschitz_lower;
    // A searched value is a sum of n squares, and the bound the root of an eigenvalue: a few n eps, relative.
    let tolerance = 8.0 * problem.outputs() as f64 * f64::EPSILON * claimed;
    let mut places =
        vec![Comparison::new(lower, claimed, tolerance, "the best (w, a) of the search")];
    let mut sampler = Sampler::new(1);
    let start = Local::measure(problem, 1.0, &problem.initial)?;
    for share in [1e-3, 1e-1, 1.0] {
        let distance = if constants.radius.is_finite() { share * constants.radius } else { share };
        let direction = sampler.direction(problem.parameters());
        let w = shifted(&problem.initial, &direction, distance);
        let there = Local::measure(problem, 1.0, &w)?;
        // Power iteration from below: any vector gives a lower bound of the operator norm.
        let change = &there.jacobian - &start.jacobian;
        let quotient = operator_norm_lower(&change) / distance;
        let rounding = 8.0 * f64::EPSILON * start.jacobian.norm_l2() / distance;
        places.push(Comparison::new(quotient, claimed, rounding, format!("a step of {distance}")));
    }
    let record = row.judge(&problem.name, vec![], places);
    if constants.radius.is_finite() {
        return Ok(record.with_note(&format!(
            "A deep network has no such L on all of R^p. On the ball of radius {:.3e} around w_init it lies \
             between {lower:.6} (search) and {:.6} (proven).",
            constants.radius, constants.jacobian_lipschitz
        )));
    }
    Ok(record.with_note(&format!(
        "The paper never says which L. Independent of m: between {lower:.6} (search) and {:.6} (proven); \
         from the rows' norms alone {:.6}.",
        constants.jacobian_lipschitz, constants.jacobian_lipschitz_loose
    )))
}

/// Lip_f is at most the printed bound; corrected, at most `sigma_1 sqrt(m) sigma_max(X)`, attained at
/// w = 0 where |sigma'(0)| = sigma_1.
pub fn lipschitz_f(
    problem: &Problem,
    constants: &NetworkConstants,
    claimed: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "setting/lipschitz-f",
        place: "Theorem 2",
        text: "norm(Df(w)) <= Lip_f <= sigma_1 sqrt(m sum_j norm(x_j)^2)",
    };
    if problem.network.one_layer().is_none() {
        return Ok(row.unavailable(&problem.name, ONE_LAYER));
    }
    let mut places = Vec::new();
    for (w, at) in
        [(vec![0.0; problem.parameters()], "w = 0"), (problem.initial.clone(), "w = w_init")]
    {
        let found = Local::measure(problem, 1.0, &w)?.largest().sqrt();
        places.push((found, at));
    }
    let against = |bound: f64| {
        // An eigenvalue of a Gram matrix of n rows, and its root, carry a few n eps; tanh at w = 0 attains the bound.
        let tolerance = 8.0 * problem.outputs() as f64 * f64::EPSILON * bound;
        places.iter().map(move |&(found, at)| Comparison::new(found, bound, tolerance, at))
    };
    let judged = row.judge(&problem.name, vec![], against(claimed));
    Ok(judged
        .with_corrected(
            "norm(Df(w)) <= sigma_1 sqrt(m) sigma_max(X)",
            &[],
            against(constants.lipschitz),
        )
        .with_note(
            "The printed bound holds and is loose; the corrected one is attained by tanh at w = 0.",
        ))
}

/// `nu norm(v)^2 <= v^T Hess g v <= mu norm(v)^2`, and the same for differences of the gradient; not applicable to a
/// loss without nu > 0 and a finite mu.
pub fn loss_constants(name: &str, loss: &dyn Loss, nu: f64, mu: f64) -> Record {
    let row = Statement {
        id: "setting/loss-constants",
        place: "section 2.1",
        text: "max(nu / least, largest / mu) of the quotients <v, Hess g v> / norm(v)^2 <= 1",
    };
    if nu <= 0.0 || !mu.is_finite() {
        let reason = format!(
            "The paper's losses are nu-strongly convex with mu-Lipschitz gradient; this one has nu = {nu}, mu = {mu}, and \
             none of the paper's rates is made for it."
        );
        return row.unavailable(name, &reason);
    }
    let n = loss.outputs();
    let mut sampler = Sampler::new(2);
    let mut places = Vec::new();
    // Inner products of n terms, times what a difference of rounded gradients loses.
    let mut compare = |quotient: f64, cancellation: f64, at: &str| {
        let tolerance = 4.0 * (n as f64 + cancellation) * f64::EPSILON;
        places.push(Comparison::new(nu / quotient, 1.0, tolerance, at));
        places.push(Comparison::new(quotient / mu, 1.0, tolerance, at));
    };
    for scale in [0.01, 1.0, 100.0] {
        let psi: Vec<f64> = sampler.normal(n).iter().map(|x| scale * x).collect();
        let mut image = vec![0.0; n];
        // Unit vectors are where a diagonal Hessian is extreme.
        for j in 0..n {
            let mut unit = vec![0.0; n];
            unit[j] = 1.0;
            loss.hessian_apply(&psi, &unit, &mut image);
            compare(image[j], 0.0, "a unit vector");
        }
        let other: Vec<f64> = sampler.normal(n).iter().map(|x| scale * x).collect();
        let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
        loss.gradient(&psi, &mut a);
        loss.gradient(&other, &mut b);
        let change: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        let step: Vec<f64> = psi.iter().zip(&other).map(|(a, b)| a - b).collect();
        let square = squared_distance(&psi, &other);
        let sizes = norm(&a) + norm(&b) + mu * (norm(&psi) + norm(&other));
        let cancellation = sizes / norm(&change);
        compare(inner_product(&change, &step) / square, cancellation, "a pair of outputs");
    }
    row.judge(name, vec![], places)
}
