//! Constants, corrected theorems and the audit of the paper's statements, each with its provenance.
#![doc = include_str!("../README.md")]
#![allow(
    clippy::missing_errors_doc,
    reason = "`TheoryError` says which point or trajectory has no answer"
)]

pub mod audit;
mod best_in_class;
mod constants;
pub mod corrected;
mod error;
mod lipschitz_search;
mod local;
mod network_constants;
pub mod printed;
mod problem;
mod record;
mod sampling;
mod trajectory;

pub use best_in_class::BestInClass;
pub use constants::Constants;
pub use error::TheoryError;
pub use lipschitz_search::{jacobian_lipschitz_loose, jacobian_lipschitz_lower};
pub use local::Local;
pub use network_constants::{Constant, NetworkConstants, Provenance};
pub use problem::{Problem, ProblemObjective};
pub use record::{Comparison, Corrected, Hypothesis, Record, Statement, Verdict};
pub use sampling::Sampler;
pub use trajectory::{FlowPlan, Sample, Stepper, Trajectory};
