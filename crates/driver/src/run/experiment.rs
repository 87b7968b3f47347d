//! From a configuration and its data to a problem: rows, network, initial weights, objective.

use std::ops::Range;

use gaussflow::dynamics::{
    AtExit, Batches, Batching, Integrator, Preconditioner, Settings, SolveSettings, Tolerances,
};
use gaussflow::network::{InitialPoint, Network, NetworkError};
use gaussflow::objective::{Loss, MapError, Metric, Objective};
use gaussflow_data::{
    DataError, Dataset, Sample, batch_rows, breast_cancer, california_housing, digits, load_table,
};
use gaussflow_records::Confusion;

use super::classes::Outputs;
use super::error::RunError;
use crate::config::{self, BundledData, Config, DataSource, LossSettings, Reading};
use crate::needs::{Needs, Shape};

/// The objective of a run: the loss is known at run time only.
pub type RunObjective = Objective<Network, Box<dyn Loss>>;

/// A problem that is ready to run, with the map M on the rows that this process holds.
pub struct Experiment<M = Network> {
    /// The resolved configuration.
    pub config: Config,
    /// Steps, recorded rows and bytes that the run may come to.
    pub needs: Needs,
    /// n, the number of rows that the run learns from, those of other processes included.
    pub rows: usize,
    /// Rows, drawn and held out; empty but for the names and the scaling where the file is read in parts.
    pub sample: Sample,
    /// Targets and outputs of a row.
    pub outputs: Outputs,
    /// Output signs and initial weights.
    pub start: InitialPoint,
    /// `w -> g(alpha f(w))` on the drawn rows.
    pub objective: Objective<M, Box<dyn Loss>>,
    /// The same network on the rows that were not drawn; `None` when all were.
    pub held_out: Option<HeldOut>,
}

/// The network and loss on the rows that were not drawn, scaled by the drawn rows' statistics.
pub struct HeldOut {
    /// f on those rows, nullified at the same w_0.
    pub network: Network,
    /// The loss with their targets (plain squares where the drawn rows have weights).
    pub loss: Box<dyn Loss>,
}

/// Loads the data that a configuration names.
pub fn load(config: &Config) -> Result<Dataset, DataError> {
    match &config.data.source {
        DataSource::Bundled(BundledData::CaliforniaHousing) => california_housing(),
        DataSource::Bundled(BundledData::Digits) => digits(),
        DataSource::Bundled(BundledData::BreastCancer) => breast_cancer(),
        DataSource::File { path, targets } => load_table(path.as_ref(), targets),
    }
}

impl Experiment {
    /// Draws rows, signs and weights from the configuration's seed and builds the objective.
    ///
    /// # Errors
    /// [`RunError`] on data that is too small or constant, shapes that do not fit, or a need of memory beyond
    /// what the run may take, which is counted before anything is allocated.
    pub fn new(config: Config, data: &Dataset) -> Result<Self, RunError> {
        let config = config.on_rows(data.rows())?;
        config.require_all_rows(data.rows())?;
        let seed = config.dynamics.seed;
        let settings = &config.data;
        let outputs = Outputs::of(&config.loss, data)?;
        let shape = Shape::of(data, outputs.count);
        // A sample of more rows than there are is refused below, with its own words.
        let needs = if settings.samples <= shape.rows {
            Needs::require(&config, shape)?
        } else {
            Needs::of(&config, shape)
        };
        let (scale, targets) = (settings.standardize, settings.targets);
        let sample = match settings.reading {
            Reading::Whole => Sample::draw(data, settings.samples, scale, targets, seed)?,
            Reading::Parts => Sample::in_order(data, scale, targets)?,
        };
        let kind = config.network.initialization;
        let architecture = config.network.architecture(outputs.count);
        let start = InitialPoint::draw_for(&architecture, kind, sample.dimension, seed)?;
        let network =
            |inputs: &[f64]| network(&config, outputs, (inputs, sample.dimension), &start);
        let loss = outputs.loss(&config.loss, sample.targets.clone())?;
        let objective = Objective::new(network(&sample.inputs)?, loss, config.dynamics.scaling)?;
        let held_out = if sample.held_out_targets.is_empty() {
            None
        } else {
            let unweighted = match &config.loss {
                LossSettings::Weighted { .. } => &LossSettings::Squared,
                other => other,
            };
            Some(HeldOut {
                network: network(&sample.held_out_inputs)?,
                loss: outputs.loss(unweighted, sample.held_out_targets.clone())?,
            })
        };
        let rows = sample.rows.len();
        Ok(Self { config, needs, rows, sample, outputs, start, objective, held_out })
    }

    /// The objective on the drawn rows `rows` alone, counted from 0 in drawn order: network, scaling and
    /// w_0 stay those of the whole.
    ///
    /// # Errors
    /// [`RunError`]; none for ranges of at least one row that lie within the sample.
    pub fn objective_on(&self, rows: Range<usize>) -> Result<RunObjective, RunError> {
        self.objective_on_rows(&rows.collect::<Vec<_>>())
    }

    /// The batches of the configuration; `None` where every step takes all rows.
    pub fn batching(&self) -> Option<Batching<'_, Network, Box<dyn Loss>>> {
        let momentum = self.config.dynamics.momentum;
        (self.config.dynamics.batch > 0).then_some(Batching { source: self, momentum })
    }

    /// The objective on some of the drawn rows, counted from 0 in drawn order.
    fn objective_on_rows(&self, rows: &[usize]) -> Result<RunObjective, RunError> {
        let (config, d, t) = (&self.config, self.sample.dimension, self.outputs.columns);
        let of = |values: &[f64], width: usize| -> Vec<f64> {
            rows.iter().flat_map(|row| &values[row * width..(row + 1) * width]).copied().collect()
        };
        let inputs = of(&self.sample.inputs, d);
        let network = network(config, self.outputs, (&inputs, d), &self.start)?;
        let settings = match &config.loss {
            LossSettings::Weighted { weights } => {
                LossSettings::Weighted { weights: of(weights, 1) }
            }
            other => other.clone(),
        };
        let loss = self.outputs.loss(&settings, of(&self.sample.targets, t))?;
        Ok(Objective::new(network, loss, config.dynamics.scaling)?)
    }

    /// The run's name: method, the numbers that tell its siblings apart, and the seed.
    ///
    /// # Examples
    /// `gauss-newton-alpha_0.125-seed_0`, `gradient-euler-alpha_8-seed_3`,
    /// `levenberg-marquardt-rho_0.1-alpha_8-seed_0`, `gauss-newton-alpha_1e300-seed_0`.
    pub fn id(config: &Config) -> String {
        use crate::config::{Integrator as I, Preconditioner as P};
        let dynamics = &config.dynamics;
        let method = dynamics.preconditioner.word();
        // The unmarked integrator is the one that a report shows first: Euler, as printed, for
        // Gauss-Newton and Levenberg-Marquardt, and the stable stiff one for gradient flow.
        let suffix = match (dynamics.preconditioner, dynamics.integrator) {
            (P::GaussNewton | P::LevenbergMarquardt, I::Euler) | (P::Gradient, I::Stiff) => {
                String::new()
            }
            (_, integrator) => format!("-{}", integrator.word()),
        };
        let damping = match dynamics.preconditioner {
            P::LevenbergMarquardt => format!("-rho_{}", name_part(dynamics.damping)),
            P::GaussNewton | P::Gradient => String::new(),
        };
        let metric = match dynamics.metric {
            Metric::Euclidean => "",
            Metric::LossHessian => "-loss-hessian",
        };
        let batch = match (dynamics.batch, dynamics.momentum) {
            (0, _) => String::new(),
            (batch, 0.0) => format!("-batch_{batch}"),
            (batch, momentum) => format!("-batch_{batch}-momentum_{}", name_part(momentum)),
        };
        let (alpha, seed) = (name_part(dynamics.scaling), dynamics.seed);
        format!("{method}{metric}{suffix}{damping}{batch}-alpha_{alpha}-seed_{seed}")
    }
}

impl<M> Experiment<M> {
    /// How often each class was taken for each by the outputs `alpha f` of rows with these targets; `None` where there are
    /// no classes.
    pub fn confusion(&self, targets: &[f64], outputs: &[f64]) -> Option<Confusion> {
        self.outputs.confusion(&self.config.loss, targets, outputs)
    }

    /// Whether the rows are read in parts, so that the sample here is empty.
    pub fn is_part(&self) -> bool {
        self.sample.rows.is_empty()
    }

    /// The dynamics' settings of this configuration.
    pub fn settings(&self) -> Settings {
        let dynamics = &self.config.dynamics;
        let tolerances = Tolerances {
            relative: dynamics.relative_tolerance,
            absolute: dynamics.absolute_tolerance,
        };
        Settings {
            preconditioner: match dynamics.preconditioner {
                config::Preconditioner::GaussNewton => Preconditioner::GaussNewton,
                config::Preconditioner::LevenbergMarquardt => {
                    Preconditioner::LevenbergMarquardt { damping: dynamics.damping }
                }
                config::Preconditioner::Gradient => Preconditioner::Gradient,
            },
            integrator: match dynamics.integrator {
                config::Integrator::Euler => Integrator::Euler,
                config::Integrator::Rk4 => Integrator::RungeKutta4,
                config::Integrator::Adaptive => Integrator::Adaptive(tolerances),
                config::Integrator::Stiff => Integrator::Stiff(tolerances),
                config::Integrator::Discrete => Integrator::Discrete,
            },
            step: dynamics.step,
            horizon: dynamics.horizon,
            record_every: self.config.record.every,
            checkpoint_every: self.config.record.checkpoint_every,
            solve: SolveSettings {
                metric: dynamics.metric,
                solver: dynamics.solver,
                rank_policy: dynamics.effective_rank_policy(),
                rank_cutoff: dynamics.rank_cutoff,
                tolerance: dynamics.solve_tolerance,
                memory_limit: dynamics.memory_limit.saturating_mul(1 << 20),
            },
            rank_threshold: self.config.events.rank_threshold,
            ball_radius: self.config.events.ball_radius,
            at_exit: match self.config.events.at_exit {
                config::AtExit::Continue => AtExit::Continue,
                config::AtExit::Stop => AtExit::Stop,
            },
            stationary_fraction: self.config.events.stationary_fraction,
        }
    }
}

impl Batches<Network, Box<dyn Loss>> for Experiment {
    fn objective(&self, step: usize) -> Result<RunObjective, MapError> {
        let dynamics = &self.config.dynamics;
        let rows = batch_rows(self.sample.rows.len(), dynamics.batch, dynamics.seed, step);
        self.objective_on_rows(&rows)
            .map_err(|error| MapError::Undefined { reason: error.to_string() })
    }
}

/// The network of a configuration on these rows, as it starts.
fn network(
    config: &Config,
    outputs: Outputs,
    (inputs, features): (&[f64], usize),
    start: &InitialPoint,
) -> Result<Network, NetworkError> {
    let architecture = config.network.architecture(outputs.count);
    Network::with_architecture(inputs, features, architecture, &start.signs)?
        .started_as(config.network.initialization, &start.weights)
}

/// Characters of a number that a run's name writes without an exponent.
const LONGEST_NUMBER: usize = 20;

/// A number in a run's name: in digits and a point, as `0.125`, or with an exponent where those would be many more, as
/// `1e300`; either reads back to the same f64.
fn name_part(number: f64) -> String {
    let digits = number.to_string();
    if digits.len() <= LONGEST_NUMBER { digits } else { format!("{number:e}") }
}
