//! What is carried from one point of a path to the next.
//!
//! `amortized` keeps factors as preconditioners; `spectrum_tracker` follows extreme singular values with `followed`,
//! `shifted_inverse` and `lanczos_path`, a certificate each; `path_history` extrapolates vectors.
//!
//! Uses `point` and what lies below.

pub(crate) mod amortized;
pub(crate) mod followed;
pub(crate) mod lanczos_path;
pub(crate) mod path_history;
pub(crate) mod shifted_inverse;
pub(crate) mod spectrum_tracker;
