//! What audits are made of: rows of data, recorded runs, and how much of it to use.

use crate::TheoryError;
use crate::problem::Problem;

/// Chooses how much is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// One seed of each problem, few widths: within ten seconds.
    Quick,
    /// Several seeds, dampings and alphas: within a minute on two cores.
    Full,
}

impl Effort {
    /// Returns `quick` or `full` as the variant says.
    pub fn choose<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// Holds the data of an audit: scaled rows in the order in which they were drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The seed that drew them; signs and weights use it too.
    pub seed: u64,
    /// The scaled features, row-major n x d.
    pub inputs: Vec<f64>,
    /// The targets (length n).
    pub targets: Vec<f64>,
    /// The number of features d.
    pub features: usize,
}

impl Rows {
    /// Creates the problem of a regression on these rows by a network of `hidden` units.
    pub fn problem(&self, hidden: usize) -> Result<Problem, TheoryError> {
        let name = format!("n = {}, m = {hidden}, seed {}", self.targets.len(), self.seed);
        let inputs = (self.inputs.as_slice(), self.features);
        Problem::regression(&name, inputs, &self.targets, hidden, self.seed)
    }

    /// Returns the first `count` rows.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let count = count.min(self.targets.len());
        let inputs = self.inputs[..count * self.features].to_vec();
        Self { inputs, targets: self.targets[..count].to_vec(), ..*self }
    }
}

/// Holds the trace of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traced {
    /// The scaling alpha.
    pub scaling: f64,
    /// The recorded times.
    pub time: Vec<f64>,
    /// The losses at these times.
    pub loss: Vec<f64>,
    /// The deviations `norm(w_t - w_0)`.
    pub deviation: Vec<f64>,
    /// The norms of the Riemannian gradient, `norm(P grad g)`.
    pub tangent_gradient: Vec<f64>,
    /// The ratios lambda_min/lambda_max of `J^T J`.
    pub rank_ratio: Vec<f64>,
}

/// Holds the runs of one seed of the experiment in section 5 of the paper, in ascending order of alpha; the run at alpha =
/// 1/8 is apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeedTraces {
    /// The seed.
    pub seed: u64,
    /// The radius of the ball B for r = 1/2.
    pub ball_radius: f64,
    /// Gauss-Newton by Euler's method, at alpha = 8, 16, 256.
    pub newton: Vec<Traced>,
    /// Gradient flow at the same alphas.
    pub gradient: Vec<Traced>,
    /// Gauss-Newton by Euler's method at alpha = 1/8.
    pub collapsing: Option<Traced>,
    /// The time at which the flow itself loses rank there.
    pub rank_lost: Option<f64>,
}

/// Holds all that an audit needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Material {
    /// How much to run.
    pub effort: Effort,
    /// Rows for problems with fewer parameters than rows (256 in the paper), one set per seed.
    pub under: Vec<Rows>,
    /// Rows for problems with more parameters than rows (64), one set per seed.
    pub over: Vec<Rows>,
    /// The traces of section 5, one set per seed.
    pub traces: Vec<SeedTraces>,
}
