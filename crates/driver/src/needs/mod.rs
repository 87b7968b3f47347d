//! What a run needs: steps, recorded rows and bytes by item, counted before anything large is allocated.
//!
//! n rows are drawn of N, with d features; the network has m units in all and p weights. All arithmetic saturates: a
//! need that cannot be counted is more than any machine has. [`Needs::of`] counts, `refusal.rs` compares with
//! `dynamics.memory_limit` and the machine, `machine.rs` asks the machine.

mod machine;
mod refusal;

use gaussflow::network::ROWS_OF_A_BLOCK;
use gaussflow::solvers::DampedSolver;
use gaussflow_data::Dataset;
use gaussflow_records::TraceRow;

use crate::config::{Config, Integrator, Metric, OutputWeights};

pub use self::machine::memory as machine_memory;
pub use self::refusal::TooLarge;

/// Vectors of p, and of n, numbers that a run holds at once at most: the linearization's and the flow's, those of a
/// Runge-Kutta step or of differences of order 5, of LSMR, and the weights in the records.
const VECTORS: u64 = 48;
/// Vectors of n numbers, where n is large because the file is read in parts: the linearization's (5), the factors' (3), those
/// of shared factors (2), of conjugate gradients or LSMR (7), the targets and the outputs at the start.
const PART_VECTORS: u64 = 19;
/// Lanczos steps whose vectors give the largest singular value where no matrix of J's size may be formed.
const LANCZOS_VECTORS: u64 = 60;
/// Bytes of a number in JSON, in a text that has grown to twice its length.
const JSON_NUMBER: u64 = 64;
/// A list that grows holds up to twice what was put into it.
const GROWTH: u64 = 2;
/// Bytes of a row of trace.csv as text.
const ROW_TEXT: u64 = 300;
/// Bytes of a number.
const NUMBER: u64 = 8;
/// Beyond so many steps, or so many bytes, a run is announced.
const MANY_STEPS: u64 = 100_000;
/// See [`MANY_STEPS`].
const MANY_BYTES: u64 = 1 << 30;
/// Multiply-adds of one dense factor a step, minutes of a core, from which a run is announced as well.
const MUCH_WORK: u64 = 100_000_000_000;

/// The sizes of a problem that its configuration does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// N, the rows of the data.
    pub rows: usize,
    /// d, the features.
    pub features: usize,
    /// o, the outputs of a row.
    pub outputs: usize,
    /// Where the file is read in parts, the rows whose part of the Jacobian's structure is held at a time; `rows` are then
    /// those of this process.
    pub block: Option<usize>,
}

impl Shape {
    /// Of `data`, and a network with so many outputs.
    pub fn of(data: &Dataset, outputs: usize) -> Self {
        Self { rows: data.rows(), features: data.dimension(), outputs, block: None }
    }
}

/// What a run needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Steps from 0 to the horizon.
    pub steps: u64,
    /// Rows of trace.csv at most: one every `record.every` steps, the first and the last.
    pub recorded_rows: u64,
    /// Snapshots of the weights at most.
    pub snapshots: u64,
    /// Multiply-adds of one dense factor a step.
    work: u64,
    /// Bytes of each item; see [`Item`] for the order.
    bytes: [u64; Item::ALL.len()],
}

/// What bytes are needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// The rows, drawn and held out, in the forms that the run reads them in.
    Data,
    /// S (n x m), the slopes of the activation, and what hidden layers put out.
    Slopes,
    /// Vectors of p and of n numbers, and the weights in the records.
    Vectors,
    /// The p x p matrices of an implicit step.
    Integrator,
    /// The matrices of a kernel that the configuration names.
    NamedKernel,
    /// Recorded rows of the trace.
    Trace,
    /// Snapshots of the weights.
    Snapshots,
    /// The matrices that `auto` and the diagnostics may form within `dynamics.memory_limit`: what products with J
    /// alone can do without.
    Matrices,
}

impl Item {
    /// Every item.
    pub const ALL: [Self; 8] = [
        Self::Data,
        Self::Slopes,
        Self::Vectors,
        Self::Integrator,
        Self::NamedKernel,
        Self::Trace,
        Self::Snapshots,
        Self::Matrices,
    ];

    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Data => "the rows of the data",
            Self::Slopes => "S (rows times hidden units)",
            Self::Vectors => "weights and vectors of their length",
            Self::Integrator => "the matrices of implicit steps",
            Self::NamedKernel => "the matrices of the named solver",
            Self::Trace => "recorded rows",
            Self::Snapshots => "snapshots of the weights",
            Self::Matrices => "matrices of a solve and of the spectrum",
        }
    }
}

impl Needs {
    /// Counts what the run of `config` on data of this shape needs.
    ///
    /// The bytes are an upper bound, not far above what is allocated where one item outweighs the others.
    pub fn of(config: &Config, shape: Shape) -> Self {
        // A network holds a row of inputs once for each of its outputs.
        let o = size(shape.outputs);
        let samples = if shape.block.is_some() { shape.rows } else { config.data.samples };
        let (n, all) = (product(&[size(samples), o]), product(&[size(shape.rows), o]));
        // The outputs whose rows of inputs and of S are in memory.
        let held = shape.block.map_or(n, |block| product(&[size(block.min(shape.rows)), o]));
        let d = size(shape.features);
        let widths = || config.network.hidden.0.iter().map(|width| size(*width));
        let m = widths().fold(0, u64::saturating_add);
        // What each layer gets, its bias included, and the output at last.
        let inputs = || std::iter::once(d).chain(widths()).map(|before| before.saturating_add(1));
        let output_weights = product(&[m, o]);
        let p = widths()
            .zip(inputs())
            .fold(output_weights, |p, (m, d)| p.saturating_add(product(&[m, d])));
        // In the metric of the loss, the Jacobian times a root of the Hessian is there too.
        let forms = if config.dynamics.metric == Metric::LossHessian { 2 } else { 1 };
        let hidden_inputs = inputs().skip(1).fold(0, u64::saturating_add);
        let (record, dynamics) = (&config.record, &config.dynamics);
        let steps = steps(config);
        let every = |interval: usize| (steps / size(interval).max(1)).saturating_add(2);
        let recorded_rows = every(record.every);
        let snapshots = if record.snapshot_every == 0 {
            0
        } else {
            // At recorded steps alone.
            every(record.every.max(record.snapshot_every))
        };
        let direct = Direct::within(config, n, p);

        let numbers = |count: u64| count.saturating_mul(NUMBER);
        // Data, sample and network; of the drawn rows also the Jacobian's two forms and those of problem.json.
        let data = if shape.block.is_some() {
            // The rows are in a file; of a block there are the forms that it is read in.
            numbers(product(&[6, held, d.saturating_add(8)]))
        } else {
            sum(&[
                numbers(product(&[3, all, d.saturating_add(1)])),
                numbers(product(&[5, n, d.saturating_add(8)])),
                product(&[JSON_NUMBER, n, d]),
            ])
        };
        // The slopes' curvature and the pairs of features are kept up to some MiB.
        // What a layer puts out is kept by columns and by rows where another one takes it in.
        let deep = if config.network.hidden.0.len() > 1 { 2 } else { 0 };
        // Several fixed outputs have the signs of each row of f beside S.
        let signs = config.network.output == OutputWeights::Signs && o > 1;
        let last = config.network.hidden.0.last().map_or(0, |width| size(*width));
        let slopes = sum(&[
            if signs {
                numbers(product(&[if shape.block.is_some() { held } else { all }, last]))
            } else {
                0
            },
            numbers(product(&[forms, held.saturating_add(8), m])),
            numbers(product(&[forms, deep, held.saturating_add(8), hidden_inputs])),
            1 << 23,
        ]);
        let basis = if direct.has_dense { 0 } else { product(&[LANCZOS_VECTORS, n.min(p)]) };
        let vectors = sum(&[
            numbers(product(&[VECTORS, p])),
            numbers(product(&[if shape.block.is_some() { PART_VECTORS } else { VECTORS }, n])),
            numbers(product(&[forms - 1, n, o])),
            numbers(basis),
            product(&[JSON_NUMBER, p]),
            // Each unit's weights are a list of their own in the records.
            product(&[96, m]),
        ]);
        let integrator = match dynamics.integrator {
            Integrator::Stiff => numbers(product(&[3, p, p])),
            _ => 0,
        };
        // A checkpoint holds the whole trace as text, twice while it is written, and the snapshots once more.
        let is_kept = record.checkpoint_every > 0;
        let row = GROWTH * size(size_of::<TraceRow>()) + if is_kept { 3 * ROW_TEXT } else { 0 };
        let snapshot = GROWTH * NUMBER + if is_kept { NUMBER + JSON_NUMBER } else { 0 };
        let bytes = [
            data,
            slopes,
            vectors,
            integrator,
            direct.named,
            product(&[recorded_rows, row]),
            product(&[snapshots, p.saturating_add(1), snapshot]),
            direct.matrices,
        ];
        let work = product(&[steps, n, p, n.min(p)]);
        Self { steps, recorded_rows, snapshots, work, bytes }
    }

    /// Bytes of one item.
    pub fn of_item(&self, item: Item) -> u64 {
        self.bytes[item as usize]
    }

    /// Bytes of everything.
    pub fn total(&self) -> u64 {
        sum(&self.bytes)
    }

    /// Bytes of what no run of this configuration can do without: products with J alone.
    pub fn least(&self) -> u64 {
        let needed = Item::ALL.into_iter().filter(|item| *item != Item::Matrices);
        needed.fold(0, |all, item| all.saturating_add(self.of_item(item)))
    }

    /// A line on a run that is long or large; `None` for all others.
    pub fn notice(&self) -> Option<String> {
        let is_long =
            self.steps >= MANY_STEPS || self.work >= MUCH_WORK || self.least() >= MANY_BYTES;
        is_long.then(|| {
            format!(
                "{} steps, at most {} recorded rows and {} snapshots of the weights; at most {} MiB of memory",
                self.steps,
                self.recorded_rows,
                self.snapshots,
                self.total().div_ceil(1 << 20)
            )
        })
    }
}

/// Rows of a block of a file that is read in parts: as configured, or all `rows` of a process where S of them is within
/// `dynamics.memory_limit`, or else [`ROWS_OF_A_BLOCK`].
pub(crate) fn rows_of_a_block(config: &Config, rows: usize, features: usize) -> usize {
    let units =
        config.network.hidden.0.iter().fold(features, |all, width| all.saturating_add(*width));
    let bytes = product(&[NUMBER, size(rows), size(units)]);
    match config.data.block_rows {
        0 if bytes <= mebibytes(config.dynamics.memory_limit) => rows,
        0 => ROWS_OF_A_BLOCK.min(rows),
        chosen => chosen.min(rows),
    }
}

/// Steps from 0 to the horizon.
fn steps(config: &Config) -> u64 {
    let dynamics = &config.dynamics;
    let one = match dynamics.integrator {
        Integrator::Discrete => dynamics.scaling * dynamics.step,
        _ => dynamics.step,
    };
    let quotient = dynamics.horizon / one;
    // As the integrators' grid: a multiple up to rounding is that multiple.
    let nearest = quotient.round();
    let is_multiple = (quotient - nearest).abs() <= 4.0 * f64::EPSILON * nearest;
    let count = if is_multiple { nearest } else { quotient.ceil() };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates, and a configuration that was checked has at most 1e9 steps"
    )]
    if count.is_nan() { u64::MAX } else { count as u64 }
}

/// Whether `auto` may form matrices, and how large all of them can become.
struct Direct {
    /// J and its orthogonal factors are within the limit: spectrum and projections are computed.
    has_dense: bool,
    /// Bytes of the matrices that can be there at once.
    matrices: u64,
    /// Bytes of the matrices of the kernel that is named.
    named: u64,
}

impl Direct {
    fn within(config: &Config, n: u64, p: u64) -> Self {
        let dynamics = &config.dynamics;
        let limit = mebibytes(dynamics.memory_limit);
        let index = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let has = |solver: DampedSolver| size(solver.matrix_bytes(index(n), index(p))) <= limit;
        let rho = dynamics.effective_damping();
        let (wide, small) = (p > n, n.min(p));
        let has_dense = has(DampedSolver::HouseholderQr);
        // J, its QR, its SVD with both sides and work, the bidiagonal of its spectrum; at loss of rank all are there.
        let orthogonal = sum(&[
            product(&[4, n, p]),
            product(&[2, sum(&[n, p]), small]),
            product(&[2, small, small]),
        ]);
        // The Gram matrix, a factor a damping, one a path and one a certificate.
        let primal = product(&[7, p, p]);
        let dual = product(&[3, n, n]);
        let mut entries = if has_dense { orthogonal } else { 0 };
        if !wide && has(DampedSolver::PrimalCholesky) {
            entries = entries.saturating_add(primal);
        }
        // With p > n the spectrum comes from K, a factor of it and one a certificate.
        if wide && product(&[NUMBER, 3, n, n]) <= limit {
            entries = entries.saturating_add(product(&[5, n, n]));
        }
        if wide && rho > 0.0 && rho < 1.0 && has(DampedSolver::DualCholesky) {
            entries = entries.saturating_add(dual);
        }
        let of_named = match dynamics.solver {
            // At rho = 1 nothing is solved.
            _ if rho >= 1.0 => 0,
            DampedSolver::PrimalCholesky => product(&[3, p, p]),
            DampedSolver::DualCholesky => dual,
            DampedSolver::HouseholderQr | DampedSolver::ThinSvd => orthogonal,
            // The kernels that choose or iterate keep within the limit.
            DampedSolver::Auto
            | DampedSolver::AmortizedCholesky
            | DampedSolver::ConjugateGradients
            | DampedSolver::Lsmr => 0,
        };
        // Beyond the limit the run cannot do without them; within it they are among those that may be formed.
        let of_named = of_named.saturating_mul(NUMBER);
        let matrices = entries.saturating_mul(NUMBER);
        let (matrices, named) =
            if has(dynamics.solver) { (matrices.max(of_named), 0) } else { (matrices, of_named) };
        Self { has_dense, matrices, named }
    }
}

/// MiB in bytes.
fn mebibytes(count: usize) -> u64 {
    size(count).saturating_mul(1 << 20)
}

/// A size of this machine as a number of 64 bits.
fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn product(factors: &[u64]) -> u64 {
    factors.iter().fold(1, |all, factor| all.saturating_mul(*factor))
}

fn sum(terms: &[u64]) -> u64 {
    terms.iter().fold(0, |all, term| all.saturating_add(*term))
}
