//! The simulator of scaling: the seconds of a step on 1, 2, 4, ... 65,536 ranks by the cost model, and where they stop falling.
//!
//! [`curve`] follows one problem over the ranks, [`Curve::walls`] says what stops it, and the other files of this folder write
//! the tables and figures of `gaussflow-scaling`.

mod chart;
mod page;
mod plan;
mod setting;
mod table;

pub use self::plan::{Plan, ScalingError, write};
pub use self::setting::{Link, Setting, SettingError};

use crate::cost::{Cost, Shape, Step};
use crate::exchange::{Network, Sums};
use crate::machine::{Machine, Seconds};

/// Most ranks that are simulated.
pub const MOST_RANKS: usize = 65_536;

/// How many rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// So many on all ranks together: strong scaling.
    Total(usize),
    /// So many on each rank: weak scaling.
    PerRank(usize),
}

impl Rows {
    /// Returns the rows on all of `ranks` ranks.
    pub fn on(self, ranks: usize) -> usize {
        match self {
            Self::Total(rows) => rows,
            Self::PerRank(rows) => rows.saturating_mul(ranks),
        }
    }
}

/// A step of a network, at any number of ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Rows.
    pub rows: Rows,
    /// Hidden units m.
    pub hidden: usize,
    /// Features d.
    pub features: usize,
    /// How the step is solved.
    pub step: Step,
}

impl Problem {
    /// Returns the parameters p.
    pub fn parameters(&self) -> usize {
        self.hidden * self.features
    }
}

/// The step on one number of ranks.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What it costs.
    pub cost: Cost,
    /// Rows on all ranks.
    pub rows: usize,
    /// Seconds with sums as gaussflow makes them, with the faster of its two ways, and with a library's: those of
    /// [`Sums::ALL`].
    pub seconds: [Seconds; Sums::ALL.len()],
    /// Seconds with the faster sums if the Cholesky factor was spread over the ranks as well; `None` for steps without one.
    pub spread: Option<Seconds>,
    /// Time on the first number of ranks over the time on this one, by what is ideal: in strong scaling the ratio of
    /// the ranks, in weak scaling 1.
    pub efficiency: f64,
}

impl Point {
    /// Returns the ranks K.
    pub fn ranks(&self) -> usize {
        self.cost.ranks
    }

    /// Returns the seconds with the faster of gaussflow's sums, from which efficiencies and walls are taken.
    pub fn time(&self) -> Seconds {
        self.seconds[1]
    }

    /// Returns the seconds in all with a library's sums.
    pub fn tree(&self) -> f64 {
        self.seconds[2].total()
    }
}

/// A problem on rising numbers of ranks.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The problem.
    pub problem: Problem,
    /// One point for each number of ranks with a row for everyone, from the first on which the step suits the shape.
    pub points: Vec<Point>,
}

/// The numbers of ranks from which on something holds, among those simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walls {
    /// Rounds of messages take at least half of the time.
    pub latency: Option<usize>,
    /// Bytes take at least half of the time.
    pub bandwidth: Option<usize>,
    /// What every rank repeats takes at least half of the time.
    pub repeated: Option<usize>,
    /// A rank's memory suffices.
    pub memory: Option<usize>,
    /// It would suffice if each rank read only its own rows of the data.
    pub memory_of_own_rows: Option<usize>,
}

/// Follows `problem` over 1, 2, 4, ... ranks, up to `most_ranks`.
///
/// # Cost
/// A few operations for each number of ranks.
///
/// # Examples
/// ```
/// use gaussflow_distributed::cost::Step;
/// use gaussflow_distributed::scaling::{Problem, Rows, Setting, curve};
/// let problem =
///     Problem { rows: Rows::Total(1_000_000), hidden: 64, features: 8, step: Step::Direct };
/// let setting = Setting::default();
/// let network = setting.networks["ethernet-10g"].network();
/// let curve = curve(problem, 1024, &setting.machine, &network);
/// assert_eq!(curve.points.len(), 11);
/// assert!(curve.points[1].efficiency > 0.9 && curve.points[10].efficiency < 0.5);
/// ```
pub fn curve(problem: Problem, most_ranks: usize, machine: &Machine, network: &Network) -> Curve {
    let Problem { hidden, features, step, .. } = problem;
    let mut points: Vec<Point> = Vec::new();
    let mut ranks = 1;
    while ranks <= most_ranks.min(MOST_RANKS) {
        let rows = problem.rows.on(ranks);
        if rows >= ranks && step.suits(rows, problem.parameters()) {
            let cost = Shape { rows, hidden, features }.cost(ranks, step);
            let seconds = Sums::ALL.map(|sums| cost.seconds(machine, network, sums));
            let order = match step {
                Step::Direct => Some(problem.parameters()),
                Step::Dual => Some(rows),
                Step::Shared { .. } | Step::Orthogonal => None,
            };
            let spread = order.map(|order| {
                cost.with_spread_factor(order).seconds(machine, network, Sums::Faster)
            });
            let mut point = Point { cost, rows, seconds, spread, efficiency: 1.0 };
            if let Some(first) = points.first() {
                let ideal = match problem.rows {
                    Rows::Total(_) => ranks as f64 / first.ranks() as f64,
                    Rows::PerRank(_) => 1.0,
                };
                point.efficiency = first.time().total() / point.time().total() / ideal;
            }
            points.push(point);
        }
        ranks *= 2;
    }
    Curve { problem, points }
}

impl Curve {
    /// Returns the point with the shortest time, with the fewest ranks among equals; `None` without points.
    pub fn fastest(&self) -> Option<&Point> {
        self.points.iter().min_by(|a, b| a.time().total().total_cmp(&b.time().total()))
    }

    /// Returns the point with the most ranks of those that are at least half as efficient as the first.
    pub fn last_efficient(&self) -> Option<&Point> {
        self.points.iter().rev().find(|point| point.efficiency >= 0.5)
    }

    /// Returns the ranks and the seconds at which the step with a spread factor is fastest.
    pub fn fastest_spread(&self) -> Option<(usize, f64)> {
        let times =
            self.points.iter().filter_map(|point| Some((point.ranks(), point.spread?.total())));
        times.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Finds what stops the scaling; `memory` is that of a rank in bytes.
    pub fn walls(&self, memory: f64) -> Walls {
        let first = |holds: &dyn Fn(&Point) -> bool| {
            self.points.iter().find(|point| holds(point)).map(Point::ranks)
        };
        let half = |part: fn(Seconds) -> f64| {
            first(&|point| part(point.time()) >= 0.5 * point.time().total())
        };
        Walls {
            latency: half(|seconds| seconds.latency),
            bandwidth: half(|seconds| seconds.bandwidth),
            repeated: half(|seconds| seconds.repeated),
            memory: first(&|point| point.cost.resident.total() <= memory),
            memory_of_own_rows: first(&|point| point.cost.resident.without_data() <= memory),
        }
    }
}
