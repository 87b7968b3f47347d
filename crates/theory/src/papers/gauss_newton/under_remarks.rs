//! Remarks 4 to 6: initializations, the guideline for alpha, the inductive bias, and conditioning.

use gaussflow_solvers::{SymmetricEigen, norm};

use crate::TheoryError;
use crate::local::Local;
use crate::network_constants::NetworkConstants;
use crate::problem::Problem;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::trajectory::Trajectory;

/// Remark 4: an antisymmetric start gives f = 0 and rank J <= `rank` (p/2).
pub fn antisymmetric(problem: &Problem, rank: usize) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/antisymmetric",
        place: "Remark 4",
        text: "max(norm(f(w_init)), eigenvalue p/2 + 1 of H from the largest) <= rounding",
    };
    let here = Local::measure(problem, 1.0, &problem.initial)?;
    let values = here.eigenvalues();
    let next = values.len().checked_sub(rank + 1).map_or(0.0, |k| values[k].abs());
    let right = problem.outputs() as f64 * f64::EPSILON * here.largest();
    let f = gaussflow_solvers::norm(&here.output);
    let m = problem.network.last_layer().width as f64;
    let places = [
        Comparison::new(next, right, 0.0, "rank J at w_init"),
        Comparison::new(
            f,
            4.0 * m * f64::EPSILON * (problem.outputs() as f64).sqrt(),
            0.0,
            "f(w_init)",
        ),
    ];
    Ok(row.judge(&problem.name, vec![], places).with_note(
        "Printed as \"Df(w_init) <= p/2\"; the rank is meant. Assumption 2 fails there.",
    ))
}

/// Remark 4: without nullification Delta_0 grows faster than alpha.
pub fn non_nullified(
    problem: &Problem,
    scalings: &[f64],
    exponent: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/non-nullified",
        place: "Remark 4",
        text: "1 < exponent of Delta_0 = g(alpha f(w_init)) - g* over alpha, between neighbours",
    };
    let (mut gaps, mut size) = (Vec::new(), f64::NAN);
    for &alpha in scalings {
        let loss = problem.objective(alpha)?.loss_at(&problem.initial)?;
        gaps.push((alpha, loss - problem.loss.minimum()));
        if size.is_nan() {
            // The output outweighs the targets from here on: with a = norm(alpha f)/norm(f*), the exponent for squares is
            // at least 2 a (a - 1)/(a + 1)^2, which is 1 at a = 2 + sqrt 5.
            let output = Local::measure(problem, alpha, &problem.initial)?.output;
            size = norm(&output) / norm(&problem.minimizer());
        }
    }
    let assumed = vec![Hypothesis::at_least(
        "norm(alpha f(w_init)) over norm(f*) at the least alpha",
        size,
        2.0 + 5_f64.sqrt(),
    )];
    let places = gaps.windows(2).map(|pair| {
        let slope = (pair[1].1 / pair[0].1).ln() / (pair[1].0 / pair[0].0).ln();
        Comparison::new(exponent, slope, 0.0, format!("alpha = {} to {}", pair[0].0, pair[1].0))
    });
    Ok(row.judge(&problem.name, assumed, places).with_note(
        "It cites Delta_0 \"in (23)\", which has none; the proof's bound on norm(w_t - w_0) has.",
    ))
}

/// Remark 5: the guideline for alpha against the least alpha that Theorem 5 allows over all r.
pub fn alpha_guideline(problem: &Problem, constants: &NetworkConstants, factor: f64) -> Record {
    let row = Statement {
        id: "under/alpha-guideline",
        place: "Remark 5",
        text: "least alpha of Theorem 5 (r = 1/2) <= L mu sqrt(Delta_0)/(lambda0^2 sqrt(2 nu^3))",
    };
    let least = constants.theorem_5_scaling(0.5);
    let guideline = factor * constants.guideline_scaling();
    let place = |right| Comparison::new(least, right, 8.0 * f64::EPSILON * right, "r = 1/2");
    let assumed = vec![Hypothesis::above("lambda0", constants.lambda0, 0.0)];
    row.judge(&problem.name, assumed.clone(), [place(guideline)])
        .with_corrected(
            "twice the guideline",
            &assumed,
            [place(2.0 * constants.guideline_scaling())],
        )
        .with_note(
            "The guideline is half of what Theorem 5 needs at its best r, whatever the data.",
        )
}

/// Remark 5: the best loss in B, at fixed r, against alpha (ascending); as printed it gets worse.
///
/// `best` holds alpha and the best loss found in the closed ball; `limits` the limits of the flows.
pub fn inductive_bias(problem: &Problem, best: &[(f64, f64)], limits: &[(f64, f64)]) -> Record {
    let row = Statement {
        id: "under/inductive-bias",
        place: "Remark 5",
        text: "inf of g(alpha f) over B at the smaller alpha <= at the next larger, r fixed",
    };
    let compare = |list: &[(f64, f64)]| {
        let pairs = list.windows(2).map(|pair| {
            let at = format!("alpha = {} against {}", pair[0].0, pair[1].0);
            // Best losses are found to 1e-6 of themselves.
            Comparison::new(pair[0].1, pair[1].1, 2e-6 * pair[1].1, at)
        });
        pairs.collect::<Vec<_>>()
    };
    row.judge(&problem.name, vec![], compare(best))
        .with_corrected(
            "the flow's limit at the smaller alpha <= at the next larger (the flow is not confined to B)",
            &[],
            compare(limits),
        )
        .with_note(
            "B has radius 2 lambda0 r/L whatever alpha; at fixed r, alpha f(B) grows with alpha. What the \
             remark describes needs r ~ 1/alpha. The printed difference inf over R^n minus inf over B is at most 0 \
             (its sign), and \"alpha up to 0\" stands for alpha to infinity.",
        )
}

/// The best loss over the closed ball B, by projected Gauss-Newton steps with a halved step length.
///
/// Each step solves the linear least squares over the ball: `(H + xi I) v = ...` with xi by bisection.
pub fn best_in_ball(problem: &Problem, scaling: f64, radius: f64) -> Result<f64, TheoryError> {
    let objective = problem.objective(scaling)?;
    let mut w = problem.initial.clone();
    let mut best = objective.loss_at(&w)?;
    let mu = problem.loss.smoothness();
    for _ in 0..20 {
        let here = Local::measure(problem, scaling, &w)?;
        let b = here.transposed_times(&here.gradient);
        // Minimize <b, alpha v> + (mu/2) alpha^2 norm(J v)^2 over norm(w + v - w_0) <= radius: with
        // s = w + v - w_0, (mu alpha^2 H + xi) s = mu alpha^2 H (w - w_0) - alpha b.
        let offset: Vec<f64> = w.iter().zip(&problem.initial).map(|(a, b)| a - b).collect();
        let image = here.transposed_times(&here.times(&offset));
        let right: Vec<f64> =
            image.iter().zip(&b).map(|(h, b)| mu * scaling * scaling * h - scaling * b).collect();
        let p = right.len();
        let coordinates: Vec<(f64, f64, Vec<f64>)> = (0..p)
            .map(|k| {
                let vector = here.parameter_eigenvector(k);
                let c = gaussflow_solvers::inner_product(&vector, &right);
                (mu * scaling * scaling * here.eigenvalues()[k], c, vector)
            })
            .collect();
        let length = |xi: f64| {
            let squares = coordinates.iter().map(|(e, c, _)| (c / (e + xi)).powi(2));
            squares.sum::<f64>().sqrt()
        };
        let xi = if length(0.0) <= radius {
            0.0
        } else {
            let (mut low, mut high) = (0.0, gaussflow_solvers::norm(&right) / radius);
            for _ in 0..200 {
                let middle = 0.5 * (low + high);
                if length(middle) > radius { low = middle } else { high = middle }
            }
            high
        };
        let mut target = problem.initial.clone();
        for (e, c, vector) in &coordinates {
            let step = c / (e + xi);
            target.iter_mut().zip(vector).for_each(|(t, x)| *t += step * x);
        }
        let mut share = 1.0;
        let mut moved = false;
        while share > 1e-3 {
            let trial: Vec<f64> = w.iter().zip(&target).map(|(w, t)| w + share * (t - w)).collect();
            let loss = objective.loss_at(&trial)?;
            if loss < best {
                moved = best - loss > 1e-9 * best;
                (w, best) = (trial, loss);
                break;
            }
            share *= 0.5;
        }
        if !moved {
            break;
        }
    }
    Ok(best)
}

/// The slope of `-log Delta` over time between Delta/Delta_0 = 1e-1 and 1e-6.
pub fn gap_slope(trajectory: &Trajectory, best: f64) -> Option<f64> {
    let gap = |k: usize| trajectory.samples[k].loss - best;
    let start = gap(0);
    let crossing = |level: f64| {
        let k = (1..trajectory.samples.len()).find(|&k| gap(k) <= level * start)?;
        // Linear in log Delta between samples.
        let (before, after) = (gap(k - 1).ln(), gap(k).ln());
        let share = ((level * start).ln() - before) / (after - before);
        let (t0, t1) = (trajectory.samples[k - 1].time, trajectory.samples[k].time);
        Some(t0 + share * (t1 - t0))
    };
    let (first, last) = (crossing(1e-1)?, crossing(1e-6)?);
    Some(1e5_f64.ln() / (last - first))
}

/// The slopes on inputs of one conditioning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConditionedSlopes {
    /// cond(H_0).
    pub condition: f64,
    /// Of the Gauss-Newton flow.
    pub newton: f64,
    /// Of the gradient flow.
    pub gradient: f64,
}

/// Remark 6: the rate is independent of lambda0: slopes over Delta/Delta_0 in [1e-6, 1e-1] differ by at
/// most `share` (0.05) of the largest; gradient flow's for contrast.
pub fn conditioning_free(name: &str, slopes: &[ConditionedSlopes], share: f64) -> Record {
    let row = Statement {
        id: "under/conditioning-free",
        place: "Remark 6",
        text: "1 - least/largest slope of -log Delta_t over Delta/Delta_0 in [1e-6, 1e-1] <= 0.05 across cond(H_0)",
    };
    let range = |value: fn(&ConditionedSlopes) -> f64| {
        let values = slopes.iter().map(value);
        values.fold((f64::INFINITY, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)))
    };
    let (low, high) = range(|s| s.newton);
    let (slow, fast) = range(|s| s.gradient);
    let (easy, hard) = range(|s| s.condition);
    let place = Comparison::new(
        1.0 - low / high,
        share,
        0.0,
        format!("cond(H_0) {easy:.1e} to {hard:.1e}"),
    );
    row.judge(name, vec![], [place]).with_note(&format!(
        "Gauss-Newton {low:.4} to {high:.4}; gradient flow {slow:.3e} to {fast:.3e}, a factor {:.1e}.",
        fast / slow
    ))
}

/// cond(H) of inputs alone, for the choice of inputs.
pub fn gram_condition(problem: &Problem) -> Result<f64, TheoryError> {
    let here = Local::measure(problem, 1.0, &problem.initial)?;
    Ok(here.largest() / here.smallest())
}

/// Inputs of n rows and d features with singular values spread geometrically from 1 to `1/spread`, times
/// sqrt(n): orthogonal factors by eigenvectors of seeded symmetric matrices.
pub fn conditioned_inputs(
    n: usize,
    d: usize,
    spread: f64,
    seed: u64,
) -> Result<Vec<f64>, TheoryError> {
    let mut sampler = crate::sampling::Sampler::new(seed);
    let mut orthogonal = |order: usize| -> Result<SymmetricEigen, TheoryError> {
        let entries = sampler.normal(order * order);
        let mut eigen = SymmetricEigen::new(order)?;
        let matrix = gaussflow_solvers::faer::Mat::from_fn(order, order, |i, j| {
            entries[i * order + j] + entries[j * order + i]
        });
        eigen.factor(matrix.as_ref())?;
        Ok(eigen)
    };
    let (left, right) = (orthogonal(n)?, orthogonal(d)?);
    let mut inputs = vec![0.0; n * d];
    for k in 0..d {
        let share = if d == 1 { 0.0 } else { k as f64 / (d - 1) as f64 };
        let value = (n as f64).sqrt() * spread.powf(-share);
        for j in 0..n {
            for l in 0..d {
                inputs[j * d + l] += value * left.vector(k)[j] * right.vector(k)[l];
            }
        }
    }
    Ok(inputs)
}
