//! Geometry of surfaces that is known in closed form: curvature, Hessian, geodesics, logarithm, reach.

mod checkers;
mod curvature;
mod ends;
mod geodesics;
mod hessian;
mod invariance;
mod logarithm;
mod projection;
mod reach;
mod refusals;
mod shapes;
mod small_parameters;
mod surfaces;
mod transport;
