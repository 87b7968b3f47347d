//! The vector field of equation (1) and its derivative, against differences and plain elimination.
//!
//! Gauss-Newton: `d(alpha f)/dt = -P grad g`, `dg/dt = -norm(P grad g)^2` (section 4, Theorem 4).

use crate::maps::{Ridge, eliminate};
use gaussflow_dynamics::{Flow, Preconditioner, Settings, SolveSettings};
use gaussflow_integrators::VectorField;
use gaussflow_objective::{LogCosh, Loss, Objective, Residuals, SmoothMap, Squared};
use gaussflow_solvers::{DampedSolver, SolveError, norm};

const SHAPES: [(usize, usize); 4] = [(7, 3), (4, 4), (3, 6), (1, 1)];

fn start(p: usize) -> Vec<f64> {
    (0..p).map(|k| 0.8 * (1.0 + 2.3 * k as f64).sin()).collect()
}

fn targets(n: usize) -> Vec<f64> {
    (0..n).map(|j| 1.5 * (0.4 + 1.9 * j as f64).cos()).collect()
}

fn losses(n: usize) -> [Box<dyn Loss>; 2] {
    [Box::new(Squared::new(targets(n)).unwrap()), Box::new(LogCosh::new(targets(n), 0.3).unwrap())]
}

const FLOWS: [Preconditioner; 4] = [
    Preconditioner::GaussNewton,
    Preconditioner::LevenbergMarquardt { damping: 0.01 },
    Preconditioner::LevenbergMarquardt { damping: 0.5 },
    Preconditioner::Gradient,
];

fn field<L: Loss>(flow: &mut Flow<'_, Ridge, L>, w: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; w.len()];
    flow.evaluate(0.0, w, &mut out).unwrap();
    out
}

fn shifted(w: &[f64], h: f64, v: &[f64]) -> Vec<f64> {
    w.iter().zip(v).map(|(w, v)| w + h * v).collect()
}

fn output(map: &Ridge, w: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; map.outputs()];
    map.value(w, &mut out).unwrap();
    out
}

/// `-(1/alpha) H_rho^-1 J^T grad g` by normal equations and elimination.
fn plain_field<L: Loss>(objective: &Objective<Ridge, L>, rho: f64, w: &[f64]) -> Vec<f64> {
    let (map, alpha) = (objective.map(), objective.scaling());
    let (n, p) = (map.outputs(), map.parameters());
    let (mut value, mut jacobian, mut gradient) = (vec![0.0; n], map.new_jacobian(), vec![0.0; n]);
    map.linearize(w, &mut value, &mut jacobian).unwrap();
    value.iter_mut().for_each(|x| *x *= alpha);
    objective.loss().gradient(&value, &mut gradient);
    let matrix = jacobian.matrix();
    let gram = |k: usize, l: usize| {
        let product: f64 = (0..n).map(|j| matrix[(j, k)] * matrix[(j, l)]).sum();
        (1.0 - rho) * product + if k == l { rho } else { 0.0 }
    };
    let system = (0..p).map(|k| (0..p).map(|l| gram(k, l)).collect()).collect();
    let right = (0..p).map(|k| (0..n).map(|j| matrix[(j, k)] * gradient[j]).sum()).collect();
    eliminate(system, right).iter().map(|q| -q / alpha).collect()
}

#[test]
fn the_field_is_that_of_equation_one_for_every_preconditioner_and_kernel() {
    for (n, p) in SHAPES {
        for loss in losses(n) {
            let objective = Objective::new(Ridge { outputs: n, parameters: p }, loss, 3.0).unwrap();
            for preconditioner in FLOWS {
                if p > n && preconditioner == Preconditioner::GaussNewton {
                    continue; // the normal equations are singular
                }
                let expected = plain_field(&objective, preconditioner.damping(), &start(p));
                for solver in DampedSolver::DIRECT {
                    let settings = SolveSettings { solver, ..Settings::paper().solve };
                    let mut flow = Flow::new(&objective, preconditioner, settings).unwrap();
                    let found = field(&mut flow, &start(p));
                    let error = shifted(&found, -1.0, &expected);
                    let bound = 1e-9 * norm(&expected);
                    assert!(norm(&error) <= bound, "{n} {p} {preconditioner:?} {solver:?}");
                }
            }
        }
    }
}

#[test]
fn outputs_of_the_gauss_newton_flow_follow_the_projected_gradient() {
    for (n, p) in [(7, 3), (4, 4), (3, 6)] {
        for loss in losses(n) {
            let objective = Objective::new(Ridge { outputs: n, parameters: p }, loss, 2.5).unwrap();
            let map = objective.map();
            let mut flow =
                Flow::new(&objective, Preconditioner::GaussNewton, Settings::paper().solve)
                    .unwrap();
            let w = start(p);
            let velocity = field(&mut flow, &w);
            let here = flow.linearization_mut();
            let gradient = here.loss_gradient().to_vec();
            let mut projected = vec![0.0; n];
            here.project_on_tangent(1e-14, &gradient, &mut projected).unwrap();
            let h = 1e-5 / norm(&velocity);
            let (after, before) = (shifted(&w, h, &velocity), shifted(&w, -h, &velocity));
            let rate = shifted(&output(map, &after), -1.0, &output(map, &before));
            for (rate, p) in rate.iter().zip(&projected) {
                let rate = 2.5 * rate / (2.0 * h);
                assert!((rate + p).abs() <= 1e-7 * norm(&gradient), "{n} {p}: {rate}");
            }
            let rise = objective.loss_at(&after).unwrap() - objective.loss_at(&before).unwrap();
            let squared = norm(&projected).powi(2);
            assert!((rise / (2.0 * h) + squared).abs() <= 1e-6 * squared, "{n} {p}");
        }
    }
}

#[test]
fn every_preconditioner_descends_at_the_rate_of_its_own_inner_product() {
    for (n, p) in SHAPES {
        for loss in losses(n) {
            let objective = Objective::new(Ridge { outputs: n, parameters: p }, loss, 0.5).unwrap();
            for preconditioner in FLOWS {
                let mut flow =
                    Flow::new(&objective, preconditioner, Settings::paper().solve).unwrap();
                let w = start(p);
                let velocity = field(&mut flow, &w);
                let mut gradient = vec![0.0; p];
                flow.linearization().parameter_gradient(&mut gradient);
                // dg/dt = alpha (J^T grad g) . dw/dt, which is below 0 for positive definite H.
                let rate: f64 = gradient.iter().zip(&velocity).map(|(g, v)| 0.5 * g * v).sum();
                assert!(rate < 0.0, "{preconditioner:?} {n} {p}: {rate}");
                let h = 1e-3 / norm(&velocity);
                let later = objective.loss_at(&shifted(&w, h, &velocity)).unwrap();
                assert!(later < objective.loss_at(&w).unwrap(), "{preconditioner:?} {n} {p}");
            }
        }
    }
}

#[test]
fn the_closed_form_derivative_of_the_field_is_its_central_difference() {
    for (n, p) in SHAPES {
        for loss in losses(n) {
            let objective = Objective::new(Ridge { outputs: n, parameters: p }, loss, 1.7).unwrap();
            for preconditioner in FLOWS {
                let mut flow =
                    Flow::new(&objective, preconditioner, Settings::paper().solve).unwrap();
                let w = start(p);
                for direction in 0..3 {
                    let v: Vec<f64> =
                        (0..p).map(|k| (1.0 + (3 * direction + k) as f64).cos()).collect();
                    let h = 1e-5;
                    let after = field(&mut flow, &shifted(&w, h, &v));
                    let before = field(&mut flow, &shifted(&w, -h, &v));
                    let expected: Vec<f64> =
                        after.iter().zip(&before).map(|(a, b)| (a - b) / (2.0 * h)).collect();
                    let mut found = vec![f64::NAN; p];
                    flow.jacobian_apply(0.0, &w, &v, &mut found).unwrap();
                    let error = norm(&shifted(&found, -1.0, &expected));
                    let size = norm(&expected) + norm(&field(&mut flow, &w));
                    assert!(
                        error <= 1e-6 * size,
                        "{n} {p} {preconditioner:?}: {found:?} {expected:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_point_is_solved_once_and_counted() {
    let map = Ridge { outputs: 6, parameters: 3 };
    let objective = Objective::new(map, Squared::new(targets(6)).unwrap(), 1.0).unwrap();
    let mut flow =
        Flow::new(&objective, Preconditioner::GaussNewton, Settings::paper().solve).unwrap();
    for _ in 0..3 {
        field(&mut flow, &start(3));
        flow.direction().unwrap();
    }
    let counts = flow.counts();
    assert_eq!((counts.directions, counts.linearizations, counts.factors.cholesky), (1, 1, 1));
    assert_eq!((counts.pseudo_inverse, counts.raised_damping), (0, 0));
    let report = flow.last_report().unwrap();
    assert!(report.rank == 3 && report.relative_residual < 1e-14);
}

#[test]
fn dampings_and_cutoffs_out_of_range_are_refused() {
    let map = Ridge { outputs: 3, parameters: 2 };
    let objective = Objective::new(map, Squared::new(targets(3)).unwrap(), 1.0).unwrap();
    for damping in [0.0, 1.0, -0.1, 1.5, f64::NAN] {
        let preconditioner = Preconditioner::LevenbergMarquardt { damping };
        let refused = Flow::new(&objective, preconditioner, Settings::paper().solve).err();
        assert!(matches!(refused, Some(SolveError::InvalidDamping { .. })), "{damping}");
    }
    for rank_cutoff in [-1e-3, 1.0, f64::NAN] {
        let settings = SolveSettings { rank_cutoff, ..Settings::paper().solve };
        let refused = Flow::new(&objective, Preconditioner::Gradient, settings).err();
        assert!(matches!(refused, Some(SolveError::InvalidCutoff { .. })), "{rank_cutoff}");
    }
    for tolerance in [-1e-3, f64::NAN] {
        let settings = SolveSettings { tolerance, ..Settings::paper().solve };
        let refused = Flow::new(&objective, Preconditioner::Gradient, settings).err();
        assert!(matches!(refused, Some(SolveError::InvalidTolerance { .. })), "{tolerance}");
    }
}
