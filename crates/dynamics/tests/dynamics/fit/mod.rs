//! The fitter: classical functions, bounds, losses, lost rank, undefined regions, schedules.

#![allow(clippy::float_cmp, reason = "starts, bounds and schedules are passed through unchanged")]

mod analytic;
mod arrivals;
mod bounds;
mod classical;
mod classical_functions;
mod differences;
mod large;
mod lost_rank;
mod observations;
mod robust_deviations;
mod robust_losses;
mod schedules;
mod stops;
mod undefined_regions;
mod undetermined;
mod valleys;
