//! The integrators: orders, ends, events and records, on fields with known solutions.

mod accuracy;
mod endings;
mod events;
mod fields;
mod linear_systems;
mod recording;
