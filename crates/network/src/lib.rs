//! Feedforward networks, the one of section 2.1 first: activations, initializations, derivatives, constants.
#![doc = include_str!("../README.md")]

pub mod activation;
mod architecture;
mod blocks;
mod error;
mod infinite_width;
mod initialization;
mod jacobian;
mod lipschitz;
mod network;
mod passes;
mod second_derivative;
mod second_order;

pub use activation::{Activation, ActivationBounds, ActivationFunction};
pub use architecture::{Architecture, Layer, OutputWeights, Scale};
pub use error::NetworkError;
pub use infinite_width::infinite_width_kernel;
pub use initialization::{InitialPoint, Initialization};
pub use jacobian::NetworkJacobian;
pub use network::Network;
