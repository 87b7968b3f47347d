//! Fields with known solutions, and short ways to run them: `dx/dt = v(t, x)` given by closures.
#![allow(dead_code, reason = "each test file uses its own part")]

use gaussflow_integrators::{
    EventFunction, Grid, Integration, Method, Unobserved, VectorField, integrate,
};

/// Why a test field has no value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoValue {
    pub at: f64,
}

/// A field made of two closures.
pub struct Field<V, J> {
    pub dimension: usize,
    pub value: V,
    pub jacobian: J,
}

impl<V, J> VectorField for Field<V, J>
where
    V: FnMut(f64, &[f64], &mut [f64]) -> Result<(), NoValue>,
    J: FnMut(f64, &[f64], &[f64], &mut [f64]) -> Result<(), NoValue>,
{
    type Breakdown = NoValue;
    fn dimension(&self) -> usize {
        self.dimension
    }
    fn evaluate(&mut self, t: f64, x: &[f64], v: &mut [f64]) -> Result<(), NoValue> {
        (self.value)(t, x, v)
    }
    fn jacobian_apply(
        &mut self,
        t: f64,
        x: &[f64],
        d: &[f64],
        out: &mut [f64],
    ) -> Result<(), NoValue> {
        (self.jacobian)(t, x, d, out)
    }
}

/// A field of one component with its derivative.
pub fn scalar(
    value: impl Fn(f64) -> Result<f64, NoValue>,
    derivative: impl Fn(f64) -> f64,
) -> impl VectorField<Breakdown = NoValue> {
    Field {
        dimension: 1,
        value: move |_: f64, x: &[f64], v: &mut [f64]| {
            v[0] = value(x[0])?;
            Ok(())
        },
        jacobian: move |_: f64, x: &[f64], d: &[f64], out: &mut [f64]| {
            out[0] = derivative(x[0]) * d[0];
            Ok(())
        },
    }
}

/// `x' = a x` with the `n x n` matrix `a` by rows.
pub fn linear(a: Vec<Vec<f64>>) -> impl VectorField<Breakdown = NoValue> {
    let apply = |a: &[Vec<f64>], x: &[f64], out: &mut [f64]| {
        for (out, row) in out.iter_mut().zip(a) {
            *out = row.iter().zip(x).map(|(a, x)| a * x).sum();
        }
        Ok(())
    };
    let b = a.clone();
    Field {
        dimension: a.len(),
        value: move |_: f64, x: &[f64], v: &mut [f64]| apply(&a, x, v),
        jacobian: move |_: f64, _: &[f64], d: &[f64], out: &mut [f64]| apply(&b, d, out),
    }
}

/// `x' = -y, y' = x`: the circle, with the solution `(cos t, sin t)` from `(1, 0)`.
pub fn oscillator() -> impl VectorField<Breakdown = NoValue> {
    linear(vec![vec![0.0, -1.0], vec![1.0, 0.0]])
}

/// An error-controlled method at one tolerance.
pub fn adaptive(tolerance: f64) -> Method {
    Method::Adaptive { relative_tolerance: tolerance, absolute_tolerance: tolerance }
}

/// The implicit method at one tolerance.
pub fn stiff(tolerance: f64) -> Method {
    Method::Stiff { relative_tolerance: tolerance, absolute_tolerance: tolerance }
}

/// Runs to `horizon` with grid steps of a tenth of it, unobserved.
pub fn run<F: VectorField>(
    method: Method,
    horizon: f64,
    field: &mut F,
    initial: &[f64],
    events: &mut [&mut dyn EventFunction<F>],
) -> Integration<F::Breakdown> {
    let grid = Grid { step: horizon / 10.0, every: 1, horizon };
    integrate(method, grid, field, initial, events, &mut Unobserved).unwrap()
}

/// The largest difference of two states.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
