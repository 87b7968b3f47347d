//! S. Oymak, M. Soltanolkotabi, Overparameterized nonlinear learning (arXiv 1812.10004): gradient descent on
//! `norm(f(w) - y)^2/2`, step by step.
//!
//! Along the iterates `w <- w - eta J^T r`, `r = f(w) - y`, with `alpha_0 <= sigma_min(J)`, `norm(J) <= beta` and J
//! L-Lipschitz on a ball D around w_0.

mod families;
pub mod iterates;
mod runs;
pub mod shallow;

use crate::referee::Grade::Constant;
use crate::referee::{Finding, Paper, Survivor};

/// The paper.
pub const PAPER: Paper = Paper {
    key: "descent",
    title: "Overparameterized Nonlinear Learning: Gradient Descent Takes the Shortest Path?",
    authors: "S. Oymak, M. Soltanolkotabi",
    version: "arXiv 1812.10004, the preprint; a published version may print other constants",
    statements: &[
        "descent/theorem-2-1",
        "descent/theorem-2-3",
        "descent/theorem-9-3",
        "descent/theorem-4-3",
    ],
    ours: &[],
    findings: &[
        Finding::violated(
            "descent/theorem-4-3",
            "Theorem 4.3, rate",
            Constant,
            "Theorem 2.1, the stated proof, gives another step and a quarter of the exponent: the printed step does not scale \
             with the activation as it must, so that with a flat one (Gamma < 1) the loss can rise. Theorem 2.1 with alpha_0 = gamma sigma_min(X) and \
             beta = Gamma norm(X) gives the same message with other constants.",
        ),
        Finding::violated(
            "descent/theorem-4-3",
            "Theorem 4.3, distance",
            Constant,
            "norm(W_t) stands for norm(W_t - W_0): as printed it fails at t = 0 whenever W_0 is not 0. With the right symbol it \
             still fails at the printed step, where the rate does.",
        ),
    ],
    survivors: &[
        Survivor {
            sentence: "Gradient descent converges at a linear rate, to a point near the start, wherever the residual is small \
                       against the square of the Jacobian's least singular value.",
            rests_on: &["descent/theorem-2-1", "descent/theorem-9-3"],
        },
        Survivor {
            sentence: "The path is as short as any that reaches the labels can be, up to four times the ratio of beta and alpha_0.",
            rests_on: &["descent/theorem-2-1", "descent/theorem-2-3"],
        },
        Survivor {
            sentence: "Shallow networks with monotone activations and at most as many rows as features are trained to zero loss.",
            rests_on: &["descent/theorem-4-3"],
        },
    ],
    groups: runs::groups,
    families: families::FAMILIES,
};
