//! The one-hidden-layer network of section 2.1: activations, initializations, derivatives, constants.
#![doc = include_str!("../README.md")]

pub mod activation;
mod error;
mod infinite_width;
mod initialization;
mod jacobian;
mod lipschitz;
mod network;
mod second_derivative;
mod second_order;

pub use activation::{Activation, ActivationBounds, ActivationFunction};
pub use error::NetworkError;
pub use infinite_width::infinite_width_kernel;
pub use initialization::{InitialPoint, Initialization};
pub use jacobian::NetworkJacobian;
pub use network::Network;
