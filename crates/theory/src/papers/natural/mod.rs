//! G. Zhang, J. Martens, R. Grosse, Fast convergence of natural gradient descent for overparameterized neural networks
//! (arXiv 1905.10961): undamped discrete Gauss-Newton with at least as many parameters as rows.
//!
//! `w <- w - eta J^+ r` for the map alpha f, `J = alpha Df`, `r = alpha f(w) - y`, with `G_0 = J_0 J_0^T`.

mod families;
pub mod iterates;
mod runs;

use crate::referee::{Paper, Survivor};

/// The paper.
pub const PAPER: Paper = Paper {
    key: "natural",
    title: "Fast Convergence of Natural Gradient Descent for Overparameterized Neural Networks",
    authors: "G. Zhang, J. Martens, R. Grosse",
    version: "arXiv 1905.10961, known from two independent public notes of it; theorem 1's constant C/3 is the one with \
              which its derivation closes. The other three statements are ours, derived in docs/learn/derivations.md",
    statements: &["natural/theorem-1", "natural/sharper", "natural/scaling", "natural/quadratic"],
    ours: &[("natural/sharper", ""), ("natural/scaling", ""), ("natural/quadratic", "")],
    findings: &[],
    survivors: &[
        Survivor {
            sentence: "Undamped Gauss-Newton converges at the rate of its own step, whatever the conditioning of the kernel, \
                       wherever the Jacobian moves little.",
            rests_on: &["natural/theorem-1", "natural/sharper"],
        },
        Survivor {
            sentence: "A large output scaling makes the Jacobian move little, and whole steps then converge quadratically.",
            rests_on: &["natural/scaling", "natural/quadratic"],
        },
    ],
    groups: runs::groups,
    families: families::FAMILIES,
};
