//! Exp of unit output length at the paper's size, alpha = 256, beside one Gauss-Newton step by QR.
//!
//! The start moves along the trajectory. The error is the output distance from the end of a run with a
//! thousandth of the tolerance, relative to the length; the note gives steps and drift of the speed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gaussflow::manifold::{GeodesicSettings, OutputManifold};
use gaussflow::prelude::*;
use gaussflow::solvers::{norm, squared_distance};

use crate::case::{Case, Effort, Fallible, Side, Visit};
use crate::euler::{self, Euler, Observe, Stepper as _};
use crate::problems::{Problem, vector};

/// The question's name.
pub const NAME: &str = "exponential";
/// The name of the step beside it.
pub const STEP: &str = "qr-step";
/// Points of the trajectory, and steps of the flow before it begins again.
const LAP: usize = 100;
/// A run whose end counts as exact.
const TIGHT: f64 = 1e-13;

/// One case a direction: a generic one of the tangent space, and that of the flow itself.
pub fn cases(_: Effort, visit: Visit<'_>) -> Fallible<()> {
    let problem = Problem::california(256, 18)?;
    for direction in [Direction::Generic, Direction::Flow] {
        visit(case(&problem, 256.0, direction)?)?;
    }
    Ok(())
}

/// The direction of a velocity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// All coordinates of the tangent space alike, in size.
    Generic,
    /// That of the Gauss-Newton flow.
    Flow,
}

/// Exp beside the step.
fn case(problem: &Problem, scaling: f64, direction: Direction) -> Fallible<Case> {
    let settings = GeodesicSettings::default();
    let mut walk = Walk::new(problem, scaling)?;
    let error = distance_from_tight(&mut walk, direction, &settings)?;
    let velocities: Vec<Vec<f64>> =
        (0..LAP).map(|k| walk.velocity(k, direction)).collect::<Fallible<_>>()?;
    let seen = Rc::new(Cell::new((0.0_f64, 0)));
    let note = Rc::clone(&seen);
    let mut next = 0;
    let ours = Side::calling(None, error, move || {
        next = (next + 1) % LAP;
        let (w, v) = (&walk.points[next], &velocities[next]);
        let curve = walk.manifold.exp(w, v, &settings)?;
        curve.complete()?;
        seen.set((curve.speed_drift.max(seen.get().0), curve.statistics.field_evaluations));
        Ok(())
    });
    let note = move || {
        let (drift, evaluations) = note.get();
        format!("largest drift of the speed {drift:.1e}; {evaluations} evaluations the last time")
    };
    let sides = vec![ours.noting(note), qr_step(problem, scaling)?];
    Ok(Case::new(NAME, format!("{direction:?}").to_lowercase(), problem.shape, sides))
}

/// One Gauss-Newton step by QR, along the trajectory.
pub fn qr_step(problem: &Problem, scaling: f64) -> Fallible<Side<'static>> {
    let solver = DampedSolver::HouseholderQr;
    let request = SolveRequest { solver, ..SolveRequest::default() };
    let step = Rc::new(RefCell::new(Euler::new(problem, scaling, request, Observe::Nothing)?));
    Ok(euler::side(&step, LAP, None, || Ok(None)).as_reference(STEP))
}

/// The output distance of Exp's end from that of a much tighter run, relative to the length.
pub fn distance_from_tight(
    walk: &mut Walk,
    direction: Direction,
    settings: &GeodesicSettings,
) -> Fallible<f64> {
    let velocity = walk.velocity(1, direction)?;
    let mut end = |tolerance: f64| -> Fallible<Vec<f64>> {
        let settings = GeodesicSettings { tolerance, ..settings.clone() };
        let curve = walk.manifold.exp(&walk.points[1], &velocity, &settings)?;
        Ok(walk.manifold.at(&curve.complete()?.point)?.output().to_vec())
    };
    Ok(squared_distance(&end(settings.tolerance)?, &end(TIGHT)?).sqrt())
}

/// The manifold of a problem, with the points of a trajectory.
pub struct Walk {
    /// The manifold; the process keeps its objective.
    pub manifold: OutputManifold<'static, Network, Squared>,
    /// The points of some Euler steps from the initial weights.
    pub points: Vec<Vec<f64>>,
}

impl Walk {
    /// The trajectory of the Gauss-Newton flow from the initial weights.
    pub fn new(problem: &Problem, scaling: f64) -> Fallible<Self> {
        let objective: &'static _ = Box::leak(Box::new(problem.objective(scaling)?));
        let request = SolveRequest::default();
        let mut flow = Euler::new(problem, scaling, request, Observe::Nothing)?;
        let mut points = Vec::new();
        for _ in 0..LAP {
            points.push(flow.weights().to_vec());
            flow.step()?;
        }
        Ok(Self { manifold: OutputManifold::new(objective)?, points })
    }

    /// The parameters of a tangent vector of unit length at point `k`.
    pub fn velocity(&mut self, k: usize, direction: Direction) -> Fallible<Vec<f64>> {
        let mut point = self.manifold.at(&self.points[k])?;
        let (n, p) = (point.output().len(), point.parameters());
        let mut tangent = vec![0.0; n];
        match direction {
            Direction::Generic => {
                let basis = point.tangent_basis()?;
                for (k, c) in vector(p).into_iter().enumerate() {
                    tangent.iter_mut().zip(basis.col_as_slice(k)).for_each(|(t, q)| *t += c * q);
                }
            }
            Direction::Flow => point.riemannian_gradient(&mut tangent)?,
        }
        let mut velocity = vec![0.0; p];
        point.parameter_direction(&tangent, &mut velocity)?;
        let length = norm(&tangent);
        velocity.iter_mut().for_each(|v| *v /= -length);
        Ok(velocity)
    }
}
