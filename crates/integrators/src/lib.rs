//! Integrates vector fields and locates events: `dx/dt = v(t, x)`, README.md for the methods.
//!
#![doc = include_str!("../README.md")]

mod bracket;
mod error;
mod event;
mod explicit;
mod field;
mod grid;
mod initial_step;
mod integrate;
mod library;
mod method;
mod outcome;
mod run;
mod segment;

pub use error::IntegrationError;
pub use event::{EventAction, EventFunction, FallingValue, LocatedEvent};
pub use field::VectorField;
pub use grid::Grid;
pub use integrate::{Observer, Unobserved, integrate};
pub use method::Method;
pub use outcome::{End, Integration, Statistics};
