//! The output manifold of a network: how it flattens as alpha grows, a geodesic on it and the loss along.
//!
//! Curvature falls like 1 / alpha and the eigenvalues of the Riemannian Hessian, from nu_eff to mu_eff,
//! approach nu = mu = 2 of the squared loss. Run it with
//! `cargo run --release -p gaussflow --example network_manifold`.

use gaussflow::prelude::*;

const ROWS: usize = 64;
const FEATURES: usize = 3;
const HIDDEN: usize = 6;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// A nullified tanh network with `norm(alpha f - y)^2`, and its initial weights.
fn problem(alpha: f64) -> Fallible<(Objective<Network, Squared>, Vec<f64>)> {
    // ROWS rows of normal features: the weights of a network with so many units.
    let inputs = InitialPoint::draw(Initialization::Plain, ROWS, FEATURES, 1)?.weights;
    let targets = inputs.chunks_exact(FEATURES).map(|x| 2.0 + x[0].tanh() + x[2].sin()).collect();
    let start = InitialPoint::draw(Initialization::Nullified, HIDDEN, FEATURES, 0)?;
    let network = Network::new(&inputs, FEATURES, &start.signs, Activation::Tanh)?
        .nullified_at(&start.weights)?;
    Ok((Objective::new(network, Squared::new(targets)?, alpha)?, start.weights))
}

fn main() -> Fallible<()> {
    println!("    alpha    nu_eff    mu_eff   curvature   turned after t = 1");
    for alpha in [8.0, 32.0, 128.0, 512.0] {
        let (objective, start) = problem(alpha)?;
        let settings = Settings { horizon: 1.0, ..Settings::default() };
        let end = simulate(&objective, &start, &settings, |_, _, _| ())?.final_weights;
        let mut manifold = OutputManifold::new(&objective)?;
        let angle = manifold.tangent_angles(&start, &end)?.largest.to_degrees();
        let mut point = manifold.at(&start)?;
        let hessian = point.hessian_extremes()?;
        let (nu, mu) = (hessian.smallest.value, hessian.largest.value);
        let curvature = point.largest_normal_curvature()?.value;
        println!("{alpha:9}  {nu:8.4}  {mu:8.4}  {curvature:10.5}   {angle:8.3} degrees");
    }

    // From the start against the Riemannian gradient, the direction of the flow, for a length of 1.
    let (objective, start) = problem(128.0)?;
    let mut manifold = OutputManifold::new(&objective)?;
    let mut point = manifold.at(&start)?;
    let mut downhill = vec![0.0; ROWS];
    point.riemannian_gradient(&mut downhill)?;
    let length = downhill.iter().map(|x| x * x).sum::<f64>().sqrt();
    downhill.iter_mut().for_each(|x| *x /= -length);
    let mut velocity = vec![0.0; start.len()];
    point.parameter_direction(&downhill, &mut velocity)?;

    let settings = GeodesicSettings { samples: 4, ..GeodesicSettings::default() };
    let curve = manifold.exp(&start, &velocity, &settings)?;
    let along = manifold.loss_along(&curve)?;
    println!("\n   length        g         g'        g''");
    for sample in &along.samples {
        let (first, second) = (sample.first, sample.second);
        println!("{:9.2}  {:9.4}  {first:9.4}  {second:9.4}", sample.length, sample.value);
    }
    let (drift, steps) = (curve.speed_drift, curve.statistics.accepted_steps);
    println!("{:?} in {steps} steps, the speed drifted by {drift:.1e}", curve.end);
    let log = manifold.log(&start, &curve.complete()?.point, &settings)?;
    println!("distance by Log {:.10}, in {} shots", log.distance, log.shots);
    Ok(())
}
