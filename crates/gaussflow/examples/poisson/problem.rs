//! Poisson's equation `-Laplace(u) = f` inside, `u = g` on the boundary, as residuals of a network with one hidden layer.
//!
//! `u(x; w) = sum_i c_i tanh(a_i . x + b_i)` solves the equation where all of these residuals vanish:
//!
//! - `sqrt(1/n) (-Laplace(u)(x_j; w) - f(x_j))` at n points x_j inside, midpoints of equal cells;
//! - `sqrt(beta/m) (u(x_k; w) - g(x_k))` at m points x_k of the boundary.
//!
//! The sum of their squares is the midpoint rule for the squared L2 norm of the first defect, plus beta times that of the
//! second. For another equation, change `network` (the derivatives it needs), `residuals` and the solutions.

use std::f64::consts::PI;

use gaussflow::objective::tanh;
use gaussflow::prelude::*;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// beta. A defect on the boundary is an error of u of the same size; a defect inside becomes one about ten times smaller,
/// divided by an eigenvalue of the Laplacian. The squares are weighted accordingly.
const BOUNDARY_WEIGHT: f64 = 1e3;

/// Largest slope of a unit at the start: its tanh turns over a length of at least 1/6 of the domain.
const SLOPE: f64 = 6.0;

/// What u has to meet at one point: f inside, g on the boundary.
pub struct Condition<const DIM: usize> {
    /// The point.
    pub at: [f64; DIM],
    /// f or g there.
    pub value: f64,
    /// The factor of the residual: the root of the weight of its square.
    pub factor: f64,
}

/// The equation on the unit interval (`DIM` 1) or the unit square (`DIM` 2), with a solution that is known.
pub struct Poisson<const DIM: usize> {
    units: usize,
    /// The points inside.
    pub inside: Vec<Condition<DIM>>,
    /// The points of the boundary.
    pub boundary: Vec<Condition<DIM>>,
    solution: fn(&[f64; DIM]) -> f64,
}

impl Poisson<1> {
    /// The solution `sin(pi x) + exp(-((x - 0.6) / 0.1)^2) / 2`, with `points` points in the interval.
    pub fn on_interval(units: usize, points: usize) -> Self {
        let u = |&[x]: &[f64; 1]| (PI * x).sin() + bump(x);
        let f = |&[x]: &[f64; 1]| {
            PI * PI * (PI * x).sin() + (200.0 - 4e4 * (x - 0.6).powi(2)) * bump(x)
        };
        Self::new(units, midpoints(points), vec![[0.0], [1.0]], u, f)
    }
}

impl Poisson<2> {
    /// The solution `sin(pi x) sin(pi y)`, with `points` times `points` points in the square.
    pub fn on_square(units: usize, points: usize) -> Self {
        let u = |[x, y]: &[f64; 2]| (PI * x).sin() * (PI * y).sin();
        let f = |[x, y]: &[f64; 2]| 2.0 * PI * PI * (PI * x).sin() * (PI * y).sin();
        let sides = midpoints(points).into_iter();
        let boundary = sides.flat_map(|[s]| [[s, 0.0], [s, 1.0], [0.0, s], [1.0, s]]).collect();
        Self::new(units, midpoints(points), boundary, u, f)
    }
}

impl<const DIM: usize> Poisson<DIM> {
    fn new(
        units: usize,
        inside: Vec<[f64; DIM]>,
        boundary: Vec<[f64; DIM]>,
        solution: fn(&[f64; DIM]) -> f64,
        source: fn(&[f64; DIM]) -> f64,
    ) -> Self {
        let conditions = |points: Vec<[f64; DIM]>, weight: f64, value: fn(&[f64; DIM]) -> f64| {
            let factor = (weight / points.len() as f64).sqrt();
            points.into_iter().map(|at| Condition { at, value: value(&at), factor }).collect()
        };
        let inside = conditions(inside, 1.0, source);
        let boundary = conditions(boundary, BOUNDARY_WEIGHT, solution);
        Self { units, inside, boundary, solution }
    }

    /// Draws weights to start from, for each unit its slopes a, then b and c: the middle of each unit's tanh lies in the domain, and its share c of u is small.
    pub fn start(&self, seed: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut w = Vec::with_capacity(self.parameters());
        for _ in 0..self.units {
            let slopes: [f64; DIM] = std::array::from_fn(|_| random.random_range(-SLOPE..SLOPE));
            let middle: [f64; DIM] = std::array::from_fn(|_| random.random_range(0.0..1.0));
            w.extend(slopes);
            w.push(-slopes.iter().zip(middle).map(|(a, x)| a * x).sum::<f64>());
            w.push(random.random_range(-0.1..0.1));
        }
        w
    }

    /// The solution itself.
    pub fn solution(&self, x: &[f64; DIM]) -> f64 {
        (self.solution)(x)
    }

    /// `norm(u(w) - u) / norm(u)` in L2, from the midpoints of an odd number of cells: none is a midpoint of an even one.
    pub fn relative_error(&self, w: &[f64]) -> f64 {
        let points = midpoints::<DIM>(if DIM == 1 { 2001 } else { 101 });
        let (mut error, mut size) = (0.0, 0.0);
        for x in points {
            error += (network(w, &x).0 - self.solution(&x)).powi(2);
            size += self.solution(&x).powi(2);
        }
        f64::sqrt(error / size)
    }
}

impl<const DIM: usize> GenericResiduals for Poisson<DIM> {
    fn parameters(&self) -> usize {
        self.units * (DIM + 2)
    }

    fn outputs(&self) -> usize {
        self.inside.len() + self.boundary.len()
    }

    fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
        let (inside, boundary) = out.split_at_mut(self.inside.len());
        for (out, point) in inside.iter_mut().zip(&self.inside) {
            let (_, laplacian) = network(w, &point.at);
            *out = (laplacian + point.value) * -point.factor;
        }
        for (out, point) in boundary.iter_mut().zip(&self.boundary) {
            let (u, _) = network(w, &point.at);
            *out = (u - point.value) * point.factor;
        }
    }
}

/// `exp(-((x - 0.6) / 0.1)^2) / 2`.
fn bump(x: f64) -> f64 {
    0.5 * (-100.0 * (x - 0.6).powi(2)).exp()
}

/// `u(x; w)` and `Laplace(u)(x; w)`: with `t = tanh(z)`, the second derivative of tanh is `-2 t (1 - t^2)`.
pub fn network<D: Scalar, const DIM: usize>(w: &[D], x: &[f64; DIM]) -> (D, D) {
    let (mut u, mut laplacian) = (D::from(0.0), D::from(0.0));
    for unit in w.chunks_exact(DIM + 2) {
        let (mut z, mut square) = (unit[DIM], D::from(0.0));
        for (&a, &x) in unit.iter().zip(x) {
            z += a * x;
            square += a * a;
        }
        let t = tanh(z);
        let share = unit[DIM + 1] * t;
        u += share;
        laplacian += share * square * (t * t - 1.0) * 2.0;
    }
    (u, laplacian)
}

/// The midpoints of `cells` equal cells in each direction.
pub fn midpoints<const DIM: usize>(cells: usize) -> Vec<[f64; DIM]> {
    let mut points = vec![[0.0; DIM]];
    for d in 0..DIM {
        let along = |mut x: [f64; DIM], k: usize| {
            x[d] = (k as f64 + 0.5) / cells as f64;
            x
        };
        points = points.into_iter().flat_map(|x| (0..cells).map(move |k| along(x, k))).collect();
    }
    points
}
