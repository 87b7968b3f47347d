//! What a referee found in the paper: the grade of each fault, and what follows for the paper's message.

use crate::referee::Grade::{Constant, False, Gap, Typo, Unclear};
use crate::referee::{Finding, Survivor};

/// Every fault.
pub(super) const FINDINGS: &[Finding] = &[
    Finding::read("setting/nullified", "Remark 1", Typo, "The objective of section 2.1 is printed as a maximum over w; everything else treats it as a minimum."),
    Finding::read("setting/jacobian-lipschitz", "section 2.1", Unclear, "The paper never says which L its thresholds are made of; with the exact one, bounded here from both sides, every threshold is a number."),
    Finding::read("over/output-flow", "(GF-O)", Typo, "A sign too many and Df for its transpose in the proof; rho0 is undefined at rho = 1, which needs the direct form."),
    Finding::violated("over/squared-inverse-bound", "(10)", False, "Theorem 2's step and Appendix A's radius are built on it; with the true supremum their contraction depends on lambda0."),
    Finding::violated("over/never-exits", "Lemma 2", Constant, "At the printed alpha the flow leaves the ball in which the kernel is controlled; alpha >= (L/lambda0^2) sqrt(2 Delta_0/nu) keeps it there for every rho in (0, 1]."),
    Finding::violated("over/theorem-1", "Theorem 1, (11)", Constant, "Where the flow leaves the ball, the rate can fail too: on two rows and two units the gap comes to 12 times the bound before t = 4.4. It holds at the corrected alpha."),
    Finding::read("over/theorem-1", "Theorem 1, (11)", Gap, "The proof stands on Lemma 2's threshold; the rate itself is true at the corrected one."),
    Finding::read("over/damping-equals-lambda", "after Theorem 1", Constant, "Only admissible for lambda0 < 1, and then with the larger exponent 2 nu/(2 - lambda0^2); rho = lambda0^2/(1 + lambda0^2) always is, with exponent nu (1 + lambda0^2)."),
    Finding::violated("over/damping-equals-lambda", "after Theorem 1", Constant, "rho = lambda0^2/(1 + lambda0^2) has the exponent nu (1 + lambda0^2) for every lambda0."),
    Finding::read("over/gradient-flow-rate", "Remark 2", Gap, "rho = 1 lies outside Theorem 1; the corrected Lemma 2 covers it."),
    Finding::violated("over/bounded-gradient", "Theorem 2", False, "No strongly convex loss meets the assumption, so that Theorem 2 is empty as written; the sublevel set of g(0) is all that its proof needs."),
    Finding::violated("over/theorem-2", "Theorem 2, (14)", Constant, "The printed decrement is several times the true one; with the step that the proof allows, contraction holds with a modulus that depends on lambda0."),
    Finding::violated("over/descent-chain", "(28)", False, "The descent inequality of the appendix fails on this run."),
    Finding::violated("over/descent-chain", "before (29)", Constant, "The bound needs rows of norm at most 1 and a network scaled by 1/sqrt(m); L/2 holds always."),
    Finding::read("over/descent-chain", "(30)", Typo, "The display before (30) lost a factor alpha."),
    Finding::violated("over/descent-chain", "(31)", Constant, "nu is dropped: for nu < 1 the rate is slower by that factor."),
    Finding::violated("over/descent-chain", "below (32)", Typo, "An equality sign where the proof needs, and has, an inequality."),
    Finding::violated("over/never-exits-discrete", "Appendix A", Constant, "Inherits (10): the iterates leave the ball at the printed step and alpha, and stay at the repaired ones."),
    Finding::violated("over/small-damping-rate", "after Theorem 2", False, "The discrete rate of the printed step is not free of lambda0; alpha eta = (1 - rho)/mu makes it so."),
    Finding::read("under/gram-stays", "Lemma 3", Constant, "A quarter of the bound that its own proof gives and that (23) uses."),
    Finding::read("under/manifold-dimension", "Theorem 3", Gap, "alpha f(B) is not open in R^n, and a chart alone embeds nothing; the modulus of injectivity does."),
    Finding::read("under/injective", "Lemma 5", Gap, "Rolle's theorem is applied to a vector-valued curve, where it fails; a quantitative bound needs no such step."),
    Finding::violated("under/immersion-remark", "Remark 3", False, "An immersion of a convex set need not be injective, as a circle run through twice shows; on balls as small as Lemma 3's it is."),
    Finding::read("under/tangent-space", "Lemma 6", Typo, "The curve c = f(gamma) lacks a factor alpha."),
    Finding::violated("under/riemannian-gradient", "Theorem 4, display", Typo, "The flow is minus the Riemannian gradient; the display lost the sign."),
    Finding::violated("under/geodesic-strong-convexity", "Lemma 7", False, "g is not geodesically strongly convex with nu: the second fundamental form is dropped. Lemma 8, Lemma 9 and Theorem 5 stand on it; theta takes nu's place and tends to it as alpha grows."),
    Finding::violated("under/geodesic-smoothness", "Corollary 1", False, "The same term makes g less smooth than mu on the manifold, by as much."),
    Finding::violated("under/monotone", "after Corollary 1", False, "The loss rises along the flow on this run."),
    Finding::violated("under/sublevel-convex", "Lemma 8", False, "Sublevel sets of g on the manifold are not geodesically convex for small alpha; where the Riemannian Hessian is nonnegative along the geodesic, they are."),
    Finding::read("under/assumption-3", "Assumption 3", Unclear, "Section 5 calls it satisfied as observed in the figures, which cannot show it; on the paper's data and at its alphas the optimum lies 50 to 10,000 radii from w_0."),
    Finding::violated("under/gradient-bounds", "(20), left", False, "Quadratic growth with nu fails; with the least eigenvalue of the Riemannian Hessian along the geodesic it holds."),
    Finding::violated("under/gradient-bounds", "(20), right", False, "The Polyak-Lojasiewicz inequality with nu fails on the manifold, and with it the rate of Theorem 5; with the least eigenvalue along the geodesic it holds."),
    Finding::violated("under/gradient-bounds", "(21)", False, "The gradient bound with mu fails; with the largest absolute eigenvalue along the geodesic it holds."),
    Finding::violated("under/theorem-5-rate", "Theorem 5, (22)", False, "The headline rate 2 nu fails with all hypotheses met; 2 theta, with theta = nu - O(1/alpha), holds without Assumption 3."),
    Finding::violated("under/theorem-5-rate", "(24)", False, "As (22), with the smaller factor Delta_0."),
    Finding::read("under/theorem-5-radius", "(23)", Gap, "True where measured, but deduced from (22) through (27), which fail; at the corrected alpha it is proved."),
    Finding::violated("under/theorem-5-radius", "(23)", Constant, "The radius is left at the printed alpha, and kept at the corrected one."),
    Finding::violated("under/gradient-decay", "(27)", False, "The gradient decays with theta, not with nu."),
    Finding::read("under/antisymmetric", "Remark 4", Typo, "Printed as \"Df <= p/2\"; the rank is meant."),
    Finding::read("under/non-nullified", "Remark 4", Typo, "Cites Delta_0 in (23), which has none."),
    Finding::violated("under/alpha-guideline", "Remark 5", Constant, "Half the least alpha that Theorem 5 allows at any r: twice the guideline is meant."),
    Finding::violated("under/inductive-bias", "Remark 5", False, "At fixed r the ball's image grows with alpha, so that its best loss falls; what grows is the loss at the flow's limit. The printed difference has the wrong sign, and alpha to 0 stands for alpha to infinity."),
    Finding::read("under/conditioning-free", "Remark 6", Gap, "Deduced from Theorem 5's rate; the corrected rate 2 theta gives the same message, since theta tends to nu whatever lambda0."),
    Finding::read("experiment/full-rank", "section 5", Unclear, "\"T < infinity\" is true of every alpha shown, as the flow leaves B within one Euler step; what tells alpha = 1/8 from the others is rank."),
    Finding::violated("experiment/bias", "section 5, loss", False, "On this seed a larger alpha ends lower than alpha = 8.").without_correction("a claim about one figure can only be counted over seeds; claims.json says on how many it holds"),
    Finding::violated("experiment/bias", "section 5, deviation", False, "On this seed a larger alpha moves the weights further than alpha = 8.").without_correction("a claim about one figure can only be counted over seeds; claims.json says on how many it holds"),
    Finding::violated("experiment/beats-gradient-flow", "section 5, final loss", False, "On this seed gradient flow ends lower.").without_correction("a claim about one figure can only be counted over seeds; claims.json says on how many it holds"),
    Finding::violated("experiment/beats-gradient-flow", "section 5, passing", False, "On this seed Gauss-Newton has gradient flow's final loss later than gradient flow itself.").without_correction("a claim about one figure can only be counted over seeds; claims.json says on how many it holds"),
    Finding::violated("experiment/beats-gradient-flow", "section 5, at all times", Unclear, "\"At a significantly faster rate\" does not say by what measure. Read as ahead at all times it fails, since gradient flow is faster at the very start; read as reaching the other's final loss first, it holds.").without_correction("the two other claims of this comparison say what holds"),
];

/// What survives of the paper's message.
pub(super) const SURVIVORS: &[Survivor] = &[
    Survivor {
        sentence: "Gauss-Newton's flow on an underparameterized network is Riemannian gradient flow on the manifold of its outputs.",
        rests_on: &[
            "under/projection",
            "under/output-flow",
            "under/tangent-space",
            "under/riemannian-gradient",
            "under/energy-dissipation",
        ],
    },
    Survivor {
        sentence: "For large alpha it converges at a rate that does not depend on the conditioning of the Jacobian: 2 theta, which tends to 2 nu.",
        rests_on: &["under/conditioning-free", "under/theorem-5-rate"],
    },
    Survivor {
        sentence: "Levenberg-Marquardt's flow on an overparameterized network converges to zero loss at Theorem 1's rate once alpha exceeds a threshold of the kernel's condition; the threshold is another one than printed.",
        rests_on: &["over/gap-bound", "over/never-exits", "over/theorem-1"],
    },
    Survivor {
        sentence: "A discrete rate free of conditioning exists, with another step than the printed one.",
        rests_on: &["over/small-damping-rate"],
    },
    Survivor {
        sentence: "Small alpha loses rank, large alpha keeps it, on every seed tried.",
        rests_on: &["experiment/full-rank", "experiment/collapse"],
    },
];
