//! Section 4: alpha f as a chart of M: Theorem 3, Lemma 5, Remark 3 and Lemma 6.

use std::sync::Arc;

use gaussflow_manifold::{ManifoldPoint, OutputManifold};
use gaussflow_network::Network;
use gaussflow_objective::{Loss, Residuals};
use gaussflow_solvers::{norm, squared_distance};

use crate::TheoryError;
use crate::corrected::injectivity_modulus;
use crate::local::Local;
use crate::papers::gauss_newton::under_immersion::Ball;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::sampling::{Sampler, shifted};

/// The normal part of `(alpha f(there) - alpha f(w))/h` at the point of w, against `bound`.
fn off_tangent(
    ball: &Ball<'_>,
    point: &mut ManifoldPoint<'_, &Network, Arc<dyn Loss>>,
    there: &[f64],
    h: f64,
    bound: f64,
    at: String,
) -> Result<Comparison, TheoryError> {
    let n = ball.problem.outputs();
    let (mut output, mut off) = (vec![0.0; n], vec![0.0; n]);
    ball.problem.network.value(there, &mut output)?;
    let pairs = output.iter().zip(point.output());
    let chord: Vec<f64> = pairs.map(|(f, o)| (ball.scaling * f - o) / h).collect();
    point.normal_part(&chord, &mut off)?;
    let rounding = 2.0 * ball.problem.output_rounding(ball.scaling) / h
        + 8.0 * n as f64 * f64::EPSILON * norm(&chord);
    Ok(Comparison::new(norm(&off), bound, rounding, at))
}

/// Theorem 3: rank J = p on B, and `alpha f(w + h v)` leaves the tangent plane like h^2 at most.
pub fn manifold_dimension(ball: &Ball<'_>, lipschitz: f64) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/manifold-dimension",
        place: "Theorem 3",
        text: "distance of alpha f(w + h v) from the tangent plane at alpha f(w) <= alpha L h^2 norm(v)^2/2, rank J = p on B",
    };
    let problem = ball.problem;
    let objective = problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let p = problem.parameters();
    let mut sampler = Sampler::new(10);
    let mut places = Vec::new();
    for (k, w) in ball.samples(10).iter().take(3).enumerate() {
        // Where J lacks full rank this is an error, which says so.
        let mut point = manifold.at(w)?;
        let v = sampler.direction(p);
        for h in [1.0, 0.1, 0.01] {
            let bound = 0.5 * ball.scaling * lipschitz * h * h;
            let at = format!("point {k}, h = {h}");
            places.push(off_tangent(ball, &mut point, &shifted(w, &v, h), 1.0, bound, at)?);
        }
    }
    Ok(row.judge(&ball.name(), ball.assumed(), places).with_note(
        "The printed proof fails (alpha f(B) is not open in R^n, and a chart makes no embedding); the \
         statement is true because f is bi-Lipschitz on B, see under/injective.",
    ))
}

/// Lemma 5: f is injective on B; corrected, with the modulus 2 lambda0 (1-r), times `factor`.
pub fn injective(ball: &Ball<'_>, factor: f64) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/injective",
        place: "Lemma 5",
        text: "2 lambda0 (1-r) norm(w1 - w2) <= norm(f(w1) - f(w2)) on B (so that f is injective there)",
    };
    let problem = ball.problem;
    let n = problem.outputs();
    let modulus = factor * injectivity_modulus(ball.constants.lambda0, ball.fraction);
    let mut points = ball.samples(11);
    // The direction in which J is weakest, from both sides: where images come closest.
    let weakest = Local::measure(problem, 1.0, &problem.initial)?.parameter_eigenvector(0);
    for side in [-0.999, 0.999] {
        points.push(shifted(&problem.initial, &weakest, side * ball.radius()));
    }
    let images = points
        .iter()
        .map(|w| {
            let mut out = vec![0.0; n];
            problem.network.value(w, &mut out).map(|()| out)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut places = Vec::new();
    for i in 0..points.len() {
        for j in 0..i {
            let apart = squared_distance(&points[i], &points[j]).sqrt();
            let images = squared_distance(&images[i], &images[j]).sqrt();
            let rounding = 2.0 * problem.output_rounding(1.0);
            places.push(Comparison::new(
                modulus * apart,
                images,
                rounding,
                format!("points {i}, {j}"),
            ));
        }
    }
    Ok(row.judge(&problem.name, ball.assumed(), places).with_note(
        "The printed proof applies Rolle's theorem to a vector-valued curve, where it fails; this \
         quantitative form needs no such step.",
    ))
}

/// Remark 3: "an immersion of a convex set is injective there", on `t -> (cos t, sin t)`, 0 < t < `end`.
pub fn immersion_remark(end: f64) -> Record {
    let row = Statement {
        id: "under/immersion-remark",
        place: "Remark 3",
        text: "rounding <= norm(f(s) - f(t)) for all s, t at least 1 apart: f = (cos, sin) on (0, 4 pi)",
    };
    let steps = 4000;
    let at = |k: i32| end * f64::from(k) / f64::from(steps);
    let image = |t: f64| [t.cos(), t.sin()];
    let mut places = Vec::new();
    let mut speed = f64::INFINITY;
    for k in 1..steps {
        let s = at(k);
        speed = speed.min((s.sin().powi(2) + s.cos().powi(2)).sqrt());
        let mut nearest = (f64::INFINITY, 0.0);
        for l in 1..k {
            let t = at(l);
            if s - t < 1.0 {
                break;
            }
            let (a, b) = (image(s), image(t));
            let apart = (a[0] - b[0]).hypot(a[1] - b[1]);
            if apart < nearest.0 {
                nearest = (apart, t);
            }
        }
        if nearest.0.is_finite() {
            // Arguments up to 4 pi are off by eps each: images by as much.
            let place = format!("s = {s:.4}, t = {:.4}", nearest.1);
            places.push(Comparison::new(32.0 * f64::EPSILON, nearest.0, 0.0, place));
        }
    }
    // Within a ball as small as Lemma 3's (speed 2 lambda0 = 1, L = 1, r = 1/2) it is bi-Lipschitz.
    let mut small = Vec::new();
    for k in -50..50 {
        for l in -50..k {
            let (s, t) = (f64::from(k) / 100.0, f64::from(l) / 100.0);
            let (a, b) = (image(s), image(t));
            let apart = (a[0] - b[0]).hypot(a[1] - b[1]);
            let place = format!("s = {s}, t = {t}");
            small.push(Comparison::new(0.5 * (s - t), apart, 4.0 * f64::EPSILON, place));
        }
    }
    row.judge(
        "the doubly covered circle",
        vec![Hypothesis::above("least speed (an immersion)", speed, 0.0)],
        places,
    )
    .with_corrected(
        "on a ball of radius 2 lambda0 r/L: 2 lambda0 (1-r) |s - t| <= norm(f(s) - f(t))",
        &[],
        small,
    )
}

/// Lemma 6: velocities of curves on M lie in Im J.
pub fn tangent_space(ball: &Ball<'_>, lipschitz: f64) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/tangent-space",
        place: "Lemma 6",
        text: "norm(N c'(0)) by differences with step h <= h (alpha L norm(gamma')^2/2 + Lip_f alpha norm(gamma''))",
    };
    let problem = ball.problem;
    let objective = problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let p = problem.parameters();
    let mut sampler = Sampler::new(12);
    let mut places = Vec::new();
    let size = 0.1 * ball.radius();
    for (k, w) in ball.samples(12).iter().take(3).enumerate() {
        let mut point = manifold.at(w)?;
        // gamma(t) = w + size (t v + t^2 u), a curve in B for small t.
        let (v, u) = (sampler.direction(p), sampler.direction(p));
        for h in [1e-1, 1e-2] {
            let there = shifted(&shifted(w, &v, size * h), &u, size * h * h);
            // norm(gamma(h) - w) <= size h (1 + h); the part of gamma'' on the tangent space drops out,
            // what is left of f's remainder is (L/2) of that square.
            let reach = size * (1.0 + h);
            let bound = 0.5 * ball.scaling * lipschitz * reach * reach * h;
            let at = format!("point {k}, h = {h}");
            places.push(off_tangent(ball, &mut point, &there, h, bound, at)?);
        }
    }
    Ok(row
        .judge(&ball.name(), ball.assumed(), places)
        .with_note("The proof's curve c = f(gamma) lacks a factor alpha."))
}
