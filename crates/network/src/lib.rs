//! Feedforward networks, the one of section 2.1 first: activations, initializations, derivatives, constants.
//!
//! | I want to | I use |
//! |---|---|
//! | take the network of section 2.1 on rows of my own | [`InitialPoint::draw`], then [`Network::new`] and [`Network::nullified_at`] |
//! | take a deep network | an [`Architecture`] of [`Layer`]s, [`InitialPoint::draw_for`], then [`Network::with_architecture`] |
//! | have several outputs for each row | [`Architecture::with_outputs`] |
//! | have more rows than fit into memory | [`InputBlocks`], then [`NetworkBlocks`] in a [`BlockedMap`](gaussflow_objective::BlockedMap) |
//! | use an activation of my own | [`ActivationFunction`]; the built-in ones are [`Activation`] |
//! | know the tangent kernel of infinitely wide layers | [`infinite_width_kernel`] |
//! | look at the Jacobian as an operator | [`NetworkJacobian`] |
//!
#![doc = include_str!("../README.md")]

pub mod activation;
mod architecture;
mod block_constants;
mod blocks;
mod error;
mod infinite_width;
mod initialization;
mod input_blocks;
mod jacobian;
mod lipschitz;
mod network;
mod passes;
mod second_derivative;
mod second_order;

pub use activation::{Activation, ActivationBounds, ActivationFunction};
pub use architecture::{Architecture, Layer, OutputWeights, Scale};
pub use block_constants::SplitConstants;
pub use error::NetworkError;
pub use infinite_width::infinite_width_kernel;
pub use initialization::{InitialPoint, Initialization};
pub use input_blocks::{InputBlocks, NetworkBlocks, ROWS_OF_A_BLOCK};
pub use jacobian::NetworkJacobian;
pub use network::Network;
