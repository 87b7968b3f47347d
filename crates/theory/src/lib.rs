//! Constants, corrected theorems and the audit of the paper's statements, each with its provenance.
//!
//! | I want to | I use |
//! |---|---|
//! | know the constants of the theorems at a starting point | [`Constants::at_start`]; with where each comes from [`NetworkConstants`] |
//! | compare a threshold or a rate as printed with what holds | the modules [`printed`] and [`corrected`] |
//! | judge a statement of a paper on a problem of my own | a [`Problem`] and the functions of [`papers`], which give a [`Record`] |
//! | search for a counterexample | [`referee`] |
//! | add a paper | the front page of [`papers`] |
//!
#![doc = include_str!("../README.md")]
#![allow(
    clippy::missing_errors_doc,
    reason = "`TheoryError` says which point or trajectory has no answer"
)]

mod best_in_class;
mod constants;
pub mod corrected;
mod error;
mod lipschitz_search;
mod local;
mod log_slope;
mod network_constants;
pub mod papers;
pub mod printed;
mod problem;
pub mod referee;
mod sampling;
mod small_problem;
mod trajectory;

pub use best_in_class::BestInClass;
pub use constants::Constants;
pub use error::TheoryError;
pub use lipschitz_search::{jacobian_lipschitz_loose, jacobian_lipschitz_lower};
pub use local::Local;
pub use network_constants::{Constant, NetworkConstants, Provenance};
pub use problem::{Problem, ProblemObjective, half_squares};
pub use referee::{Comparison, Corrected, Hypothesis, Record, Statement, Verdict};
pub use sampling::Sampler;
pub use small_problem::{Shape, in_numbers, require_resolved, small_problem};
pub use trajectory::{FlowPlan, Sample, Stepper, Trajectory};
