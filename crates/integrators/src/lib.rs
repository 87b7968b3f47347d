//! Integrates vector fields and locates events: `dx/dt = v(t, x)`, README.md for the methods.
//!
//! | I want to | I use |
//! |---|---|
//! | follow `dx/dt = v(t, x)` | implement [`VectorField`], choose a [`Method`] and a [`Grid`], and call [`integrate`] |
//! | stop, or take note, where a function of the state falls to zero | a [`FallingValue`], or your own [`EventFunction`] |
//! | record the states on the grid | an [`Observer`] |
//! | know how it ended | [`Integration`] with its [`End`] and [`Statistics`] |
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
