//! The output manifold M = alpha f(R^p) of a smooth map, section 4: projection, gradient, Hessian form.
#![doc = include_str!("../README.md")]

mod point;

pub use point::{GeometryError, HessianQuotient, ManifoldPoint};
