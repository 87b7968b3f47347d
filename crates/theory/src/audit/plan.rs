//! The runs that meet the hypotheses, and the audit of them all: the entry of the whole audit.
//!
//! Groups are independent and run on all threads; their records are collected in the order written here,
//! so that the result does not depend on the number of threads.

mod conditioning;
mod over;
mod schedules;
mod section_5;
mod small;
mod under;

use rayon::prelude::*;

use crate::TheoryError;
use crate::audit::experiments::Traced;
use crate::audit::over_kernel::WidthError;
use crate::audit::under_remarks::ConditionedSlopes;
use crate::network_constants::Constant;
use crate::problem::Problem;
use crate::record::Record;

pub use self::small::{counterexample, counterexample_scaling};
pub use self::under::at_points;

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
    pub(crate) fn choose<T>(self, quick: T, full: T) -> T {
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
    fn problem(&self, hidden: usize) -> Result<Problem, TheoryError> {
        let name = format!("n = {}, m = {hidden}, seed {}", self.targets.len(), self.seed);
        let inputs = (self.inputs.as_slice(), self.features);
        Problem::regression(&name, inputs, &self.targets, hidden, self.seed)
    }
}

/// The runs of one seed of section 5, alphas ascending, the collapsing one apart.
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

/// What the audit is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Material {
    /// How much to run.
    pub effort: Effort,
    /// Rows for section 4's runs (256 in the paper), one set a seed.
    pub under: Vec<Rows>,
    /// Rows for section 3's runs (64), one set a seed.
    pub over: Vec<Rows>,
    /// Section 5's traces.
    pub traces: Vec<SeedTraces>,
}

/// A curve of a figure: bound and measured over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// Times.
    pub time: Vec<f64>,
    /// The measured quantity.
    pub measured: Vec<f64>,
    /// The bound as printed.
    pub bound: Vec<f64>,
}

/// What a damping schedule came to at one conditioning.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleRate {
    /// Its name.
    pub schedule: String,
    /// cond(K_0).
    pub condition: f64,
    /// Mean `-log(Delta_(k+1)/Delta_k)` an attempt.
    pub rate: f64,
    /// Attempts that were rejected.
    pub rejected: usize,
}

/// Everything that the audit found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// One record a statement and run.
    pub records: Vec<Record>,
    /// The constants of each problem, by its name.
    pub constants: Vec<(String, Vec<Constant>)>,
    /// Errors of the finite kernels by width.
    pub widths: Vec<WidthError>,
    /// Slopes by conditioning.
    pub slopes: Vec<ConditionedSlopes>,
    /// Rates of the damping schedules.
    pub schedule_rates: Vec<ScheduleRate>,
    /// The gap's curves of the conditioning sweep: name, t, Delta/Delta_0.
    pub gap_curves: Vec<(String, Vec<f64>, Vec<f64>)>,
    /// The counterexample's gap against (22) and the corrected bound.
    pub counterexample: Curves,
    /// Deviation over r_0 at the printed alpha of Lemma 2 and at the corrected one.
    pub exits: Vec<(String, Vec<f64>, Vec<f64>)>,
}

impl Findings {
    fn merge(&mut self, other: Self) {
        self.records.extend(other.records);
        self.constants.extend(other.constants);
        self.widths.extend(other.widths);
        self.slopes.extend(other.slopes);
        self.schedule_rates.extend(other.schedule_rates);
        self.gap_curves.extend(other.gap_curves);
        self.exits.extend(other.exits);
        if !other.counterexample.time.is_empty() {
            self.counterexample = other.counterexample;
        }
    }
}

/// A group of runs.
type Group<'m> = Box<dyn Fn() -> Result<Findings, TheoryError> + Send + Sync + 'm>;

/// Audits every statement on `material`.
pub fn audit(material: &Material) -> Result<Findings, TheoryError> {
    let effort = material.effort;
    let mut groups: Vec<Group<'_>> = Vec::new();
    groups.push(Box::new(move || conditioning::sweep(effort)));
    for rows in &material.over {
        groups.push(Box::new(move || over::continuous(rows, effort)));
        groups.push(Box::new(move || over::discrete(rows, effort)));
    }
    if let Some(rows) = material.over.first() {
        groups.push(Box::new(move || over::widths(rows, effort)));
    }
    for rows in &material.under {
        groups.push(Box::new(move || under::ball(rows)));
        groups.push(Box::new(move || under::flows(rows, effort)));
    }
    groups.push(Box::new(schedules::sweep));
    groups.push(Box::new(small::theorem_5));
    groups.push(Box::new(small::dampings));
    groups.push(Box::new(small::losses));
    groups.push(Box::new(|| Ok(section_5::claims(&material.traces))));
    let found = groups
        .par_iter()
        .with_max_len(1)
        .map(|group| group())
        .collect::<Result<Vec<_>, TheoryError>>()?;
    let mut all = Findings::default();
    found.into_iter().for_each(|findings| all.merge(findings));
    // By section, then in the order of measurement.
    let rank = |record: &Record| {
        let id = record.statement.id;
        STATEMENTS.iter().position(|known| *known == id).unwrap_or(STATEMENTS.len())
    };
    all.records.sort_by_key(rank);
    all.constants.dedup_by(|a, b| a.0 == b.0);
    Ok(all)
}

/// Every id, in the order of the paper.
pub const STATEMENTS: [&str; 56] = [
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
    "run/reproduced",
];
