//! The output manifold M = alpha f(R^p) of a smooth map, section 4: tangent spaces, curvature, geodesics.
#![doc = include_str!("../README.md")]

mod check;
mod convexity;
mod error;
mod exponential;
mod frame;
mod geodesic;
mod hessian;
mod logarithm;
mod manifold;
mod point;
mod reach;
mod second_form;

pub use check::GeometryCheck;
pub use convexity::{LossAlongGeodesic, LossSample};
pub use error::GeometryError;
pub use geodesic::{Ball, Geodesic, GeodesicEnd, GeodesicSample, GeodesicSettings};
pub use hessian::{HessianEigenpair, HessianExtremes, HessianQuotient};
pub use logarithm::Logarithm;
pub use manifold::{OutputManifold, TangentAngles};
pub use point::ManifoldPoint;
pub use reach::{ReachEstimate, curvature_bound, reach_lower_bound};
pub use second_form::NormalCurvature;
