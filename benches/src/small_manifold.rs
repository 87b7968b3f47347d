//! Exp and Log on a network small enough for geomstats' PullbackMetric, both from the same numbers.
//!
//! geomstats forms p^3 Christoffel symbols an evaluation, by default in 100 Euler steps. The error is
//! the output distance from a much tighter run (Exp), and that of Log(Exp(v)) from v (both for unit
//! length): the same measure for all sides.

use std::path::Path;
use std::rc::Rc;

use gaussflow::manifold::GeodesicSettings;

use crate::case::{Case, Fallible, Side};
use crate::headline::Peers;
use crate::peer::Task;
use crate::problems::{Problem, write_doubles};
use crate::questions::exponential::{Direction, Walk};

/// The name of its rows, and in `--only`.
pub const NAME: &str = "small_manifold";

/// Rows, features, hidden units.
const SHAPE: (usize, usize, usize) = (24, 2, 3);
/// The scaling factor alpha.
const SCALING: f64 = 64.0;
/// The tolerance of a run that counts as exact.
const TIGHT: f64 = 1e-13;

/// Exp, then Log.
pub fn cases(
    peers: &Peers,
    folder: &Path,
    take: &mut dyn FnMut(Case) -> Fallible<()>,
) -> Fallible<()> {
    let (n, d, m) = SHAPE;
    let problem = Problem::synthetic(n, d, m)?;
    let folder = folder.join(NAME);
    problem.write(&folder, SCALING, 0.0)?;
    let mut walk = Walk::new(&problem, SCALING)?;
    let velocity = walk.velocity(0, Direction::Generic)?;
    let tight = GeodesicSettings { tolerance: TIGHT, ..GeodesicSettings::default() };
    let target = walk.manifold.exp(&walk.points[0], &velocity, &tight)?.complete()?.point.clone();
    write_doubles(&folder, &[("velocity", &velocity), ("target", &target)])?;
    let task = |name: &'static str| {
        let peer = peers.geomstats.as_ref().map(Rc::clone)?;
        Some(Task { peer, name, problem: folder.clone(), operations: None })
    };
    take(exponential(&problem, &velocity, &target, [task("exp"), task("accurate-exp")])?)?;
    take(logarithm(&problem, &velocity, &target, [task("log"), task("accurate-log")])?)
}

/// Exp by ours and by the peer's integrators.
fn exponential(
    problem: &Problem,
    velocity: &[f64],
    target: &[f64],
    tasks: [Option<Task>; 2],
) -> Fallible<Case> {
    let mut walk = Walk::new(problem, SCALING)?;
    let settings = GeodesicSettings::default();
    let exact = walk.manifold.at(target)?.output().to_vec();
    let mut measure = Walk::new(problem, SCALING)?;
    let mut distance = |end: &[f64]| -> Fallible<f64> {
        let point = measure.manifold.at(end)?;
        Ok(gaussflow::solvers::squared_distance(point.output(), &exact).sqrt())
    };
    let curve = walk.manifold.exp(&walk.points[0], velocity, &settings)?;
    let error = distance(&curve.complete()?.point)?;
    let mut sides = peer_sides(tasks, &mut distance)?;
    let velocity = velocity.to_vec();
    let ours = Side::calling(None, error, move || {
        walk.manifold.exp(&walk.points[0], &velocity, &settings)?.complete()?;
        Ok(())
    });
    sides.insert(0, ours);
    Ok(Case::new(NAME, "exponential", problem.shape, sides))
}

/// Log of Exp by ours and by the peer's shooting.
fn logarithm(
    problem: &Problem,
    velocity: &[f64],
    target: &[f64],
    tasks: [Option<Task>; 2],
) -> Fallible<Case> {
    let mut walk = Walk::new(problem, SCALING)?;
    let settings = GeodesicSettings::default();
    let mut measure = Walk::new(problem, SCALING)?;
    let mut distance = |found: &[f64]| -> Fallible<f64> {
        let difference: Vec<f64> = found.iter().zip(velocity).map(|(f, v)| f - v).collect();
        let point = measure.manifold.at(&measure.points[0])?;
        let mut tangent = vec![0.0; point.output().len()];
        point.tangent_vector(&difference, &mut tangent)?;
        Ok(gaussflow::solvers::norm(&tangent))
    };
    let found = walk.manifold.log(&walk.points[0], target, &settings)?;
    let error = distance(&found.velocity)?;
    let mut sides = peer_sides(tasks, &mut distance)?;
    let target = target.to_vec();
    let ours = Side::calling(None, error, move || {
        walk.manifold.log(&walk.points[0], &target, &settings)?;
        Ok(())
    });
    let shots = found.shots;
    sides.insert(0, ours.noting(move || format!("{shots} shots")));
    Ok(Case::new(NAME, "logarithm", problem.shape, sides))
}

/// One side a formulation of each task; one that fails (a shooting may lose its way) is said and left out.
fn peer_sides(
    tasks: [Option<Task>; 2],
    distance: &mut dyn FnMut(&[f64]) -> Fallible<f64>,
) -> Fallible<Vec<Side<'static>>> {
    let mut sides = Vec::new();
    for task in tasks.into_iter().flatten() {
        match task.formulations(1) {
            Ok(names) => {
                for name in names {
                    let error = distance(&task.result(1, &name)?)?;
                    sides.push(task.side(&name, Some(error))?);
                }
            }
            Err(error) => println!("    {error}"),
        }
    }
    Ok(sides)
}
