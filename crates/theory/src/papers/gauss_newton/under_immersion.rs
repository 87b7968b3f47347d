//! Section 4 at points of the ball B: rank, projection, and the flow's velocity.

use gaussflow_manifold::OutputManifold;
use gaussflow_objective::Residuals;
use gaussflow_solvers::{inner_product, norm, squared_distance};

use crate::TheoryError;
use crate::local::Local;
use crate::network_constants::NetworkConstants;
use crate::problem::Problem;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
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
        places.push(Comparison::new(
            difference,
            square,
            0.0,
            at("J H^-1 J^T through eigenpairs of H"),
        ));
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
pub fn output_flow(ball: &Ball<'_>, sign: f64) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "under/output-flow",
        place: "(GF-Ou)",
        text: "norm((alpha f(w + h dw/dt) - alpha f(w))/h + P grad g) <= alpha L h norm(dw/dt)^2/2 + rounding/h",
    };
    Ok(row.judge(&ball.name(), ball.assumed(), velocity_places(ball, sign)?))
}

/// (EDI-u): `dg/dt = -norm(P grad g)^2`, by a forward difference of g along the flow's velocity.
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
    let assumed =
        vec![Hypothesis::below("p against n", ball.problem.parameters() as f64, n as f64)];
    Ok(row.judge(&ball.problem.name, assumed, [Comparison::new(next, right, 0.0, "w_0")]))
}

/// Theorem 4: `P z` is the nearest point of Im J, and the flow's output velocity is +P grad g as
/// printed; corrected, -P grad g.
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
