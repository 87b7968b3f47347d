//! Steps on batches of rows: all rows give the plain iteration, and a batch the minimizer of SPRING's problem.

use std::ops::ControlFlow;

use gaussflow_dynamics::{
    Batches, Batching, Flow, Integrator, Outcome, Preconditioner, RankPolicy, Settings,
    SimulationError, resume_in_batches, simulate,
};
use gaussflow_objective::{
    ExactDerivatives, GenericResiduals, MapError, Objective, Scalar, Squared,
};
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::faer::prelude::Solve;

const ROWS: usize = 12;
const P: usize = 3;

type Map = ExactDerivatives<Waves>;

/// `f_j(w) = sum_k sin(w_k (j + k) / 4)` on some rows j.
#[derive(Clone, Debug)]
struct Waves(Vec<usize>);

impl GenericResiduals for Waves {
    fn parameters(&self) -> usize {
        P
    }

    fn outputs(&self) -> usize {
        self.0.len()
    }

    fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
        for (out, &j) in out.iter_mut().zip(&self.0) {
            *out = w.iter().enumerate().map(|(k, &w)| (w * ((j + k) as f64 / 4.0)).sin()).sum();
        }
    }
}

/// The rows of each step.
struct Rows(fn(usize) -> Vec<usize>);

fn objective_on(rows: Vec<usize>) -> Objective<Map, Squared> {
    let targets = rows.iter().map(|&j| (0.3 * j as f64).cos()).collect();
    Objective::new(ExactDerivatives::new(Waves(rows)), Squared::new(targets).unwrap(), 2.0).unwrap()
}

impl Batches<Map, Squared> for Rows {
    fn objective(&self, step: usize) -> Result<Objective<Map, Squared>, MapError> {
        Ok(objective_on((self.0)(step)))
    }
}

fn settings(damping: f64) -> Settings {
    Settings {
        preconditioner: Preconditioner::LevenbergMarquardt { damping },
        integrator: Integrator::Discrete,
        step: 0.05,
        horizon: 2.0,
        ..Settings::default()
    }
}

fn follow(source: &Rows, momentum: f64, settings: &Settings) -> (Outcome, Vec<Vec<f64>>) {
    let all = objective_on((0..ROWS).collect());
    let mut seen = Vec::new();
    let mut observer = |_: usize, _: f64, flow: &mut Flow<'_, Map, Squared>| {
        seen.push(flow.linearization().point().to_vec());
    };
    let batching = Some(Batching { source, momentum });
    let found = resume_in_batches(&all, batching, &START, None, settings, &mut observer).unwrap();
    (found, seen)
}

const START: [f64; P] = [0.4, -0.2, 0.3];

#[test]
fn a_batch_of_all_rows_is_the_plain_iteration() {
    let all = objective_on((0..ROWS).collect());
    let plain =
        simulate(&all, &START, &settings(0.1), |_, _, _| ControlFlow::Continue(())).unwrap();
    let (batched, seen) = follow(&Rows(|_| (0..ROWS).collect()), 0.0, &settings(0.1));
    assert_eq!(seen.len(), 21);
    for (a, b) in plain.final_weights.iter().zip(&batched.final_weights) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
    assert!((plain.final_loss - batched.final_loss).abs() < 1e-12);
    assert_eq!(batched.counts.directions, 20);
}

/// `(1-rho) (n/b) J^T J q + rho q = (n/b) J^T grad + rho mu q'` by dense algebra, at every step.
#[test]
fn steps_solve_the_damped_system_with_momentum() {
    let rows = |step: usize| {
        vec![step % ROWS, (step + 5) % ROWS, (2 * step + 1) % ROWS, (step + 3) % ROWS]
    };
    for (damping, momentum) in [(0.1, 0.0), (0.1, 0.8), (0.9, 0.95)] {
        let (_, seen) = follow(&Rows(rows), momentum, &settings(damping));
        let mut q = Mat::<f64>::zeros(P, 1);
        for (step, pair) in seen.windows(2).enumerate() {
            let (w, chosen) = (&pair[0], rows(step));
            let share = ROWS as f64 / chosen.len() as f64;
            let mut matrix = Mat::<f64>::zeros(P, P);
            let mut right = Mat::from_fn(P, 1, |k, _| damping * momentum * q[(k, 0)]);
            for &j in &chosen {
                let rates: Vec<f64> = (0..P).map(|k| (j + k) as f64 / 4.0).collect();
                let value: f64 = (0..P).map(|k| (w[k] * rates[k]).sin()).sum();
                let slope: Vec<f64> = (0..P).map(|k| rates[k] * (w[k] * rates[k]).cos()).collect();
                let gradient = 2.0 * (2.0 * value - (0.3 * j as f64).cos());
                for r in 0..P {
                    right[(r, 0)] += share * slope[r] * gradient;
                    (0..P).for_each(|c| {
                        matrix[(r, c)] += (1.0 - damping) * share * slope[r] * slope[c];
                    });
                }
            }
            (0..P).for_each(|k| matrix[(k, k)] += damping);
            q = matrix.partial_piv_lu().solve(&right);
            for k in 0..P {
                let moved = pair[0][k] - pair[1][k];
                let error = (moved - 0.05 * q[(k, 0)]).abs();
                assert!(error < 1e-11, "step {step}: {moved} {}", 0.05 * q[(k, 0)]);
            }
        }
    }
}

#[test]
fn what_batches_do_not_go_with_is_refused() {
    let all = objective_on((0..ROWS).collect());
    let source = Rows(|_| vec![0]);
    let mut observer = |_: usize, _: f64, _: &mut Flow<'_, Map, Squared>| ();
    let mut refused = |settings: Settings, momentum: f64| {
        let batching = Some(Batching { source: &source, momentum });
        resume_in_batches(&all, batching, &START, None, &settings, &mut observer).unwrap_err()
    };
    let other = Settings { integrator: Integrator::RungeKutta4, ..settings(0.1) };
    assert!(matches!(refused(other, 0.0), SimulationError::Batches));
    let error = refused(settings(0.1), 1.0).to_string();
    assert!(error.contains("momentum is 1") && error.contains("below 1"), "{error}");
}

/// Undamped batches of fewer rows than parameters leave directions open: no policy passes over that in silence.
#[test]
fn undamped_batches_follow_the_rank_policy() {
    let source = Rows(|step| vec![step % ROWS, (step + 5) % ROWS]);
    let all = objective_on((0..ROWS).collect());
    let run = |rank_policy| {
        let mut settings = Settings { horizon: 0.5, ..settings(0.0) };
        settings.preconditioner = Preconditioner::GaussNewton;
        settings.solve.rank_policy = rank_policy;
        let batching = Some(Batching { source: &source, momentum: 0.5 });
        resume_in_batches(&all, batching, &START, None, &settings, &mut |_: usize,
                                                                         _: f64,
                                                                         _: &mut Flow<
            '_,
            Map,
            Squared,
        >| {})
    };
    let stopped = format!("{:?}", run(RankPolicy::Stop));
    assert!(stopped.contains("RankDeficient") || stopped.contains("RankLost"), "{stopped}");
    let inverse = run(RankPolicy::PseudoInverse).unwrap();
    assert_eq!((inverse.counts.pseudo_inverse, inverse.counts.raised_damping), (5, 0));
    let raised = run(RankPolicy::RaiseDamping).unwrap();
    assert_eq!((raised.counts.pseudo_inverse, raised.counts.raised_damping), (0, 5));
    // sqrt(eps) of damping moves a step by that much, and no more.
    for (a, b) in inverse.final_weights.iter().zip(&raised.final_weights) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}
