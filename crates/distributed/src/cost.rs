//! What a step with its rows on K ranks costs: multiply-adds, what is exchanged, and the memory of a rank.
//!
//! With n rows, m units, d features, p = m d and h = n/K rows on a rank. What has no K in it is done by every rank, and
//! does not scale; [`crate::machine`] makes seconds of it.

use crate::exchange::{Exchange, Network, Sums, doublings};
use crate::machine::{Machine, Seconds, Work};
use crate::partition::rows_of;
use crate::reduce::Traffic;

/// Numbers that begin a step beside the p of `J^T grad g`: the loss, norms, and what shows that the ranks agree.
pub const AGREEMENT: usize = 12;

/// Bytes of a number.
const NUMBER: f64 = size_of::<f64>() as f64;
/// Vectors of a rank's rows that a step holds: the outputs, the gradient, the residual and their work space.
const ROW_VECTORS: f64 = 6.0;
/// Vectors of p numbers that a step holds: weights, gradient, direction, and those of conjugate gradients.
const PARAMETER_VECTORS: f64 = 12.0;
/// Columns of a panel of a factor that is spread over the ranks.
const PANEL: usize = 128;

/// The network and the rows of all ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows n, on all ranks.
    pub rows: usize,
    /// Hidden units m.
    pub hidden: usize,
    /// Features d.
    pub features: usize,
}

/// How a step is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// By the Gram matrix of its own point and the Cholesky factor of that, without a refinement.
    Direct,
    /// By conjugate gradients with an earlier point's factor, in one run.
    Shared {
        /// Iterations.
        iterations: usize,
    },
    /// By a QR factorization of J, rank by rank and then pair by pair, and the singular values of R.
    Orthogonal,
    /// By `K = J J^T` (n x n) and its Cholesky factor, for more parameters than rows.
    Dual,
}

impl Step {
    /// Returns the name of this step in tables.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_distributed::cost::Step;
    /// assert_eq!(Step::Shared { iterations: 10 }.name(), "shared");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Shared { .. } => "shared",
            Self::Orthogonal => "orthogonal",
            Self::Dual => "dual",
        }
    }

    /// Returns whether the step is one for `rows` rows and `parameters` parameters: the dual one is for more parameters
    /// than rows, the others for at most as many.
    pub fn suits(self, rows: usize, parameters: usize) -> bool {
        (self == Self::Dual) == (parameters > rows)
    }
}

/// Bytes that a rank holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Resident {
    /// Inputs and targets of all n rows, which every rank reads and keeps.
    pub data: f64,
    /// What belongs to its own rows: inputs, S, and J where it is written out.
    pub rows: f64,
    /// Vectors of its rows and of the parameters.
    pub vectors: f64,
    /// Matrices of order p or n, and the buffers in which they are summed.
    pub matrices: f64,
}

impl Resident {
    /// Returns all bytes together.
    pub fn total(&self) -> f64 {
        self.data + self.without_data()
    }

    /// Returns the bytes that were left if a rank read only its own rows of the data.
    pub fn without_data(&self) -> f64 {
        self.rows + self.vectors + self.matrices
    }
}

/// What one step costs rank 0, which has the most rows, and another rank to meet in every round.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Ranks K.
    pub ranks: usize,
    /// What the ranks share out among themselves.
    pub shared: Work,
    /// What every rank repeats.
    pub repeated: Work,
    /// What is exchanged, and how many times.
    pub exchanges: Vec<(usize, Exchange)>,
    /// Bytes held.
    pub resident: Resident,
}

impl Shape {
    /// Returns the parameters p.
    pub fn parameters(&self) -> usize {
        self.hidden * self.features
    }

    /// Counts a step on `ranks` ranks (at least 1), nothing recorded at it.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_distributed::cost::{Shape, Step};
    /// let shape = Shape { rows: 1000, hidden: 4, features: 2 };
    /// let cost = shape.cost(2, Step::Direct);
    /// assert_eq!(cost.shared.products, 3.0 * 500.0 * 8.0);
    /// // Sums of 8 + 12, 36 and 8 numbers: on two ranks each is one exchange.
    /// assert_eq!((cost.traffic().exchanges, cost.traffic().bytes), (3, 8 * 64));
    /// ```
    pub fn cost(&self, ranks: usize, step: Step) -> Cost {
        let p = self.parameters();
        let here = rows_of(self.rows, ranks, 0).len() as f64;
        let (n, m, d) = (self.rows as f64, self.hidden as f64, self.features as f64);
        let order = p as f64;
        // Every step: S, J^T grad g of it, and one sum of these p numbers with loss, norms and agreement.
        let mut cost = Cost {
            ranks,
            shared: Work { entries: here * m, products: here * order, ..Work::default() },
            repeated: Work::default(),
            exchanges: vec![(1, Exchange::Sum(p.saturating_add(AGREEMENT)))],
            resident: Resident {
                data: NUMBER * n * (d + 1.0),
                rows: NUMBER * here * (d + 1.0 + m),
                vectors: NUMBER * (ROW_VECTORS * here + PARAMETER_VECTORS * order),
                matrices: 0.0,
            },
        };
        match step {
            Step::Direct => cost.direct(self, here),
            Step::Shared { iterations } => cost.iterate(self, here, iterations),
            Step::Orthogonal => cost.orthogonal(self, here),
            Step::Dual => cost.dual(self, here),
        }
        cost
    }
}

impl Cost {
    /// The Gram matrix of the Kronecker product of S and the inputs: pairs of units times pairs of features in each
    /// row; its factor; the solution and the estimate of the condition; `J v` and `J^T` of the true residual.
    fn direct(&mut self, shape: &Shape, here: f64) {
        let (m, d) = (shape.hidden as f64, shape.features as f64);
        let (p, order) = (shape.parameters(), m * d);
        self.shared.gram = here * m * (m + 1.0) / 2.0 * d * (d + 1.0) / 2.0;
        self.shared.products += 2.0 * here * order;
        self.repeated.factor = order * order * order / 6.0;
        self.repeated.solves = 2.0 * order * order;
        self.exchanges.extend([(1, Exchange::Sum(triangle(p))), (1, Exchange::Sum(p))]);
        self.hold_gram(p);
    }

    /// `J v` and `J^T` for each iteration and for two looks at the true residual, and a solve for each iteration.
    fn iterate(&mut self, shape: &Shape, here: f64, iterations: usize) {
        let (p, rounds) = (shape.parameters(), iterations.saturating_add(2));
        let order = p as f64;
        self.shared.products += 2.0 * rounds as f64 * here * order;
        self.repeated.solves = order * order * iterations as f64;
        self.exchanges.push((rounds, Exchange::Sum(p)));
        self.hold_gram(p);
    }

    /// J is written out, one multiply-add an entry; each rank factors its rows; in each of `log2 K` rounds pairs of ranks swap
    /// their triangles and factor the stack of both (2p x p); then R's singular vectors, and two solves with looks at
    /// the residual. Where K is no power of two, rank 0 has log2 K rounds, rounded up, and others have fewer.
    fn orthogonal(&mut self, shape: &Shape, here: f64) {
        let p = shape.parameters();
        let (order, rounds) = (p as f64, doublings(self.ranks));
        self.shared.products += 5.0 * here * order;
        self.shared.qr = householder(here, order);
        self.repeated.qr = rounds as f64 * householder(2.0 * order, order);
        self.repeated.svd = order * order * order;
        self.repeated.solves = 4.0 * order * order;
        self.exchanges.extend([(rounds, Exchange::Swap(triangle(p))), (2, Exchange::Sum(p))]);
        // J and its reflectors; the stack, R, and the singular vectors of both sides.
        self.resident.rows += 2.0 * NUMBER * here * order;
        self.resident.matrices = NUMBER * 5.0 * order * order + self.buffers(2, triangle(p));
    }

    /// In each of K/2 rounds a rank receives S and X of another one's rows and computes that block of K, `(s_i . s_j)(x_i . x_j)`
    /// an entry; the blocks of all ranks and b are gathered, every rank factors K and solves twice, and `J^T z`, `J v` and
    /// `J^T` of the residual follow.
    fn dual(&mut self, shape: &Shape, here: f64) {
        let (p, n, ranks) = (shape.parameters(), shape.rows as f64, self.ranks);
        let most = rows_of(shape.rows, ranks, 0).len();
        let passed = most.saturating_mul(shape.hidden + shape.features);
        let (rounds, block) = (ranks / 2, most.saturating_mul(most));
        let pairs = if ranks == 1 { 0.5 * n * n } else { (rounds + 1) as f64 * here * here };
        self.shared.gram = pairs * (shape.hidden + shape.features) as f64;
        self.shared.products += 3.0 * here * p as f64;
        self.repeated.factor = n * n * n / 6.0;
        self.repeated.solves = 2.0 * n * n;
        let kernel = ranks.saturating_mul(rounds + 1).saturating_mul(block);
        self.exchanges.extend([
            (rounds, Exchange::Swap(passed)),
            (1, Exchange::Gather(kernel)),
            (1, Exchange::Gather(ranks.saturating_mul(most))),
            (2, Exchange::Sum(p)),
        ]);
        self.resident.rows += 2.0 * NUMBER * passed as f64;
        self.resident.matrices = NUMBER * (2.0 * n * n) + self.buffers(1, kernel);
    }

    /// The Gram matrix and its factor, and the triangle with the two buffers of its sum.
    fn hold_gram(&mut self, p: usize) {
        let order = p as f64;
        self.resident.matrices = NUMBER * 2.0 * order * order + self.buffers(3, triangle(p));
    }

    /// Bytes of so many buffers for what is exchanged; one rank exchanges nothing.
    fn buffers(&self, count: usize, length: usize) -> f64 {
        if self.ranks > 1 { NUMBER * count as f64 * length as f64 } else { 0.0 }
    }

    /// Counts the exchanges and the bytes that this rank receives in them, as the program makes and counts them.
    pub fn traffic(&self) -> Traffic {
        let mut traffic = Traffic::default();
        for (times, exchange) in &self.exchanges {
            let (exchanges, numbers) = exchange.counted(self.ranks);
            traffic.exchanges += (times * exchanges) as u64;
            traffic.bytes += (times * size_of::<f64>()).saturating_mul(numbers) as u64;
        }
        traffic
    }

    /// Predicts the seconds of the step, with ranks that wait for nothing but messages.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_distributed::cost::{Shape, Step};
    /// use gaussflow_distributed::exchange::{Network, Sums};
    /// use gaussflow_distributed::machine::Machine;
    /// let machine =
    ///     Machine { entry: 0.0, gram: 0.0, product: 0.0, factor: 0.0, solve: 0.0, qr: 0.0, svd: 0.0 };
    /// let network = Network { latency: 1e-6, byte: 0.0 };
    /// let shape = Shape { rows: 1000, hidden: 4, features: 2 };
    /// // Three sums, two rounds each.
    /// let seconds = shape.cost(4, Step::Direct).seconds(&machine, &network, Sums::Program);
    /// assert!((seconds.total() - 6e-6).abs() < 1e-18);
    /// ```
    pub fn seconds(&self, machine: &Machine, network: &Network, sums: Sums) -> Seconds {
        let mut seconds = Seconds {
            shared: self.shared.seconds(machine),
            repeated: self.repeated.seconds(machine),
            ..Seconds::default()
        };
        if self.ranks > 1 {
            for (times, exchange) in &self.exchanges {
                let (latency, bandwidth) = exchange.messages(self.ranks, sums, network).on(network);
                seconds.latency += *times as f64 * latency;
                seconds.bandwidth += *times as f64 * bandwidth;
            }
        }
        seconds
    }

    /// Returns the cost of the same step if the ranks shared out the Cholesky factor of order `order` as well.
    ///
    /// Each rank does a K-th of the factor and of the solves; a panel of 128 columns after the other is sent to all ranks, and
    /// in each of the two triangular systems of a solve so many numbers of the solution. Matrices take a K-th of the memory.
    #[must_use]
    pub fn with_spread_factor(&self, order: usize) -> Self {
        let share = |work: f64| work / self.ranks as f64;
        let mut spread = self.clone();
        let panels = order.div_ceil(PANEL).max(1);
        // Whole numbers: a solve takes the square of the order.
        let solves = (self.repeated.solves / (order as f64 * order as f64)).round();
        spread.shared.factor = share(self.repeated.factor);
        spread.shared.solves = share(self.repeated.solves);
        (spread.repeated.factor, spread.repeated.solves) = (0.0, 0.0);
        spread.resident.matrices = share(self.resident.matrices);
        if self.repeated.factor > 0.0 {
            let panel = triangle(order).div_ceil(panels);
            spread.exchanges.push((panels, Exchange::Broadcast(panel)));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small count, and a cast of a float saturates"
        )]
        let sweeps = (2.0 * solves) as usize;
        spread.exchanges.push((sweeps.saturating_mul(panels), Exchange::Broadcast(PANEL)));
        spread
    }
}

/// Numbers of a triangle with its diagonal.
pub(crate) fn triangle(order: usize) -> usize {
    order.saturating_mul(order.saturating_add(1)) / 2
}

/// Multiply-adds of the QR factorization of a `rows` x `columns` matrix, half its floating-point operations: reflection j
/// meets `rows - j` rows of `columns - j` columns twice. With `rows` above `columns`, `rows columns^2 - columns^3 / 3`.
fn householder(rows: f64, columns: f64) -> f64 {
    let reflections = rows.min(columns);
    2.0 * rows * columns * reflections - (rows + columns) * reflections.powi(2)
        + 2.0 / 3.0 * reflections.powi(3)
}
