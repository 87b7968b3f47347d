//! A damped step of softmax cross-entropy in the metric of its Hessian (generalized Gauss-Newton) on the digits.
//!
//! `((1 - rho) J^T G J + rho I) v = J^T grad g`, rho = 0.1: 64 pixels, 32 units of tanh, 10 classes, a trained output.
//! somax has three methods for it, JAX the formula and J as it differentiates. The error of every side, ours too, is
//! that of the weights' change in two steps, beside J and G formed.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gaussflow::network::NetworkJacobian;
use gaussflow::objective::{Metric, Softmax};
use gaussflow::prelude::*;
use gaussflow::solvers::faer::Mat;
use gaussflow::solvers::faer::dyn_stack::MemBuffer;
use gaussflow_data::{Sample, Standardize, TargetScale, digits};
use serde_json::json;

use crate::case::{Case, Fallible, Schedule, Shape, Side, Visit, relative_distance};
use crate::dense_step::{lower_product, multiply, scratch, solve_damped};
use crate::euler::{self, Euler, Observe, Stepper, weights_after};
use crate::headline::{Peers, once_a_batch};
use crate::peer::Task;
use crate::problems::{STEP, write_doubles};

/// The name in `--only`, and of the rows.
pub const NAME: &str = "classes_step";
/// The method of somax whose direction is as accurate as ours.
pub const SOMAX: &str = "somax-ggn-direct-ce";

const DAMPING: f64 = 0.1;
/// Digits.
const CLASSES: usize = 10;
/// Hidden units.
const HIDDEN: usize = 32;
/// The seed of the rows and of the weights.
const SEED: u64 = 0;
/// Steps that are compared: what the second one takes from the first belongs to it.
const COMPARED: usize = 2;
/// The tolerance of somax's conjugate gradients, for ours beside them.
const LOOSE: f64 = 1e-8;

/// The row of steps as a run makes them.
const PATH: &str = "auto-in-a-run-of-20";
/// Samples.
const SIZES: [usize; 2] = [64, 256];
/// Steps of one batch.
const LAP: usize = 20;
/// What is asked of JAX and of somax, and whether it takes so long that one call is a batch.
const OF_JAX: [(&str, bool); 2] = [("classes-step", true), ("classes-step-autodiff", true)];
const OF_SOMAX: [(&str, bool); 3] =
    [("classes-direct", true), ("classes-egn", true), ("classes-cg", false)];

/// Digits and a network that is to tell them apart.
#[derive(Clone)]
struct Digits {
    sample: Sample,
    labels: Vec<usize>,
    /// phi, not nullified.
    network: Network,
    initial: Vec<f64>,
}

impl Digits {
    fn draw(samples: usize) -> Fallible<Self> {
        let data = digits()?;
        let sample = Sample::draw(&data, samples, Standardize::None, TargetScale::Raw, SEED)?;
        let label = |y: &f64| (0..CLASSES).find(|class| *class as f64 - y == 0.0);
        let labels: Option<Vec<usize>> = sample.targets.iter().map(label).collect();
        let labels = labels.ok_or("a digit is from 0 to 9")?;
        let architecture = Architecture::one_layer(HIDDEN, Activation::Tanh)
            .with_trained_output()
            .with_outputs(CLASSES);
        let start = Initialization::Nullified;
        let point = InitialPoint::draw_for(&architecture, start, sample.dimension, SEED)?;
        let (inputs, d) = (&sample.inputs, sample.dimension);
        let network = Network::with_architecture(inputs, d, architecture, &point.signs)?;
        Ok(Self { sample, labels, network, initial: point.weights })
    }

    fn shape(&self) -> Shape {
        let (n, p) = (self.labels.len() * CLASSES, self.initial.len());
        Shape { n, d: self.sample.dimension, m: HIDDEN, p }
    }

    fn objective(&self) -> Fallible<Objective<Network, Softmax>> {
        let network = self.network.clone().nullified_at(&self.initial)?;
        Ok(Objective::new(network, Softmax::of_classes(&self.labels, CLASSES)?, 1.0)?)
    }

    fn change(&self, weights: &[f64]) -> Vec<f64> {
        weights.iter().zip(&self.initial).map(|(w, start)| w - start).collect()
    }

    fn euler(&self, request: SolveRequest) -> Fallible<Euler<Softmax>> {
        let initial = self.initial.clone();
        Euler::of(self.objective()?, Metric::LossHessian, initial, request, Observe::Nothing)
    }

    /// Writes the problem for a peer: `problem.json` and raw little-endian doubles.
    fn write(&self, folder: &Path) -> Fallible<()> {
        fs::create_dir_all(folder)?;
        let facts = json!({
            "n": self.labels.len(), "d": self.sample.dimension, "m": HIDDEN, "classes": CLASSES,
            "damping": DAMPING, "step": STEP,
        });
        fs::write(folder.join("problem.json"), facts.to_string())?;
        let mut offset = vec![0.0; self.shape().n];
        self.network.value(&self.initial, &mut offset)?;
        let columns = [
            ("inputs", &self.sample.inputs),
            ("labels", &self.sample.targets),
            ("weights", &self.initial),
            ("offset", &offset),
        ];
        write_doubles(folder, &columns)
    }
}

/// Every case.
pub fn cases(peers: &Peers, folder: &Path, visit: Visit<'_>) -> Fallible<()> {
    for samples in SIZES {
        visit(case(peers, folder, samples)?)?;
    }
    Ok(())
}

/// A step alone as `Auto` takes it, by the dual solver and by conjugate gradients as loose as somax's; as one of a lap;
/// and by the peers.
fn case(peers: &Peers, folder: &Path, samples: usize) -> Fallible<Case> {
    let problem = Digits::draw(samples)?;
    let shape = problem.shape();
    let exact = problem.change(&weights_after(&mut Dense::new(&problem)?, COMPARED)?);
    let error = |weights: &[f64]| relative_distance(&problem.change(weights), &exact);
    let auto = SolveRequest { damping: DAMPING, ..SolveRequest::default() };
    let cg = DampedSolver::ConjugateGradients;
    let mut sides = Vec::new();
    for (peer, request) in [
        (None, auto),
        (Some("dual-cholesky"), SolveRequest { solver: DampedSolver::DualCholesky, ..auto }),
        (Some("conjugate-gradients"), SolveRequest { solver: cg, tolerance: LOOSE, ..auto }),
    ] {
        let mut steps = problem.euler(request)?.alone();
        let error = error(&weights_after(&mut steps, COMPARED)?);
        let side = euler::side(&Rc::new(RefCell::new(steps)), LAP, None, move || Ok(Some(error)));
        sides.push(once_a_batch(Side { peer: peer.map(str::to_owned), ..side }));
    }
    let mut path = Laps { steps: problem.euler(auto)?, problem: problem.clone(), request: auto };
    let error_of_path = error(&weights_after(&mut path, COMPARED)?);
    let path = Rc::new(RefCell::new(path));
    let side = euler::side(&path, LAP, None, move || Ok(Some(error_of_path)));
    let side = Side { peer: Some(PATH.to_owned()), ..side };
    sides.push(side.noting(move || path.borrow().steps.sharing()));
    let folder: PathBuf = folder.join(NAME).join(samples.to_string());
    problem.write(&folder)?;
    let tasks = OF_JAX.map(|task| (&peers.jax, task)).into_iter();
    for (peer, (name, slow)) in tasks.chain(OF_SOMAX.map(|task| (&peers.somax, task))) {
        let Some(peer) = peer.as_ref().map(Rc::clone) else { continue };
        let task = Task { peer, name, problem: folder.clone(), operations: None };
        match of_peer(&task, error) {
            Ok(found) if slow => sides.extend(found.into_iter().map(once_a_batch)),
            Ok(found) => sides.extend(found),
            Err(error) => println!("    left out: {error}"),
        }
    }
    let schedule = Schedule::Batches { calls: LAP };
    Ok(Case { schedule, ..Case::new(NAME, format!("{samples}-samples"), shape, sides) })
}

/// Steps as a run makes them, where the factor of an earlier one may help; each lap is a run of its own.
struct Laps {
    problem: Digits,
    request: SolveRequest,
    steps: Euler<Softmax>,
}

impl Stepper for Laps {
    fn reset(&mut self) -> Fallible<()> {
        self.steps = self.problem.euler(self.request)?;
        Ok(())
    }

    fn step(&mut self) -> Fallible<()> {
        self.steps.step()
    }

    fn weights(&self) -> &[f64] {
        self.steps.weights()
    }
}

/// A peer's formulations, tried by one step each.
fn of_peer(task: &Task, error: impl Fn(&[f64]) -> f64) -> Fallible<Vec<Side<'static>>> {
    let side = |name: &String| {
        let error = error(&task.result(COMPARED, name)?);
        task.side(name, Some(error))
    };
    task.formulations(1)?.iter().map(side).collect()
}

/// The reference: J formed, G from the probabilities, `J^T (G J)`, a Cholesky factor.
struct Dense {
    objective: Objective<Network, Softmax>,
    structured: NetworkJacobian,
    /// The right class of each sample.
    labels: Vec<usize>,
    initial: Vec<f64>,
    weights: Vec<f64>,
    /// J, and G J.
    jacobians: [Mat<f64>; 2],
    matrix: Mat<f64>,
    scratch: MemBuffer,
}

impl Dense {
    fn new(problem: &Digits) -> Fallible<Self> {
        let Shape { n, p, .. } = problem.shape();
        let objective = problem.objective()?;
        Ok(Self {
            structured: objective.map().new_jacobian(),
            objective,
            labels: problem.labels.clone(),
            initial: problem.initial.clone(),
            weights: problem.initial.clone(),
            jacobians: [Mat::zeros(n, p), Mat::zeros(n, p)],
            matrix: Mat::zeros(p, p),
            scratch: scratch(p),
        })
    }
}

impl Stepper for Dense {
    fn reset(&mut self) -> Fallible<()> {
        self.weights.copy_from_slice(&self.initial);
        Ok(())
    }

    fn step(&mut self) -> Fallible<()> {
        let [jacobian, weighted] = &mut self.jacobians;
        let mut psi = vec![0.0; jacobian.nrows()];
        self.objective.map().linearize(&self.weights, &mut psi, &mut self.structured)?;
        self.structured.write_dense(jacobian.as_mut());
        let mut gradient = Vec::with_capacity(psi.len());
        for (sample, (psi, label)) in psi.chunks_exact(CLASSES).zip(&self.labels).enumerate() {
            let sum: f64 = psi.iter().map(|x| x.exp()).sum();
            let chances: Vec<f64> = psi.iter().map(|x| x.exp() / sum).collect();
            let miss = |(k, chance): (usize, &f64)| chance - f64::from(u8::from(k == *label));
            gradient.extend(chances.iter().enumerate().map(miss));
            let first = sample * CLASSES;
            for c in 0..jacobian.ncols() {
                let column = |k: usize| jacobian[(first + k, c)];
                let mean: f64 = chances.iter().enumerate().map(|(k, pi)| pi * column(k)).sum();
                for (k, pi) in chances.iter().enumerate() {
                    weighted[(first + k, c)] = pi * (jacobian[(first + k, c)] - mean);
                }
            }
        }
        let transposed = jacobian.transpose();
        lower_product(self.matrix.as_mut(), transposed, weighted.as_ref(), 1.0 - DAMPING);
        let mut direction = vec![0.0; self.weights.len()];
        multiply(&mut direction, transposed, &gradient);
        solve_damped(self.matrix.as_mut(), DAMPING, &mut direction, &mut self.scratch)?;
        self.weights.iter_mut().zip(&direction).for_each(|(w, v)| *w -= STEP * v);
        Ok(())
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}
