//! What the runs came to, kept in memory for claims, figures and the check.

use gaussflow::dynamics::Diagnostics;
use gaussflow::theory::Constants;
use gaussflow_records::{Event, EventKind, Outcome, TraceRow};

use super::baselines::Baselines;
use super::plan::{Method, Mode};
use crate::remark::remark;
use crate::run::Experiment;

/// One finished run.
pub struct Finished {
    /// Its name.
    pub id: String,
    /// Flow and integrator.
    pub method: Method,
    /// alpha.
    pub scaling: f64,
    /// Its seed.
    pub seed: u64,
    /// Its trace.
    pub trace: Vec<TraceRow>,
    /// How it ended.
    pub outcome: Outcome,
    /// The paper's constants at w_0.
    pub constants: Option<Constants>,
    /// Drawn rows n.
    pub rows: usize,
    /// Seconds that it took.
    pub seconds: f64,
}

impl Finished {
    /// The column of the trace that `value` reads.
    pub fn column(&self, value: impl Fn(&TraceRow) -> f64) -> Vec<f64> {
        self.trace.iter().map(value).collect()
    }

    /// lambda_min / lambda_max of H at a row.
    pub fn ratio(row: &TraceRow) -> f64 {
        row.gram_min_eigenvalue / row.gram_max_eigenvalue.unwrap_or(f64::NAN)
    }

    /// The smallest ratio lambda_min / lambda_max of H along the trace.
    pub fn smallest_ratio(&self) -> f64 {
        self.trace.iter().map(Self::ratio).fold(f64::INFINITY, f64::min)
    }

    /// The largest factor by which the loss rises from one row to the next; at most 1 if it never does.
    pub fn largest_rise(&self) -> f64 {
        let pairs = self.trace.windows(2);
        pairs.map(|pair| pair[1].loss / pair[0].loss).fold(0.0, f64::max)
    }

    /// The loss of the last row.
    pub fn final_loss(&self) -> f64 {
        self.trace.last().map_or(f64::NAN, |row| row.loss)
    }

    /// The first recorded time at which the loss is below `level`; infinite if it never is.
    pub fn first_time_below(&self, level: f64) -> f64 {
        self.trace.iter().find(|row| row.loss < level).map_or(f64::INFINITY, |row| row.time)
    }

    /// The sentence on a run that lost rank, fell back or rose in loss.
    pub fn remark(&self) -> Option<String> {
        remark(&self.outcome, &self.trace)
    }

    /// The first rank-lost event.
    pub fn rank_lost(&self) -> Option<&Event> {
        self.outcome.events.iter().find(|event| event.kind == EventKind::RankLost)
    }

    /// When `norm(w_t - w_0)` first reaches `radius`, linear between rows (exact for the first Euler
    /// step); infinite if it never does.
    pub fn exit_time(&self, radius: f64) -> f64 {
        let crossing = self.trace.windows(2).find(|pair| pair[1].deviation >= radius);
        crossing.map_or(f64::INFINITY, |pair| {
            let share = (radius - pair[0].deviation) / (pair[1].deviation - pair[0].deviation);
            pair[0].time + share * (pair[1].time - pair[0].time)
        })
    }
}

/// The paper's constants of an experiment, from the first row of its trace.
pub fn constants(experiment: &Experiment, trace: &[TraceRow]) -> Option<Constants> {
    let row = trace.first()?;
    let start = Diagnostics {
        loss: row.loss,
        deviation: row.deviation,
        riemannian_gradient_norm: row.riemannian_gradient_norm,
        normal_gradient_norm: row.normal_gradient_norm.unwrap_or(f64::NAN),
        gram_min_eigenvalue: row.gram_min_eigenvalue,
        gram_max_eigenvalue: row.gram_max_eigenvalue.unwrap_or(f64::NAN),
        kernel_min_eigenvalue: row.kernel_min_eigenvalue.unwrap_or(f64::NAN),
    };
    Some(Constants::at_start(&experiment.objective, &start))
}

/// Every finished run of a reproduction.
pub struct Results {
    /// How much was run.
    pub mode: Mode,
    /// Number of seeds.
    pub seeds: u64,
    /// The network in words.
    pub network: String,
    /// The runs, in the order of the plan.
    pub runs: Vec<Finished>,
    /// What needs no network, on the same rows; empty where it was not computed.
    pub baselines: Baselines,
}

impl Results {
    /// The run of a method, alpha and seed.
    pub fn find(&self, method: Method, scaling: f64, seed: u64) -> Option<&Finished> {
        self.runs.iter().find(|run| {
            run.method == method && run.scaling.total_cmp(&scaling).is_eq() && run.seed == seed
        })
    }

    /// The runs of a method and alpha, by seed.
    pub fn all(&self, method: Method, scaling: f64) -> impl Iterator<Item = &Finished> {
        (0..self.seeds).filter_map(move |seed| self.find(method, scaling, seed))
    }
}
