//! A lower bound of L, the Lipschitz modulus of `w -> Df(w)`, by search, and the loose upper bound.
//!
//! Exactly `L = sup over w in R^d, norm(a) = 1 of sqrt(sum_j sigma''(x_j.w)^2 (x_j.a)^4)`, whatever m:
//! Df changes unit by unit, and the unit with the largest quotient decides. Any (w, a) gives a lower
//! bound; `sigma_2 sqrt(lambda_max((X X^T) * (X X^T)))` is an upper one (network crate).

use gaussflow_network::{ActivationFunction, Network};
use gaussflow_objective::{MapError, Residuals, SecondOrderMap};
use gaussflow_solvers::{inner_product, norm};

use crate::sampling::Sampler;

/// Rounds of alternation from each start.
const ROUNDS: usize = 30;
/// Rows tried as starts: those of largest norm.
const STARTS: usize = 6;

/// Computes a proven lower bound of the Lipschitz constant L of Df by a search, for one hidden layer:
/// `sqrt(sum_j sigma''(x_j.w)^2 (x_j.a)^4)` at the best w and unit vector a found.
pub fn jacobian_lipschitz_lower<A: ActivationFunction>(network: &Network<A>) -> f64 {
    let rows = rows_of(network);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| norm(&rows[b]).total_cmp(&norm(&rows[a])));
    let bend = largest_bend(&network.last_layer().activation);
    let starts = order.iter().take(STARTS);
    starts
        .map(|&j| ascend(&network.last_layer().activation, &rows, &rows[j], bend))
        .fold(0.0, f64::max)
}

/// Computes a loose upper bound of L from norms, for one hidden layer: `sigma_2 sqrt(sum_j norm(x_j)^4)`.
pub fn jacobian_lipschitz_loose<A: ActivationFunction>(network: &Network<A>) -> f64 {
    let fourths = rows_of(network).iter().map(|x| norm(x).powi(4)).sum::<f64>();
    network.last_layer().activation.bounds().second * fourths.sqrt()
}

/// Computes a proven lower bound of the Lipschitz constant L of Df on a ball, for networks of any depth:
/// `norm(D2f(w)[u, v])` at the best unit vectors u, v found, at the center of the ball and at random w in it.
pub fn jacobian_lipschitz_lower_within<M: SecondOrderMap>(
    map: &M,
    center: &[f64],
    radius: f64,
) -> f64 {
    let mut sampler = Sampler::new(3);
    let points = sampler.ball(center, radius, POINTS);
    let bend = |w: &Vec<f64>| largest_bend_at(map, w, &mut sampler).unwrap_or(0.0);
    points.iter().map(bend).fold(0.0, f64::max)
}

/// `norm(D2f(w)[u, v])` after alternating: the best u and v for the output direction, and that for them.
fn largest_bend_at<M: SecondOrderMap>(
    map: &M,
    w: &[f64],
    sampler: &mut Sampler,
) -> Result<f64, MapError> {
    let (n, p) = (map.outputs(), map.parameters());
    let (mut value, mut jacobian) = (vec![0.0; n], map.new_jacobian());
    map.linearize(w, &mut value, &mut jacobian)?;
    let (mut u, mut v) = (sampler.direction(p), sampler.direction(p));
    let mut best = 0.0;
    for _ in 0..ROUNDS {
        map.second_derivative(w, &jacobian, &u, &v, &mut value)?;
        let size = norm(&value);
        best = f64::max(best, size);
        if size == 0.0 {
            break;
        }
        value.iter_mut().for_each(|x| *x /= size);
        for _ in 0..2 {
            // The best u for v, then the best v for u.
            map.weighted_hessian_apply(w, &jacobian, &value, &v, &mut u)?;
            let size = norm(&u);
            u.iter_mut().for_each(|x| *x /= size);
            std::mem::swap(&mut u, &mut v);
        }
    }
    Ok(best)
}

/// Points of a ball that the search looks at besides its centre.
const POINTS: usize = 6;

/// The rows x_j.
fn rows_of<A: ActivationFunction>(network: &Network<A>) -> Vec<Vec<f64>> {
    let inputs = network.inputs();
    (0..network.outputs())
        .map(|j| (0..network.features()).map(|k| inputs[(j, k)]).collect())
        .collect()
}

/// Where |sigma''| is largest, on a grid of [0, 4].
fn largest_bend<A: ActivationFunction>(activation: &A) -> f64 {
    let z: Vec<f64> = (0..4096).map(|k| f64::from(k) / 1024.0).collect();
    let second = second_derivatives(activation, &z);
    let best = (0..z.len()).max_by(|&a, &b| second[a].abs().total_cmp(&second[b].abs()));
    best.map_or(0.0, |k| z[k])
}

fn second_derivatives<A: ActivationFunction>(activation: &A, z: &[f64]) -> Vec<f64> {
    let (mut value, mut first, mut second) =
        (vec![0.0; z.len()], vec![0.0; z.len()], vec![0.0; z.len()]);
    activation.evaluate(z, &mut value, &mut first, &mut second);
    second
}

/// Alternates between a (a monotone power step: the objective is convex in a) and w (gradient steps with
/// halving, sigma''' by a central difference) from the direction of one row.
fn ascend<A: ActivationFunction>(
    activation: &A,
    rows: &[Vec<f64>],
    start: &[f64],
    bend: f64,
) -> f64 {
    let length = norm(start);
    if length == 0.0 {
        return 0.0;
    }
    let mut a: Vec<f64> = start.iter().map(|x| x / length).collect();
    let mut w: Vec<f64> = a.iter().map(|x| x * bend / length).collect();
    let squares = |w: &[f64]| -> Vec<f64> {
        let z: Vec<f64> = rows.iter().map(|x| inner_product(x, w)).collect();
        second_derivatives(activation, &z).iter().map(|s| s * s).collect()
    };
    let fourths =
        |a: &[f64]| -> Vec<f64> { rows.iter().map(|x| inner_product(x, a).powi(4)).collect() };
    let (mut weight, mut best) = (squares(&w), 0.0);
    let mut step = 0.1 / length;
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; a.len()];
        for (x, s) in rows.iter().zip(&weight) {
            let cube = s * inner_product(x, &a).powi(3);
            next.iter_mut().zip(x).for_each(|(n, x)| *n += cube * x);
        }
        let size = norm(&next);
        if size == 0.0 {
            break;
        }
        a = next.iter().map(|n| n / size).collect();
        let fourth = fourths(&a);
        best = inner_product(&weight, &fourth);
        // The gradient in w: sum_j 2 sigma'' sigma''' (x_j.a)^4 x_j.
        let h = 1e-5;
        let mut uphill = vec![0.0; w.len()];
        let z: Vec<f64> = rows.iter().map(|x| inner_product(x, &w)).collect();
        let shifted =
            |by: f64| second_derivatives(activation, &z.iter().map(|z| z + by).collect::<Vec<_>>());
        let (low, high) = (shifted(-h), shifted(h));
        for (((x, q), low), high) in rows.iter().zip(&fourth).zip(&low).zip(&high) {
            let slope = q * (high * high - low * low) / (2.0 * h);
            uphill.iter_mut().zip(x).for_each(|(u, x)| *u += slope * x);
        }
        let size = norm(&uphill);
        if size == 0.0 {
            break;
        }
        for _ in 0..20 {
            let moved: Vec<f64> = w.iter().zip(&uphill).map(|(w, u)| w + step * u / size).collect();
            let trial = squares(&moved);
            let found = inner_product(&trial, &fourth);
            if found > best {
                (w, weight, best) = (moved, trial, found);
                step *= 1.5;
                break;
            }
            step *= 0.5;
        }
    }
    best.sqrt()
}
