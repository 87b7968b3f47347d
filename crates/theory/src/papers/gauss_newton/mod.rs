//! S. Cayci, Gauss-Newton dynamics for neural networks (arXiv 2412.14031): every statement, one function each, by
//! section, the runs that meet the hypotheses ([`plan`]), and what a referee makes of it.
//!
//! A function takes the data it judges and returns a [`crate::Record`]. Constants come in as arguments
//! or as [`crate::NetworkConstants`], so that a wrong one can be planted.
//!
//! # Errors
//! [`crate::TheoryError`] where a point, an eigenvalue problem or a trajectory gives no answer.

pub mod experiments;
mod families;
mod findings;
pub mod over_continuous;
pub mod over_discrete;
pub mod over_identities;
pub mod over_kernel;
pub mod plan;
pub mod setting;
pub mod under_chart;
pub mod under_flow;
pub mod under_geodesics;
pub mod under_geometry;
pub mod under_immersion;
pub mod under_remarks;

use crate::referee::Paper;

/// The paper.
pub const PAPER: Paper = Paper {
    key: "gauss-newton",
    title: "Gauss-Newton Dynamics for Neural Networks: A Riemannian Optimization Perspective",
    authors: "S. Cayci",
    version: "arXiv 2412.14031, an early version, read in full with its appendix",
    statements: STATEMENTS,
    ours: &[
        ("over/never-exits", "Lemma 2, corrected"),
        ("over/theorem-1", "Theorem 1, corrected"),
        ("over/damping-equals-lambda", "after Theorem 1, corrected"),
        ("over/theorem-2", "Theorem 2, consistent step"),
        ("over/never-exits-discrete", "Appendix A, repaired"),
        ("over/small-damping-rate", "after Theorem 2, repaired"),
        ("under/theorem-5-rate", "Theorem 5, corrected"),
        ("under/theorem-5-radius", "(23), at the corrected alpha"),
        ("under/gradient-decay", "(27), corrected"),
    ],
    findings: findings::FINDINGS,
    survivors: findings::SURVIVORS,
    groups: plan::groups,
    families: families::FAMILIES,
};

/// Every id, in the order of the paper.
const STATEMENTS: &[&str] = &[
    "setting/nullified",
    "setting/activation-bounds",
    "setting/jacobian-lipschitz",
    "setting/lipschitz-f",
    "setting/loss-constants",
    "over/ntk-limit",
    "over/assumption-1",
    "over/kernel-stays",
    "over/output-flow",
    "over/eigenpairs",
    "over/energy-dissipation",
    "over/polyak-lojasiewicz",
    "over/gap-bound",
    "over/output-bound",
    "over/squared-inverse",
    "over/squared-inverse-bound",
    "over/never-exits",
    "over/theorem-1",
    "over/damping-equals-lambda",
    "over/gradient-flow-rate",
    "over/bounded-gradient",
    "over/theorem-2",
    "over/descent-chain",
    "over/never-exits-discrete",
    "over/small-damping-rate",
    "under/assumption-2",
    "under/gram-stays",
    "under/projection",
    "under/output-flow",
    "under/energy-dissipation",
    "under/kernel-singular",
    "under/manifold-dimension",
    "under/injective",
    "under/immersion-remark",
    "under/tangent-space",
    "under/riemannian-gradient",
    "under/geodesic-strong-convexity",
    "under/geodesic-smoothness",
    "under/monotone",
    "under/sublevel-convex",
    "under/assumption-3",
    "under/gradient-bounds",
    "under/theorem-5-rate",
    "under/theorem-5-radius",
    "under/gradient-decay",
    "under/antisymmetric",
    "under/non-nullified",
    "under/alpha-guideline",
    "under/inductive-bias",
    "under/conditioning-free",
    "experiment/full-rank",
    "experiment/collapse",
    "experiment/stationary",
    "experiment/bias",
    "experiment/beats-gradient-flow",
];
