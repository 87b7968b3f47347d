//! Section 4 at points of the ball B: rank, projection, the chart, and the flow's velocity.

use gaussflow_manifold::OutputManifold;
use gaussflow_objective::Residuals;
use gaussflow_solvers::{inner_product, norm, squared_distance};

use crate::TheoryError;
use crate::corrected::injectivity_modulus;
use crate::local::Local;
use crate::network_constants::NetworkConstants;
use crate::problem::Problem;
use crate::record::{Comparison, Hypothesis, Record, Statement};
use crate::sampling::{Sampler, shifted};

/// A problem with p < n, its constants, alpha and r.
#[derive(Clone, Copy)]
pub struct Ball<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// At w_0.
    pub constants: &'a NetworkConstants,
    /// alpha.
    pub scaling: f64,
    /// r in (0, 1).
    pub fraction: f64,
    /// Points sampled in B besides w_0.
    pub points: usize,
}

impl Ball<'_> {
    pub(crate) fn assumed(&self) -> Vec<Hypothesis> {
        vec![Hypothesis::above("lambda0 (Assumption 2)", self.constants.lambda0, 0.0)]
    }

    pub(crate) fn radius(&self) -> f64 {
        self.constants.ball_radius(self.fraction)
    }

    pub(crate) fn samples(&self, seed: u64) -> Vec<Vec<f64>> {
        Sampler::new(seed).ball(&self.problem.initial, self.radius(), self.points)
    }

    pub(crate) fn name(&self) -> String {
        format!("{}, alpha = {:.4e}", self.problem.name, self.scaling)
    }

    /// eps cond(J): what a projection through QR or the normal equations may lose.
    fn projection_rounding(&self, here: &Local) -> f64 {
        let n = self.problem.outputs() as f64;
        n * f64::EPSILON * (here.largest() / here.smallest()).sqrt()
    }
}

/// Assumption 2: H_0 >= 4 lambda0^2 I, a definition of lambda0: reported.
pub fn assumption_2(ball: &Ball<'_>) -> Record {
    let row = Statement {
        id: "under/assumption-2",
        place: "Assumption 2",
        text: "lambda0^2 = lambda_min(H_0)/4 > 0 (left), norm(H_0)/4 (right)",
    };
    let c = ball.constants;
    row.report(&ball.problem.name, c.lambda0.powi(2), c.lambda_n.powi(2), "")
}

/// Lemma 3: on B, H >= (1-r)^2 lambda0^2 I; tight: >= 4 (1-r)^2 lambda0^2 I.
///
/// # Errors
/// [`TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.
pub fn gram_stays(ball: &Ball<'_>) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/gram-stays",
        place: "Lemma 3",
        text: "(1-r)^2 lambda0^2 <= lambda_min(H) on B",
    };
    let bound = ((1.0 - ball.fraction) * ball.constants.lambda0).powi(2);
    let (mut printed, mut tight) = (Vec::new(), Vec::new());
    for (k, w) in ball.samples(6).iter().enumerate() {
        let here = Local::measure(ball.problem, 1.0, w)?;
        let tolerance = ball.problem.outputs() as f64 * f64::EPSILON * here.largest();
        let place = |b| Comparison::new(b, here.smallest(), tolerance, format!("point {k} of B"));
        printed.push(place(bound));
        tight.push(place(4.0 * bound));
    }
    Ok(row
        .judge(&ball.problem.name, ball.assumed(), printed)
        .with_corrected("4 (1-r)^2 lambda0^2 <= lambda_min(H) on B", &ball.assumed(), tight)
        .with_note("Loose by a factor 4 against (23)."))
}

/// (15): `P = J H^-1 J^T` is symmetric, idempotent, of rank p, by the manifold's own projection.
///
/// # Errors
/// [`TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.
pub fn projection(ball: &Ball<'_>) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/projection",
        place: "(15)",
        text: "norm(P P u - P u), |<P u, v> - <u, P v>| and |trace P - p| <= n eps cond(J)",
    };
    let objective = ball.problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let (n, p) = (ball.problem.outputs(), ball.problem.parameters());
    let mut places = Vec::new();
    let mut sampler = Sampler::new(7);
    for (k, w) in ball.samples(7).iter().take(3).enumerate() {
        let here = Local::measure(ball.problem, ball.scaling, w)?;
        let right = 8.0 * ball.projection_rounding(&here);
        let mut point = manifold.at(w)?;
        let (u, v) = (sampler.direction(n), sampler.direction(n));
        let (mut pu, mut ppu, mut pv) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        point.tangent_part(&u, &mut pu)?;
        point.tangent_part(&pu, &mut ppu)?;
        point.tangent_part(&v, &mut pv)?;
        let basis = point.tangent_basis()?;
        let trace = basis.squared_norm_l2();
        let at = |what| format!("{what}, point {k}");
        let idempotent = squared_distance(&ppu, &pu).sqrt();
        places.push(Comparison::new(idempotent, right, 0.0, at("idempotent")));
        let symmetric = (inner_product(&pu, &v) - inner_product(&u, &pv)).abs();
        places.push(Comparison::new(symmetric, right, 0.0, at("symmetric")));
        places.push(Comparison::new((trace - p as f64).abs(), p as f64 * right, 0.0, at("rank")));
        // The same projection from the spectrum of H: J H^-1 J^T.
        let spectral: Vec<f64> = (0..p).fold(vec![0.0; n], |mut sum, e| {
            let vector = here.output_eigenvector(e);
            let c = inner_product(&vector, &u);
            sum.iter_mut().zip(&vector).for_each(|(s, x)| *s += c * x);
            sum
        });
        let cond = here.largest() / here.smallest();
        let difference = squared_distance(&spectral, &pu).sqrt();
        let square = 8.0 * n as f64 * f64::EPSILON * cond;
        places.push(Comparison::new(difference, square, 0.0, at("J H^-1 J^T through eigenpairs of H")));
    }
    Ok(row.judge(&ball.name(), ball.assumed(), places))
}

/// `sign` times `-P grad g` and the output's velocity along the flow's `v = -q/alpha`, by a forward
/// difference of f: within `alpha L h norm(v)^2/2` and rounding over h.
fn velocity_places(ball: &Ball<'_>, sign: f64) -> Result<Vec<Comparison>, TheoryError> {
    let problem = ball.problem;
    let objective = problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let n = problem.outputs();
    let mut places = Vec::new();
    for (k, w) in ball.samples(8).iter().take(4).enumerate() {
        let here = Local::measure(problem, ball.scaling, w)?;
        let mut point = manifold.at(w)?;
        let mut gradient = vec![0.0; n];
        point.riemannian_gradient(&mut gradient)?;
        // q = H^-1 J^T grad g through the eigenpairs of H: not through the QR that P comes from.
        let b = here.transposed_times(&here.gradient);
        let mut q = vec![0.0; problem.parameters()];
        for (e, gamma) in here.eigenvalues().into_iter().enumerate() {
            let vector = here.parameter_eigenvector(e);
            let c = inner_product(&vector, &b) / gamma;
            q.iter_mut().zip(&vector).for_each(|(q, x)| *q += c * x);
        }
        let speed = norm(&q) / ball.scaling;
        let rounding = problem.output_rounding(ball.scaling);
        // The step that balances both errors.
        let bend = ball.scaling * ball.constants.jacobian_lipschitz * speed * speed;
        let h = 2.0 * (rounding / bend).sqrt();
        let moved = shifted(w, &q, -h / ball.scaling);
        let mut output = vec![0.0; n];
        problem.network.value(&moved, &mut output)?;
        let velocity: Vec<f64> =
            output.iter().zip(&here.output).map(|(f, o)| (ball.scaling * f - o) / h).collect();
        let expected: Vec<f64> = gradient.iter().map(|g| -sign * g).collect();
        let left = squared_distance(&velocity, &expected).sqrt();
        let cond = here.largest() / here.smallest();
        let right = 0.5 * bend * h
            + 2.0 * rounding / h
            + 8.0 * n as f64 * f64::EPSILON * cond * norm(&here.gradient);
        places.push(Comparison::new(left, right, 0.0, format!("point {k} of B, h = {h:.1e}")));
    }
    Ok(places)
}

/// (GF-Ou): the output moves by -P grad g.
///
/// # Errors
/// [`TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.
pub fn output_flow(ball: &Ball<'_>, sign: f64) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/output-flow",
        place: "(GF-Ou)",
        text: "norm((alpha f(w + h dw/dt) - alpha f(w))/h + P grad g) <= alpha L h norm(dw/dt)^2/2 + rounding/h",
    };
    Ok(row.judge(&ball.name(), ball.assumed(), velocity_places(ball, sign)?))
}

/// (EDI-u): `dg/dt = -norm(P grad g)^2`, by a forward difference of g along the flow's velocity.
///
/// # Errors
/// [`TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.
pub fn energy_dissipation(ball: &Ball<'_>, factor: f64) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/energy-dissipation",
        place: "(EDI-u)",
        text: "|<grad g, J q> - norm(P grad g)^2| <= 8 n eps cond(H) norm(grad g)^2",
    };
    let objective = ball.problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let n = ball.problem.outputs();
    let mut places = Vec::new();
    for (k, w) in ball.samples(9).iter().take(4).enumerate() {
        let here = Local::measure(ball.problem, ball.scaling, w)?;
        let mut tangent = vec![0.0; n];
        manifold.at(w)?.riemannian_gradient(&mut tangent)?;
        // <grad g, J H^-1 J^T grad g> through the spectrum of H.
        let dissipated = here.quadratic_form(&here.gradient, |_| 1.0);
        let left = (dissipated - factor * inner_product(&tangent, &tangent)).abs();
        let cond = here.largest() / here.smallest();
        let square = inner_product(&here.gradient, &here.gradient);
        let right = 8.0 * n as f64 * f64::EPSILON * cond * square;
        places.push(Comparison::new(left, right, 0.0, format!("point {k} of B")));
    }
    Ok(row.judge(&ball.name(), ball.assumed(), places))
}

/// rank K <= `rank` < n: the eigenvalue of K after the `rank` largest is rounding.
///
/// # Errors
/// [`TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.
pub fn kernel_singular(ball: &Ball<'_>, rank: usize) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/kernel-singular",
        place: "section 4",
        text: "eigenvalue p + 1 of K = J J^T, from the largest <= n eps norm(K)",
    };
    let n = ball.problem.outputs();
    let here = Local::measure(ball.problem, 1.0, &ball.problem.initial)?;
    let kernel = &here.jacobian * here.jacobian.transpose();
    let mut eigen = gaussflow_solvers::SymmetricEigen::new(n)?;
    eigen.factor(kernel.as_ref())?;
    let next = n.checked_sub(rank + 1).map_or(0.0, |k| eigen.value(k).abs());
    let right = n as f64 * f64::EPSILON * here.largest();
    let assumed = vec![Hypothesis::below(
        "p against n",
        ball.problem.parameters() as f64,
        n as f64,
    )];
    Ok(row.judge(&ball.problem.name, assumed, [Comparison::new(next, right, 0.0, "w_0")]))
}

/// Theorem 3: rank J = p on B, and `alpha f(w + h v)` leaves the tangent plane like h^2 at most.
///
/// # Errors
/// [`TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.
pub fn manifold_dimension(ball: &Ball<'_>, lipschitz: f64) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/manifold-dimension",
        place: "Theorem 3",
        text: "distance of alpha f(w + h v) from the tangent plane at alpha f(w) <= alpha L h^2 norm(v)^2/2, rank J = p on B",
    };
    let problem = ball.problem;
    let objective = problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let (n, p) = (problem.outputs(), problem.parameters());
    let mut sampler = Sampler::new(10);
    let mut places = Vec::new();
    for (k, w) in ball.samples(10).iter().take(3).enumerate() {
        // Where J lacks full rank this is an error, which says so.
        let mut point = manifold.at(w)?;
        let start = point.output().to_vec();
        let v = sampler.direction(p);
        for h in [1.0, 0.1, 0.01] {
            let mut output = vec![0.0; n];
            problem.network.value(&shifted(w, &v, h), &mut output)?;
            let chord: Vec<f64> =
                output.iter().zip(&start).map(|(f, o)| ball.scaling * f - o).collect();
            let mut off = vec![0.0; n];
            point.normal_part(&chord, &mut off)?;
            let bound = 0.5 * ball.scaling * lipschitz * h * h;
            let rounding = 2.0 * problem.output_rounding(ball.scaling)
                + 8.0 * n as f64 * f64::EPSILON * norm(&chord);
            places.push(Comparison::new(norm(&off), bound, rounding, format!("point {k}, h = {h}")));
        }
    }
    Ok(row.judge(&ball.name(), ball.assumed(), places).with_note(
        "The printed proof fails (alpha f(B) is not open in R^n, and a chart makes no embedding); the \
         statement is true because f is bi-Lipschitz on B, see under/injective.",
    ))
}

/// Lemma 5: f is injective on B; corrected, with the modulus 2 lambda0 (1-r), times `factor`.
///
/// # Errors
/// [`TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.
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
            places.push(Comparison::new(modulus * apart, images, rounding, format!("points {i}, {j}")));
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
///
/// # Errors
/// [`TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.
pub fn tangent_space(ball: &Ball<'_>, lipschitz: f64) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/tangent-space",
        place: "Lemma 6",
        text: "norm(N c'(0)) by differences with step h <= h (alpha L norm(gamma')^2/2 + Lip_f alpha norm(gamma''))",
    };
    let problem = ball.problem;
    let objective = problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let (n, p) = (problem.outputs(), problem.parameters());
    let mut sampler = Sampler::new(12);
    let mut places = Vec::new();
    let size = 0.1 * ball.radius();
    for (k, w) in ball.samples(12).iter().take(3).enumerate() {
        let mut point = manifold.at(w)?;
        let start = point.output().to_vec();
        // gamma(t) = w + size (t v + t^2 u), a curve in B for small t.
        let (v, u) = (sampler.direction(p), sampler.direction(p));
        for h in [1e-1, 1e-2] {
            let there = shifted(&shifted(w, &v, size * h), &u, size * h * h);
            let mut output = vec![0.0; n];
            problem.network.value(&there, &mut output)?;
            let velocity: Vec<f64> =
                output.iter().zip(&start).map(|(f, o)| (ball.scaling * f - o) / h).collect();
            let mut off = vec![0.0; n];
            point.normal_part(&velocity, &mut off)?;
            // norm(gamma(h) - w) <= size h (1 + h); the part of gamma'' on the tangent space drops out,
            // what is left of f's remainder is (L/2) of that square.
            let reach = size * (1.0 + h);
            let bound = 0.5 * ball.scaling * lipschitz * reach * reach * h;
            let rounding = 2.0 * problem.output_rounding(ball.scaling) / h
                + 8.0 * n as f64 * f64::EPSILON * norm(&velocity);
            places.push(Comparison::new(norm(&off), bound, rounding, format!("point {k}, h = {h}")));
        }
    }
    Ok(row
        .judge(&ball.name(), ball.assumed(), places)
        .with_note("The proof's curve c = f(gamma) lacks a factor alpha."))
}

/// Theorem 4: `P z` is the nearest point of Im J, and the flow's output velocity is +P grad g as
/// printed; corrected, -P grad g.
///
/// # Errors
/// [`TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.
pub fn riemannian_gradient(ball: &Ball<'_>) -> Result<Vec<Record>, TheoryError> {
    let row = |place, text| Statement { id: "under/riemannian-gradient", place, text };
    let objective = ball.problem.objective(ball.scaling)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let n = ball.problem.outputs();
    let mut places = Vec::new();
    let mut sampler = Sampler::new(13);
    for (k, w) in ball.samples(13).iter().take(3).enumerate() {
        let here = Local::measure(ball.problem, ball.scaling, w)?;
        for z in [here.gradient.clone(), sampler.normal(n)] {
            let mut projected = vec![0.0; n];
            manifold.at(w)?.tangent_part(&z, &mut projected)?;
            let rest: Vec<f64> = z.iter().zip(&projected).map(|(z, p)| z - p).collect();
            // At the minimum over Im J the residual is orthogonal to every column of J.
            let left = norm(&here.transposed_times(&rest));
            let right = 8.0 * n as f64 * f64::EPSILON * here.largest().sqrt() * norm(&z);
            places.push(Comparison::new(left, right, 0.0, format!("point {k} of B")));
        }
    }
    let nearest = row("Theorem 4, first part", "norm(J^T (z - P z)) <= 8 n eps norm(J) norm(z)")
        .judge(&ball.name(), ball.assumed(), places);
    let sign = row("Theorem 4, display", "norm(d(alpha f)/dt - grad_M g) <= rounding, as printed")
        .judge(&ball.name(), ball.assumed(), velocity_places(ball, -1.0)?)
        .with_corrected(
            "norm(d(alpha f)/dt + grad_M g) <= rounding: the flow is minus the gradient",
            &ball.assumed(),
            velocity_places(ball, 1.0)?,
        )
        .with_note("The print equates -P grad g and grad_M g = P grad g. ");
    Ok(vec![nearest, sign])
}
