//! The identities of section 3 at a point: Woodbury forms of (GF-O) and (9), eigenpairs of Lemma 1.

use gaussflow_objective::Linearization;
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{DampedSolver, SolveRequest, inner_product, norm, squared_distance};

use crate::TheoryError;
use crate::local::{Local, multiply};
use crate::problem::Problem;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::sampling::Sampler;

/// The vectors that identities are tested on: grad g and three random ones.
fn probes(here: &Local) -> Vec<Vec<f64>> {
    let mut sampler = Sampler::new(4);
    let n = here.gradient.len();
    std::iter::once(here.gradient.clone()).chain((0..3).map(|_| sampler.normal(n))).collect()
}

/// K from the dense J.
fn kernel_of(here: &Local) -> Mat<f64> {
    gaussflow_faer::product(here.jacobian.as_ref(), here.jacobian.transpose())
}

/// `y = A^-1 x` for symmetric positive definite A, by a plain Cholesky factorization.
fn solve_positive(a: &Mat<f64>, x: &[f64]) -> Vec<f64> {
    let n = x.len();
    let mut l = a.clone();
    let mut y = x.to_vec();
    for j in 0..n {
        for k in 0..j {
            let pivot = l[(j, k)];
            for i in j..n {
                let change = l[(i, k)] * pivot;
                l[(i, j)] -= change;
            }
        }
        let root = l[(j, j)].sqrt();
        for i in j..n {
            l[(i, j)] /= root;
        }
    }
    for j in 0..n {
        for k in 0..j {
            let change = l[(j, k)] * y[k];
            y[j] -= change;
        }
        y[j] /= l[(j, j)];
    }
    for j in (0..n).rev() {
        for k in j + 1..n {
            let change = l[(k, j)] * y[k];
            y[j] -= change;
        }
        y[j] /= l[(j, j)];
    }
    y
}

/// `H_rho^-1 J^T b` by the dual solve.
fn damped_direction(
    problem: &Problem,
    w: &[f64],
    damping: f64,
    b: &[f64],
) -> Result<Vec<f64>, TheoryError> {
    let objective = problem.objective(1.0)?;
    let mut here = Linearization::new(objective.map())?;
    here.move_to(&objective, w)?;
    let solver = DampedSolver::DualCholesky;
    let request = SolveRequest { damping, solver, tolerance: 0.0, ..SolveRequest::default() };
    let mut v = vec![0.0; problem.parameters()];
    here.solve(request, b, &mut v)?;
    Ok(v)
}

/// The Woodbury form of (GF-O) at rho0 = `ratio` equals `J H_rho^-1 J^T b`.
pub fn output_flow(
    problem: &Problem,
    here: &Local,
    damping: f64,
    ratio: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "over/output-flow",
        place: "(GF-O)",
        text: "norm((K - K (I + K/rho0)^-1 K/rho0) b / rho - J H_rho^-1 J^T b) <= 8 sqrt(n) eps norm(K)/rho norm(b)",
    };
    let kernel = kernel_of(here);
    let n = problem.outputs();
    let shifted = Mat::from_fn(n, n, |i, j| kernel[(i, j)] / ratio + f64::from(u8::from(i == j)));
    let mut places = Vec::new();
    for (k, b) in probes(here).iter().enumerate() {
        let image = multiply(&kernel, b);
        let inner = multiply(&kernel, &solve_positive(&shifted, &image));
        let woodbury: Vec<f64> =
            image.iter().zip(&inner).map(|(a, c)| (a - c / ratio) / damping).collect();
        let direct = here.times(&damped_direction(problem, &here.point, damping, b)?);
        let left = squared_distance(&woodbury, &direct).sqrt();
        let scale = here.largest() / damping * norm(b);
        let right = 8.0 * (n as f64).sqrt() * f64::EPSILON * scale;
        places.push(Comparison::new(left, right, 0.0, format!("vector {k}")));
    }
    let assumed = vec![
        Hypothesis::above("rho", damping, 0.0),
        Hypothesis::below("rho (rho0 is undefined at 1)", damping, 1.0),
    ];
    Ok(row.judge(&problem.name, assumed, places).with_note(
        "The proof's first line has a sign too many, and Df where its transpose is meant. ",
    ))
}

/// (gamma, u) of K gives the eigenpair `eigenvalue(gamma)` of `J H_rho^-1 J^T`.
pub fn eigenpairs(
    problem: &Problem,
    here: &Local,
    damping: f64,
    eigenvalue: impl Fn(f64) -> f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "over/eigenpairs",
        place: "Lemma 1, proof",
        text: "norm(J H_rho^-1 J^T u - gamma/((1-rho) gamma + rho) u) <= 8 n eps norm(K)/((1-rho) gamma + rho)",
    };
    let n = problem.outputs();
    let mut places = Vec::new();
    for (k, gamma) in here.eigenvalues().into_iter().enumerate() {
        let u = here.output_eigenvector(k);
        let image = here.times(&damped_direction(problem, &here.point, damping, &u)?);
        let expected: Vec<f64> = u.iter().map(|u| eigenvalue(gamma) * u).collect();
        let left = squared_distance(&image, &expected).sqrt();
        // The computed u is off by n eps norm(K) in K u, which the inverse divides by its eigenvalue.
        let sum = (1.0 - damping) * gamma.max(0.0) + damping;
        let right = 8.0 * n as f64 * f64::EPSILON * here.largest() / sum;
        places.push(Comparison::new(left, right, 0.0, format!("gamma = {gamma:.4e}")));
    }
    let assumed = vec![Hypothesis::above("rho", damping, 0.0)];
    Ok(row.judge(&problem.name, assumed, places))
}

/// The Woodbury form (9) at rho0 = `ratio` equals `(1-rho)^2 J H_rho^-2 J^T`, as quadratic forms.
pub fn squared_inverse(
    problem: &Problem,
    here: &Local,
    damping: f64,
    ratio: f64,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "over/squared-inverse",
        place: "(9)",
        text: "|b^T (K/rho0^2 - 2 K A K/rho0^3 + K A K A K/rho0^4) b - (1-rho)^2 norm(H_rho^-1 J^T b)^2| <= 8 sqrt(n) eps norm(K)/rho0^2 norm(b)^2",
    };
    let kernel = kernel_of(here);
    let n = problem.outputs();
    let shifted = Mat::from_fn(n, n, |i, j| kernel[(i, j)] / ratio + f64::from(u8::from(i == j)));
    let mut places = Vec::new();
    for (k, b) in probes(here).iter().enumerate() {
        let image = multiply(&kernel, b);
        let once = solve_positive(&shifted, &image);
        let form = inner_product(b, &image) / ratio.powi(2)
            - 2.0 * inner_product(&image, &once) / ratio.powi(3)
            + inner_product(&once, &multiply(&kernel, &once)) / ratio.powi(4);
        let direct = damped_direction(problem, &here.point, damping, b)?;
        let rest = 1.0 - damping;
        let left = (form - rest * rest * inner_product(&direct, &direct)).abs();
        // Each of the three forms is at most norm(K)/rho0^2 norm(b)^2; they cancel to 1/norm(K) of it.
        let scale = here.largest() / ratio.powi(2) * inner_product(b, b);
        let right = 8.0 * (n as f64).sqrt() * f64::EPSILON * scale;
        places.push(Comparison::new(left, right, 0.0, format!("vector {k}")));
    }
    let assumed =
        vec![Hypothesis::above("rho", damping, 0.0), Hypothesis::below("rho", damping, 1.0)];
    Ok(row.judge(&problem.name, assumed, places))
}
