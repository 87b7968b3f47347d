//! L. Chizat, E. Oyallon, F. Bach, On Lazy Training in Differentiable Programming (arXiv 1812.07956): gradient flow
//! `w' = -(1/alpha) J^T grad R(alpha h(w))` stays near the flow of the linearized model for large alpha.
//!
//! This is equation (1) with rho = 1. h is the library's nullified network f, R is [`gaussflow_objective::WeightedSquares`]:
//! with all weights 1/2 it is `norm(. - y)^2/2`, with m = M = 1. A judging function takes the constants of its bound as
//! arguments, so that wrong ones can be planted. The derivations of the corrected and of the sharper statements are in
//! `docs/learn/derivations.md`, section 9.
//!
//! # Errors
//! [`crate::TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.

mod families;
mod findings;
pub mod finite_horizon;
pub mod linearized;
pub mod over;
mod plan;
pub mod rates;
pub mod setting;
pub mod under;

pub use self::plan::one_unit;

use crate::referee::Paper;

/// The paper.
pub const PAPER: Paper = Paper {
    key: "lazy",
    title: "On Lazy Training in Differentiable Programming",
    authors: "L. Chizat, E. Oyallon, F. Bach",
    version: "arXiv 1812.07956v5: a preprint was read, the published version may differ",
    statements: &[
        "lazy/finite-horizon",
        "lazy/parameter-distance",
        "lazy/over",
        "lazy/over-rates",
        "lazy/under",
        "lazy/misprint",
    ],
    ours: &[("lazy/under", "")],
    findings: findings::FINDINGS,
    survivors: findings::SURVIVORS,
    groups: plan::groups,
    families: families::FAMILIES,
};
