//! What a referee found in the paper: one misprint.

use crate::referee::Grade::Typo;
use crate::referee::{Finding, Survivor};

/// Every fault.
pub(super) const FINDINGS: &[Finding] = &[Finding::read(
    "lazy/misprint",
    "App. B.3",
    Typo,
    "The power of M is 1/2, not 3/2: the bound must not change when R is multiplied by a constant. Nothing depends on it, since C_0 in Theorem 2.4 has the right powers.",
)];

/// What survives of the paper's message.
pub(super) const SURVIVORS: &[Survivor] = &[
    Survivor {
        sentence: "Over a finite horizon the flow follows its linearization within O(1/alpha), with the printed constants; the distance of the parameters is at most a quarter of what is printed.",
        rests_on: &["lazy/finite-horizon", "lazy/parameter-distance"],
    },
    Survivor {
        sentence: "An overparameterized model converges at Theorem 2.4's rate for large alpha, from a threshold on that is smaller than the printed one by 8 kappa norm(Dh(w_0))/sigma, and stays within O(1/alpha) of its linearization for all times; the logarithm in the distance of the parameters is not needed.",
        rests_on: &["lazy/over", "lazy/over-rates", "lazy/misprint"],
    },
    Survivor {
        sentence: "An underparameterized model converges to a local minimum at a geometric rate for large alpha, with an explicit alpha.",
        rests_on: &["lazy/under"],
    },
];
