//! What audits are made of: rows of data, recorded runs, and how much of it to use.

use crate::TheoryError;
use crate::problem::Problem;

/// How much is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// One seed of each problem, few widths: within ten seconds.
    Quick,
    /// Several seeds, dampings and alphas: within a minute on two cores.
    Full,
}

impl Effort {
    /// What goes with this one of the two.
    pub fn choose<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// Real rows for the audit, scaled, in drawn order.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The seed that drew them, used for signs and weights too.
    pub seed: u64,
    /// n x d, row-major.
    pub inputs: Vec<f64>,
    /// n.
    pub targets: Vec<f64>,
    /// d.
    pub features: usize,
}

impl Rows {
    /// The regression on them by a network of `hidden` units.
    pub fn problem(&self, hidden: usize) -> Result<Problem, TheoryError> {
        let name = format!("n = {}, m = {hidden}, seed {}", self.targets.len(), self.seed);
        let inputs = (self.inputs.as_slice(), self.features);
        Problem::regression(&name, inputs, &self.targets, hidden, self.seed)
    }

    /// The first `count` of them.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let count = count.min(self.targets.len());
        let inputs = self.inputs[..count * self.features].to_vec();
        Self { inputs, targets: self.targets[..count].to_vec(), ..*self }
    }
}

/// A recorded run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traced {
    /// alpha.
    pub scaling: f64,
    /// Times.
    pub time: Vec<f64>,
    /// Losses.
    pub loss: Vec<f64>,
    /// `norm(w_t - w_0)`.
    pub deviation: Vec<f64>,
    /// `norm(P grad g)`.
    pub tangent_gradient: Vec<f64>,
    /// lambda_min/lambda_max of H.
    pub rank_ratio: Vec<f64>,
}

/// The runs of one seed of the paper's section 5, alphas ascending, the collapsing one apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeedTraces {
    /// The seed.
    pub seed: u64,
    /// The radius of B at r = 1/2.
    pub ball_radius: f64,
    /// Gauss-Newton by Euler at alpha 8, 16, 256.
    pub newton: Vec<Traced>,
    /// Gradient flow at the same alphas.
    pub gradient: Vec<Traced>,
    /// Gauss-Newton by Euler at alpha = 1/8.
    pub collapsing: Option<Traced>,
    /// When the flow itself loses rank there.
    pub rank_lost: Option<f64>,
}

/// What an audit is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Material {
    /// How much to run.
    pub effort: Effort,
    /// Rows for problems with fewer parameters than rows (256 in the paper), one set a seed.
    pub under: Vec<Rows>,
    /// Rows for problems with more parameters than rows (64), one set a seed.
    pub over: Vec<Rows>,
    /// Section 5's traces.
    pub traces: Vec<SeedTraces>,
}
