//! What is known in closed form of the surfaces: normal, forms, principal curvatures, geodesic equation.
//!
//! Everything is for alpha = 1; lengths scale with alpha, curvatures with its inverse.

use gaussflow_objective::{Loss, Objective, Squared};

use crate::surfaces::{Jet, RADIUS, SAME, Surface, TUBE, cylinder, graph, sphere, torus};

/// Scalings that the tests go through.
pub const SCALINGS: [f64; 3] = [1.0, 0.25, 7.0];

/// A surface with its geometry by formula.
pub struct Shape {
    pub name: &'static str,
    pub jet: Jet,
    /// The unit normal.
    pub normal: fn(&[f64]) -> [f64; 3],
    /// Second derivatives' normal parts for the pairs 00, 01, 11.
    pub second: fn(&[f64]) -> [f64; 3],
    /// Principal curvatures with respect to that normal, ascending.
    pub principal: fn(&[f64]) -> [f64; 2],
    /// `w''` of a geodesic at (w, w').
    pub acceleration: fn(&[f64], [f64; 2]) -> [f64; 2],
}

pub const SHAPES: [Shape; 4] = [
    Shape {
        name: "sphere",
        jet: sphere,
        normal: |w| sphere(w)[0].map(|x| x / RADIUS),
        second: |w| [-RADIUS, 0.0, -RADIUS * w[0].sin() * w[0].sin()],
        principal: |_| [-1.0 / RADIUS; 2],
        acceleration: |w, v| {
            let (s, c) = w[0].sin_cos();
            [s * c * v[1] * v[1], -2.0 * c / s * v[0] * v[1]]
        },
    },
    Shape {
        name: "cylinder",
        jet: cylinder,
        normal: |w| [w[0].cos(), w[0].sin(), 0.0],
        second: |_| [-RADIUS, 0.0, 0.0],
        principal: |_| [-1.0 / RADIUS, 0.0],
        acceleration: |_, _| [0.0; 2],
    },
    Shape {
        name: "torus",
        jet: torus,
        normal: |w| [w[0].cos() * w[1].cos(), w[0].cos() * w[1].sin(), w[0].sin()],
        second: |w| [-TUBE, 0.0, -(RADIUS + TUBE * w[0].cos()) * w[0].cos()],
        principal: |w| {
            let around = -w[0].cos() / (RADIUS + TUBE * w[0].cos());
            [f64::min(-1.0 / TUBE, around), f64::max(-1.0 / TUBE, around)]
        },
        acceleration: |w, v| {
            let (s, c) = w[0].sin_cos();
            let r = RADIUS + TUBE * c;
            [-r * s * v[1] * v[1] / TUBE, 2.0 * TUBE * s * v[0] * v[1] / r]
        },
    },
    Shape {
        name: "graph",
        jet: graph,
        normal: |w| {
            let [a, b] = slope(w);
            let area = (1.0 + a * a + b * b).sqrt();
            [-a / area, -b / area, 1.0 / area]
        },
        second: |w| {
            let [a, b] = slope(w);
            [2.0, 3.0, -1.0].map(|h| h / (1.0 + a * a + b * b).sqrt())
        },
        // From mean curvature and Gauss curvature of a graph.
        principal: |w| {
            let [a, b] = slope(w);
            let square = 1.0 + a * a + b * b;
            let gauss = -11.0 / (square * square);
            let mean = ((1.0 + b * b) * 2.0 - 2.0 * a * b * 3.0 - (1.0 + a * a))
                / (2.0 * square * square.sqrt());
            let root = (mean * mean - gauss).sqrt();
            [mean - root, mean + root]
        },
        acceleration: |w, v| {
            let [a, b] = slope(w);
            let bent = 2.0 * v[0] * v[0] + 6.0 * v[0] * v[1] - v[1] * v[1];
            [a, b].map(|h| -h * bent / (1.0 + a * a + b * b))
        },
    },
];

/// Gradient of the graph's height.
fn slope(w: &[f64]) -> [f64; 2] {
    [2.0 * w[0] + 3.0 * w[1], 3.0 * w[0] - w[1]]
}

/// A map with a loss, in unmixed parameters.
pub fn with_loss<L: Loss>(
    jet: Jet,
    parameters: usize,
    loss: L,
    alpha: f64,
) -> Objective<Surface, L> {
    let surface = Surface { outputs: loss.outputs(), parameters, jet, mix: SAME };
    Objective::new(surface, loss, alpha).unwrap()
}

/// The distance squared from a target off every surface here.
pub fn squared(outputs: usize) -> Squared {
    Squared::new(TARGETS[..outputs].to_vec()).unwrap()
}

/// The target of [`squared`].
pub const TARGETS: [f64; 3] = [1.0, -2.0, 0.5];

/// `alpha f(w)`.
pub fn point(jet: Jet, w: &[f64], alpha: f64) -> [f64; 3] {
    jet(w)[0].map(|x| alpha * x)
}

/// `alpha J v` of a surface or (v of length 1) curve.
pub fn tangent(jet: Jet, w: &[f64], v: &[f64], alpha: f64) -> [f64; 3] {
    let jet = jet(w);
    let second = v.get(1).copied().unwrap_or(0.0);
    [0, 1, 2].map(|k| alpha * (jet[1][k] * v[0] + jet[2][k] * second))
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub fn length(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

pub fn cross(a: &[f64], b: &[f64]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Asserts that the entries differ by at most `bound`.
#[track_caller]
pub fn close(found: &[f64], expected: &[f64], bound: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= bound, "{found:?} {expected:?} {bound:e}");
    }
}

/// Asserts that a number is right to a relative error of `bound`.
#[track_caller]
pub fn near(found: f64, expected: f64, bound: f64) {
    assert!((found - expected).abs() <= bound * expected.abs(), "{found} {expected} {bound:e}");
}

/// Asserts that an expression gives an error of a variant (with a guard on its numbers).
macro_rules! refused {
    ($result:expr, $pattern:pat $(if $guard:expr)?) => {{
        let found = $result.err();
        assert!(matches!(&found, Some($pattern) $(if $guard)?), "{found:?}");
    }};
}
pub(crate) use refused;
