//! The output manifold M = alpha f(R^p) of a smooth map, section 4: tangent spaces, curvature, geodesics.
//!
//! | I want to | I use |
//! |---|---|
//! | know the geometry at one parameter vector | [`OutputManifold::at`], which gives a [`ManifoldPoint`] |
//! | have the Riemannian Hessian of the loss and its extreme eigenvalues | [`ManifoldPoint::hessian_quotient`] and the [`HessianExtremes`] |
//! | measure curvature | [`ManifoldPoint::sectional_curvature`], [`NormalCurvature`] and [`curvature_bound`] |
//! | follow a geodesic | [`OutputManifold::exp`] with [`GeodesicSettings`], which gives a [`Geodesic`] |
//! | know the distance of two outputs along the manifold | [`OutputManifold::distance`], or the [`Logarithm`] itself |
//! | see the loss along a geodesic | [`LossAlongGeodesic`] |
//! | estimate how far the manifold is from touching itself | [`ReachEstimate`] and [`reach_lower_bound`] |
//! | check all of it on a map of my own | [`GeometryCheck`] |
//!
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
