//! The audit: every statement of the paper, one function each, by section, and the runs that meet the
//! hypotheses ([`plan`]).
//!
//! A function takes the data it judges and returns a [`crate::Record`]. Constants come in as arguments
//! or as [`crate::NetworkConstants`], so that a wrong one can be planted.
//!
//! # Errors
//! [`crate::TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.

pub mod experiments;
pub mod over_continuous;
pub mod over_discrete;
pub mod over_identities;
pub mod over_kernel;
pub mod plan;
pub mod setting;
pub mod under_chart;
pub mod under_flow;
pub mod under_geometry;
pub mod under_immersion;
pub mod under_remarks;
