//! The metric of the loss's Hessian: every direction against the dense system `((1 - rho) J^T G J + rho I) v = J^T grad g`.

use gaussflow_objective::{
    ExactDerivatives, GenericResiduals, Linearization, LogCosh, Logistic, Loss, MapError, Metric,
    Objective, Poisson, Scalar, SmoothHuber, Softmax, Squared, WeightedSquares,
};
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::faer::prelude::Solve;
use gaussflow_solvers::{DampedSolver, JacobianOperator, SolveRequest};

/// Outputs n.
const N: usize = 12;

/// `f_j(w) = sum_k sin(w_k (j + 1) / 3 + k)`, wide where p > n.
#[derive(Debug)]
struct Waves(usize);

impl GenericResiduals for Waves {
    fn parameters(&self) -> usize {
        self.0
    }

    fn outputs(&self) -> usize {
        N
    }

    fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
        for (j, out) in out.iter_mut().enumerate() {
            let (rate, terms) = ((j as f64 + 1.0) / 3.0, w.iter().enumerate());
            *out = terms.map(|(k, &w)| (w * rate + k as f64).sin()).sum();
        }
    }
}

fn losses() -> Vec<(&'static str, Box<dyn Loss>)> {
    let targets: Vec<f64> = (0..N).map(|j| (1.7 * j as f64).sin()).collect();
    let weights: Vec<f64> = (0..N).map(|j| 0.3 + 0.2 * j as f64).collect();
    let classes: Vec<f64> = (0..N).map(|j| f64::from(j % 3 == 0)).collect();
    let counts: Vec<f64> = (0..N).map(|j| (j % 5) as f64).collect();
    vec![
        ("squared", Box::new(Squared::new(targets.clone()).unwrap())),
        ("weighted", Box::new(WeightedSquares::new(targets.clone(), weights).unwrap())),
        ("log-cosh", Box::new(LogCosh::new(targets.clone(), 0.2).unwrap())),
        ("huber", Box::new(SmoothHuber::new(targets, 0.5).unwrap())),
        ("logistic", Box::new(Logistic::new(classes).unwrap())),
        ("poisson", Box::new(Poisson::new(counts).unwrap())),
        ("softmax of 3", Box::new(Softmax::of_classes(&[2, 0, 1, 1], 3).unwrap())),
        ("softmax of 4", Box::new(Softmax::of_classes(&[3, 0, 1], 4).unwrap())),
    ]
}

/// `(1 - rho) J^T G J + rho I` and `J^T grad g`, by products of the Jacobian and the loss's Hessian.
fn dense_system<L: Loss>(
    here: &Linearization<gaussflow_solvers::DenseJacobian>,
    loss: &L,
    damping: f64,
) -> (Mat<f64>, Mat<f64>) {
    let p = here.point().len();
    let (mut image, mut bent, mut column) = (vec![0.0; N], vec![0.0; N], vec![0.0; p]);
    let mut matrix = Mat::<f64>::zeros(p, p);
    for k in 0..p {
        let unit: Vec<f64> = (0..p).map(|l| f64::from(l == k)).collect();
        here.jacobian().apply(&unit, &mut image);
        loss.hessian_apply(here.output(), &image, &mut bent);
        here.jacobian().apply_transposed(&bent, &mut column);
        for (r, entry) in column.iter().enumerate() {
            matrix[(r, k)] = (1.0 - damping) * entry + if r == k { damping } else { 0.0 };
        }
    }
    let mut gradient = vec![0.0; p];
    here.parameter_gradient(&mut gradient);
    (matrix, Mat::from_fn(p, 1, |r, _| gradient[r]))
}

#[test]
fn directions_solve_the_system_of_the_metric() {
    for p in [4, 30] {
        let w: Vec<f64> = (0..p).map(|k| 0.4 - 0.05 * k as f64).collect();
        for (name, loss) in losses() {
            let o = loss.outputs_of_a_sample();
            let objective = Objective::new(ExactDerivatives::new(Waves(p)), loss, 0.8).unwrap();
            let mut here =
                Linearization::with_metric(objective.map(), Metric::LossHessian, o).unwrap();
            here.move_to(&objective, &w).unwrap();
            for solver in [DampedSolver::Auto, DampedSolver::ThinSvd, DampedSolver::DualCholesky] {
                let damping = 0.01;
                let request = SolveRequest { damping, solver, ..SolveRequest::default() };
                let mut v = vec![0.0; p];
                here.solve_loss_gradient(request, &mut v).unwrap();
                let (matrix, gradient) = dense_system(&here, objective.loss(), damping);
                let expected = matrix.partial_piv_lu().solve(&gradient);
                let size = expected.norm_l2();
                for k in 0..p {
                    let error = (v[k] - expected[(k, 0)]).abs();
                    assert!(error <= 1e-9 * size, "{name} {solver:?} p = {p}: {error} of {size}");
                }
            }
            // The Riemannian gradient's norm is that of the best approximation of b.
            let norms = here.gradient_norms(1e-14).unwrap();
            let whole = here.right_side().iter().map(|b| b * b).sum::<f64>();
            let parts = norms.tangent.powi(2) + norms.normal.powi(2);
            assert!((parts / whole - 1.0).abs() < 1e-9, "{name}: {parts} {whole}");
        }
    }
}

#[test]
fn of_a_squared_loss_it_is_the_euclidean_metric_with_nu_absorbed() {
    let w = [0.4, 0.2, -0.3, 0.1, 0.05];
    let squared = Squared::new(vec![0.5; N]).unwrap();
    let objective = Objective::new(ExactDerivatives::new(Waves(5)), squared, 2.0).unwrap();
    for damping in [0.0, 0.3] {
        let mut found = [[0.0; 5]; 2];
        // (1 - rho) 2 J^T J + rho I = (2 - rho) [(1 - r) J^T J + r I], r = rho / (2 - rho).
        let euclidean = damping / (2.0 - damping);
        for (v, (metric, damping)) in
            found.iter_mut().zip([(Metric::LossHessian, damping), (Metric::Euclidean, euclidean)])
        {
            let mut here = Linearization::with_metric(objective.map(), metric, 1).unwrap();
            here.move_to(&objective, &w).unwrap();
            let request = SolveRequest { damping, ..SolveRequest::default() };
            here.solve_loss_gradient(request, v).unwrap();
        }
        let [hessian, euclidean] = found;
        for (a, b) in hessian.iter().zip(euclidean) {
            assert!(
                (a - b / (2.0 - damping)).abs() <= 1e-12 * b.abs(),
                "{hessian:?} {euclidean:?}"
            );
        }
    }
}

/// A loss that knows no root.
struct Plain(Squared);

impl Loss for Plain {
    fn outputs(&self) -> usize {
        self.0.outputs()
    }
    fn value(&self, psi: &[f64]) -> f64 {
        self.0.value(psi)
    }
    fn gradient(&self, psi: &[f64], out: &mut [f64]) {
        self.0.gradient(psi, out);
    }
    fn hessian_apply(&self, psi: &[f64], v: &[f64], out: &mut [f64]) {
        self.0.hessian_apply(psi, v, out);
    }
    fn strong_convexity(&self) -> f64 {
        2.0
    }
    fn smoothness(&self) -> f64 {
        2.0
    }
    fn minimum(&self) -> f64 {
        0.0
    }
    fn minimizer(&self, out: &mut [f64]) -> bool {
        self.0.minimizer(out)
    }
}

#[test]
fn a_loss_without_a_root_is_refused_in_words() {
    let loss = Plain(Squared::of_residuals(N));
    let objective = Objective::new(ExactDerivatives::new(Waves(3)), loss, 1.0).unwrap();
    let mut here = Linearization::with_metric(objective.map(), Metric::LossHessian, 1).unwrap();
    let refused = here.move_to(&objective, &[0.1; 3]).unwrap_err();
    assert!(matches!(refused, MapError::NoMetric { .. }));
    let text = refused.to_string();
    assert!(text.contains("\"loss-hessian\"") && text.contains("\"euclidean\""), "{text}");
}
